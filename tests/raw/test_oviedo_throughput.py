"""raw.oviedo_throughput: cells read as printed from a made-up file, and every file that must be refused."""

import pytest

from assets.raw.oviedo_throughput import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.support import FIXTURES, refusal

GOOD = (FIXTURES / "oviedo.csv").read_bytes()


@pytest.fixture
def source(catalogue):
    return catalogue["oviedo_throughput"]


def read(source, content):
    return parse_document(parse, content, source, source.documents[0], "5" * 64)


def test_cells_are_kept_as_printed_and_numbers_typed(source):
    first, second = read(source, GOOD).select(TABLE.schema.keys()).rows()
    assert first == (
        "oviedo_throughput", "v2", "5" * 64, "line 2", "Aster 7B", "7", "NA", "Dense", "X100 40GB", "No", 8, "FP8",
        2345.6, "500", 2000.0, "Dynamic", 9.0, "a-benchmark", None, "High",
    )  # fmt: skip
    assert second[3:] == (
        "line 3", "Boreal 70B", "70", "9", "MoE", "2xX100 40GB", "Yes", 4, "FP16",
        1234.0, "Variable", 321.5, "12.5", 9.5, "another-benchmark", "By hand, from a figure", "Medium",
    )  # fmt: skip


def test_byte_order_mark_and_windows_line_ends_change_nothing(source):
    windows = b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    assert read(source, windows).equals(read(source, GOOD))


def test_the_rows_fit_the_contract(source):
    assert TABLE.conform(read(source, GOOD)).height == 2


CHANGED = {
    # name: (printed, printed instead, place named, problem named)
    "a new column": (b"Confidence level\n", b"Confidence level,Year\n", "line 1", "'Year'"),
    "a renamed column": (b"TP Size", b"TP", "line 1", "'TP', 'TP Size'"),
    "another order": (b"Scaled Power,TP Size", b"TP Size,Scaled Power", "line 1", "order"),
    "negative throughput": (b"2345.60", b"-2345.60", "line 2, column Tokens per Second (TPS)", "'-2345.60'"),
    "n/a": (b"2345.60", b"n/a", "line 2, column Tokens per Second (TPS)", "'n/a'"),
    "an empty number": (b"2345.60", b"", "line 2, column Tokens per Second (TPS)", "''"),
    "NaN": (b"2345.60", b"NaN", "line 2, column Tokens per Second (TPS)", "'NaN'"),
    "a number beyond floats": (b"2345.60", b"1e999", "line 2, column Tokens per Second (TPS)", "too large"),
    "half a GPU": (b"No,8,", b"No,8.5,", "line 2, column TP Size", "'8.5' is not a whole number"),
    "GPUs beyond counting": (b"No,8,", b"No,1e30,", "line 2, column TP Size", "not a whole number"),
    "a ragged row": (b",,High", b",,High,7", "line 2", "has 17 cells, the header 16"),
    "a cut row": (b",321.5,12.5,9.5,another", b"\nanother", "line 3", "has 10 cells"),
    "a quote in the middle": (b"Aster 7B,", b'"Aster" 7B,', "line 2", "is not CSV"),
    "a quote left open": (b'"By hand', b'"By "hand', "line 3", "is not CSV"),
    "a quote in the header": (b"Model,", b'"Mo"del,', "line 1", "is not CSV"),
    "a cell of a book's length": (b"a-benchmark", b"a" * 200_000, "line 2", "is not CSV"),
    "not UTF-8": (b"a-benchmark", b"\xe9t\xe9", "model_throughput_DB.csv", "not UTF-8 at byte"),
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
        (b"\r\n \r\n", "is empty"),
        (b"<html><body>Sign in</body></html>", "is an HTML page, expected csv"),
        (b'[{"Model": "Aster 7B"}]', "columns differ"),
    ],
)
def test_bytes_that_are_no_such_file_are_refused(source, content, problem):
    error = refusal(parse, content, source, source.documents[0])
    assert problem in error.problem
    assert error.place in (source.documents[0].place, "line 1")
