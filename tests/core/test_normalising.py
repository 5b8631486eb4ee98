"""The SQL of core on a small made-up warehouse: what an unknown name, a twin, another unit or division becomes."""

from dataclasses import replace

import polars as pl
import pytest

from assets.core import accelerators, aliases, corrections, published_throughput, rejected, serving_measurements
from assets.core import nodes as core_nodes
from assets.raw import accelerators as raw_accelerators
from assets.raw import epoch_ml_hardware, mlperf_inference, oviedo_throughput, trtllm_perf
from assets.raw import nodes as raw_nodes
from pipelines.tables.contract import Table
from pipelines.tables.validate import validate
from pipelines.warehouse.sql import run_sql
from pipelines.warehouse.store import Warehouse

HASH = "5" * 64
FROM_MLPERF = {"source_id": "mlperf_inference", "source_release": "v9.9", "snapshot_sha256": HASH}
RESULT = FROM_MLPERF | {
    "locator": "/0", "ID": "9.9-0001", "Submitter": "Made-Up", "Availability": "available", "Category": "closed",
    "Suite": "datacenter", "System": " 8x X100", "Platform": "8xX100", "UsedModel": "aster-7b-99",
    "Scenario": "Offline", "TOKENS_PER_SAMPLE": 123.4, "Nodes": 2, "Accelerator": "Made-Up X100", "a#": 4,
    "Software": "Runtime 1.0", "weight_data_types": "fp8", "has_power": False, "Performance_Result": 5000.0,
    "Performance_Units": "Tokens/s",
}  # fmt: skip
FIGURE = {
    "source_id": "trtllm_perf", "source_release": "9.9", "snapshot_sha256": HASH, "locator": "line 1",
    "model": "Aster 7B", "gpu": "X100", "precision": "FP8", "parallelism": "TP2,PP2", "tp": 2, "pp": 2,
    "group_gpus": 4, "isl": 500, "osl": 2000, "metric": "made up", "basis": "per_gpu", "throughput": 100.0,
}  # fmt: skip
ALIASES = [
    ("model", "mlperf_inference", "aster-7b-99", "aster-7b"),
    ("model", "mlperf_inference", "aster-7b-99.9", "aster-7b"),
    ("model", "mlperf_inference", "resnet50", "not-an-llm"),
    ("accelerator", "mlperf_inference", "Made-Up X100", "x100"),
    ("accelerator", "mlperf_inference", "none printed", "cpu"),
    ("precision", "mlperf_inference", "fp8", "fp8"),
    ("framework", "mlperf_inference", "Runtime 1.0", "vllm"),
    ("model", "trtllm_perf", "Aster 7B", "aster-7b"),
    ("accelerator", "trtllm_perf", "X100", "x100"),
    ("precision", "trtllm_perf", "FP8", "fp8"),
    ("accelerator", "epoch_ml_hardware", "Made-Up X100", "x100"),
]
CARD = {
    "source_id": "epoch_ml_hardware", "source_release": "latest", "snapshot_sha256": HASH,
    "locator": "record 1, Made-Up X100", "Hardware name": "Made-Up X100", "TDP (W)": 650.0, "Memory (bytes)": 96e9,
    "Memory bandwidth (byte/s)": 4e12, "Tensor-FP16/BF16 performance (FLOP/s)": 1.5e15,
}  # fmt: skip
OURS = {
    "locator": "line 2", "accelerator_id": "x100", "accelerator_name": "Made-Up X100", "vendor": "Made-Up",
    "kind": "gpu", "tdp_w": 700.0, "dense_fp16_tflop_per_s": 750.0, "source_url": "https://published.test/x100",
}  # fmt: skip
CORRECTION = {
    "correction_id": "made-up", "table_name": "raw.mlperf_inference", "source_id": "mlperf_inference",
    "source_release": "v9.9", "locator": "/0", "reason": "We made it so.", "evidence": "None.", "expected_rows": 1,
    "found_rows": 1, "is_applied": True,
}  # fmt: skip


@pytest.fixture
def warehouse(tmp_path):
    """Every input of the three SQL files, without rows but for names and cards."""
    warehouse = Warehouse(tmp_path)
    for module in (mlperf_inference, trtllm_perf, oviedo_throughput, corrections, raw_nodes):
        put(warehouse, module.TABLE)
    put(warehouse, aliases.TABLE, *[dict(zip(aliases.TABLE.schema, alias, strict=True)) for alias in ALIASES])
    put(warehouse, epoch_ml_hardware.TABLE, CARD)
    put(warehouse, raw_accelerators.TABLE, OURS)
    return warehouse


def put(warehouse: Warehouse, table: Table, *rows: dict) -> None:
    warehouse.write(table, pl.DataFrame(list(rows), schema=table.schema))


def make(warehouse: Warehouse, table: Table) -> list[dict]:
    return warehouse.write(table, run_sql(warehouse, table.name)).to_dicts()


def judge(warehouse: Warehouse, *results: dict) -> list[dict]:
    """The verdicts on these MLPerf results, in order; no row is lost on the way."""
    located = [RESULT | {"locator": f"/{i}"} | result for i, result in enumerate(results)]
    put(warehouse, mlperf_inference.TABLE, *located)
    rows = make(warehouse, published_throughput.TABLE)
    make(warehouse, accelerators.TABLE)
    n_accepted, n_rejected = (len(make(warehouse, module.TABLE)) for module in (serving_measurements, rejected))
    assert n_accepted + n_rejected == len(rows) == len(results)
    return rows


def test_a_result_in_our_ids_and_units(warehouse):
    (row,) = judge(warehouse, {"has_power": True, "Power_Result": 4000.0, "Power_Units": "Watts"})
    assert row == FROM_MLPERF | {
        "locator": "/0", "model_as_printed": "aster-7b-99", "accelerator_as_printed": "Made-Up X100",
        "model_id": "aster-7b", "accelerator_id": "x100", "precision": "fp8", "framework": "vllm",
        "n_accelerators": 8, "parallelism": "unstated", "scenario": "offline", "concurrency": None,
        "system": "9.9-0001 Made-Up: 8x X100", "input_tokens": None, "output_tokens": 123.4, "printed_value": 5000.0,
        "printed_unit": "Tokens/s", "token_basis": "output", "accelerator_basis": "per_system",
        "output_tokens_per_s": 5000.0, "is_measured": True, "power_w": 4000.0, "power_boundary": "node",
        "n_source_rows": 1, "caveat": None, "rejection_code": None, "rejected_because": None,
    }  # fmt: skip


def test_energy_of_an_edge_run_is_not_taken_for_power(warehouse):
    (row,) = judge(warehouse, {"has_power": True, "Power_Result": 4000.0, "Power_Units": "millijoules"})
    assert (row["power_w"], row["power_boundary"], row["rejection_code"]) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "code", "because"),
    [
        ({"Accelerator": "Made-Up X999"}, "unknown-accelerator", "unknown accelerator 'Made-Up X999': add it to"),
        ({"Accelerator": "Made-Up X100 "}, "unknown-accelerator", "unknown accelerator 'Made-Up X100 ': add it to"),
        ({"Accelerator": "made-up x100"}, "unknown-accelerator", "unknown accelerator 'made-up x100': add it to"),
        ({"UsedModel": "aster-8b"}, "unknown-model", "unknown model 'aster-8b': add it to"),
        ({"weight_data_types": "fp3"}, "unknown-precision", "unknown precision 'fp3': add it to"),
        ({"Software": "Runtime 2.0"}, "unknown-framework", "unknown framework 'Runtime 2.0': add it to"),
        ({"Software": None}, "unknown-framework", "unknown framework 'none printed': add it to"),
    ],
)
def test_an_unknown_name_rejects_the_row_and_names_the_file_to_edit(warehouse, change, code, because):
    known, unknown = judge(warehouse, {"Performance_Result": 1.0}, change)
    assert known["rejection_code"] is None
    assert (unknown["rejection_code"], unknown["rejected_because"]) == (code, f"{because} assets/reference/aliases.csv")
    (failure,) = validate(rejected.TABLE, warehouse.read("core.rejected"))
    assert failure.check == "plausibility"
    assert because in failure.found


@pytest.mark.parametrize(
    ("change", "code", "because"),
    [
        ({"UsedModel": "resnet50", "Performance_Units": "Samples/s"}, "not-an-llm", "not a language model: resnet50"),
        ({"Category": "open"}, "open-division", "may be pruned or fine-tuned"),
        ({"Performance_Units": "Queries/s"}, "unit", "printed in Queries/s, not tokens/s"),
        ({"Performance_Units": "Samples/s"}, "unit", "printed in Samples/s, not tokens/s"),
    ],
)
def test_what_is_not_comparable_is_rejected_with_its_reason(warehouse, change, code, because):
    (row,) = judge(warehouse, change)
    assert row["rejection_code"] == code
    assert because in row["rejected_because"]


def test_rows_of_every_verdict_keep_the_contract(warehouse):
    metered = {"has_power": True, "Power_Result": 4000.0, "Power_Units": "Watts"}
    judge(warehouse, {}, metered, {"Category": "open"}, {"Accelerator": "?"}, {"Performance_Units": "Samples/s"}, {})
    assert validate(published_throughput.TABLE, warehouse.read("core.published_throughput")) == []
    accepted = replace(serving_measurements.TABLE, min_rows=1, coverage=())
    assert validate(accepted, warehouse.read("core.serving_measurements")) == []


def test_a_system_without_accelerators_is_one_of_processors(warehouse):
    (row,) = judge(warehouse, {"Accelerator": None, "a#": None})
    assert (row["accelerator_id"], row["n_accelerators"], row["rejection_code"]) == ("cpu", 0, None)


def test_one_run_printed_for_two_accuracy_targets_counts_once(warehouse):
    strict = {"UsedModel": "aster-7b-99.9"}
    first, twin = judge(warehouse, {}, strict)
    assert (first["rejection_code"], first["n_source_rows"]) == (None, 2)
    assert twin["rejection_code"] == "twin"
    assert twin["rejected_because"] == "the run of /0, printed again for another accuracy target"


@pytest.mark.parametrize(
    "other",
    [
        {"Performance_Result": 5000.1},
        {"Scenario": "Server"},
        {"ID": "9.9-0002"},
        {"source_release": "v10.0"},
        {"Suite": "edge"},
        {"has_power": True, "Power_Result": 4000.0, "Power_Units": "Watts"},
    ],
)
def test_runs_that_differ_are_no_twins(warehouse, other):
    rows = judge(warehouse, {}, {"UsedModel": "aster-7b-99.9"} | other)
    assert [(row["rejection_code"], row["n_source_rows"]) for row in rows] == [(None, 1)] * 2


def test_a_rejected_row_has_no_twin(warehouse):
    rows = judge(warehouse, {"Category": "open"}, {"Category": "open", "UsedModel": "aster-7b-99.9"}, {})
    assert [(row["rejection_code"], row["n_source_rows"]) for row in rows] == [
        ("open-division", 1),
        ("open-division", 1),
        (None, 1),
    ]


def test_the_round_that_prints_fp16_for_everything_states_no_precision(warehouse):
    (row,) = judge(warehouse, {"source_release": "v4.1", "weight_data_types": "fp16"})
    assert (row["rejection_code"], row["rejected_because"].split(":")[0]) == (
        "unknown-precision",
        "unknown precision 'UNSET'",
    )


def test_a_corrected_unit_is_used_and_shown(warehouse):
    unit = {"action": "override", "column_name": "Performance_Units", "old_value": "Queries/s", "new_value": "Tokens/s"}
    put(warehouse, corrections.TABLE, CORRECTION | unit)
    corrected, other = judge(warehouse, *[{"Performance_Units": "Queries/s"}] * 2)
    assert (corrected["printed_unit"], corrected["rejection_code"]) == ("Tokens/s", None)
    assert (other["printed_unit"], other["rejection_code"]) == ("Queries/s", "unit")


def test_a_known_error_is_rejected_and_a_caveat_stays_with_its_row(warehouse):
    put(
        warehouse,
        corrections.TABLE,
        CORRECTION | {"action": "exclude"},
        CORRECTION | {"action": "flag", "locator": "/1", "reason": "Take care."},
    )
    wrong, flagged = judge(warehouse, {}, {"Performance_Result": 7.0})
    assert (wrong["rejection_code"], wrong["rejected_because"]) == ("upstream-error", "We made it so.")
    assert (flagged["rejection_code"], flagged["caveat"]) == (None, "Take care.")


def test_a_correction_whose_guard_failed_changes_nothing(warehouse):
    nowhere = {"source_id": None, "source_release": None, "locator": None, "is_applied": False, "found_rows": 2}
    put(warehouse, corrections.TABLE, CORRECTION | {"action": "exclude"} | nowhere)
    (row,) = judge(warehouse, {})
    assert row["rejection_code"] is None


@pytest.mark.parametrize(("basis", "of_the_group"), [("per_gpu", 400.0), ("per_group", 100.0)])
def test_a_figure_per_gpu_is_multiplied_once(warehouse, basis, of_the_group):
    put(warehouse, trtllm_perf.TABLE, FIGURE | {"basis": basis})
    (row,) = make(warehouse, published_throughput.TABLE)
    assert (row["printed_value"], row["output_tokens_per_s"]) == (100.0, of_the_group)
    assert (row["n_accelerators"], row["parallelism"], row["accelerator_basis"]) == (4, "tp2,pp2", basis)
    assert (row["input_tokens"], row["output_tokens"]) == (500.0, 2000.0)
    assert (row["power_w"], row["power_boundary"]) == (None, None)


def test_equal_figures_of_one_page_are_no_twins(warehouse):
    put(warehouse, trtllm_perf.TABLE, FIGURE, FIGURE | {"locator": "line 2"})
    assert [row["rejection_code"] for row in make(warehouse, published_throughput.TABLE)] == [None, None]


def test_an_unknown_card_is_rejected_and_named(warehouse):
    unknown = CARD | {"locator": "record 2, Made-Up X999", "Hardware name": "Made-Up X999"}
    put(warehouse, epoch_ml_hardware.TABLE, CARD, unknown)
    make(warehouse, accelerators.TABLE)
    make(warehouse, published_throughput.TABLE)
    (row,) = make(warehouse, rejected.TABLE)
    assert (row["locator"], row["rejection_code"]) == ("record 2, Made-Up X999", "unknown-accelerator")
    assert row["printed"] == "Made-Up X999: TDP 650.0 W"
    assert row["rejected_because"] == "unknown accelerator 'Made-Up X999': add it to assets/reference/aliases.csv"


def test_board_figures_come_from_the_data_set_and_peak_rates_from_the_maker(warehouse):
    (row,) = make(warehouse, accelerators.TABLE)
    assert (row["tdp_w"], row["tdp_source"], row["tdp_w_maker"]) == (650.0, "epoch_ml_hardware", 700.0)
    assert (row["memory_gb"], row["memory_bandwidth_gb_per_s"]) == (96.0, 4000.0)
    assert row["dense_fp16_tflop_per_s"] == 750.0


def test_where_the_data_set_has_nothing_the_maker_s_page_is_named(warehouse):
    put(warehouse, epoch_ml_hardware.TABLE, CARD | {"TDP (W)": None, "Memory (bytes)": None})
    (row,) = make(warehouse, accelerators.TABLE)
    assert (row["tdp_w"], row["tdp_source"], row["memory_gb"]) == (700.0, "https://published.test/x100", None)


NODE = {
    "locator": "line 2", "node_id": "a-rack", "accelerator_id": "x100", "accelerators_per_node": 8,
    "node_name": "A rack", "quantity": "max_power", "value": 10.5, "unit": "kW", "boundary_as_printed": "all",
    "year": 2031, "source_url": "https://published.test/rack", "confidence": "high",
}  # fmt: skip


def node(warehouse: Warehouse, *changes: dict) -> list[dict]:
    put(warehouse, raw_nodes.TABLE, *[NODE | change for change in changes])
    rows = make(warehouse, core_nodes.TABLE)
    assert validate(replace(core_nodes.TABLE, coverage=()), warehouse.read("core.nodes")) == []
    return rows


def test_kilowatts_become_watts_and_a_share(warehouse):
    idle = {"quantity": "idle_power", "value": 1.25}
    (row,) = node(warehouse, {}, idle)
    assert (row["power_max_w"], row["power_max_w_per_accelerator"], row["power_idle_w"]) == (10500.0, 1312.5, 1250.0)
    assert row["is_default"]


def test_a_rated_maximum_goes_before_a_higher_peak(warehouse):
    (row,) = node(warehouse, {}, {"quantity": "peak_power", "value": 14.0})
    assert (row["power_max_w"], row["power_max_quantity"]) == (10500.0, "max_power")


@pytest.mark.parametrize("quantity", ["typical_power_high", "measured_power_high", "power_shelf_output"])
def test_no_other_power_stands_in_for_the_maximum(warehouse, quantity):
    (row,) = node(warehouse, {"quantity": quantity})
    assert (row["power_max_w"], row["is_default"]) == (None, False)


def test_the_largest_node_of_known_power_is_the_default(warehouse):
    rack = {"node_id": "whole-rack", "accelerators_per_node": 72, "value": 100.0}
    unknown = {"node_id": "hall", "accelerators_per_node": 256, "quantity": "power_shelf_output"}
    rows = node(warehouse, {}, rack, unknown)
    assert {row["node_id"]: row["is_default"] for row in rows} == {"a-rack": False, "whole-rack": True, "hall": False}
