"""Reading JSON documents strictly: known keys, declared types, every complaint with its pointer."""

import json
import math
import re
from collections.abc import Mapping

import polars as pl

from pipelines.sources.cells import utf8
from pipelines.sources.errors import SourceError

LARGEST = 2**53
"""Beyond it a float no longer holds every whole number; no published figure is near it."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF_A_PAIR = re.compile(f"{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW}")


def load_json(content: bytes, source_id: str, place: str) -> object:
    """The document. Raises SourceError with line and column where it is not JSON."""
    text = utf8(content, source_id, place)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{place}, line {error.lineno} column {error.colno}"
        raise SourceError(source_id, where, f"is not JSON: {error.msg}", "It may be truncated.") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets without end
        raise SourceError(
            source_id, f"{place}, /", f"is not JSON: {error}", "The last accepted figures are served."
        ) from error
    if (found := _SURROGATE.search(text)) and not _is_text(document):
        found = _HALF_A_PAIR.search(text) or found  # none where an escaped backslash stands before the low half
        where = f"{place}, line {text.count(chr(10), 0, found.start()) + 1}"
        problem = f"is not text: {found[0]} escapes half a character"
        raise SourceError(source_id, where, problem, "The last accepted figures are served.")
    return document


def _is_text(document: object) -> bool:
    """Whether all text of it can be written as UTF-8; JSON lets an escape name a surrogate without its other half."""
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def fits(value: object, dtype: type[pl.DataType]) -> bool:
    """Whether a JSON value is of a column's type; NaN and Infinity, which Python reads, are not."""
    if dtype == pl.Boolean:
        return isinstance(value, bool)
    if dtype == pl.String:
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LARGEST:
        return False
    return dtype != pl.Int64 or value == math.floor(value)


def read_fields(
    source_id: str,
    place: str,
    printed: object,
    schema: Mapping[str, type[pl.DataType]],
    *,
    optional: frozenset[str] = frozenset(),
    left_out: frozenset[str] = frozenset(),
    remedy: str,
) -> dict:
    """The fields of one object that `schema` names, typed; an absent optional one is null.

    Raises SourceError for a key that is neither in `schema` nor `left_out`, a missing one, or a value of another type.
    """
    if not isinstance(printed, dict):
        raise SourceError(source_id, place, "is not an object", remedy)
    if unknown := set(printed) - set(schema) - left_out:
        raise SourceError(source_id, f"{place}/{min(unknown)}", "is a key not known before", remedy)
    if missing := set(schema) - set(printed) - optional:
        raise SourceError(source_id, f"{place}/{min(missing)}", "is missing", remedy)
    row = {}
    for name, dtype in schema.items():
        value = printed.get(name)
        if value is None and name in optional:
            row[name] = None
            continue
        if not fits(value, dtype):
            raise SourceError(source_id, f"{place}/{name}", f"{value!r} is not {dtype}", remedy)
        row[name] = float(value) if dtype == pl.Float64 else int(value) if dtype == pl.Int64 else value
    return row
