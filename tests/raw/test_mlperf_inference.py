"""raw.mlperf_inference: results read from made-up rounds, and every round that must be refused."""

import json

import pytest

from assets.raw.mlperf_inference import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.made_up import POWER, RESULT
from tests.support import refusal


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
