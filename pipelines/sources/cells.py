"""Reading what is printed in one cell, strictly: a number that does not parse is an error, never a null."""

import re

from pipelines.sources.errors import SourceError

_NUMBER = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?|\d+(\.\d+)?([eE][+-]?\d+)?")
_LOOK = "Look at the published page; if the layout changed, the parser must learn it."


def number(text: str, source_id: str, place: str) -> float:
    """A printed non-negative number, with or without thousands separators. Raises SourceError."""
    if not _NUMBER.fullmatch(text.strip()):
        raise SourceError(source_id, place, f"{text.strip()!r} is not a non-negative number", _LOOK)
    return float(text.replace(",", ""))


def whole_number(text: str, source_id: str, place: str) -> int:
    """A printed non-negative whole number. Raises SourceError."""
    value = number(text, source_id, place)
    if value != int(value):
        raise SourceError(source_id, place, f"{text.strip()!r} is not a whole number", _LOOK)
    return int(value)


def utf8(content: bytes, source_id: str, place: str) -> str:
    """Bytes as text, a byte order mark left out. Raises SourceError naming the offset."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 at byte {error.start}"
        raise SourceError(source_id, place, problem, "The last accepted figures are served.") from error
