"""raw.argonne_llm_bench: rows of made-up tables, what is refused, and the defects that the published tables show."""

import polars as pl
import pytest

from assets.raw.argonne_llm_bench import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.made_up import fixture
from tests.support import mirrored_bytes, refusal

RESULTS, POWER = fixture("argonne_llm_bench.csv"), fixture("argonne_llm_bench_power.csv")


@pytest.fixture
def source(catalogue):
    return catalogue["argonne_llm_bench"]


def read(source, release, content=None):
    document = next(d for d in source.documents if d.release == release)
    content = mirrored_bytes(document) if content is None else content
    return TABLE.conform(parse_document(parse, content, source, document, "5" * 64))


def test_rows_are_read_as_printed_and_have_no_power(source):
    frame = read(source, "all-results", RESULTS)
    assert frame.row(0) == (
        "argonne_llm_bench", "all-results", "5" * 64, "line 2", "X100 GPU", 1, "Runtime", "made/Aster-7B", 128, 1,
        0.5, 512.0, None,
    )  # fmt: skip
    assert frame["locator"].to_list() == ["line 2", "line 3", "line 4", "line 5"]
    assert frame["avg_power"].null_count() == 4
    assert broken_rules(frame) == 0


def test_power_is_read_across_the_blank_lines_between_the_blocks(source):
    frame = read(source, "fig-16-power", POWER)
    assert frame.select("locator", "avg_power").rows() == [
        ("line 3", 212345.5), ("line 4", 298765.25), ("line 7", 223456.0),
    ]  # fmt: skip
    assert broken_rules(frame) == 0


def broken_rules(frame):
    return sum(frame.select(rule.holds.not_().sum()).item() for rule in TABLE.rules)


CHANGED = {
    # name: (printed, instead, place named, problem named)
    "a renamed column": (b"Latency", b"latency", "all-results, line 1", "'latency'"),
    "a column of the other table": (b"Throughput\n", b"Throughput,avg_power\n", "line 1", "'avg_power'"),
    "throughput n/a": (b"512.0", b"n/a", "all-results, line 2, column Throughput", "'n/a'"),
    "throughput NaN": (b"512.0", b"NaN", "line 2, column Throughput", "'NaN'"),
    "negative latency": (b"0.5", b"-0.5", "line 2, column Latency", "'-0.5'"),
    "no latency": (b"0.5", b"", "line 2, column Latency", "''"),
    "half a batch": (b"1024,16", b"1024,1.5", "line 3, column Batch Size", "'1.5' is not a whole number"),
    "two lengths": (b"1024,16", b"1024/128,16", "line 3, column Input Output Length", "'1024/128'"),
    "a cell more": (b"512.0", b"512.0,7", "line 2", "has 9 cells, the header 8"),
    "a cell less": (b",512.0", b"", "line 2", "has 7 cells"),
    "a quote left open": (b"Runtime,made", b'"Runtime,made', "line", "is not CSV"),
    "not UTF-8": (b"made/Aster", b"\xe9/Aster", "All_results.csv", "not UTF-8"),
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_file_of_another_form_is_refused_whole(source, change):
    printed, instead, place, problem = CHANGED[change]
    assert printed in RESULTS
    error = refusal(parse, RESULTS.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem


def test_a_power_that_is_missing_is_refused_where_power_is_printed(source):
    error = refusal(parse, POWER.replace(b",212345.5", b","), source, source.documents[1])
    assert error.place == "fig-16-power, line 3, column avg_power"
    assert "columns are" in refusal(parse, RESULTS, source, source.documents[1]).problem


KEY = list(TABLE.identity)


def test_all_published_rows_are_read(source):
    frame = read(source, "all-results")
    assert frame.height == 4772
    assert frame["Hardware"].n_unique() == 9
    assert frame["Framework"].n_unique() == 6
    assert frame["Model"].n_unique() == 15
    assert {"Intel PVC GPU", "Intel Max 1550"} <= set(frame["Hardware"])


def test_throughput_counts_input_and_output_and_of_llama_cpp_those_of_one_request(source):
    frame = read(source, "all-results")
    assert broken_rules(frame) == 0
    llama = frame.filter(pl.col("Framework") == "llama.cpp")
    assert (llama.height, llama.filter(pl.col("Batch Size") == 1).height) == (1570, 409)
    tokens = pl.col("Throughput") * pl.col("Latency") / (2 * pl.col("Input Output Length"))
    assert llama.filter(tokens.is_between(0.99999, 1.00001)).height == 1570


def test_keys_that_are_printed_twice_differ_by_at_most_three_per_cent(source):
    groups = read(source, "all-results").group_by(KEY).agg(pl.len(), pl.col("Throughput"))
    twice = groups.filter(pl.col("len") > 1)
    assert (twice.height, twice["len"].unique().to_list()) == (57, [2])
    of = twice.group_by("Hardware", "Framework").agg(pl.col("len").sum()).sort("len", descending=True).rows()
    assert of == [("AMD MI250 GPU", "vLLM", 68), ("Nvidia A100 GPU", "vLLM", 40), ("Nvidia H100 GPU", "vLLM", 6)]
    assert twice.select((pl.col("Throughput").list.max() / pl.col("Throughput").list.min()).max()).item() < 1.035


def test_the_rows_with_power_are_printed_in_milliwatts_and_stand_in_the_other_table_too(source):
    power = read(source, "fig-16-power")
    assert power.height == 48
    assert power["avg_power"].is_between(130_000, 700_000).all()
    assert set(power["Num of Hardware"]) == {1}
    assert set(power["Input Output Length"]) == {1024}
    without_framework = [name for name in KEY if name != "Framework"]
    assert (power.unique(KEY).height, power.unique(without_framework).height) == (48, 24)
    again = power.join(read(source, "all-results"), on=[*KEY, "Latency", "Throughput"], how="semi")
    assert again.height == 48
