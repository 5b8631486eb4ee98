"""The one file people open: a DuckDB database of checked tables with comments, swapped in whole.

A reader with the old file open keeps it; the next open gets the new one. Which tables are published is said by the
tables themselves (`published=True`).
"""

import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import polars as pl

from pipelines.home import FILE_NAME
from pipelines.tables.contract import Column, Table
from pipelines.warehouse.views import MACRO, VIEW, View

STORAGE_VERSION = "v1.2.0"
"""Clients from DuckDB 1.2 on can open it; the default format of 2.0 they cannot."""
SEPARATOR = "; "
"""Between the allowed values of a column; none of them contains it (a test holds it)."""

TABLE = "table"

COLUMNS_TABLE = Table(
    name="published.columns",
    description="The data dictionary: one row per column of every table, view and table macro of this file.",
    grain=("table_name", "column_name"),
    columns=(
        Column("table_name", pl.String, "Table, view or table macro of this file."),
        Column("kind", pl.String, "What it is.", allowed=(TABLE, VIEW, MACRO)),
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


def dictionary(tables: Iterable[Table], views: Iterable[View] = ()) -> pl.DataFrame:
    """The dictionary of `tables` and `views`, from their contracts."""
    kinds = [*((table, TABLE) for table in tables), *((view.table, view.kind) for view in views)]
    rows = [
        {
            "table_name": table.short_name,
            "kind": kind,
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
        for table, kind in kinds
        for position, column in enumerate(table.columns, start=1)
    ]
    return COLUMNS_TABLE.conform(pl.DataFrame(rows, schema=COLUMNS_TABLE.schema))


def publish(home: Path, tables: Sequence[tuple[Table, pl.DataFrame | list[Path]]], views: Sequence[View] = ()) -> Path:
    """Write `joulebook.duckdb` aside with all `tables`, `views` and the dictionary, then swap it in. Returns its path.

    A table is a frame or Parquet files that lie one below the other, in the order of its grain, as Table.conform leaves
    them. A view may name the tables and earlier views.
    """
    target = home / FILE_NAME
    for left in home.glob(f".{FILE_NAME}.*"):
        left.unlink()  # of a refresh that was killed: this one has the home to itself
    aside = home / f".{FILE_NAME}.{secrets.token_hex(4)}"
    try:
        with duckdb.connect() as connection:
            connection.execute(f"attach {_text(str(aside))} as book (storage_version {_text(STORAGE_VERSION)})")
            columns = dictionary([*(table for table, _ in tables), COLUMNS_TABLE], views)
            connection.execute("use book")
            connection.execute("begin")  # one transaction: some 900 statements by themselves take a quarter longer
            for table, content in (*tables, (COLUMNS_TABLE, columns)):
                _create(connection, table, _source(connection, content))
            for view in views:
                _create_view(connection, view)
            connection.execute("commit")
            connection.execute("use memory")
            connection.execute("detach book")
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    return target


def _source(connection: duckdb.DuckDBPyConnection, content: pl.DataFrame | list[Path]) -> str:
    if isinstance(content, pl.DataFrame):
        connection.register("content", content.to_arrow())
        return "content"
    return f"read_parquet([{', '.join(_text(str(path)) for path in content)}])"


def _create(connection: duckdb.DuckDBPyConnection, table: Table, source: str) -> None:
    name = f"book.{table.short_name}"
    connection.execute(f"create table {name} as from {source}")
    grain = f"One row per {', '.join(table.grain)}."
    connection.execute(f"comment on table {name} is {_text(f'{table.description} {grain}')}")
    _comment_columns(connection, name, table)


def _create_view(connection: duckdb.DuckDBPyConnection, view: View) -> None:
    """In the database in use, for a macro finds its tables by their names alone, wherever the file is opened."""
    connection.execute(view.create)
    connection.execute(view.comment_on + _text(view.comment))
    if view.kind == VIEW:
        _comment_columns(connection, view.name, view.table)


def _comment_columns(connection: duckdb.DuckDBPyConnection, name: str, table: Table) -> None:
    for column in table.columns:
        unit = f" Unit: {column.unit}." if column.unit else ""
        connection.execute(f'comment on column {name}."{column.name}" is {_text(column.meaning + unit)}')


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
