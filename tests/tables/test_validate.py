"""validate(): each kind of promise is seen broken, named and located; what cannot be evaluated is no data failure."""

from dataclasses import replace

import polars as pl
import pytest

from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.tables.validate import FIRST_FAILING_ROWS, ValidatorError, validate

TABLE = Table(
    name="core.made_up",
    description="Made up.",
    grain=("city", "year"),
    columns=(
        Column("city", pl.String, "City.", allowed=("a", "b", "c")),
        Column("year", pl.Int64, "Year.", low=2000, nullable=True),
        Column("heat_j", pl.Float64, "Heat.", unit="J", low=0, high=10, nullable=True),
        Column("is_dry", pl.Boolean, "Dry."),
    ),
    min_rows=3,
    rules=(
        Rule("Dry cities are hot", ~pl.col("is_dry") | (pl.col("heat_j") > 5), show="heat_j"),
        Rule("City a is old", (pl.col("city") != "a") | (pl.col("year") < 2020), check="contract"),
    ),
    coverage=(Coverage("city", ("a", "b")),),
)
GOOD = pl.DataFrame(
    {
        "city": ["a", "a", "b", "c"],
        "year": [2010, None, 2030, 2030],
        "heat_j": [0.0, 10.0, None, 7.5],
        "is_dry": [False, True, True, False],
    }
)


def broken(frame: pl.DataFrame, table: Table = TABLE) -> dict[str, tuple[str, str]]:
    return {failure.expectation: (failure.check, failure.found) for failure in validate(table, frame)}


def with_cell(row: int, column: str, value: object) -> pl.DataFrame:
    values = GOOD[column].to_list()
    values[row] = value
    return GOOD.with_columns(pl.Series(column, values, GOOD.schema[column]))


def test_a_frame_that_keeps_every_promise_has_no_failure():
    # the bounds belong to the range, a null is no value out of range, and a rule about a null holds
    assert validate(TABLE, GOOD) == []


@pytest.mark.parametrize(
    ("frame", "sentence", "check", "found"),
    [
        (with_cell(2, "is_dry", None), "is_dry is never empty", "contract", "('b', 2030)"),
        (with_cell(3, "heat_j", 10.001), "heat_j between 0 and 10 J", "contract", "('c', 2030) has 10.001"),
        (with_cell(3, "heat_j", -0.001), "heat_j between 0 and 10 J", "contract", "('c', 2030) has -0.001"),
        (with_cell(3, "heat_j", float("inf")), "heat_j between 0 and 10 J", "contract", "has inf"),
        (with_cell(2, "year", 1999), "year between 2000 and None", "contract", "('b', 1999) has 1999"),
        (with_cell(3, "city", "d"), "city is one of a, b, c", "contract", "('d', 2030) has 'd'"),
        (with_cell(3, "city", "A"), "city is one of a, b, c", "contract", "has 'A'"),
        (with_cell(3, "city", "b"), "(city, year) is unique", "contract", "2 rows: ('b', 2030)"),
        (with_cell(0, "year", None), "(city, year) is unique", "contract", "2 rows: ('a', None)"),
        (GOOD[[0, 2]], "at least 3 rows", "contract", "found 2"),
        (with_cell(1, "heat_j", 5.0), "Dry cities are hot", "plausibility", "1 rows: ('a', None) has 5.0"),
        (with_cell(0, "year", 2020), "City a is old", "contract", "('a', 2020) has False"),
        (with_cell(2, "city", "c").slice(0, 3), "city contains a, b", "coverage", "missing b"),
        (GOOD.select(GOOD.columns[::-1]), "columns in the declared order", "contract", "found"),
    ],
)  # fmt: skip
def test_a_broken_promise_names_what_and_where(frame, sentence, check, found):
    failures = broken(frame)
    assert set(failures) == {sentence}
    assert failures[sentence][0] == check
    assert found in failures[sentence][1]


def test_no_rows_at_all_break_the_contract():
    failures = broken(GOOD.clear())
    assert {"at least 3 rows", "city contains a, b"} <= set(failures)
    assert failures["at least 3 rows"][1] == "found 0"


def test_a_grain_of_one_column():
    table = replace(TABLE, grain=("city",), rules=())
    assert broken(GOOD, table)["city is unique"] == ("contract", "2 rows: ('a',) has 'a'; ('a',) has 'a'")


def test_only_the_first_failing_rows_are_told_but_all_counted():
    n = FIRST_FAILING_ROWS + 5
    frame = pl.concat([GOOD, *[with_cell(0, "heat_j", 11.0 + i).head(1) for i in range(n)]])
    found = broken(frame)["heat_j between 0 and 10 J"][1]
    assert found.startswith(f"{n} rows: ")
    assert found.count(" has ") == FIRST_FAILING_ROWS


def test_every_promise_is_looked_at_even_when_several_are_broken():
    frame = with_cell(3, "heat_j", 99.0).with_columns(year=pl.Series([1000, None, 2030, 2030]))
    assert set(broken(frame)) == {"heat_j between 0 and 10 J", "year between 2000 and None"}


@pytest.mark.parametrize(
    "rule",
    [
        Rule("Names a column that is gone", pl.col("humidity") > 0),
        Rule("Compares text with numbers", pl.col("city") > 5),
        Rule("Raises", pl.col("city").str.to_date("%Y", strict=True).is_not_null()),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_our_error_not_the_data_s(rule):
    with pytest.raises(ValidatorError, match=r"core\.made_up: a rule cannot be evaluated"):
        validate(replace(TABLE, rules=(rule,)), GOOD)


def test_an_expectation_that_cannot_be_evaluated_is_our_error_not_the_data_s():
    city = replace(TABLE.columns[0], allowed=None, low=1)
    with pytest.raises(ValidatorError, match=r"core\.made_up: could not evaluate 'city between 1 and None'"):
        validate(replace(TABLE, columns=(city, *TABLE.columns[1:])), GOOD)
