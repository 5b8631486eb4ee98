"""The SQL of estimates on a few made-up rows: which configuration answers, and which rows are a pair."""

import polars as pl
import pytest

from assets.core import models, nodes, serving_measurements
from assets.estimates import serving_fits
from assets.raw import inferencex
from pipelines.reader.question import _rank
from pipelines.warehouse.sql import run_sql, sql_of
from pipelines.warehouse.store import Warehouse

FIT = {
    "source_id": "trtllm_perf", "source_release": "0.11", "model_id": "small-7b", "accelerator_id": "h100-sxm",
    "n_accelerators": 1, "parallelism": "tp1", "precision": "fp8", "framework": "tensorrt-llm", "scenario": "offline",
    "n_rows": 4, "n_length_pairs": 4, "ln_prefill": -9.0, "node_power_max_w": 1275.0,
}  # fmt: skip


@pytest.fixture
def warehouse(tmp_path):
    return Warehouse(tmp_path)


def put(warehouse: Warehouse, table, *rows: dict) -> None:
    warehouse.write(table, pl.DataFrame(list(rows), schema=table.schema))


def default_of(warehouse: Warehouse, *changes: dict) -> dict:
    """The default of one model whose fits are `FIT` with each of `changes`, as the commands choose it too."""
    fits = [FIT | change for change in changes]
    put(warehouse, serving_fits.TABLE, *fits)
    (chosen,) = run_sql(warehouse, "estimates.default_configurations").to_dicts()
    if chosen["chosen_as"] == "most benchmarked":
        best = min(({"concurrency": None} | fit for fit in fits), key=_rank)
        assert {name: best[name] for name in chosen if name != "chosen_as"} | {
            "chosen_as": chosen["chosen_as"]
        } == chosen
    return chosen


A100, B200 = {"accelerator_id": "a100-sxm-80gb"}, {"accelerator_id": "b200-sxm"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"accelerator_id": "h200-sxm", "n_length_pairs": 5}, {"n_rows": 9}),
        ({"source_release": "1.0"}, {"source_release": "0.21", "n_rows": 9}),
        ({"precision": "fp16"}, A100 | {"n_accelerators": 4}),
        ({"precision": "fp16"}, B200 | {"precision": "fp8", "source_release": "1.0"}),
        ({}, {"precision": "fp16", "n_accelerators": 4}),
        (B200 | {"precision": "fp8"}, A100 | {"precision": "fp16", "source_release": "1.0"}),
        ({"n_accelerators": 2, "parallelism": "tp2"}, {"source_release": "1.0"}),
        ({"source_release": "1.0"}, {"source_release": "0.21"}),
        ({"source_release": "main"}, {"source_release": "1.2"}),
        ({"source_release": "1.2"}, {"source_release": "1.2rc"}),
        ({"source_release": "1.2rc"}, {"source_release": "1.1"}),
        ({"source_release": "0.9"}, {"source_release": "v2", "source_id": "oviedo_throughput"}),
        ({"parallelism": "dep1"}, {}),
    ],
    ids=[
        "more pairs of lengths", "newer before a near-duplicate row", "H100 before more of others",
        "H100 before FP8 and newer", "FP8 before more", "FP8 before newer",
        "more before newer", "newer", "main last", "a release after its candidate", "a candidate after the one before",
        "its own before a copy", "else the alphabet",
    ],
)  # fmt: skip
def test_ties_among_the_most_benchmarked_have_a_rule(warehouse, first, second):
    for fits in ((first, second), (second, first)):
        chosen = default_of(warehouse, *fits)
        assert {name: chosen[name] for name in first if name != "n_length_pairs"} == {
            name: value for name, value in first.items() if name != "n_length_pairs"
        }
        assert chosen["chosen_as"] == "most benchmarked"


def test_of_eight_h100_the_newest_answers_and_then_fp8(warehouse):
    eight = {"n_accelerators": 8, "parallelism": "tp8"}
    old = eight | {"source_release": "0.10", "n_length_pairs": 9}
    half, whole = eight | {"precision": "fp16"}, eight
    chosen = default_of(warehouse, {"n_length_pairs": 20}, old, half, whole)
    assert (chosen["chosen_as"], chosen["source_release"], chosen["precision"]) == (
        "newest on eight H100",
        "0.11",
        "fp8",
    )


def release_orders(table: str) -> list[str]:
    text = " ".join(sql_of(table).replace("f.source_", "source_").split())
    begins = "case when source_id <> 'trtllm_perf' then 0"
    return [part.split("0.5 else 0 end end")[0] for part in text.split(begins)[1:]]


def test_the_order_of_releases_is_one_rule():
    tables = ("estimates.default_configurations", "estimates.intervention_pairs", "published.configuration_of")
    found = [order for table in tables for order in release_orders(table)]
    assert len(found) == 3
    assert len(set(found)) == 1


# Pairs

RUN = {
    "source_id": "inferencex", "source_release": "2026-01-01", "snapshot_sha256": "0" * 64, "model_id": "small-7b",
    "accelerator_id": "h100-sxm", "n_accelerators": 8, "precision": "fp8", "parallelism": "tp8", "framework": "vllm",
    "scenario": "fixed", "input_tokens": 1024.0, "output_tokens": 1024.0, "power_w": 4000.0, "power_boundary": "gpu",
    "is_measured": True,
}  # fmt: skip

SATURATED = {
    "source_id": "trtllm_perf", "is_measured": False, "power_w": None, "power_boundary": None, "scenario": "offline",
    "output_tokens_per_s": 1000.0,
}  # fmt: skip


def pairs_of(warehouse: Warehouse, runs: list[dict], served: list[dict] = ()) -> list[tuple[str, str, str]]:
    """Intervention and the two locators of each pair of RUN with these changes, every one named by its place."""
    rows = [RUN | {"locator": f"/{i}"} | run for i, run in enumerate(runs)]
    put(warehouse, serving_measurements.TABLE, *rows)
    put(warehouse, models.TABLE, {"model_id": "small-7b"})
    node = {"node_id": "node", "is_default": True, "power_max_w_per_accelerator": 1275.0}
    put(warehouse, nodes.TABLE, *(node | {"accelerator_id": board} for board in ("h100-sxm", "b200-sxm")))
    same = {"source_id": "inferencex", "source_release": RUN["source_release"]}
    put(warehouse, inferencex.TABLE, *(same | {"locator": f"/{i}"} | how for i, how in enumerate(served)))
    found = run_sql(warehouse, "estimates.intervention_pairs")
    return sorted(found.select("intervention", "locator_from", "locator_to").iter_rows())


def test_twice_the_requests_are_a_pair_only_if_all_else_is_the_same(warehouse):
    runs = [
        {"concurrency": 32, "output_tokens_per_s": 1000.0},
        {"concurrency": 64, "output_tokens_per_s": 1500.0},
        {"concurrency": 64, "output_tokens_per_s": 2000.0},
        {"concurrency": 64, "output_tokens_per_s": 2500.0},
    ]
    plain = {"spec_method": None, "disagg": False}
    ways = [plain, plain, {"spec_method": "mtp", "disagg": False}, {"spec_method": None, "disagg": True}]
    doublings = [pair for pair in pairs_of(warehouse, runs, ways) if pair[0] == "concurrency"]
    assert doublings == [("concurrency", "/0", "/1")]
    other_scenario = [runs[0], runs[1] | {"scenario": "agentic"}]
    assert pairs_of(warehouse, other_scenario) == []


def test_sixteen_times_the_requests_and_all_at_once_are_pairs_too(warehouse):
    mlenergy = {"source_id": "mlenergy_v3", "system": "chat"}
    few = mlenergy | {"concurrency": 32, "output_tokens_per_s": 500.0, "precision": "bf16"}
    many = mlenergy | {"concurrency": 512, "output_tokens_per_s": 4000.0}
    found = pairs_of(warehouse, [few, many | {"precision": "bf16"}, many | {"accelerator_id": "b200-sxm"}])
    assert ("concurrency", "/0", "/1") in found
    assert ("concurrency, accelerator and precision", "/0", "/2") in found


def test_flagged_weights_are_no_change_of_precision_but_one_of_boards(warehouse):
    flagged = {"caveat": "The weights are MXFP4; FP8 is what Hopper computes in"}
    fp4 = {"accelerator_id": "b200-sxm", "precision": "fp4"}
    assert pairs_of(warehouse, [SATURATED, SATURATED | fp4]) == [("accelerator and precision", "/0", "/1")]
    assert pairs_of(warehouse, [SATURATED | flagged, SATURATED | fp4]) == []
    boards = pairs_of(warehouse, [SATURATED | flagged, SATURATED | flagged | {"accelerator_id": "b200-sxm"}])
    assert boards == [("accelerator", "/0", "/1")]


def test_a_candidate_of_a_release_stands_before_it(warehouse):
    runs = [SATURATED | {"source_release": release} for release in ("1.2", "1.1", "main", "1.2rc")]
    assert pairs_of(warehouse, runs) == [("release", "/0", "/2"), ("release", "/1", "/3"), ("release", "/3", "/0")]
