"""The CSV files that people edit: every mistake names the file, the line and the column."""

import polars as pl
import pytest

from pipelines.definitions import all_tables
from pipelines.sources.catalogue import REPOSITORY
from pipelines.sources.errors import SourceError
from pipelines.sources.reference import read_reference

SCHEMA = {"locator": pl.String, "name": pl.String, "watts": pl.Float64, "cards": pl.Int64}
PATH = "reference/made_up.csv"


def test_rows_are_typed_and_located_and_empty_cells_null():
    content = 'name,watts,cards\nalpha,1.5,\n"be,\nta",,8\n'.encode("utf-8-sig")
    frame = read_reference(content, PATH, SCHEMA)
    assert frame.rows() == [("line 2", "alpha", 1.5, None), ("line 4", "be,\nta", None, 8)]
    assert frame.schema == SCHEMA


def test_columns_may_stand_in_any_order():
    assert read_reference(b"cards,name,watts\n8,alpha,2\n", PATH, SCHEMA).rows() == [("line 2", "alpha", 2.0, 8)]


@pytest.mark.parametrize(
    ("content", "place", "problem"),
    [
        (b"name,watts\nalpha,1\n", "line 1", "['cards']"),
        (b"name,watts,cards,colour\n", "line 1", "['colour']"),
        (b"name,watts,cards,cards\n", "line 1", "one is repeated"),
        (b"", "line 1", "['cards', 'name', 'watts']"),
        (b"name,watts,cards\nalpha,1,8,9\n", "line 2", "has 4 cells, the header 3"),
        (b"name,watts,cards\nalpha,1\n", "line 2", "has 2 cells, the header 3"),
        (b"name,watts,cards\nalpha,much,8\n", "line 2, column watts", "'much' is not Float64"),
        (b"name,watts,cards\nalpha,1,8.5\n", "line 2, column cards", "'8.5' is not Int64"),
        (b'name,watts,cards\n"al"pha,1,8\n', "line 2", "is not CSV"),
        (b"name,watts,cards\n\xe9,1,8\n", "whole file", "not UTF-8 at byte 17"),
    ],
)
def test_a_mistake_is_named(content, place, problem):
    with pytest.raises(SourceError) as caught:
        read_reference(content, PATH, SCHEMA)
    assert (caught.value.source_id, caught.value.place) == (PATH, place)
    assert problem in caught.value.problem


def test_every_reference_file_is_read_by_a_table():
    names = {table.short_name for table in all_tables()}
    assert {path.stem for path in (REPOSITORY / "assets" / "reference").glob("*.csv")} <= names
