"""The one file people open: a DuckDB database of checked tables with comments, swapped in whole.

A reader with the old file open keeps it; the next open gets the new one. Which tables are published is said by the
tables themselves (`published=True`).
"""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import duckdb
import polars as pl

from pipelines.tables.contract import Column, Table, TableError
from pipelines.warehouse.store import Warehouse

FILE_NAME = "joulebook.duckdb"
STORAGE_VERSION = "v1.2.0"
"""Clients from DuckDB 1.2 on can open it; the default format of 2.0 they cannot."""
SEPARATOR = "; "
"""Between the allowed values of a column; none of them contains it (a test holds it)."""

COLUMNS_TABLE = Table(
    name="published.columns",
    description="The data dictionary: one row per column of every table of this file.",
    grain=("table_name", "column_name"),
    columns=(
        Column("table_name", pl.String, "Table of this file."),
        Column("position", pl.Int64, "Position of the column, from 1.", low=1),
        Column("column_name", pl.String, "Column."),
        Column("data_type", pl.String, "Type, as Polars names it."),
        Column("unit", pl.String, "Unit of the values; empty for text and counts.", nullable=True),
        Column("meaning", pl.String, "What it means, boundary and basis included."),
        Column("plausible_low", pl.Float64, "Lowest value the checks accept.", nullable=True),
        Column("plausible_high", pl.Float64, "Highest value the checks accept.", nullable=True),
        Column(
            "allowed_values",
            pl.String,
            "The only values the checks accept, with `; ` between them; empty: any.",
            nullable=True,
        ),
        Column("may_be_empty", pl.Boolean, "Whether the column may be empty."),
        Column("is_grain", pl.Boolean, "Whether it is part of what makes a row unique."),
    ),
    published=True,
)


def dictionary(tables: Iterable[Table]) -> pl.DataFrame:
    """The dictionary of `tables`, from their contracts."""
    rows = [
        {
            "table_name": table.short_name,
            "position": position,
            "column_name": column.name,
            "data_type": str(column.dtype),
            "unit": column.unit,
            "meaning": column.meaning,
            "plausible_low": None if column.low is None else float(column.low),
            "plausible_high": None if column.high is None else float(column.high),
            "allowed_values": None if column.allowed is None else SEPARATOR.join(column.allowed),
            "may_be_empty": column.nullable,
            "is_grain": column.name in table.grain,
        }
        for table in tables
        for position, column in enumerate(table.columns, start=1)
    ]
    return COLUMNS_TABLE.conform(pl.DataFrame(rows, schema=COLUMNS_TABLE.schema))


def publish(warehouse: Warehouse, tables: list[Table]) -> Path:
    """Write `joulebook.duckdb` aside with all `tables` and the dictionary, then swap it in. Returns its path."""
    if unchecked := [table.name for table in tables if not warehouse.is_checked(table.name)]:
        raise TableError(f"not published: {unchecked} did not pass their checks as they lie there; refresh anew")
    target = warehouse.home / FILE_NAME
    aside = warehouse.home / f".{FILE_NAME}.{secrets.token_hex(4)}"
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach {_text(str(aside))} as book (storage_version {_text(STORAGE_VERSION)})")
            for table in tables:
                source = f"read_parquet({_text(str(warehouse.path(table.name)))})"
                _create(connection, table, source)
            columns = dictionary([*tables, COLUMNS_TABLE])
            connection.register("dictionary", columns.to_arrow())
            _create(connection, COLUMNS_TABLE, "dictionary")
            connection.execute("detach book")
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    return target


def _create(connection: duckdb.DuckDBPyConnection, table: Table, source: str) -> None:
    name = f"book.{table.short_name}"
    order = ", ".join(f'"{column}"' for column in table.grain)
    connection.execute(f"create table {name} as from {source} order by {order}")
    grain = f"One row per {', '.join(table.grain)}."
    connection.execute(f"comment on table {name} is {_text(f'{table.description} {grain}')}")
    for column in table.columns:
        unit = f" Unit: {column.unit}." if column.unit else ""
        connection.execute(f'comment on column {name}."{column.name}" is {_text(column.meaning + unit)}')


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
