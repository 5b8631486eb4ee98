"""A table beside the published one: what is found, and that an old or broken file never stops the next one."""

import duckdb
import polars as pl
import pytest

from assets.core.coverage import covers_what_was_covered
from assets.estimates.backtest import is_no_worse
from pipelines.definitions import all_tables
from pipelines.home import FILE_NAME
from pipelines.tables.contract import Table
from pipelines.warehouse.store import Warehouse
from pipelines.wiring import Book

TABLES = {table.name: table for table in all_tables()}
CHECKS = {"core.coverage": covers_what_was_covered, "estimates.backtest": is_no_worse}


def empty_home(tmp_path, name: str) -> Table:
    table = TABLES[name]
    Warehouse(tmp_path).write(table, pl.DataFrame(schema=table.schema))
    return table


def asked(tmp_path, name: str):
    return CHECKS[name].op.compute_fn.decorated_fn(book=Book(home=str(tmp_path)))


def publish(tmp_path, short_name: str, before: pl.DataFrame) -> None:
    with duckdb.connect(str(tmp_path / FILE_NAME)) as file:
        file.register("before", before)
        file.execute(f"create table {short_name} as from before")


@pytest.mark.parametrize("name", CHECKS)
def test_without_a_published_file_it_says_so(tmp_path, name):
    empty_home(tmp_path, name)
    assert asked(tmp_path, name).description == "No published file to compare with."


@pytest.mark.parametrize("name", CHECKS)
def test_a_published_key_of_another_type_stops_nothing(tmp_path, name):
    table = empty_home(tmp_path, name)
    key = table.grain[0]
    publish(tmp_path, table.short_name, pl.DataFrame(schema=table.schema | {key: pl.Int64}))
    result = asked(tmp_path, name)
    assert result.passed
    assert "The published file has other columns" in result.description


@pytest.mark.parametrize("name", CHECKS)
def test_a_published_file_without_a_column_stops_nothing(tmp_path, name):
    table = empty_home(tmp_path, name)
    publish(tmp_path, table.short_name, pl.DataFrame(schema=table.schema).drop(table.grain[0]))
    result = asked(tmp_path, name)
    assert result.passed
    assert "The published file has other columns" in result.description


def test_a_published_file_that_cannot_be_read_stops_nothing(tmp_path):
    empty_home(tmp_path, "core.coverage")
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 1000)
    result = asked(tmp_path, "core.coverage")
    assert result.passed
    assert "The published file cannot be read" in result.description
