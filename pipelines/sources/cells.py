"""Reading what is printed in one cell, strictly: a number that does not parse is an error, never a null."""

import csv
import io
import math
import re
from collections.abc import Iterator

from pipelines.sources.errors import SourceError

_NUMBER = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_LARGEST_WHOLE_NUMBER = 2**53
LONGEST_CELL = 131_072
"""Characters of a CSV cell; a longer one is a quote that does not close."""
_LOOK = "Look at the published page; if the layout changed, the parser must learn it."


def number(text: str, source_id: str, place: str) -> float:
    """A printed non-negative number, with or without thousands separators. Raises SourceError."""
    printed = text.strip(" \t\r\n")  # the bare strip() also takes control characters, which no publisher prints
    if not _NUMBER.fullmatch(printed):
        raise SourceError(source_id, place, f"{printed!r} is not a non-negative number", _LOOK)
    value = float(printed.replace(",", ""))
    if math.isinf(value):
        raise SourceError(source_id, place, f"{printed!r} is too large", _LOOK)
    return value


def whole_number(text: str, source_id: str, place: str) -> int:
    """A printed non-negative whole number. Raises SourceError."""
    value = number(text, source_id, place)
    if value != int(value) or value > _LARGEST_WHOLE_NUMBER:
        raise SourceError(source_id, place, f"{text.strip()!r} is not a whole number", _LOOK)
    return int(value)


def utf8(content: bytes, source_id: str, place: str) -> str:
    """Bytes as text, a byte order mark left out. Raises SourceError naming the offset."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 at byte {error.start}"
        raise SourceError(source_id, place, problem, "The last accepted figures are served.") from error


def csv_records(text: str, source_id: str) -> Iterator[tuple[int, list[str]]]:
    """The records of a CSV text, each with the line it ends on. Raises SourceError where quotes do not match."""
    csv.field_size_limit(LONGEST_CELL)  # the limit is the process's: another library may have lifted it
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise SourceError(source_id, f"line {reader.line_num}", f"is not CSV: {error}", _LOOK) from error
