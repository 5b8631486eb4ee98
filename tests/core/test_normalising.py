"""The SQL of core on a small made-up warehouse: what an unknown name, a twin, another unit or division becomes."""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import pytest

from assets.core import (
    accelerators,
    aliases,
    conflicts,
    corrections,
    coverage,
    energy_measurements,
    facilities,
    grids,
    inferencex_power,
    mlperf_crosscheck,
    mlperf_power,
    models,
    published_estimates,
    published_models,
    published_throughput,
    rejected,
    request_lengths,
    serving_measurements,
)
from assets.core import nodes as core_nodes
from assets.raw import accelerators as raw_accelerators
from assets.raw import (
    ai_energy_score_corinac,
    ai_energy_score_feb2025,
    argonne_llm_bench,
    azure_llm_2023,
    codecarbon_energy_mix,
    deepseek_inference_system,
    ecologits_electricity_mixes,
    ecologits_models,
    epoch_ml_hardware,
    gsf_cloud_regions,
    inferencex,
    llmfit_models,
    mlenergy_models,
    mlenergy_v2,
    mlenergy_v3,
    mlperf_inference,
    mlperf_logs,
    mooncake_traces,
    oviedo_throughput,
    owid_carbon_intensity,
    published_facts,
    snapshots,
    tokenpowerbench,
    trtllm_perf,
)
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
    "batch_size": 64, "page_number": 1,
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
    ("model", "inferencex", "aster", "aster-7b"),
    ("accelerator", "inferencex", "x100", "x100"),
    ("precision", "inferencex", "fp8", "fp8"),
    ("framework", "inferencex", "runtime", "sglang"),
    ("model", "mlenergy_v3", "made-up/Aster-7B", "aster-7b"),
    ("accelerator", "mlenergy_v3", "X100", "x100"),
    ("precision", "mlenergy_v3", "bfloat16", "bf16"),
    ("model", "deepseek_inference_system", "DeepSeek-V3/R1", "aster-7b"),
    ("accelerator", "deepseek_inference_system", "X100", "x100"),
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
MODEL = {"model_id": "aster-7b", "model_name": "Aster", "total_params_b": 7.0, "active_params_b": 7.0}
CORRECTION = {
    "correction_id": "made-up", "table_name": "raw.mlperf_inference", "source_id": "mlperf_inference",
    "source_release": "v9.9", "locator": "/0", "reason": "We made it so.", "evidence": "None.", "expected_rows": 1,
    "found_rows": 1, "is_applied": True,
}  # fmt: skip


WITHOUT_ROWS = (
    mlperf_inference, mlperf_logs, trtllm_perf, oviedo_throughput, inferencex, mlenergy_v2, mlenergy_v3,
    mlenergy_models, argonne_llm_bench, azure_llm_2023, mooncake_traces, deepseek_inference_system, tokenpowerbench,
    ai_energy_score_feb2025, ai_energy_score_corinac, gsf_cloud_regions, owid_carbon_intensity, codecarbon_energy_mix,
    ecologits_electricity_mixes, ecologits_models, llmfit_models, published_facts, snapshots, raw_nodes, corrections,
    published_throughput, published_estimates, energy_measurements, serving_measurements, mlperf_crosscheck, grids,
    facilities, conflicts,
)  # fmt: skip


@pytest.fixture
def warehouse(tmp_path):
    """Every input of the SQL files, without rows but for names, models and cards."""
    warehouse = Warehouse(tmp_path)
    for module in WITHOUT_ROWS:
        put(warehouse, module.TABLE)
    put(warehouse, models.TABLE, MODEL)
    put(warehouse, aliases.TABLE, *[dict(zip(aliases.TABLE.schema, alias, strict=True)) for alias in ALIASES])
    put(warehouse, epoch_ml_hardware.TABLE, CARD)
    put(warehouse, raw_accelerators.TABLE, OURS, OURS | {"locator": "line 3", "accelerator_id": "cpu"})
    make(warehouse, accelerators.TABLE)
    make(warehouse, published_models.TABLE)
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
        "n_basis": 1, "output_tokens_per_s": 5000.0, "throughput_is_measured": True,
        "is_measured": True, "power_w": 4000.0, "power_boundary": "node",
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
    own = {"unknown-model": "models", "unknown-accelerator": "accelerators"}.get(code)
    also = f", and its id to assets/reference/{own}.csv" if own else ""
    remedy = f"{because} assets/reference/aliases.csv{also}"
    assert (unknown["rejection_code"], unknown["rejected_because"]) == (code, remedy)
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


def test_a_row_with_two_flags_is_one_row_with_both_reasons_and_its_own(warehouse):
    put(warehouse, mlenergy_v3.TABLE, STEADY)
    flag = CORRECTION | {
        "table_name": "raw.mlenergy_v3", "source_id": "mlenergy_v3", "source_release": "chat",
        "locator": "/configurations/0", "action": "flag", "column_name": None, "old_value": None, "new_value": None,
    }  # fmt: skip
    put(warehouse, corrections.TABLE, flag | {"reason": "One."}, flag | {"correction_id": "z", "reason": "Two."})
    (row,) = make(warehouse, published_throughput.TABLE)
    assert row["caveat"].startswith("One.; Two.; Precision may be")


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
    assert row["rejected_because"].startswith(
        "unknown accelerator 'Made-Up X999': add it to assets/reference/aliases.csv, and its id to "
    )


def x100(warehouse: Warehouse) -> dict:
    return {row["accelerator_id"]: row for row in make(warehouse, accelerators.TABLE)}["x100"]


def test_board_figures_come_from_the_data_set_and_peak_rates_from_the_maker(warehouse):
    row = x100(warehouse)
    assert (row["tdp_w"], row["tdp_source"], row["tdp_w_maker"]) == (650.0, "epoch_ml_hardware", 700.0)
    assert (row["memory_gb"], row["memory_bandwidth_gb_per_s"]) == (96.0, 4000.0)
    assert row["dense_fp16_tflop_per_s"] == 750.0


def test_where_the_data_set_has_nothing_the_maker_s_page_is_named(warehouse):
    put(warehouse, epoch_ml_hardware.TABLE, CARD | {"TDP (W)": None, "Memory (bytes)": None})
    row = x100(warehouse)
    assert (row["tdp_w"], row["tdp_source"], row["memory_gb"]) == (700.0, "https://published.test/x100", None)


def test_a_figure_printed_again_by_a_later_page_is_rejected_and_names_the_first(warehouse):
    second, third = {"source_release": "9.10", "page_number": 2}, {"source_release": "10.0", "page_number": 3}
    put(warehouse, trtllm_perf.TABLE, FIGURE, FIGURE | second, FIGURE | third)
    rows = {row["source_release"]: row for row in make(warehouse, published_throughput.TABLE)}
    assert rows["9.9"]["rejection_code"] is None
    for release in ("9.10", "10.0"):
        assert rows[release]["rejection_code"] == "repeated-page"
        assert rows[release]["rejected_because"] == "printed digit for digit in release 9.9 already"


@pytest.mark.parametrize(
    "change",
    [
        {"throughput": 100.1}, {"batch_size": 32}, {"batch_size": None}, {"isl": 501}, {"osl": 2001},
        {"parallelism": "TP4"}, {"basis": "per_group"},
    ],
)  # fmt: skip
def test_a_later_page_that_prints_another_figure_is_no_repetition(warehouse, change):
    later = {"source_release": "10.0", "page_number": 2}
    put(warehouse, trtllm_perf.TABLE, FIGURE, FIGURE | later | change)
    assert [row["rejection_code"] for row in make(warehouse, published_throughput.TABLE)] == [None, None]


SERVED = {
    "source_id": "inferencex", "source_release": "latest", "snapshot_sha256": HASH, "locator": "/0",
    "hardware": "x100", "framework": "runtime", "model": "aster", "precision": "fp8", "spec_method": "none",
    "disagg": False, "is_multinode": False, "prefill_tp": 8, "prefill_ep": 1, "prefill_dp_attention": False,
    "prefill_num_workers": 0, "decode_tp": 8, "decode_ep": 1, "decode_dp_attention": False, "decode_num_workers": 0,
    "num_prefill_gpu": 8, "num_decode_gpu": 8, "isl": 8192, "osl": 1024, "conc": 64, "date": "2031-01-01",
    "tput_per_gpu": 900.0, "input_tput_per_gpu": 800.0, "output_tput_per_gpu": 100.0,
}  # fmt: skip
# 4 x 400 input and 32 x 50 output tokens/s on 36 GPUs
TWO_POOLS = {
    "disagg": True, "is_multinode": True, "prefill_tp": 4, "prefill_ep": 4, "prefill_num_workers": 1, "decode_tp": 32,
    "decode_ep": 32, "decode_dp_attention": True, "decode_num_workers": 1, "num_prefill_gpu": 4, "num_decode_gpu": 32,
    "tput_per_gpu": 3200 / 36, "input_tput_per_gpu": 400.0, "output_tput_per_gpu": 50.0,
}  # fmt: skip
TOTALS = TWO_POOLS | {
    "prefill_num_workers": 0, "decode_num_workers": 0, "num_prefill_gpu": 36, "num_decode_gpu": 36,
}  # fmt: skip


def served(warehouse: Warehouse, change: dict) -> dict:
    put(warehouse, inferencex.TABLE, SERVED | change)
    (row,) = make(warehouse, published_throughput.TABLE)
    assert validate(replace(published_throughput.TABLE, min_rows=1), warehouse.read("core.published_throughput")) == []
    return row


def test_a_served_figure_per_gpu_is_multiplied_by_the_one_pool_that_serves(warehouse):
    row = served(warehouse, {})
    assert (row["printed_value"], row["accelerator_basis"], row["n_basis"]) == (100.0, "per_gpu", 8)
    assert (row["output_tokens_per_s"], row["n_accelerators"]) == (800.0, 8)  # not 16: both counts are one pool
    assert (row["input_tokens"], row["output_tokens"], row["concurrency"]) == (8192.0, 1024.0, 64)
    assert (row["scenario"], row["parallelism"], row["framework"]) == ("serving", "tp8,ep1", "sglang")
    assert (row["power_w"], row["power_boundary"], row["caveat"]) == (None, None, None)


def test_pools_whose_split_cannot_be_told_reject_their_row_and_stop_nothing(warehouse):
    row = served(warehouse, TOTALS | {"input_tput_per_gpu": 50.0, "output_tput_per_gpu": 50.0})
    assert row["rejection_code"] == "not-printed"


def test_output_per_decode_gpu_is_multiplied_by_those_and_all_gpus_are_counted(warehouse):
    row = served(warehouse, TWO_POOLS)
    assert (row["accelerator_basis"], row["n_basis"], row["output_tokens_per_s"]) == ("per_decode_gpu", 32, 1600.0)
    assert (row["n_accelerators"], row["caveat"]) == (36, None)
    assert row["parallelism"] == "tp32,ep32,dpa,prefill 4 x tp4,ep4"


def test_pools_that_both_hold_the_total_are_split_by_the_identity(warehouse):
    # 36 x (3200/36 - 50) / (400 - 50) = 4 GPUs prefill
    row = served(warehouse, TOTALS)
    assert (row["n_accelerators"], row["n_basis"], row["output_tokens_per_s"]) == (36, 32, 1600.0)
    assert "the split follows" in row["caveat"]


@pytest.mark.parametrize(("pools", "of_all"), [({}, 5600.0), (TWO_POOLS, 25_200.0), (TOTALS, 25_200.0)])
def test_served_power_is_that_of_all_gpus_and_of_no_more(warehouse, pools, of_all):
    row = served(warehouse, pools | {"avg_power_w": 700.0, "joules_per_output_token": 7.0})
    assert (row["power_w"], row["power_boundary"], row["is_measured"]) == (of_all, "gpu", True)


def test_a_served_row_without_output_throughput_is_rejected(warehouse):
    row = served(warehouse, {"output_tput_per_gpu": None, "input_tput_per_gpu": None})
    assert (row["rejection_code"], row["output_tokens_per_s"]) == ("not-printed", None)
    (rejection,) = make(warehouse, rejected.TABLE)[-1:]
    assert rejection["printed"].endswith(": nothing")


STEADY = {
    "source_id": "mlenergy_v3", "source_release": "chat", "snapshot_sha256": HASH, "locator": "/configurations/0",
    "task": "chat", "model_id": "made-up/Aster-7B", "nickname": "Aster", "total_params_billions": 7.0,
    "activated_params_billions": 7.0, "weight_precision": "bfloat16", "gpu_model": "X100", "num_gpus": 4,
    "tensor_parallel": 1, "expert_parallel": 4, "data_parallel": 1, "max_num_seqs": 96, "avg_batch_size": 90.5,
    "avg_output_len": 700.5, "output_throughput_tokens_per_sec": 2000.0, "avg_power_watts": 1600.0,
    "energy_per_token_joules": 0.8, "energy_per_request_joules": 560.4,
}  # fmt: skip


def test_steady_state_power_and_throughput_are_those_of_the_group(warehouse):
    put(warehouse, mlenergy_v3.TABLE, STEADY)
    (row,) = make(warehouse, published_throughput.TABLE)
    assert (row["output_tokens_per_s"], row["accelerator_basis"], row["n_basis"]) == (2000.0, "per_group", 1)
    assert (row["power_w"], row["power_boundary"], row["is_measured"]) == (1600.0, "gpu", True)
    assert row["power_w"] / row["output_tokens_per_s"] == pytest.approx(STEADY["energy_per_token_joules"])
    assert (row["n_accelerators"], row["parallelism"]) == (4, "tp1,ep4,dp1")  # num_gpus, not the product of degrees
    assert (row["input_tokens"], row["output_tokens"], row["concurrency"]) == (None, 700.5, 96)
    assert (row["scenario"], row["precision"], row["framework"]) == ("steady-state", "bf16", "vllm")
    assert row["rejection_code"] is None


@pytest.mark.parametrize(
    ("model", "precision", "is_guess"),
    [("made-up/Aster-7B", "bfloat16", True), ("made-up/Aster-7B-FP8", "fp8", True),
     ("made-up/Aster-7B", "fp8", False), ("made-up/Aster-7B", "mxfp4", False)],
)  # fmt: skip
def test_a_precision_the_publisher_may_have_guessed_carries_a_caveat(warehouse, model, precision, is_guess):
    put(warehouse, mlenergy_v3.TABLE, STEADY | {"model_id": model, "weight_precision": precision})
    (row,) = make(warehouse, published_throughput.TABLE)
    guess = "Precision may be the publisher's guess, FP8 by the model's name and else bfloat16"
    assert row["caveat"] == (guess if is_guess else None)


def test_steady_state_rows_printed_twice_and_prompts_with_pictures_carry_a_caveat(warehouse):
    again = {"locator": "/configurations/1", "avg_power_watts": 1700.0}
    pictures = {"source_release": "image-chat", "task": "image-chat"}
    put(warehouse, mlenergy_v3.TABLE, STEADY, STEADY | again, STEADY | pictures)
    rows = make(warehouse, published_throughput.TABLE)
    caveats = {(row["source_release"], row["locator"]): row["caveat"] or "" for row in rows}
    assert "images" in caveats["image-chat", "/configurations/0"]
    assert all("Printed twice" in caveats["chat", f"/configurations/{i}"] for i in (0, 1))


PHASE = {
    "source_id": "deepseek_inference_system", "source_release": "day", "snapshot_sha256": HASH,
    "locator": "line 1, decode", "phase": "decode", "tokens_per_s_per_node": 14_800.0, "token_basis": "output",
    "gpus_per_node": 8, "gpu": "X100",
}  # fmt: skip


def test_of_a_production_node_only_the_output_counts_and_stands_for_the_node(warehouse):
    prefill = {
        "locator": "line 1, prefill", "phase": "prefill", "token_basis": "input", "tokens_per_s_per_node": 73_700.0,
    }  # fmt: skip
    put(warehouse, deepseek_inference_system.TABLE, PHASE, PHASE | prefill)
    output, not_output = make(warehouse, published_throughput.TABLE)
    assert (output["output_tokens_per_s"], output["accelerator_basis"], output["n_basis"]) == (14_800.0, "per_node", 1)
    assert (output["n_accelerators"], output["scenario"], output["precision"]) == (8, "production", "unstated")
    assert (output["rejection_code"], not_output["rejection_code"]) == (None, "not-output")
    assert "cache hits" in not_output["rejected_because"]


MEASURED = {
    "source_id": "made_up", "source_release": "1", "snapshot_sha256": HASH, "locator": "line 1",
    "model_id": "aster-7b", "accelerator_id": "x100", "precision": "fp8", "framework": "vllm", "n_accelerators": 8,
    "parallelism": "tp8", "scenario": "offline", "system": "a", "input_tokens": 1000.0, "output_tokens": 1000.0,
    "printed_value": 400.0, "printed_unit": "tokens/s", "token_basis": "output", "accelerator_basis": "per_group",
    "n_basis": 1, "output_tokens_per_s": 400.0, "throughput_is_measured": True, "is_measured": False,
    "n_source_rows": 1,
}  # fmt: skip
ELSEWHERE = {"source_id": "other", "locator": "line 7", "output_tokens_per_s": 500.0}


def conflicting(warehouse: Warehouse, *changes: dict) -> list[dict]:
    put(warehouse, serving_measurements.TABLE, MEASURED, *[MEASURED | change for change in changes])
    return of_quantity(warehouse, "output_tokens_per_s")


def of_quantity(warehouse: Warehouse, quantity: str) -> list[dict]:
    rows = make(warehouse, conflicts.TABLE)
    assert validate(conflicts.TABLE, warehouse.read("core.conflicts")) == []
    return [row for row in rows if row["quantity"] == quantity]


def test_a_conflict_shows_both_values_and_their_ratio(warehouse):
    (row,) = conflicting(warehouse, ELSEWHERE | {"parallelism": "tp4,pp2", "caveat": "Take care."})
    assert (row["quantity"], row["unit"], row["subject"]) == ("output_tokens_per_s", "1/s", "8 x x100, fp8")
    assert (row["model_id"], row["accelerator_id"]) == ("aster-7b", "x100")
    assert (row["source_id_a"], row["locator_a"], row["value_a"]) == ("made_up", "line 1", 400.0)
    assert (row["source_id_b"], row["locator_b"], row["value_b"]) == ("other", "line 7", 500.0)
    assert (row["detail_a"], row["detail_b"]) == ("tp8, 1000/1000", "tp4,pp2, 1000/1000")
    assert (row["ratio"], row["differs_by"], row["caveat"]) == (1.25, "source", "Take care.")


def test_two_releases_of_a_source_conflict_and_two_rows_of_one_system_do_not(warehouse):
    newer, same = {"source_release": "2", "output_tokens_per_s": 600.0}, {"locator": "line 2"}
    rows = conflicting(warehouse, newer, same)
    assert [(row["source_release_a"], row["source_release_b"], row["differs_by"]) for row in rows] == [
        ("1", "2", "release")
    ] * 2
    assert {row["ratio"] for row in rows} == {1.5}


def test_two_origins_that_one_file_has_its_figures_from_conflict_once(warehouse):
    (row,) = conflicting(warehouse, {"locator": "line 2", "system": "b", "output_tokens_per_s": 600.0})
    assert (row["locator_a"], row["locator_b"], row["differs_by"]) == ("line 1", "line 2", "row")
    assert row["ratio"] == 1.5


@pytest.mark.parametrize(("nominal", "binary"), [(500, 512), (1000, 1024), (2000, 2048), (4000, 4096), (8000, 8192)])
def test_lengths_in_thousands_and_in_kibi_are_the_same_question(warehouse, nominal, binary):
    rows = conflicting(
        warehouse,
        {"input_tokens": float(nominal), "output_tokens": float(nominal), "source_release": "2"},
        ELSEWHERE | {"input_tokens": float(binary), "output_tokens": float(binary)},
    )
    of_both = [row for row in rows if (row["source_release_a"], row["source_id_b"]) == ("2", "other")]
    assert [(row["detail_a"], row["detail_b"]) for row in of_both] == [
        (f"tp8, {nominal}/{nominal}", f"tp8, {binary}/{binary}")
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"concurrency": 64}, {"n_accelerators": 4}, {"precision": "fp16"}, {"model_id": "other"},
        {"accelerator_id": "other"}, {"input_tokens": 2000.0}, {"output_tokens": 500.0}, {"input_tokens": None},
        {"scenario": "server"},
    ],
)  # fmt: skip
def test_another_configuration_does_not_conflict(warehouse, change):
    assert conflicting(warehouse, ELSEWHERE | change) == []


FACT = {
    "locator": "line 7", "kind": "accelerator_tdp", "subject": "X100", "subject_id": "x100", "quantity": "tdp",
    "value": 800.0, "unit": "W", "boundary_as_printed": "board", "year": 2031, "confidence": "low",
    "source_url": "https://published.test/card",
}  # fmt: skip


def test_ratings_that_differ_from_the_one_that_serves_conflict_with_it(warehouse):
    put(warehouse, published_facts.TABLE, FACT, FACT | {"locator": "line 8", "value": 655.0})
    maker, fact = sorted(of_quantity(warehouse, "tdp_w"), key=lambda row: row["locator_b"])
    assert (maker["source_id_a"], maker["value_a"]) == ("epoch_ml_hardware", 650.0)
    assert (maker["source_id_b"], maker["locator_b"], maker["value_b"]) == ("accelerators", "line 2", 700.0)
    assert (fact["locator_b"], fact["value_b"], fact["unit"], fact["differs_by"]) == ("line 7", 800.0, "W", "source")


def test_terabytes_a_second_of_a_fact_are_compared_as_gigabytes(warehouse):
    bandwidth = {"kind": "accelerator_memory", "quantity": "memory_bandwidth", "unit": "TB/s"}
    put(warehouse, published_facts.TABLE, FACT | bandwidth | {"value": 4.4})
    (row,) = of_quantity(warehouse, "memory_bandwidth_gb_per_s")
    assert (row["value_a"], row["value_b"], row["unit"]) == (4000.0, pytest.approx(4400.0), "GB/s")


BATCH = {
    "source_id": "argonne_llm_bench", "source_release": "all-results", "snapshot_sha256": HASH, "locator": "line 2",
    "Hardware": "X100", "Num of Hardware": 2, "Framework": "vLLM", "Model": "made-up/Aster-7B",
    "Input Output Length": 512, "Batch Size": 16, "Latency": 4.0, "Throughput": 4096.0,
}  # fmt: skip


def batches(warehouse: Warehouse, *changes: dict, aliases: Sequence[tuple] = ()) -> list[dict]:
    own = [
        *aliases,
        ("model", "argonne_llm_bench", "made-up/Aster-7B", "aster-7b"),
        ("accelerator", "argonne_llm_bench", "X100", "x100"),
        ("framework", "argonne_llm_bench", "vLLM", "vllm"),
        ("framework", "argonne_llm_bench", "llama.cpp", "llama.cpp"),
    ]
    add_aliases(warehouse, *own)
    put(warehouse, argonne_llm_bench.TABLE, *[BATCH | change for change in changes])
    rows = make(warehouse, published_throughput.TABLE)
    assert validate(replace(published_throughput.TABLE, min_rows=1), warehouse.read("core.published_throughput")) == []
    make(warehouse, serving_measurements.TABLE)
    return rows


def add_aliases(warehouse: Warehouse, *more: tuple) -> None:
    names = aliases.TABLE.schema
    put(warehouse, aliases.TABLE, *[dict(zip(names, alias, strict=True)) for alias in (*ALIASES, *more)])


def test_of_input_and_output_counted_together_the_output_is_half(warehouse):
    (row,) = batches(warehouse, {})
    assert (row["printed_value"], row["token_basis"], row["accelerator_basis"]) == (4096.0, "total", "per_group")
    assert (row["output_tokens_per_s"], row["n_accelerators"]) == (2048.0, 2)  # 16 x 512 tokens in 4 s
    assert (row["scenario"], row["concurrency"], row["precision"]) == ("batch", 16, "unstated")
    assert (row["power_w"], row["power_boundary"], row["caveat"]) == (None, None, None)


def test_a_batch_size_that_counts_prompt_tokens_is_no_number_of_requests(warehouse):
    (row,) = batches(warehouse, {"Framework": "llama.cpp", "Throughput": 256.0})
    assert (row["concurrency"], row["n_basis"], row["output_tokens_per_s"]) == (1, 1, 128.0)  # 512 tokens in 4 s
    assert row["caveat"] == "One request; the printed batch size 16 is of prompt tokens read at once"


def test_two_names_of_one_part_are_two_systems_and_their_figures_a_conflict(warehouse):
    other = ("accelerator", "argonne_llm_bench", "X100 old name", "x100")
    batches(warehouse, {}, {"locator": "line 3", "Hardware": "X100 old name", "Throughput": 2048.0}, aliases=[other])
    (conflict,) = of_quantity(warehouse, "output_tokens_per_s")
    assert (conflict["ratio"], conflict["differs_by"]) == (0.5, "row")


def test_milliwatts_of_a_board_are_watts_of_all_and_the_twin_without_power_goes(warehouse):
    metered = {"source_release": "fig-16-power", "locator": "line 9", "avg_power": 400_000.0}
    twin, row = sorted(batches(warehouse, {}, metered), key=lambda r: r["source_release"])
    assert (row["power_w"], row["power_boundary"], row["rejection_code"]) == (800.0, "gpu", None)
    assert (twin["rejection_code"], twin["power_w"]) == ("twin", None)
    assert twin["rejected_because"] == "printed again in release fig-16-power, with its power"
    (energy,) = make(warehouse, energy_measurements.TABLE)
    assert (energy["boundary"], energy["energy_j_per_output_token"]) == ("gpu", 800 / 2048)
    assert energy["energy_wh_per_query"] == pytest.approx(800 / 2048 * 512 / 3600)
    (conflict,) = of_quantity(warehouse, "power_w")
    assert (conflict["value_a"], conflict["value_b"], conflict["differs_by"]) == (650.0, 400_000.0, "unit")


def test_power_on_a_row_of_its_own_is_that_of_its_run_and_no_result(warehouse):
    power = {"Power_Result": 4000.0, "Power_Units": "Watts", "has_power": True}
    nothing = {"Performance_Result": None, "Performance_Units": None}
    run, metered, other = judge(warehouse, {}, {"ID": "9.9-0007"} | nothing | power, {"Platform": "4xX100"})
    assert (run["power_w"], run["power_boundary"], run["rejection_code"]) == (4000.0, "node", None)
    assert (metered["rejection_code"], other["power_w"]) == ("power-of-a-run", None)
    (row,) = make(warehouse, mlperf_power.TABLE)
    assert (row["locator"], row["energy_j_per_output_token"]) == ("/0", 0.8)


def test_a_run_s_log_stands_beside_the_result_of_the_same_name(warehouse):
    log = FROM_MLPERF | {
        "source_id": "mlperf_logs", "locator": "a/b.txt, line 3", "division": "closed", "submitter": "Made-Up",
        "system": "8xX100", "model": "aster-7b-99", "scenario": "Offline", "tokens_per_second": 5000.5,
        "mean_watts": 4001.0,
    }  # fmt: skip
    power = {"Power_Result": 4000.0, "Power_Units": "Watts", "has_power": True}
    judge(warehouse, power, {"Scenario": "Server"}, {"Platform": "4xX100"})
    put(warehouse, mlperf_logs.TABLE, log, log | {"locator": "c/d.txt, line 3", "system": "none"})
    row, alone = make(warehouse, mlperf_crosscheck.TABLE)
    assert (row["result_id"], row["result_locator"]) == ("9.9-0001", "/0")
    assert (row["throughput_ratio"], row["power_ratio"], row["power_boundary"]) == (1.0001, 1.00025, "node")
    assert (alone["result_locator"], alone["throughput_ratio"]) == (None, None)
    codes = {r["locator"]: r["rejection_code"] for r in make(warehouse, rejected.TABLE)}
    assert codes["c/d.txt, line 3"] == "not-printed"


SMALL_RUN = {
    "source_id": "mlenergy_v2", "source_release": "v2", "snapshot_sha256": HASH, "locator": "a/bs8+tp2+pp2.json",
    "family": "llm_text_generation", "task": "chat", "gpu_folder": "X100", "model_folder": "made-up/Aster-7B",
    "Model": "made-up/Aster-7B", "GPU": "Made-Up X100", "TP": 2, "PP": 2, "Max BS (reqs)": 16,
    "Energy/req (J)": 720.0, "Avg Output Tokens": 400.0, "Token tput (tok/s)": 1000.0,
}  # fmt: skip


def test_energy_of_a_request_gives_the_power_of_all_stages(warehouse):
    add_aliases(
        warehouse,
        ("model", "mlenergy_v2", "made-up/Aster-7B", "aster-7b"),
        ("model", "mlenergy_v2", "made-up/Pictures", "not-an-llm"),
        ("accelerator", "mlenergy_v2", "Made-Up X100", "x100"),
    )
    pictures = {"locator": "b", "family": "diffusion", "Model": "made-up/Pictures", "TP": None, "PP": None}
    put(warehouse, mlenergy_v2.TABLE, SMALL_RUN, SMALL_RUN | pictures)
    row, other = make(warehouse, published_throughput.TABLE)
    assert (row["n_accelerators"], row["parallelism"], row["concurrency"]) == (4, "tp2,pp2", 16)
    assert (row["power_w"], row["power_boundary"]) == (1800.0, "gpu")  # 720 J x 1000 / 400 requests/s
    assert other["rejection_code"] == "not-an-llm"
    make(warehouse, serving_measurements.TABLE)
    (energy,) = make(warehouse, energy_measurements.TABLE)
    assert (energy["energy_j_per_output_token"], energy["energy_wh_per_query"]) == (1.8, pytest.approx(0.2))


def test_a_count_of_accelerators_that_its_origin_denies_is_a_conflict(warehouse):
    judged = MEASURED | {"model_as_printed": "Aster", "accelerator_as_printed": "X100"}
    typed_in = judged | {"source_id": "oviedo_throughput", "printed_value": 579.63, "rejected_because": "Two nodes."}
    origin = judged | {"source_id": "mlenergy_v2", "printed_value": 579.6289, "n_accelerators": 16}
    put(warehouse, published_throughput.TABLE, typed_in, origin, origin | {"locator": "line 3", "n_accelerators": 8})
    (row,) = of_quantity(warehouse, "n_accelerators")
    assert (row["value_a"], row["value_b"], row["differs_by"]) == (8.0, 16.0, "accelerators")
    assert row["caveat"] == "Two nodes."


RECORD = {
    "source_id": "tokenpowerbench", "source_release": "main", "snapshot_sha256": HASH, "locator": "a.json, /Aster/0",
    "file_name": "a.json", "record": 0, "model": "Aster", "engine": "vllm", "batch_size": 64, "responses": 50,
    "duration": 100.0, "total_output_tokens": 20_000, "gpu_avg_power": 900.0, "gpu0_power_watts": 450.0,
    "gpu1_power_watts": 450.0, "cpu_avg_power": 150.0, "dram_avg_power": 20.0, "total_avg_power": 1300.0,
    "gpu_energy": 90_000.0,
}  # fmt: skip


def records(warehouse: Warehouse, change: dict) -> list[dict]:
    add_aliases(
        warehouse,
        ("model", "tokenpowerbench", "Aster", "aster-7b"),
        ("framework", "tokenpowerbench", "vllm", "vllm"),
    )
    put(warehouse, tokenpowerbench.TABLE, RECORD | change)
    rows = sorted(make(warehouse, energy_measurements.TABLE), key=lambda row: row["boundary"])
    assert validate(replace(energy_measurements.TABLE, coverage=()), warehouse.read("core.energy_measurements")) == []
    return rows


def test_boards_and_server_of_one_run_are_two_rows_of_their_own_boundary(warehouse):
    boards, server = records(warehouse, {})
    assert (boards["boundary"], boards["power_w"], boards["energy_j_per_output_token"]) == ("gpu", 900.0, 4.5)
    assert (server["boundary"], server["power_w"], server["energy_j_per_output_token"]) == ("node", 1300.0, 6.5)
    assert server["energy_wh_per_query"] == pytest.approx(1300 * 100 / 50 / 3600)
    assert (boards["n_accelerators"], boards["output_tokens"], boards["caveat"]) == (2, 400.0, None)
    assert (boards["n_metered_accelerators"], server["n_accelerators"], server["n_metered_accelerators"]) == (2, 2, 4)


def test_a_server_that_was_not_read_is_no_row_and_idle_boards_and_short_runs_are_told(warehouse):
    (row,) = records(
        warehouse,
        {
            "total_avg_power": 0.0, "gpu2_power_watts": 60.0, "gpu3_power_watts": 60.0, "gpu_avg_power": 1020.0,
            "duration": 19.0, "gpu_energy": 19_380.0,
        },
    )  # fmt: skip
    assert (row["boundary"], row["n_accelerators"], row["n_metered_accelerators"]) == ("gpu", 1, 4)
    assert "Three idle boards" in row["caveat"]
    assert "under 20 s" in row["caveat"]


def test_kilowatt_hours_for_a_thousand_queries_are_watt_hours_for_one(warehouse):
    board = {
        "source_id": "ai_energy_score_feb2025", "source_release": "text_generation", "snapshot_sha256": HASH,
        "locator": "line 2", "model": "made-up/Aster-7B", "total_gpu_energy": 0.019, "energy_score": 2, "class": "A",
    }  # fmt: skip
    copy = {
        "source_id": "ai_energy_score_corinac", "source_release": "main", "snapshot_sha256": HASH, "locator": "line 5",
        "model_name": "Aster", "model_type": "Text", "wh_per_1000_queries": 0.019,
    }  # fmt: skip
    add_aliases(
        warehouse,
        ("model", "ai_energy_score_feb2025", "made-up/Aster-7B", "aster-7b"),
        ("model", "ai_energy_score_corinac", "Aster", "aster-7b"),
    )
    speech = {"source_release": "asr", "locator": "line 3", "class": None}
    other = {"locator": "line 4", "model": "made-up/Nobody-1B"}
    put(warehouse, ai_energy_score_feb2025.TABLE, board, board | speech, board | other)
    put(warehouse, ai_energy_score_corinac.TABLE, copy)
    (row,) = make(warehouse, energy_measurements.TABLE)
    assert (row["energy_wh_per_query"], row["boundary"], row["concurrency"]) == (0.019, "gpu", 1)
    (conflict,) = of_quantity(warehouse, "energy_wh_per_1000_queries")
    assert (conflict["value_a"], conflict["value_b"]) == (19.0, 0.019)
    assert (conflict["differs_by"], conflict["ratio"]) == ("unit", pytest.approx(0.001))
    codes = {r["locator"]: (r["rejection_code"], r["rejected_because"]) for r in make(warehouse, rejected.TABLE)}
    assert codes["line 3"] == ("not-an-llm", "not text generation: asr")
    assert codes["line 4"] == ("not-followed", "a model that no throughput is published of: made-up/Nobody-1B")
    assert codes["line 5"][0] == "unit"
    assert "1 models that it shares" in codes["line 5"][1]


@pytest.mark.parametrize(
    ("change", "of_all", "printed"),
    [({}, 7.0, 7.0), (TWO_POOLS, 36 * 700 / 1600, 14.0)],
)
def test_joules_of_all_boards_stand_beside_those_printed(warehouse, change, of_all, printed):
    put(warehouse, inferencex.TABLE, SERVED | change | {"avg_power_w": 700.0, "joules_per_output_token": printed})
    make(warehouse, published_throughput.TABLE)
    make(warehouse, serving_measurements.TABLE)
    (row,) = make(warehouse, inferencex_power.TABLE)
    assert row["energy_j_per_output_token"] == pytest.approx(of_all)
    assert (row["energy_j_per_output_token_as_printed"], row["power_boundary"]) == (printed, "gpu")
    assert row["is_disaggregated"] == bool(change)


REGION = {
    "source_id": "gsf_cloud_regions", "source_release": "main", "snapshot_sha256": HASH, "locator": "line 2",
    "year": 2030, "cloud-provider": "Made-Up", "cloud-region": "north", "location": "Here",
    "power-usage-effectiveness": 1.2, "grid-carbon-intensity-average-consumption-annual": 300.0,
    "grid-carbon-intensity-marginal-consumption-annual": 900.0,
}  # fmt: skip


def regions(warehouse: Warehouse, *changes: dict) -> tuple[list[dict], list[dict]]:
    add_aliases(warehouse, ("operator", "gsf_cloud_regions", "Made-Up", "made-up"))
    put(warehouse, gsf_cloud_regions.TABLE, *[REGION | change for change in changes])
    return make(warehouse, facilities.TABLE), make(warehouse, grids.TABLE)


def test_a_region_takes_its_average_carbon_and_its_newest_year_serves(warehouse):
    newer = {"locator": "line 3", "year": 2031, "power-usage-effectiveness": None}
    of_places, of_grids = regions(warehouse, {}, newer)
    assert [(row["year"], row["pue"], row["is_default_pue"]) for row in of_places] == [(2030, 1.2, True)]
    found = {row["year"]: (row["carbon_gco2e_per_kwh"], row["is_default_carbon"]) for row in of_grids}
    assert found == {2030: (300.0, False), 2031: (300.0, True)}
    assert {(row["area_id"], row["area_kind"]) for row in of_grids} == {("Made-Up north", "cloud region")}


def test_a_region_put_into_the_wrong_country_and_one_without_figures_are_rejected(warehouse):
    nothing = dict.fromkeys(("power-usage-effectiveness", "grid-carbon-intensity-average-consumption-annual"))
    wrong = {"locator": "line 3", "cloud-region": "northeurope", "location": "Finland"}
    right = {"locator": "line 4", "cloud-region": "northeurope", "location": "Ireland"}
    of_places, of_grids = regions(warehouse, {"locator": "line 2"} | nothing, wrong, right)
    assert [row["locator"] for row in of_places] == [row["locator"] for row in of_grids] == ["line 4"]
    codes = {row["locator"]: row["rejection_code"] for row in make(warehouse, rejected.TABLE)}
    assert codes == {"line 2": "not-printed", "line 3": "upstream-error"}


def test_an_operator_that_nobody_knows_has_no_default_and_its_row_says_what_to_edit(warehouse):
    nothing = {"grid-carbon-intensity-average-consumption-annual": None}
    of_places, of_grids = regions(warehouse, {"cloud-provider": "Nobody"} | nothing)
    assert (of_places, of_grids) == ([], [])
    (row,) = make(warehouse, rejected.TABLE)
    assert (row["rejection_code"], "aliases.csv" in row["rejected_because"]) == ("unknown-operator", True)


@pytest.mark.parametrize("grams", [0.0, None])
def test_a_zero_or_absent_carbon_of_a_region_is_no_carbon(warehouse, grams):
    _, of_grids = regions(warehouse, {"grid-carbon-intensity-average-consumption-annual": grams})
    assert of_grids == []


FACILITY = FACT | {
    "kind": "pue", "subject": "Made-Up global", "subject_id": "made-up", "quantity": "pue", "unit": "ratio",
    "value": 1.3, "fact_kind": "fleet", "year": 2030,
}  # fmt: skip


def test_of_an_operator_the_newest_fleet_goes_before_a_newer_design(warehouse):
    put(
        warehouse,
        published_facts.TABLE,
        FACILITY,
        FACILITY | {"locator": "line 8", "year": 2031, "value": 1.25},
        FACILITY | {"locator": "line 9", "year": 2032, "value": 1.05, "fact_kind": "design"},
        FACILITY | {"locator": "line 10", "kind": "wue", "quantity": "wue", "unit": "L/kWh", "value": 0.4},
    )
    rows = {row["locator"]: row for row in make(warehouse, facilities.TABLE)}
    assert [locator for locator, row in rows.items() if row["is_default_pue"]] == ["line 8"]
    assert [locator for locator, row in rows.items() if row["is_default_wue"]] == ["line 10"]
    assert (rows["line 10"]["pue"], rows["line 10"]["wue_l_per_kwh"]) == (None, 0.4)


@pytest.mark.parametrize("fact_kind", ["site", "derived", "assumed"])
def test_a_best_site_and_a_derived_or_assumed_figure_serve_for_nobody(warehouse, fact_kind):
    put(warehouse, published_facts.TABLE, FACILITY | {"subject": "Made-Up best site", "fact_kind": fact_kind})
    (row,) = make(warehouse, facilities.TABLE)
    assert (row["is_default_pue"], row["is_default_wue"]) == (False, False)


FROM_OWID = {"source_id": "owid_carbon_intensity", "source_release": "latest", "snapshot_sha256": HASH}
FROM_ECOLOGITS = {"source_id": "ecologits_electricity_mixes", "source_release": "main", "snapshot_sha256": HASH}
COUNTRY = FROM_OWID | {
    "locator": "line 2", "Entity": "Aland", "Code": "AAA", "Year": 2030, "Carbon intensity of electricity": 400.0,
    "unit": "gCO2e/kWh",
}  # fmt: skip


def test_kilograms_of_a_mix_are_grams_and_its_water_is_that_of_the_grid(warehouse):
    mix = FROM_ECOLOGITS | {"locator": "line 9", "name": "AAA", "adpe": 1e-7, "pe": 9.0, "gwp": 0.38, "wue": 3.1}
    put(warehouse, ecologits_electricity_mixes.TABLE, mix)
    put(warehouse, owid_carbon_intensity.TABLE, COUNTRY, COUNTRY | {"locator": "line 3", "Year": 2029})
    rows = {row["locator"]: row for row in make(warehouse, grids.TABLE)}
    assert (rows["line 9"]["carbon_gco2e_per_kwh"], rows["line 9"]["grid_water_l_per_kwh"]) == (380.0, 3.1)
    assert (rows["line 9"]["year"], rows["line 9"]["is_default_water"]) == (None, True)
    assert {locator: row["is_default_carbon"] for locator, row in rows.items()} == {
        "line 2": True, "line 3": False, "line 9": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "area_id", "kind"),
    [("AAA", "AAA", "country"), (None, "Aland", "aggregate"), ("OWID_WRL", "WOR", "aggregate"),
     ("OWID_KOS", "XKX", "country"), ("OWID_EUR", "OWID_EUR", "aggregate")],
)  # fmt: skip
def test_codes_that_are_no_country(warehouse, code, area_id, kind):
    put(warehouse, owid_carbon_intensity.TABLE, COUNTRY | {"Code": code})
    (row,) = make(warehouse, grids.TABLE)
    assert (row["area_id"], row["area_kind"]) == (area_id, kind)


def test_zero_grams_of_a_country_are_unknown_and_rejected(warehouse):
    put(warehouse, owid_carbon_intensity.TABLE, COUNTRY | {"Carbon intensity of electricity": 0.0})
    assert make(warehouse, grids.TABLE) == []
    (row,) = make(warehouse, rejected.TABLE)
    assert (row["rejection_code"], row["printed"]) == ("implausible", "Aland 2030: 0.0 g/kWh")


def test_carbon_of_one_country_and_year_by_two_sources_conflicts_over_five_per_cent(warehouse):
    other = {
        "source_id": "codecarbon_energy_mix", "source_release": "c", "snapshot_sha256": HASH, "locator": "/AAA",
        "iso_code": "AAA", "country_name": "Aland", "year": 2030, "carbon_intensity": 500.0,
    }  # fmt: skip
    put(warehouse, owid_carbon_intensity.TABLE, COUNTRY, COUNTRY | {"Code": "BBB", "locator": "line 3"})
    near = {"locator": "/BBB", "iso_code": "BBB", "carbon_intensity": 419.0}
    put(warehouse, codecarbon_energy_mix.TABLE, other, other | near)
    make(warehouse, grids.TABLE)
    (row,) = of_quantity(warehouse, "carbon_gco2e_per_kwh")
    assert (row["subject"], row["value_a"], row["value_b"], row["differs_by"]) == ("AAA 2030", 400.0, 500.0, "source")


def test_what_is_covered_names_what_is_missing_and_the_rest_is_nothing(warehouse):
    put(warehouse, models.TABLE, MODEL, MODEL | {"model_id": "boreal-9b"})
    pairs = [(100.0 * i, 200.0) for i in range(1, 6)]
    rows = [MEASURED | {"locator": f"{i}", "input_tokens": a, "output_tokens": b} for i, (a, b) in enumerate(pairs)]
    put(warehouse, serving_measurements.TABLE, *rows)
    put(warehouse, core_nodes.TABLE)
    found = {row["model_id"]: row for row in make(warehouse, coverage.TABLE)}
    row = found["aster-7b"]
    assert (row["n_throughputs"], row["n_length_pairs"], row["n_gpu_energies"]) == (5, 5, 0)
    assert (row["fewest_input_tokens"], row["most_input_tokens"], row["most_accelerators"]) == (100, 500, 8)
    assert (row["source_ids"], row["has_node_power"], row["hole"]) == ("made_up", False, "no node power")
    assert (found["boreal-9b"]["is_covered"], found["boreal-9b"]["hole"]) == (False, "nothing is published")
    put(warehouse, serving_measurements.TABLE, *rows[:4])
    row = next(row for row in make(warehouse, coverage.TABLE) if row["is_covered"])
    assert row["hole"] == "fewer than five pairs of lengths"


def test_requests_of_equal_lengths_are_counted_together(warehouse):
    place = {"source_id": "azure_llm_2023", "source_release": "code", "snapshot_sha256": HASH, "TIMESTAMP": "t"}
    lengths = [(10, 20), (10, 20), (10, 21), (0, 20)]
    put(
        warehouse,
        azure_llm_2023.TABLE,
        *[place | {"locator": f"{i}", "ContextTokens": a, "GeneratedTokens": b} for i, (a, b) in enumerate(lengths)],
    )
    trace = {"source_id": "mooncake_traces", "source_release": "synthetic", "snapshot_sha256": HASH, "locator": "1"}
    put(warehouse, mooncake_traces.TABLE, trace | {"input_length": 10, "output_length": 20})
    rows = make(warehouse, request_lengths.TABLE)
    found = {(r["source_release"], r["input_tokens"], r["output_tokens"]): r["n_requests"] for r in rows}
    assert found == {
        ("code", 0, 20): 1, ("code", 10, 20): 2, ("code", 10, 21): 1, ("synthetic", 10, 20): 1,
    }  # fmt: skip


def test_a_listed_model_is_taken_by_our_id_and_others_are_rejected_with_their_reason(warehouse):
    listed = {
        "source_id": "mlenergy_models", "source_release": "v3", "snapshot_sha256": HASH, "locator": "/a",
        "model_id": "made-up/Aster-7B", "architecture": "Dense", "total_params_billions": 7.0,
        "activated_params_billions": 3.0, "weight_precision": "bfloat16",
    }  # fmt: skip
    unknown = {"locator": "/b", "model_id": "made-up/Unknown"}
    pictures = {"locator": "/c", "model_id": "made-up/Pictures", "architecture": None}
    put(warehouse, mlenergy_models.TABLE, listed, listed | unknown, listed | pictures)
    (row,) = make(warehouse, published_models.TABLE)
    assert (row["model_id"], row["total_params_b"], row["active_params_b"]) == ("aster-7b", 7.0, 3.0)
    make(warehouse, published_throughput.TABLE)
    codes = {row["locator"]: row["rejection_code"] for row in make(warehouse, rejected.TABLE)}
    assert codes == {"/b": "unknown-model", "/c": "not-an-llm"}


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
