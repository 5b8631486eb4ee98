"""raw.epoch_ml_hardware: specifications read from a made-up file, and every file that must be refused."""

import pytest

from assets.raw.epoch_ml_hardware import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.support import FIXTURES, refusal

GOOD = (FIXTURES / "epoch.csv").read_bytes()


@pytest.fixture
def source(catalogue):
    return catalogue["epoch_ml_hardware"]


def read(source, content):
    return parse_document(parse, content, source, source.documents[0], "5" * 64)


def test_units_stay_as_published_and_empty_cells_are_null(source):
    first, second = read(source, GOOD).select(TABLE.schema.keys()).rows()
    assert first == (
        "epoch_ml_hardware", "latest", "5" * 64, "record 1, Made-Up X100", "Made-Up X100", "Made-Up", "GPU",
        "2031-01-02", 650.0, 96e9, 4e12, 1.5e15, 3e15, None, "2031-02-03 04:05:06+00:00",
    )  # fmt: skip
    assert second[3:] == ("record 2, Made-Up X200", "Made-Up X200", *[None] * 10)


def test_a_cell_over_two_lines_is_one_record(source):
    assert read(source, GOOD.replace(b"\n", b"\r\n")).equals(read(source, GOOD))


def test_the_rows_fit_the_contract(source):
    assert TABLE.conform(read(source, GOOD)).height == 2


CHANGED = {
    # name: (printed, printed instead, place named, problem named)
    "a new column": (b",ML OP/s\n", b",ML OP/s,Idle (W)\n", "line 1", "['Idle (W)']"),
    "a column gone": (b",ML OP/s\n", b"\n", "line 1", "['ML OP/s']"),
    "a column twice": (b",ML OP/s\n", b",ML OP/s,TDP (W)\n", "line 1", "one is repeated"),
    "a negative TDP": (b"650.0", b"-650.0", "record 1, Made-Up X100, column TDP (W)", "'-650.0'"),
    "n/a": (b"650.0", b"n/a", "record 1, Made-Up X100, column TDP (W)", "'n/a'"),
    "inf": (b"650.0", b"inf", "record 1, Made-Up X100, column TDP (W)", "'inf'"),
    "a unit in the cell": (b"96000000000.0", b"96 GB", "Made-Up X100, column Memory (bytes)", "'96 GB'"),
    "no name": (b"Made-Up X200,", b",", "record 2, column Hardware name", "is empty"),
    "a ragged row": (b"Made-Up X200,", b"Made-Up X200,,", "record 2", "has 40 cells, the header 39"),
    "a cut row": (b"Made-Up X200,,,,", b"Made-Up X200,", "record 2", "has 36 cells, the header 39"),
    "a quote left open": (b'with a comma"', b"with a comma", "line 4", "is not CSV"),
    "a quote in the header": (b"Hardware name", b'"Hard"ware name', "line 1", "is not CSV"),
    "not UTF-8": (b"Made-Up,GPU", b"Mad\xe9-Up,GPU", "ml_hardware.csv", "not UTF-8 at byte"),
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_file_of_another_form_is_refused_whole(source, change):
    printed, instead, place, problem = CHANGED[change]
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"<!doctype HTML><title>Moved</title>", "is an HTML page, expected csv"),
        (b'{"error": "not found"}', "columns differ"),
        (GOOD[: len(GOOD) - 20], "cells, the header 39"),
    ],
)
def test_bytes_that_are_no_such_file_are_refused(source, content, problem):
    assert problem in refusal(parse, content, source, source.documents[0]).problem
