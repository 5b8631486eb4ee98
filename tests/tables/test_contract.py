"""Table and Column: a declaration that contradicts itself, or a frame of another shape, is an error that names it."""

from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.tables.contract import Column, Coverage, Rule, Table, TableError

TABLE = Table(
    name="core.made_up",
    description="Made up.",
    grain=("city", "year"),
    columns=(
        Column("city", pl.String, "City."),
        Column("year", pl.Int64, "Year.", nullable=True),
        Column("heat_j", pl.Float64, "Heat.", unit="J", low=0, high=10, nullable=True),
    ),
)
FRAME = pl.DataFrame({"heat_j": [1.5, None, 0.0], "year": [2031, 2030, None], "city": ["b", "a", "a"]})


def test_columns_and_rows_come_in_the_declared_order():
    expected = pl.DataFrame({"city": ["a", "a", "b"], "year": [2030, None, 2031], "heat_j": [None, 0.0, 1.5]})
    assert_frame_equal(TABLE.conform(FRAME), expected)
    assert_frame_equal(TABLE.conform(FRAME.reverse()), expected)


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        (FRAME.drop("year"), r"core\.made_up: missing columns \['year'\]"),
        (FRAME.with_columns(colour=pl.lit("blue")), r"core\.made_up: .*unknown columns \['colour'\]"),
        (FRAME.with_columns(pl.col("heat_j").cast(pl.Float32)), r"core\.made_up\.heat_j: is Float32, expected Float64"),
        (FRAME.with_columns(pl.col("year").cast(pl.Int32)), r"core\.made_up\.year: is Int32, expected Int64"),
        (FRAME.with_columns(pl.col("year").cast(pl.String)), r"core\.made_up\.year: is String, expected Int64"),
        (FRAME.with_columns(heat_j=pl.lit(None)), r"core\.made_up\.heat_j: is Null, expected Float64"),
        (FRAME.with_columns(heat_j=pl.lit(float("nan"))), r"core\.made_up\.heat_j: has NaN"),
    ],
)
def test_a_frame_of_another_shape_names_table_and_column(frame, named):
    with pytest.raises(TableError, match=named):
        TABLE.conform(frame)


def test_a_column_declared_twice_is_an_error():
    with pytest.raises(TableError, match=r"core\.made_up: a column is declared twice"):
        replace(TABLE, columns=(*TABLE.columns, TABLE.columns[0]))


def test_a_grain_of_unknown_columns_is_an_error():
    with pytest.raises(TableError, match=r"core\.made_up: grain names unknown columns \['month'\]"):
        replace(TABLE, grain=("city", "month"))


def test_a_table_has_only_the_checks_that_it_can_fail():
    always = Rule("always", pl.lit(True))
    assert TABLE.checks == ("contract",)
    assert replace(TABLE, rules=(always,)).checks == ("contract", "plausibility")
    assert replace(TABLE, rules=(replace(always, check="contract"),)).checks == ("contract",)
    assert replace(TABLE, rules=(replace(always, check="coverage"),)).checks == ("contract", "coverage")
    assert replace(TABLE, rules=(always,), coverage=(Coverage("city", ("a",)),)).checks == (
        "contract",
        "coverage",
        "plausibility",
    )


def test_a_column_can_be_promised_less_or_more_in_one_table():
    heat = TABLE.columns[2]
    assert heat.but(high=5) == replace(heat, high=5)
    assert TABLE.columns[0].optional().nullable
    assert not TABLE.columns[0].nullable


def test_layer_and_name():
    assert (TABLE.layer, TABLE.short_name, list(TABLE.schema)) == ("core", "made_up", ["city", "year", "heat_j"])
