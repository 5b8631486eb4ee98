"""raw.mlperf_inference: results read from made-up rounds, and every round that must be refused."""

import json

import polars as pl
import pytest

from assets.raw.mlperf_inference import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.made_up import POWER, RESULT, fixture
from tests.support import mirrored_bytes, refusal


@pytest.fixture
def source(catalogue):
    return catalogue["mlperf_inference"]


@pytest.fixture
def document(source):
    return source.documents[1]


def content_of(*results: object) -> bytes:
    return json.dumps(results).encode()


def read(source, document, *results):
    return parse_document(parse, content_of(*results), source, document, "5" * 64)


def test_a_result_is_read_with_its_pointer_and_provenance(source, document):
    (row,) = read(source, document, RESULT).to_dicts()
    assert row.pop("TOKENS_PER_SAMPLE") == 123.4
    assert row == {
        "source_id": "mlperf_inference", "source_release": "v5.1", "snapshot_sha256": "5" * 64, "locator": "/0",
        "Power_Result": None, "Power_Units": None, "Notes": None,
        **{name: value for name, value in RESULT.items() if name in TABLE.schema and name != "Notes"},
    }  # fmt: skip


def test_power_stands_on_metered_rows_only_and_absent_keys_are_null(source, document):
    frame = read(source, document, RESULT, RESULT | POWER)
    assert frame.select("locator", "has_power", "Power_Result", "Power_Units").rows() == [
        ("/0", False, None, None),
        ("/1", True, 3456.7, "Watts"),
    ]


@pytest.mark.parametrize(("printed", "read_as"), [(8, 8), (8.0, 8), ("", None)])
def test_accelerators_per_node_whatever_type_the_round_prints(source, document, printed, read_as):
    frame = read(source, document, RESULT | {"a#": printed})
    assert frame["a#"].to_list() == [read_as]
    assert frame.schema["a#"] == TABLE.schema["a#"]


def test_a_whole_number_is_a_result_too(source, document):
    assert read(source, document, RESULT | {"Performance_Result": 4321})["Performance_Result"].to_list() == [4321.0]


def test_no_tokens_per_sample_is_null_not_zero(source, document):
    frame = read(source, document, RESULT | {"Accuracy": "acc: 76.5"})
    assert frame["TOKENS_PER_SAMPLE"].to_list() == [None]


def test_the_rows_fit_the_contract(source, document):
    assert TABLE.conform(read(source, document, RESULT, RESULT | POWER, RESULT | {"Accelerator": ""})).height == 3


CHANGED = {
    # name: (changes, place named, problem named)
    "a new key": ({"GPU hours": 3}, "/1/GPU hours", "a key not known before"),
    "negative throughput": ({"Performance_Result": -1.5}, "/1/Performance_Result", "-1.5"),
    "n/a": ({"Performance_Result": "n/a"}, "/1/Performance_Result", "'n/a' is not Float64"),
    "a number as text": ({"Performance_Result": "4321.5"}, "/1/Performance_Result", "'4321.5'"),
    "no result": ({"Performance_Result": None}, "/1/Performance_Result", "None"),
    "an empty result": ({"Performance_Result": ""}, "/1/Performance_Result", "''"),
    "NaN": ({"Performance_Result": float("nan")}, "/1/Performance_Result", "nan"),
    "Infinity": ({"Performance_Result": float("inf")}, "/1/Performance_Result", "inf"),
    "a truth value": ({"Performance_Result": True}, "/1/Performance_Result", "True"),
    "a result beyond floats": ({"Performance_Result": 10**400}, "/1/Performance_Result", "is not Float64"),
    "half a node": ({"Nodes": 1.5}, "/1/Nodes", "1.5"),
    "nodes that are no number": ({"Nodes": float("nan")}, "/1/Nodes", "nan"),
    "nodes without end": ({"Nodes": float("inf")}, "/1/Nodes", "inf"),
    "nodes beyond counting": ({"Nodes": 10**30}, "/1/Nodes", "is not Int64"),
    "a number for a name": ({"Submitter": 7}, "/1/Submitter", "7 is not String"),
    "a list for a name": ({"System": ["a", "b"]}, "/1/System", "is not String"),
    "text for a truth value": ({"has_power": "no"}, "/1/has_power", "'no'"),
    "power as text": (POWER | {"Power_Result": "3 kW"}, "/1/Power_Result", "'3 kW'"),
    "accuracy as number": ({"Accuracy": 44.5}, "/1/Accuracy", "44.5 is not text"),
    "accuracy as null": ({"Accuracy": None}, "/1/Accuracy", "None is not text"),
    "tokens per sample garbled": ({"Accuracy": "TOKENS_PER_SAMPLE: 1.2.3"}, "/1/Accuracy", "'1.2.3'"),
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_round_of_another_form_is_refused_whole(source, document, change):
    changes, place, problem = CHANGED[change]
    error = refusal(parse, content_of(RESULT, RESULT | changes), source, document)
    assert error.place == f"round v5.1, {place}"
    assert problem in error.problem


@pytest.mark.parametrize("key", sorted(RESULT))
def test_a_missing_key_is_named(source, document, key):
    error = refusal(parse, content_of(RESULT, {k: v for k, v in RESULT.items() if k != key}), source, document)
    assert error.place == f"round v5.1, /1/{key}"
    assert error.problem == "is missing"


BYTES = {
    "empty": (b"", "https://", "is empty"),
    "html": (b"<!DOCTYPE html><h1>404</h1>", "https://", "is an HTML page, expected json"),
    "an object": (b'{"message": "Not Found"}', "round v5.1, /", "not a list of results"),
    "no results": (b"[]", "round v5.1, /", "not a list of results"),
    "numbers": (b"[1, 2]", "round v5.1, /0/", "is not an object"),
    "two documents": (b"[][]", "round v5.1, line 1 column 3", "is not JSON"),
    "not UTF-8": (b'["\xe9"]', "round v5.1", "not UTF-8 at byte 2"),
    "brackets without end": (b"[" * 200_000, "round v5.1, /", "is not JSON"),
    "a number of 5000 digits": (b"[" + b"9" * 5000 + b"]", "round v5.1, /", "is not JSON"),
}


@pytest.mark.parametrize("case", BYTES)
def test_bytes_that_are_no_round_are_refused(source, document, case):
    content, place, problem = BYTES[case]
    error = refusal(parse, content, source, document)
    assert error.place.startswith(place)
    assert problem in error.problem


def test_a_truncated_round_is_refused_wherever_it_was_cut(source, document):
    content = content_of(RESULT, RESULT | POWER)
    for end in range(1, len(content), 31):
        error = refusal(parse, content[:end], source, document)
        assert error.place.startswith("round v5.1, line 1 column ")
        assert "is not JSON" in error.problem


CM = json.loads(fixture("mlperf_cm.json"))
CM_RELEASES = ("v4.0 closed offline", "v4.0 closed server", "v4.0 closed-power offline", "v4.0 closed-power server")


@pytest.fixture
def of_v4_0(source):
    return next(document for document in source.documents if document.release == "v4.0 closed-power offline")


def test_a_result_of_v4_0_is_read_under_the_names_of_the_later_rounds(source, of_v4_0):
    row = TABLE.conform(read(source, of_v4_0, *CM)).row(0, named=True)
    assert row == {
        "source_id": "mlperf_inference", "source_release": "v4.0 closed-power offline", "snapshot_sha256": "5" * 64,
        "locator": "/0", "ID": "0123456789abcdef", "Submitter": "Made-Up", "Availability": "available",
        "Category": "closed", "Suite": "datacenter", "System": "Made-Up Server (8x X100-96GB, MaxQ)",
        "Platform": "8xX100_MaxQ", "UsedModel": "llama2-70b-99", "Scenario": "Offline", "TOKENS_PER_SAMPLE": None,
        "Nodes": 1, "Processor": "Made-Up CPU", "Accelerator": "NVIDIA H100-SXM-80GB", "a#": 8, "Software": "vllm",
        "Notes": None, "weight_data_types": None, "has_power": True, "Performance_Result": 1234.5,
        "Performance_Units": "Samples/s", "Power_Result": None, "Power_Units": None,
    }  # fmt: skip


def test_power_of_v4_0_stands_on_a_row_of_its_own(source, of_v4_0):
    frame = TABLE.conform(read(source, of_v4_0, *CM))
    names = ("ID", "Performance_Result", "Performance_Units", "Power_Result", "Power_Units")
    assert frame.row(1, named=True) | dict.fromkeys(["locator", *names]) == (
        frame.row(0, named=True) | dict.fromkeys(["locator", *names])
    )
    assert frame.select(names).row(1) == ("0123456789abcde0", None, None, 3456.75, "Watts")


def test_no_accelerator_is_empty_whichever_way_v4_0_prints_it(source, of_v4_0):
    frame = TABLE.conform(read(source, of_v4_0, *CM))
    assert frame.select("Accelerator", "a#").rows()[2:] == [(None, None), (None, None)]


CM_CHANGED = {
    # name: (row, changes, place named, problem named)
    "a new key": (0, {"GPU hours": 3}, "/0/GPU hours", "a key not known before"),
    "no result": (0, {"Result": None}, "/0/Result", "None is not a non-negative number"),
    "an empty result": (0, {"Result": ""}, "/0/Result", "''"),
    "a result as text": (0, {"Result": "1234.5"}, "/0/Result", "'1234.5' is not Float64"),
    "a negative result": (0, {"Result": -1}, "/0/Result", "-1"),
    "NaN": (0, {"Result": float("nan")}, "/0/Result", "nan"),
    "two units": (0, {"Result_Units": "Tokens/s"}, "/0/Result_Units", "'Tokens/s' is not the unit under Units"),
    "a list of units": (0, {"Units": [1], "Result_Units": [1]}, "/0/Units", "[1] is not String"),
    "no power": (1, {"Result_Power": None}, "/1/Result_Power", "None is not a non-negative number"),
    "power as text": (1, {"Result_Power": "3 kW"}, "/1/Result_Power", "'3 kW'"),
    "power and a result": (1, {"Result": 5.5}, "/1/Result", "5.5 stands on a row of power"),
    "power in joules": (1, {"Units": "Joules", "Result_Units": "Joules"}, "/1/Units", "'Joules' is not Watts"),
    "accelerators n/a": (0, {"accelerators_per_node": "N/A"}, "/0/accelerators_per_node", "'N/A' is not Int64"),
    "half an accelerator": (0, {"accelerators_per_node": 0.5}, "/0/accelerators_per_node", "0.5"),
    "a truth value": (2, {"accelerators_per_node": False}, "/2/accelerators_per_node", "False is not Int64"),
    "an accelerator that is a list": (0, {"accelerator_model_name": ["N/A"]}, "/0/accelerator_model_name", "String"),
}


@pytest.mark.parametrize("change", CM_CHANGED)
def test_a_document_of_v4_0_of_another_form_is_refused_whole(source, of_v4_0, change):
    i, changes, place, problem = CM_CHANGED[change]
    rows = [row | (changes if i == n else {}) for n, row in enumerate(CM)]
    error = refusal(parse, content_of(*rows), source, of_v4_0)
    assert error.place == f"round v4.0 closed-power offline, {place}"
    assert problem in error.problem


@pytest.mark.parametrize("key", sorted(CM[0]))
def test_a_missing_key_of_v4_0_is_named(source, of_v4_0, key):
    error = refusal(parse, content_of({k: v for k, v in CM[0].items() if k != key}), source, of_v4_0)
    assert (error.place, error.problem) == (f"round v4.0 closed-power offline, /0/{key}", "is missing")


@pytest.mark.parametrize("name", ["weight_data_types", "Performance_Units"])
def test_what_only_v4_0_lacks_is_not_empty_in_a_summary(source, document, name):
    error = refusal(parse, content_of(RESULT | {name: ""}), source, document)
    assert (error.place, error.problem) == (f"round v5.1, /0/{name}", "is empty")


@pytest.fixture
def published(source):
    """The published rows of v4.0, by release."""
    documents = [document for document in source.documents if document.layout == "cm"]
    assert tuple(document.release for document in documents) == CM_RELEASES
    return {d.release: parse_document(parse, mirrored_bytes(d), source, d, "5" * 64) for d in documents}


def test_all_published_rows_of_v4_0_are_read_and_named_apart(published):
    assert [frame.height for frame in published.values()] == [125, 125, 20, 20]
    rows = pl.concat(published.values())
    assert rows["ID"].n_unique() == rows.height
    assert rows.filter(pl.col("a#").is_null())["Accelerator"].null_count() == 22


def test_each_published_power_of_v4_0_has_the_result_of_its_run_beside_it(published):
    run = ["source_release", "Submitter", "Platform", "UsedModel", "Scenario"]
    metered = pl.concat(list(published.values())[2:])
    is_power = pl.col("Power_Result").is_not_null()
    pairs = metered.filter(~is_power).join(metered.filter(is_power), on=run, validate="1:1")
    assert pairs.height == 20
    assert set(pairs["Power_Units_right"]) == {"Watts"}
    maxq = pairs.filter(pl.col("Platform").str.starts_with("DGX") & (pl.col("UsedModel") == "llama2-70b-99.9"))
    figures = ("Scenario", "Performance_Result", "Performance_Units", "Power_Result_right")
    assert maxq.select(figures).rows() == [
        ("Offline", 17561.6, "Samples/s", pytest.approx(5888.193, abs=5e-4)),
        ("Server", 53.0525, "Queries/s", pytest.approx(5908.762, abs=5e-4)),
    ]


def test_offline_results_of_llama2_in_v4_0_are_tokens_labelled_samples(published):
    # its answers average about 294 tokens: Server prints queries/s, Offline some 300 times as much of "samples"
    rows = (
        pl.concat(published.values()).filter(pl.col("UsedModel") == "llama2-70b-99.9").drop_nulls("Performance_Result")
    )
    by_scenario = {scenario: rows.filter(pl.col("Scenario") == scenario) for scenario in ("Offline", "Server")}
    assert {name: set(frame["Performance_Units"]) for name, frame in by_scenario.items()} == {
        "Offline": {"Samples/s"}, "Server": {"Queries/s"},
    }  # fmt: skip
    pairs = by_scenario["Offline"].join(by_scenario["Server"], on=["Submitter", "Platform"], validate="1:1")
    assert pairs.height == 22
    ratio = pairs["Performance_Result"] / pairs["Performance_Result_right"]
    assert ratio.is_between(250, 400).all()
