"""raw.mlperf_logs: runs read from made-up logs, what is refused, and the published logs beside the results."""

import json
import math
from functools import cache

import polars as pl
import pytest

from assets.raw import mlperf_inference
from assets.raw.mlperf_logs import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.made_up import fixture
from tests.support import mirrored_bytes, refusal

RUN = "closed/Made-Up/results/X100-96GBx8_MaxQ/aster-7b-99/Offline/performance/run_1"
INTERACTIVE = RUN.replace("Offline", "Interactive")
SUMMARY, METER, DETAIL = (f"{RUN}/{name}" for name in ("mlperf_log_summary.txt", "spl.txt", "mlperf_log_detail.txt"))
GOOD = json.loads(fixture("mlperf_logs.json"))


@pytest.fixture
def source(catalogue):
    return catalogue["mlperf_logs"]


def read(source, files):
    return parse_document(parse, json.dumps(files).encode(), source, source.documents[0], "5" * 64)


def test_a_metered_run_has_the_mean_of_the_samples_in_its_window(source):
    row = TABLE.conform(read(source, GOOD)).row(1, named=True)
    assert row == {
        "source_id": "mlperf_logs", "source_release": "v4.1", "snapshot_sha256": "5" * 64,
        "locator": f"{SUMMARY}, line 8", "run_directory": RUN, "division": "closed", "submitter": "Made-Up",
        "system": "X100-96GBx8_MaxQ", "model": "aster-7b-99", "scenario": "Offline", "printed_scenario": "Offline",
        "mode": "PerformanceOnly", "tokens_per_second_line": "Tokens per second", "tokens_per_second": 3750.5,
        "result_is": "VALID", "power_begin": "01-31-2031 23:59:58.500", "power_end": "02-01-2031 00:00:01.000",
        # of six samples the first two are before the window and the last one after it
        "n_meter_samples": 3, "mean_watts": (3000 + 3600 + 3900) / 3,
    }  # fmt: skip


def test_a_run_without_a_meter_has_no_power_and_an_interactive_run_prints_server(source):
    row = TABLE.conform(read(source, GOOD)).row(0, named=True)
    assert row["run_directory"] == INTERACTIVE
    assert (row["scenario"], row["printed_scenario"]) == ("Interactive", "Server")
    assert (row["tokens_per_second_line"], row["tokens_per_second"]) == ("Completed tokens per second", 2850.25)
    assert row["result_is"] == "INVALID"
    assert [row[name] for name in ("power_begin", "power_end", "n_meter_samples", "mean_watts")] == [None] * 4


def test_an_empty_line_at_the_end_of_the_meter_log_is_no_sample(source):
    assert GOOD[METER].endswith("\n\n")
    assert read(source, GOOD | {METER: GOOD[METER].rstrip("\n")}).equals(read(source, GOOD))


CHANGED = {
    # name: (file, printed, instead, place named, problem named)
    "no throughput": (SUMMARY, "Tokens per", "Tokens each", SUMMARY, "has 0 lines of tokens per second"),
    "two throughputs": (SUMMARY, "Samples per", "Tokens per", SUMMARY, "has 2 lines of tokens per second"),
    "throughput n/a": (SUMMARY, ": 3750.5", ": n/a", f"{SUMMARY}, line 8", "'n/a'"),
    "negative throughput": (SUMMARY, ": 3750.5", ": -3750.5", f"{SUMMARY}, line 8", "'-3750.5'"),
    "no verdict": (SUMMARY, "Result is", "Result", SUMMARY, "has 0 lines of result_is"),
    "no scenario": (SUMMARY, "Scenario", "Szenario", SUMMARY, "has 0 lines of printed_scenario"),
    "no begin": (DETAIL, '"power_begin"', '"power_start"', DETAIL, "has no power_begin"),
    "two begins": (DETAIL, '"power_end"', '"power_begin"', f"{DETAIL}, line 3", "is a second power_begin"),
    "no end": (DETAIL, '"power_end"', '"power_stop"', DETAIL, "has no power_end"),
    "an event cut short": (DETAIL, '"tid": 1}}\n', "", f"{DETAIL}, line", "is not JSON"),
    "a begin that is no text": (DETAIL, '"01-31-2031 23:59:58.500"', "7", f"{DETAIL}, line 2", "is no event"),
    "the day first": (DETAIL, "01-31-2031", "31-01-2031", f"{DETAIL}, line 2", "is no time like"),
    "the year first": (METER, "01-31-2031 23:59:57", "2031-01-31 23:59:57", f"{METER}, line 1", "is no time like"),
    "seconds alone": (METER, "23:59:57.000", "23:59:57", f"{METER}, line 1", "is no time like"),
    "no sum before the channels": (METER, "Watts,900.000000,Volts", "Volts", f"{METER}, line 1", "is no sample"),
    "a header": (METER, "Time,01", "Time,Watts\nTime,01", f"{METER}, line 1", "is no sample"),
    "power as a word": (METER, "3600.000000", "nan", f"{METER}, line 4", "is no sample"),
    "negative power": (METER, "3600.000000", "-3600.000000", f"{METER}, line 4", "'-3600.000000'"),
    "a sample twice": (METER, "23:59:58.000", "23:59:57.000", f"{METER}, line 2", "is not after the sample before"),
    "a meter that starts late": (METER, "23:59:57.000", "23:59:58.600", METER, "line 2"),
    "an empty meter log": (METER, GOOD[METER], "\n", METER, "does not cover"),
}


@pytest.mark.parametrize("change", CHANGED)
def test_logs_of_another_form_are_refused_whole(source, change):
    file, printed, instead, place, problem = CHANGED[change]
    assert printed in GOOD[file]
    content = json.dumps(GOOD | {file: GOOD[file].replace(printed, instead, 1)}).encode()
    error = refusal(parse, content, source, source.documents[0])
    assert place in error.place
    assert problem in f"{error.place}: {error.problem}"


def test_a_meter_log_that_is_cut_short_is_refused(source):
    lines = GOOD[METER].split("\n")
    for n in range(5):
        content = json.dumps(GOOD | {METER: "\n".join(lines[:n]) + "\n"}).encode()
        assert "does not cover 01-31-2031 23:59:58.500" in refusal(parse, content, source, source.documents[0]).problem


def test_a_throughput_that_the_statistics_contradict_is_refused(source):
    path = f"{INTERACTIVE}/mlperf_log_summary.txt"
    changed = GOOD[path].replace("second                 : 2850.25", "second                 : 2850.26")
    error = refusal(parse, json.dumps(GOOD | {path: changed}).encode(), source, source.documents[0])
    assert error.problem == "'2850.25' is printed as '2850.26' below"


@pytest.mark.parametrize("missing", [SUMMARY, METER, DETAIL])
def test_a_run_that_lacks_one_of_its_logs_is_refused(source, missing):
    content = json.dumps({path: text for path, text in GOOD.items() if path != missing}).encode()
    error = refusal(parse, content, source, source.documents[0])
    assert (error.place, error.problem.startswith("is missing")) == (missing, True)


@pytest.mark.parametrize("path", ["README.md", f"{RUN}/mlperf_log_accuracy.json", f"other/{SUMMARY}", SUMMARY + "\n"])
def test_a_file_that_is_no_log_of_a_run_is_refused(source, path):
    error = refusal(parse, json.dumps(GOOD | {path: "text"}).encode(), source, source.documents[0])
    assert error.problem == "is no log of a run"


@cache
def published(parse, source, documents) -> pl.DataFrame:
    return pl.concat(parse_document(parse, mirrored_bytes(d), source, d, "5" * 64) for d in documents)


@pytest.fixture
def joined(catalogue, source):
    """The published runs with the published result of each: one, by round, submitter, system, model and scenario."""
    logs = TABLE.conform(published(parse, source, source.documents))
    of_results = catalogue["mlperf_inference"]
    rounds = tuple(d for d in of_results.documents if d.release in ("v4.1", "v5.1"))
    results = published(mlperf_inference.parse, of_results, rounds)
    return logs.join(
        results,
        left_on=["source_release", "submitter", "system", "model", "scenario", "division"],
        right_on=["source_release", "Submitter", "Platform", "UsedModel", "Scenario", "Category"],
        how="left",
        validate="1:1",
    )


def test_every_published_run_is_one_published_result(joined):
    assert joined["source_release"].value_counts(sort=True).rows() == [("v5.1", 40), ("v4.1", 4)]
    assert joined["ID"].null_count() == 0
    assert set(joined["result_is"]) == {"VALID"}
    assert sorted(set(joined["ID"])) == [
        "5.1-0061", "5.1-0062", "5.1-0063", "5.1-0069", "5.1-0070", "5.1-0071", "5.1-0072", "v4.1-0049",
    ]  # fmt: skip


def test_the_printed_throughput_is_the_published_result(joined):
    # results have six digits; the logs of Server and Interactive runs two decimals
    for run in joined.iter_rows(named=True):
        printed, result = run["tokens_per_second"], run["Performance_Result"]
        half_a_digit = 10 ** (math.floor(math.log10(result)) - 5) / 2
        assert abs(printed - result) <= half_a_digit + 0.0051, run["run_directory"]
        assert run["scenario"] != "Offline" or printed == result


def test_the_mean_of_the_meter_is_the_published_power(joined):
    metered = joined.filter(pl.col("mean_watts").is_not_null())
    assert metered.height == 10
    for run in metered.iter_rows(named=True):
        assert run["has_power"]
        assert run["Power_Units"] == "Watts"
        assert run["mean_watts"] == pytest.approx(run["Power_Result"], rel=1e-12), run["run_directory"]


def test_interactive_runs_print_server_and_offline_runs_another_line(joined):
    seen = set(joined.select("scenario", "printed_scenario", "tokens_per_second_line").rows())
    assert seen == {
        ("Offline", "Offline", "Tokens per second"),
        ("Server", "Server", "Completed tokens per second"),
        ("Interactive", "Server", "Completed tokens per second"),
    }
