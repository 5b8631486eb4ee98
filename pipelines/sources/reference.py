"""Strict reading of the CSV files that people edit: every complaint names the file and the line."""

import polars as pl

from pipelines.sources.cells import csv_records, utf8
from pipelines.sources.errors import SourceError

_REMEDY = "Edit that line."


def read_reference(content: bytes, path: str, schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """The rows with exactly the columns of `schema`, empty cells null, and `locator` (the line) where it is asked for.

    Raises SourceError for an unknown or missing column, a ragged row, or a cell of another type.
    """
    records = csv_records(utf8(content, path, "whole file"), path)
    _, header = next(records, (1, []))
    wanted = [name for name in schema if name != "locator"]
    if sorted(header) != sorted(wanted):
        problem = f"columns differ from the contract: {sorted(set(header) ^ set(wanted)) or 'one is repeated'}"
        raise SourceError(path, "line 1", problem, _REMEDY)
    rows = []
    for line, cells in records:
        place = f"line {line}"
        if len(cells) != len(header):
            raise SourceError(path, place, f"has {len(cells)} cells, the header {len(header)}", _REMEDY)
        row = {name: _cell(path, place, name, cell, schema[name]) for name, cell in zip(header, cells, strict=True)}
        rows.append(row | {"locator": place})
    return pl.DataFrame(rows, schema_overrides=schema).select(schema.keys())


def _cell(path: str, place: str, name: str, cell: str, dtype: type[pl.DataType]) -> str | float | int | None:
    if cell == "":
        return None
    try:
        if dtype == pl.Int64:
            return int(cell)
        return float(cell) if dtype == pl.Float64 else cell
    except ValueError as error:
        raise SourceError(path, f"{place}, column {name}", f"{cell!r} is not {dtype}", _REMEDY) from error
