"""raw.trtllm_perf: the five layouts read from made-up pages, and every page that must be refused.

A number in these pages is one of ours; only the form is NVIDIA's.
"""

import polars as pl
import pytest

from assets.raw.trtllm_perf import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.support import FIXTURES, refusal

LAYOUTS = {"0.5": "A", "0.9": "A", "0.10": "B", "0.21": "C", "1.0": "D", "main": "E"}
FIELDS = ("model", "gpu", "precision", "parallelism", "tp", "pp", "dep", "group_gpus", "isl", "osl", "throughput")
WORKSTATION = "Workstation Z9 Made-Up Edition"
PRINTED = {
    "0.5": [
        ("Aster 7B", "X100", "FP8", "TP1", 1, None, None, 1, 128, 128, 10907.0),
        ("Aster 7B", "X100", "FP8", "TP1", 1, None, None, 1, 128, 2048, 6179.5),
        ("Boreal 70B", "X100", "FP8", "TP4", 4, None, None, 4, 2048, 128, 371.0),
        ("Aster 7B", "X50", "FP16", "TP1", 1, None, None, 1, 128, 128, 3679.0),
    ],
    "0.10": [
        ("Aster 7B", "X200 141GB", "FP8", "TP1", 1, None, None, 1, 128, 128, 40633.5),
        ("Aster 7B", "X100", "FP8", "TP1", 1, None, None, 1, 128, 128, 34955.0),
        ("Aster 7B", "X100", "FP16", "TP1", 1, None, None, 1, 128, 128, 11206.0),
        ("Aster 7B", "X100", "FP16", "TP2", 2, None, None, 2, 128, 128, 5271.0),
        ("Aster 7B", "X200 141GB", "FP8", "TP1", 1, None, None, 1, 2048, 128, 2937.0),
        ("Boreal 70B", "X100", "FP8", "TP8", 8, None, None, 8, 128, 128, 1446.25),
    ],
    "0.21": [
        ("Aster 7B", "X100", "FP4", "TP1", 1, None, None, 1, 128, 128, 12345.67),
        ("Aster 7B", "X200", "FP4", "TP2", 2, None, None, 2, 128, 128, 987.6),
        ("Aster 7B", "X200", "FP4", "TP2", 2, None, None, 2, 2000, 500, 1234.5),
        ("Boreal 70B", "X200", "FP8", "TP8", 8, None, None, 8, 20000, 2000, 1234567.0),
    ],
    "1.0": [
        ("Aster 7B", "X100", "FP4", "TP1", 1, None, None, 1, 128, 2048, 14000.0),
        ("Aster 7B", "X100", "FP4", "TP1", 1, None, None, 1, 5000, 500, 1650.5),
        ("Aster 7B", "X200", "FP8", "TP4", 4, None, None, 4, 5000, 500, 2750.0),
        ("Aster 7B", WORKSTATION, "FP4", "TP1,PP1", 1, 1, None, 1, 128, 2048, 432.0),
        ("Aster 7B", WORKSTATION, "FP4", "TP4,PP2", 4, 2, None, 8, 128, 2048, 3210.0),
    ],
    "main": [
        ("Aster 7B", "X100", "FP4", "DEP4", None, None, 4, 4, 1000, 1000, 4321.0),
        ("Aster 7B", "X200", "FP8", "TP2", 2, None, None, 2, 1000, 1000, 876.0),
        ("Aster 7B", "X100", "FP4", "DEP4", None, None, 4, 4, 32768, 1024, 98.5),
        ("Aster 7B", WORKSTATION, "FP4", "DEP2,PP2", None, 2, 2, 4, 1000, 1000, 111.0),
        ("Aster 7B", WORKSTATION, "FP4", "TP1,PP1", 1, 1, None, 1, 1000, 1000, 222.0),
    ],
}
LOCATORS = {
    "0.5": [
        "line 13, X100 GPUs (FP8), Aster 7B 128/128",
        "line 14, X100 GPUs (FP8), Aster 7B 128/2048",
        "line 16, X100 GPUs (FP8), Boreal 70B 2048/128",
        "line 22, X50 GPUs (FP16)<sup>*</sup>, Aster 7B 128/128",
    ],
    "0.10": [
        "line 12, Throughput Measurements, Aster 7B row 128/128 TP1, column X200 141GB FP8",
        "line 12, Throughput Measurements, Aster 7B row 128/128 TP1, column X100 FP8",
        "line 12, Throughput Measurements, Aster 7B row 128/128 TP1, column X100 FP16",
        "line 13, Throughput Measurements, Aster 7B row 128/128 TP2, column X100 FP16",
        "line 14, Throughput Measurements, Aster 7B row 2048/128 TP1, column X200 141GB FP8",
        "line 15, Throughput Measurements, Boreal 70B row 128/128 TP8, column X100 FP8",
    ],
    "0.21": [
        "line 26, Aster 7B FP4, row 128, 128, column X100",
        "line 26, Aster 7B FP4, row 128, 128, column X200",
        "line 27, Aster 7B FP4, row 2000, 500, column X200",
        "line 40, Boreal 70B FP8, row 20000, 2000, column X200",
    ],
    "1.0": [
        "line 11, Aster 7B, row 128/2048, column X100 TP1 (FP4)",
        "line 12, Aster 7B, row 5000/500, column X100 TP1 (FP4)",
        "line 12, Aster 7B, row 5000/500, column X200 TP4 (FP8)",
        "line 17, Aster 7B, row 128/2048, column **1 GPUs** TP1,PP1 (FP4)",
        "line 17, Aster 7B, row 128/2048, column **8 GPUs** TP4,PP2 (FP4)",
    ],
}


@pytest.fixture
def source(catalogue):
    return catalogue["trtllm_perf"]


def document_of(source, release):
    return next(document for document in source.documents if document.release == release)


def page(release: str) -> str:
    text = (FIXTURES / f"trtllm_{LAYOUTS[release].lower()}.md").read_text(encoding="utf-8")
    # later pages of layout A print the same figures per GPU, and another heading above them
    per_gpu = text.replace("(out tok/s)", "(out tok/s/GPU)").replace("## High Throughput", "## Peak Throughput")
    return per_gpu if release == "0.9" else text


def test_batch_sizes_are_those_of_layout_a_and_pages_count_from_the_oldest(source):
    assert rows_of(source, "0.5", page("0.5"))["batch_size"].to_list() == [64, 32, 64, 64]
    assert rows_of(source, "0.10", page("0.10"))["batch_size"].to_list() == [None] * 6
    numbers = [set(rows_of(source, release, page(release))["page_number"]) for release in ("0.5", "0.9", "0.10")]
    assert numbers == [{1}, {5}, {6}]


def rows_of(source, release: str, text: str) -> pl.DataFrame:
    return parse_document(parse, text.encode(), source, document_of(source, release), "5" * 64)


@pytest.mark.parametrize("release", PRINTED)
def test_every_printed_value_is_read_and_nothing_else(source, release):
    # blank cells, the fenced sample, request counts and the tables outside the section give no row
    frame = rows_of(source, release, page(release))
    assert frame.select(FIELDS).rows() == PRINTED[release]


@pytest.mark.parametrize("release", LOCATORS)
def test_a_person_finds_the_value_by_its_locator(source, release):
    frame = rows_of(source, release, page(release))
    assert frame["locator"].to_list() == LOCATORS[release]
    lines = page(release).splitlines()
    for row in frame.iter_rows(named=True):
        line = lines[int(row["locator"].split(",")[0].removeprefix("line ")) - 1]
        assert str(row["throughput"]).removesuffix(".0") in line.replace(",", "")


@pytest.mark.parametrize(
    ("release", "metric", "basis"),
    [
        ("0.5", "Throughput (out tok/s)", "per_group"),
        ("0.9", "Throughput (out tok/s/GPU)", "per_gpu"),
        ("0.10", "presents token throughput in tokens/second", "per_group"),
        ("0.21", "Total Output Throughput (tokens/sec)", "per_group"),
        ("1.0", "Total Output Throughput (tokens/sec)", "per_group"),
        ("main", "Output Throughput per GPU (tokens/sec/GPU)", "per_gpu"),
    ],
)
def test_metric_and_basis_are_those_of_the_release(source, release, metric, basis):
    frame = rows_of(source, release, page(release))
    assert set(frame.select("metric", "basis").rows()) == {(metric, basis)}


@pytest.mark.parametrize("release", PRINTED)
def test_each_row_says_whose_it_is_and_from_which_bytes(source, release):
    frame = rows_of(source, release, page(release))
    assert set(frame.select("source_id", "source_release", "snapshot_sha256").rows()) == {
        ("trtllm_perf", release, "5" * 64)
    }
    TABLE.conform(frame)


def test_line_ends_and_odd_separators_do_not_move_the_locators(source):
    # U+2028 ends a line for Python, not for Markdown
    odd = page("1.0").replace("# Overview", "# Over\u2028view").replace("\n", "\r\n")
    assert rows_of(source, "1.0", odd)["locator"].to_list() == LOCATORS["1.0"]


def test_two_columns_of_one_name_get_one_locator_and_so_break_the_contract(source):
    twice = page("1.0").replace("X200<br/>TP4 (FP8)", "X100<br/>TP1 (FP4)")
    assert rows_of(source, "1.0", twice)["locator"].is_duplicated().any()


A_ROW, B_ROW = "| Boreal 70B | 64 | 4 | 2048 | 128 | 371 |", "| | | 2 | | | 5271 |"
CHANGED = {
    "A: a renamed column": ("0.5", "| Batch Size |", "| Batch |", "line 11, X100 GPUs (FP8)", "'Batch'"),
    "A: a unit that is new": ("0.5", "(out tok/s) |", "(tok/s) |", "line 11, X100 GPUs (FP8)", "(tok/s)"),
    "A: no precision": ("0.5", "X100 GPUs (FP8)", "X100 GPUs", "line 11, X100 GPUs", "is not a table"),
    "A: no batch": ("0.5", A_ROW, A_ROW.replace("64", ""), "line 16, X100 GPUs (FP8), Boreal 70B, column Batch", "''"),
    "A: no value": ("0.5", A_ROW, A_ROW.replace("371", ""), "line 16, X100 GPUs (FP8), Boreal 70B 2048/128", "''"),
    "A: half a GPU": ("0.5", A_ROW, A_ROW.replace("4 | 2048", "4.5 | 2048"), "column TP (1)", "'4.5'"),
    "A: degree beyond": ("0.5", A_ROW, A_ROW.replace("| 4 |", "| 40000 |"), "(FP8)", "is not a parallelism"),
    "A: a ragged row": ("0.5", A_ROW, f"{A_ROW} 7 |", "line 16, X100 GPUs (FP8)", "the row has 7 cells, its header 6"),
    "B: a filled header": ("0.10", "| | | | | | |", "| x | | | | | |", "line 7, Throughput", "empty header"),
    "B: no precisions": ("0.10", "| | | **Precision** | FP8 | FP8 | FP16 |\n", "", "line 7, Throughput", "precisions"),
    "B: other labels": ("0.10", "**TP**", "**PP**", "line 7, Throughput", "'**PP**'"),
    "B: no TP": ("0.10", B_ROW, B_ROW.replace("2", "", 1), "line 13, Throughput Measurements, column TP", "''"),
    "B: no lengths": ("0.10", "| 128/128 | 1 |", "| | 1 |", "line 12, Throughput Measurements", "''"),
    "B: a value that is none": ("0.10", B_ROW, B_ROW.replace("5271", "n/a"), "TP2, column X100 FP16", "'n/a'"),
    "B: a ragged row": ("0.10", B_ROW, f"{B_ROW} 7 |", "line 13", "the row has 7 cells, its header 6"),
    "B: no metric": ("0.10", "presents token throughput", "shows", "throughput section", "no longer says"),
    # name: (release, printed, printed instead, place named, problem named)
    "a new column in C": ("0.21", "| X100     | X200  |", "| X100     |    |", "line 21, Aster 7B FP4", "no GPU name"),
    "no TP sizes": ("0.21", "|    | TP Size   | 1      | 2          |\n", "", "line 21, Aster 7B FP4", "TP sizes"),
    "TP size is no number": ("0.21", "| TP Size   | 1      |", "| TP Size   | two |", "TP size of X100", "'two'"),
    "no precision in the heading": ("0.21", "#### Aster 7B FP4", "#### Aster 7B", "line 21, Aster 7B", "precision"),
    "label cell": ("0.21", "| GPU:   | X100", "| Card:   | X100", "line 21, Aster 7B FP4", "GPUs"),
    "no label of the lengths": ("0.21", "| ISL, OSL |", "|  |", "line 24, Aster 7B FP4", "label of the lengths"),
    "second label column": (
        "0.21",
        "| 2000, 500                    |    |",
        "| 2000, 500 | x |",
        "Aster 7B FP4",
        "blank",
    ),
    "a new column in D": (
        "1.0",
        "X200<br/>TP4 (FP8) |\n|---|---|---|\n| 128/2048 | 14,000 | |\n| 5000/500 | 1650.5 | 2,750 |",
        "X200<br/>TP4 (FP8) | Notes |\n|---|---|---|---|\n| 128/2048 | 14,000 | | x |\n| 5000/500 | 1650.5 | 2,750 | |",
        "line 9, Aster 7B",
        "'Notes'",
    ),
    "a rule that no longer fits its header": (
        "1.0",
        "X200<br/>TP4 (FP8) |\n",
        "X200<br/>TP4 (FP8) | Notes |\n",
        "line 9, Aster 7B",
        "rule does not match",
    ),
    "another first column": (
        "1.0",
        "Sequence Length (ISL/OSL) | X100",
        "Concurrency | X100",
        "line 9",
        "'Concurrency'",
    ),
    "count and parallelism disagree": ("1.0", "**8 GPUs**<br/>TP4", "**9 GPUs**<br/>TP4", "line 15", "disagree"),
    "a table of one GPU without its name": ("1.0", f"{WORKSTATION}\n", "", "line 14, Aster 7B", "GPU not named"),
    "unknown parallelism": ("main", "DEP4 (FP4)", "EP4 (FP4)", "column X100 EP4 (FP4)", "'EP4'"),
    "parallelism said twice": ("main", "DEP2,PP2", "PP2,PP2", "PP2,PP2 (FP4)", "'PP2'"),
    "a degree of thirty digits": ("main", "DEP4", f"DEP{'9' * 30}", "(FP4)", "is not a parallelism"),
    "negative throughput": ("main", "| 4,321 |", "| -4,321 |", "line 23, Aster 7B, row 1000/1000", "'-4,321'"),
    "n/a": ("0.21", "| 987.6     |", "| n/a     |", "line 26, Aster 7B FP4, row 128, 128, column X200", "'n/a'"),
    "a separator in the wrong place": ("main", "| 4,321 |", "| 43,21 |", "column X100 DEP4 (FP4)", "'43,21'"),
    "a unit in the cell": ("main", "| 4,321 |", "| 4.3k |", "line 23", "'4.3k'"),
    "a number beyond floats": ("main", "| 4,321 |", "| 1e999 |", "line 23", "'1e999'"),
    "a ragged row": (
        "1.0",
        "| 1650.5 | 2,750 |",
        "| 1650.5 | 2,750 | 7 |",
        "line 12",
        "the row has 4 cells, its header 3",
    ),
    "a cut row": ("1.0", "| 1650.5 | 2,750 |", "| 1650.5", "line 12", "the row has 2 cells, its header 3"),
    "lengths that are none": ("1.0", "| 5000/500 |", "| short |", "line 12, Aster 7B", "'short'"),
    "lengths of thousands of digits": ("1.0", "| 5000/500 |", f"| 5/{'9' * 5000} |", "line 12", "length"),
    "another metric": ("main", "per GPU (tokens/sec/GPU)`.", "(tokens/sec)`.", "throughput section", "no longer says"),
    "no metric": ("0.21", "The reported metric is", "We report", "throughput section", "no longer says"),
    "no section": ("1.0", "## Throughput Measurements", "## Speed", "throughput section", "no throughput table"),
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_page_of_another_form_is_refused_whole(source, change):
    release, printed, instead, place, problem = CHANGED[change]
    text = page(release)
    assert text.count(printed) >= 1
    error = refusal(parse, text.replace(printed, instead, 1).encode(), source, document_of(source, release))
    assert release in error.place
    assert place in error.place
    assert problem in error.problem


COUNT_TABLE = """
| Sequence Length (ISL/OSL) | **2 GPUs**<br/>TP1,PP2 (FP4) |
|---|---|
| 128/2048 | 765 |
"""


@pytest.mark.parametrize(
    ("between", "place"),
    [
        # the name belongs to the table below it, not to a second one, nor to the model of the next heading
        ("", "line 19, Aster 7B"),
        (f"\n{WORKSTATION}\n\n#### Boreal 70B\n", "line 23, Boreal 70B"),
    ],
)
def test_a_gpu_named_above_one_table_is_not_that_of_another(source, between, place):
    text = page("1.0").replace("\n## Reproducing", f"{between}{COUNT_TABLE}\n## Reproducing")
    error = refusal(parse, text.encode(), source, document_of(source, "1.0"))
    assert place in error.place
    assert "GPU not named" in error.problem


BYTES = {
    "empty": (b" \n", "is empty"),
    "html": (b"\n<!DOCTYPE html><title>Sign in</title>", "HTML"),
    "json": (b'{"message": "Not Found"}', "no longer says"),
    "not UTF-8": ("## Throughput Measurements é".encode("latin-1"), "not UTF-8 at byte 27"),
}


@pytest.mark.parametrize("case", BYTES)
def test_bytes_that_are_no_page_are_refused_naming_the_file(source, case):
    content, problem = BYTES[case]
    document = document_of(source, "main")
    error = refusal(parse, content, source, document)
    assert problem in error.problem
    assert error.place in (document.place, "release main, throughput section")


@pytest.mark.parametrize("release", PRINTED)
def test_a_truncated_page_is_refused_wherever_it_was_cut(source, release):
    complete = page(release)
    section_end = "Low Latency" if LAYOUTS[release] == "A" else "Reproducing Benchmarked Results"
    for end in range(0, complete.index(section_end), 7):
        refusal(parse, complete[:end].encode(), source, document_of(source, release))


def test_an_unknown_layout_names_the_catalogue(source):
    document = document_of(source, "main").model_copy(update={"layout": "F"})
    error = refusal(parse, page("main").encode(), source, document)
    assert "assets/sources.yaml" in error.place
    assert "'F'" in error.problem
