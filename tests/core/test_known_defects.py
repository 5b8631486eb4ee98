"""Each known defect of the published files, one a test: the printed cell, and what becomes of it in the book.

What needs the published bytes is skipped where a developer does not have the mirror beside the clone.
"""

import json
import shutil

import polars as pl
import pytest

from assets.core import corrections, published_throughput, rejected, serving_measurements
from assets.raw import epoch_ml_hardware, inferencex, mlenergy_v3
from pipelines.sources.catalogue import load_catalogue
from pipelines.sources.intake import parse_document
from pipelines.sources.restatements import restated
from pipelines.tables.contract import Table
from pipelines.tables.validate import validate
from pipelines.warehouse.sql import run_sql
from pipelines.warehouse.store import Warehouse
from tests.support import MIRROR, mirror_index, newest_mirrored, refusal

SOURCES = load_catalogue()
OLDER, NEWER = "2026-05-05", "2026-06-14"
"""The two revisions of the InferenceX capture."""


@pytest.fixture(scope="module")
def read(book):
    return Warehouse(book).read


@pytest.fixture(scope="module")
def published(read) -> dict[tuple[str, str, str], dict]:
    rows = read("core.published_throughput").to_dicts()
    return {(row["source_id"], row["source_release"], row["locator"]): row for row in rows}


@pytest.fixture(scope="module")
def cards(read) -> dict[str, dict]:
    return {row["accelerator_id"]: row for row in read("core.accelerators").to_dicts()}


@pytest.fixture(scope="module")
def board(read) -> dict[str, dict]:
    """Epoch's rows as printed, by name."""
    return {row["Hardware name"]: row for row in read("raw.epoch_ml_hardware").to_dicts()}


def only(rows: list[dict], **wanted: object) -> dict:
    """The one row with these values."""
    (row,) = every(rows, **wanted)
    return row


def every(rows: list[dict], **wanted: object) -> list[dict]:
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def of(published: dict, source_id: str, release: str | None = None) -> list[dict]:
    return [row for key, row in published.items() if key[0] == source_id and release in (None, key[1])]


def revision(module, source_id: str, release: str, as_of: str) -> pl.DataFrame:
    """A mirrored revision of one document, parsed."""
    source = SOURCES[source_id]
    document = next(document for document in source.documents if document.release == release)
    row = next(row for row in mirror_index() if (row["live_url"], row["as_of"]) == (document.place, as_of))
    content = (MIRROR / row["path"]).read_bytes()
    return module.TABLE.conform(parse_document(module.parse, content, source, document, row["sha256"]))


def changes(table: Table, old: pl.DataFrame, new: pl.DataFrame) -> list[dict]:
    return restated(old, new, table.identity, "2027-01-01T00:00:00Z").to_dicts()


def published_bytes(source_id: str, release: str) -> bytes:
    document = next(document for document in SOURCES[source_id].documents if document.release == release)
    return (MIRROR / newest_mirrored(document.place)["path"]).read_bytes()


# TensorRT-LLM


def trtllm(read, published: dict, **wanted: object) -> tuple[float, dict]:
    """The printed value, and the row of the book made of it."""
    raw = only(read("raw.trtllm_perf").to_dicts(), **wanted)
    return raw["throughput"], published["trtllm_perf", raw["source_release"], raw["locator"]]


def test_the_ten_fold_slip_of_gptj_is_excluded_by_a_correction(read, published):
    place = {"source_release": "0.10", "model": "GPTJ 6B", "precision": "FP8", "isl": 128, "osl": 2048}
    printed, row = trtllm(read, published, gpu="H100 80GB HBM3", **place)
    assert (printed, row["rejection_code"]) == (54939.48, "upstream-error")
    beside, kept = trtllm(read, published, gpu="H200 141GB HBM3", **place)
    assert (beside, kept["rejection_code"]) == (9039.72, None)


@pytest.mark.parametrize(("gpu", "printed"), [("H200 141GB HBM3", 40633.96), ("H100 80GB HBM3", 34955.29)])
def test_the_suspicious_pair_of_gptj_stays_and_carries_a_caveat(read, published, gpu, printed):
    place = {"source_release": "0.10", "model": "GPTJ 6B", "precision": "FP8", "isl": 128, "osl": 128, "gpu": gpu}
    value, row = trtllm(read, published, **place)
    assert (value, row["rejection_code"]) == (printed, None)
    assert row["caveat"].startswith("Suspicious")


def test_the_digit_missing_on_the_l40s_is_excluded_by_a_correction(read, published):
    place = {"model": "GPTJ 6B", "gpu": "L40S", "precision": "FP8", "isl": 2048, "osl": 128}
    printed, row = trtllm(read, published, source_release="0.11", **place)
    assert (printed, row["rejection_code"]) == (83.46, "upstream-error")
    before, kept = trtllm(read, published, source_release="0.10", **place)
    assert (before, kept["rejection_code"]) == (747.43, None)


def test_a_group_in_one_release_and_a_gpu_in_the_next_are_brought_to_one_basis(read, published):
    place = {"gpu": "H100", "parallelism": "TP2", "isl": 1000, "osl": 1000}
    of_group, group = trtllm(read, published, source_release="1.0", model="Llama 3.3 70B", **place)
    of_gpu, gpu = trtllm(read, published, source_release="main", model="LLaMA v3.3 70B", **place)
    assert (of_group, group["output_tokens_per_s"]) == (4205, 4205)
    assert (of_gpu, gpu["output_tokens_per_s"]) == (2209, 4418)
    assert group["model_id"] == gpu["model_id"]


def test_one_file_that_mixes_group_and_gpu_is_read_table_by_table(read):
    bases = read("raw.trtllm_perf").filter(pl.col("source_release") == "0.7").select("gpu", "basis").unique()
    assert set(bases.rows()) == {("H100", "per_gpu"), ("L40S", "per_group"), ("A100", "per_group")}


def test_the_a100_figures_of_0_7_whose_header_is_doubtful_carry_a_caveat(published):
    rows = every(of(published, "trtllm_perf", "0.7"), accelerator_id="a100-sxm-80gb")
    assert len(rows) == 13
    assert all("look like tokens/s per GPU" in row["caveat"] for row in rows)


def test_maverick_of_0_21_says_that_it_was_measured_with_0_20(published):
    rows = every(of(published, "trtllm_perf", "0.21"), model_id="llama-4-maverick")
    assert len(rows) == 11
    assert all(row["caveat"].startswith("Measured with release 0.20") for row in rows)


@pytest.mark.parametrize(("accelerator_id", "n"), [("h100-sxm", 16), ("a100-sxm-80gb", 13)])
def test_figures_of_0_7_say_that_they_were_measured_with_0_6_1(published, accelerator_id, n):
    rows = every(of(published, "trtllm_perf", "0.7"), accelerator_id=accelerator_id)
    assert len(rows) == n
    assert all("Measured with release 0.6.1" in row["caveat"] for row in rows)


@pytest.mark.parametrize(
    ("model", "gb200", "b200"), [("Llama 4 Scout", 19_954, 25_342), ("Qwen3-30B-A3B", 24_107, 39_827)]
)
def test_a_gb200_that_stands_below_the_b200_carries_a_caveat(read, published, model, gb200, b200):
    place = {"source_release": "1.0", "model": model, "parallelism": "TP1", "isl": 128, "osl": 128}
    printed, row = trtllm(read, published, gpu="GB200", **place)
    beside, kept = trtllm(read, published, gpu="B200", **place)
    assert (printed, beside) == (gb200, b200)
    assert row["caveat"].startswith("Below the B200")
    assert kept["caveat"] is None


def test_the_last_table_of_0_21_with_h200_before_h100_is_read_by_its_header(read):
    # printed: | 128, 4096 |  | 18,541.01 | 11,163.12 | below | GPU | H200 | H100 |
    place = {"source_release": "0.21", "model": "Llama 4 Maverick", "isl": 128, "osl": 4096}
    rows = every(read("raw.trtllm_perf").to_dicts(), **place)
    assert {row["gpu"]: row["throughput"] for row in rows} == {"H200": 18541.01, "H100": 11163.12}


def test_a_blank_cell_of_the_405b_table_is_not_run_and_never_zero(read):
    rows = read("raw.trtllm_perf").to_dicts()
    place = {"source_release": "0.21", "model": "Llama 3.1 405B", "precision": "FP8", "isl": 128, "osl": 128}
    assert {row["gpu"]: row["throughput"] for row in every(rows, **place)} == {"H200": 3705.18}
    assert min(row["throughput"] for row in rows) > 0


@pytest.mark.parametrize("printed", [5530.7382, 0.0])
def test_sample_output_of_the_benchmark_is_no_result(read, printed):
    assert printed not in set(read("raw.trtllm_perf")["throughput"])


def test_first_token_latencies_are_no_throughput(read):
    lines = published_bytes("trtllm_perf", "0.7").decode().split("\n")
    first_latency = next(i for i, line in enumerate(lines, start=1) if "1st Token Latency" in line)
    rows = every(read("raw.trtllm_perf").to_dicts(), source_release="0.7")
    assert max(int(row["locator"].split()[1].strip(",")) for row in rows) < first_latency


def test_fp8_printed_for_gpt_oss_on_hopper_carries_a_caveat(published):
    rows = [r for r in of(published, "trtllm_perf", "main") if r["model_as_printed"].startswith("GPT-OSS")]
    hopper = [row for row in rows if row["accelerator_id"] in ("h100-sxm", "h200-sxm")]
    assert len(hopper) == 20
    assert all("MXFP4" in row["caveat"] for row in hopper)


# MLPerf Inference


@pytest.fixture(scope="module")
def results(read) -> list[dict]:
    return read("raw.mlperf_inference").to_dicts()


def verdict(published: dict, raw: dict) -> dict:
    return published["mlperf_inference", raw["source_release"], raw["locator"]]


@pytest.mark.parametrize(
    ("release", "stem", "n_pairs", "n_different"),
    [("v4.1", "llama2-70b", 72, 2), ("v5.1", "llama2-70b", 110, 22), ("v4.1", "gptj", 50, 0)],
)
def test_of_two_accuracy_targets_only_equal_runs_count_once(results, published, release, stem, n_pairs, n_different):
    closed = every(results, source_release=release, Category="closed")
    loose, strict = (
        {(r["ID"], r["Suite"], r["Scenario"]): r for r in every(closed, UsedModel=f"{stem}-{target}")}
        for target in ("99", "99.9")
    )
    pairs = [(loose[key], strict[key]) for key in loose.keys() & strict.keys()]
    differ = [p for p in pairs if p[0]["Performance_Result"] != p[1]["Performance_Result"]]
    assert (len(pairs), len(differ)) == (n_pairs, n_different)
    assert all(verdict(published, row)["rejection_code"] is None for pair in differ for row in pair)
    for pair in pairs:
        if pair not in differ and pair[0]["Power_Result"] == pair[1]["Power_Result"]:
            assert sorted(str(verdict(published, row)["rejection_code"]) for row in pair) == ["None", "twin"]


def test_a_system_without_a_name_is_trimmed_and_counts_the_accelerators_of_its_18_nodes(results, published):
    raw = every(results, ID="5.1-0071")
    assert {(row["System"][0], row["Nodes"], row["a#"]) for row in raw} == {(" ", 18, 4)}
    rows = [verdict(published, row) for row in raw]
    assert {(row["system"], row["n_accelerators"], row["accelerator_id"]) for row in rows} == {
        ("5.1-0071 NVIDIA: (72x GB200-186GB_aarch64, TensorRT)", 72, "gb200")
    }


def test_no_accelerators_per_node_means_processors_only(results, published):
    rows = [verdict(published, row) for row in results if row["a#"] is None]
    assert {row["accelerator_id"] for row in rows if row["rejection_code"] is None} == {"cpu"}
    assert {row["n_accelerators"] for row in rows} == {0}


@pytest.mark.parametrize(("unit", "n"), [("Samples/s", 3), ("Queries/s", 2)])
def test_an_open_language_model_in_other_units_is_rejected(results, published, unit, n):
    raw = every(results, UsedModel="neuralmagic_Llama-2-7b-chat-hf-FP8", Performance_Units=unit)
    assert [verdict(published, row)["rejection_code"] for row in raw] == ["open-division"] * n


@pytest.mark.parametrize("unit", ["Latency (ms)", "Samples/s", "Queries/s"])
def test_no_accepted_result_is_in_another_unit_than_tokens(results, published, unit):
    assert every(results, Performance_Units=unit)
    assert every(of(published, "mlperf_inference"), printed_unit=unit, rejection_code=None) == []


def test_two_spellings_of_a_closed_model_are_one_model(results, published):
    closed = [r for r in results if r["UsedModel"] in ("llama3.1-8b", "llama3_1-8b") and r["Category"] == "closed"]
    assert {verdict(published, row)["model_id"] for row in closed} == {"llama-3.1-8b"}
    assert {row["UsedModel"] for row in closed} == {"llama3.1-8b", "llama3_1-8b"}


def test_a_pruned_model_under_its_plain_name_is_rejected_with_its_division(results, published):
    raw = only(results, ID="v4.1-0089")
    assert (raw["UsedModel"], raw["Performance_Result"], raw["TOKENS_PER_SAMPLE"]) == ("llama2-70b-99", 11189.1, 164.6)
    assert raw["Platform"].endswith("DepthPruned")
    assert verdict(published, raw)["rejection_code"] == "open-division"


@pytest.mark.parametrize("model", ["llama3_1-70b-fp8_pre", "llama3_1-405b_pruned", "llama3_1-405b_finetuned"])
def test_open_variants_are_not_the_base_model(results, published, model):
    assert {verdict(published, row)["rejection_code"] for row in every(results, UsedModel=model)} == {"open-division"}


@pytest.mark.parametrize(
    ("printed", "precision"), [("fp4", "fp4"), ("fp8", "fp8"), ("INT8", "int8"), ("INT4", "int4"), ("UINT4", "uint4")]
)
def test_weight_types_in_capitals_and_small_letters_are_one_spelling(results, published, printed, precision):
    raw = every(results, source_release="v5.1", weight_data_types=printed)
    accepted = [row for row in (verdict(published, r) for r in raw) if row["rejection_code"] is None]
    assert {row["precision"] for row in accepted} == {precision}


def test_a_total_of_characters_is_not_taken_for_tokens_of_an_answer(published):
    rows = every(of(published, "mlperf_inference", "v4.1"), model_id="gpt-j-6b")
    assert {row["output_tokens"] for row in rows} == {None}
    llama = every(of(published, "mlperf_inference", "v4.1"), model_id="llama-2-70b", rejection_code=None)
    assert all(270 < row["output_tokens"] < 310 for row in llama)


def test_boards_of_another_power_limit_are_another_accelerator(results, published, cards):
    limits = {
        id_: only(results, ID=id_, UsedModel="llama2-70b-99", Scenario="Offline") for id_ in ("v4.1-0046", "v4.1-0048")
    }
    found = {
        (raw["Notes"], round(raw["Performance_Result"]), verdict(published, raw)["accelerator_id"])
        for raw in limits.values()
    }
    assert found == {("H200 TGP 1000W", 34864, "h200-sxm-cts"), ("H200 TGP 700W", 31303, "h200-sxm")}
    assert (cards["h200-sxm-cts"]["tdp_w"], cards["h200-sxm"]["tdp_w"]) == (1000, 700)


def test_a_power_capped_run_carries_a_caveat_and_its_own_watts(results, published):
    raw = only(results, ID="v4.1-0049", UsedModel="llama2-70b-99", Scenario="Offline")
    row = verdict(published, raw)
    assert (round(row["output_tokens_per_s"]), round(row["power_w"])) == (25262, 6153)
    assert row["caveat"].startswith("MaxQ")
    uncapped = verdict(published, only(results, ID="v4.1-0048", UsedModel="llama2-70b-99", Scenario="Offline"))
    assert uncapped["power_w"] is None


def test_results_inferred_from_another_scenario_are_no_results_of_language_models(published):
    rounds = json.loads(published_bytes("mlperf_inference", "v5.1"))
    inferred = [i for i, result in enumerate(rounds) if result["inferred"] == 1]
    assert len(inferred) == 536
    codes = {published["mlperf_inference", "v5.1", f"/{i}"]["rejection_code"] for i in inferred}
    assert codes == {"not-an-llm"}


# InferenceX


@pytest.fixture(scope="module")
def served(book, tmp_path_factory) -> dict[str, dict[str, dict]]:
    """The book's verdicts on both revisions, by place in the file."""
    mirror_index()
    home = tmp_path_factory.mktemp("served")
    shutil.copytree(book / "tables", home / "tables")
    return {as_of: judged(Warehouse(home), as_of) for as_of in (OLDER, NEWER)}


def judged(warehouse: Warehouse, as_of: str) -> dict[str, dict]:
    raw = warehouse.write(inferencex.TABLE, revision(inferencex, "inferencex", "latest", as_of))
    assert validate(inferencex.TABLE, raw) == []
    tables = {name: warehouse.read(f"raw.{name}") for name in corrections.CORRECTED}
    warehouse.write(corrections.TABLE, corrections.corrections_of(**tables))
    for table in (published_throughput.TABLE, rejected.TABLE, serving_measurements.TABLE):
        warehouse.write(table, run_sql(warehouse, table.name))
        assert validate(table, warehouse.read(table.name)) == []
    verdicts = {r["locator"]: r for r in warehouse.read("core.published_throughput").to_dicts() if is_served(r)}
    return {row["locator"]: {"printed": row, "row": verdicts[row["locator"]]} for row in raw.to_dicts()}


def is_served(row: dict) -> bool:
    return row["source_id"] == "inferencex"


def test_output_tokens_are_not_the_total_with_the_input(served):
    printed, row = served[NEWER]["/204"]["printed"], served[NEWER]["/204"]["row"]
    assert (round(printed["tput_per_gpu"], 2), round(printed["output_tput_per_gpu"], 2)) == (50.53, 25.28)
    assert row["printed_value"] == printed["output_tput_per_gpu"]
    assert {pair["row"]["token_basis"] for pair in served[NEWER].values()} == {"output"}


def test_one_pool_that_is_printed_twice_is_counted_once(served):
    shared = [pair for pair in served[NEWER].values() if not pair["printed"]["disagg"]]
    assert len(shared) == 200
    for pair in shared:
        assert pair["printed"]["num_prefill_gpu"] == pair["printed"]["num_decode_gpu"] == pair["row"]["n_accelerators"]


def test_output_of_two_pools_is_that_of_the_decode_pool_and_all_gpus_are_counted(served):
    apart = [pair for pair in served[NEWER].values() if pair["printed"]["disagg"]]
    counted = [pair for pair in apart if pair["printed"]["prefill_num_workers"]]
    assert (len(apart), len(counted)) == (235, 227)
    for printed, row in ((pair["printed"], pair["row"]) for pair in counted):
        of_system = printed["output_tput_per_gpu"] * printed["num_decode_gpu"]
        assert row["output_tokens_per_s"] == pytest.approx(of_system, rel=1e-9)
        assert row["n_accelerators"] == printed["num_prefill_gpu"] + printed["num_decode_gpu"]


def test_both_pool_sizes_that_hold_the_total_are_split_and_flagged(served):
    totals = [p for p in served[NEWER].values() if p["printed"]["disagg"] and not p["printed"]["prefill_num_workers"]]
    assert len(totals) == 8
    assert {p["printed"]["hardware"] for p in totals} == {"gb200"}
    assert {p["printed"]["date"] for p in totals} == {"2025-12-01", "2025-12-05"}
    for printed, row in ((pair["printed"], pair["row"]) for pair in totals):
        n = printed["num_decode_gpu"]
        prefill = n - row["n_basis"]
        assert (row["n_accelerators"], "hold the total" in row["caveat"]) == (n, True)
        both = printed["input_tput_per_gpu"] * prefill + printed["output_tput_per_gpu"] * row["n_basis"]
        assert both / n == pytest.approx(printed["tput_per_gpu"], rel=1e-6)
    split = next(pair for pair in totals if (pair["printed"]["isl"], pair["printed"]["conc"]) == (1024, 4))
    assert (split["row"]["n_accelerators"], split["row"]["n_basis"]) == (36, 32)


@pytest.mark.parametrize(
    ("as_of", "lengths"),
    [
        (OLDER, [(1024, 8192, 4), (1024, 8192, 8), (8192, 1024, 4), (8192, 1024, 8)]),
        (NEWER, [(1024, 8192, 4), (1024, 8192, 8)]),
    ],
)
def test_rows_without_output_throughput_are_rejected(served, as_of, lengths):
    rejections = [pair for pair in served[as_of].values() if pair["row"]["rejection_code"] == "not-printed"]
    found = [tuple(pair["printed"][name] for name in ("isl", "osl", "conc")) for pair in rejections]
    assert sorted(found) == lengths
    assert {(p["printed"]["hardware"], p["printed"]["framework"], p["printed"]["precision"]) for p in rejections} == {
        ("mi355x", "sglang", "fp4")
    }


def test_the_run_that_looks_failed_is_excluded_by_a_correction(served):
    printed, row = served[NEWER]["/204"]["printed"], served[NEWER]["/204"]["row"]
    assert (printed["hardware"], printed["framework"], printed["conc"]) == ("mi355x", "atom", 512)
    assert (round(printed["tput_per_gpu"], 1), round(printed["avg_power_w"])) == (50.5, 257)
    assert row["rejection_code"] == "upstream-error"


def test_latencies_in_seconds_and_metrics_that_come_and_go_are_not_read(served):
    assert not [name for name in served[NEWER]["/0"]["printed"] if "ttft" in name or "itl" in name or "p90" in name]


def test_clients_are_not_taken_for_a_batch_and_image_and_date_are_no_part_of_the_key(served):
    assert all(pair["row"]["concurrency"] == pair["printed"]["conc"] for pair in served[NEWER].values())
    assert {"image", "date"} & set(inferencex.TABLE.identity) == set()
    key = [tuple(pair["printed"][name] for name in inferencex.TABLE.identity) for pair in served[NEWER].values()]
    assert len(set(key)) == len(key) == 435


def test_values_restated_from_may_to_june_are_told_by_their_key():
    old, new = (revision(inferencex, "inferencex", "latest", as_of) for as_of in (OLDER, NEWER))
    found = changes(inferencex.TABLE, old, new)
    assert len(every(found, change="added")) == len(every(found, change="removed")) == 68
    figures = ("tput_per_gpu", "input_tput_per_gpu", "output_tput_per_gpu")
    assert len({row["row"] for row in found if row["column_name"] in figures}) == 81


def test_power_is_that_of_all_gpus_and_joules_are_not_copied(served):
    metered = {p["printed"]["locator"]: p for p in served[NEWER].values() if p["printed"]["avg_power_w"] is not None}
    assert len(metered) == 17
    assert {pair["printed"]["hardware"] for pair in metered.values()} == {"mi355x"}
    printed, row = metered["/199"]["printed"], metered["/199"]["row"]
    assert (printed["disagg"], printed["joules_per_output_token"]) == (True, 0.685255)
    assert row["power_boundary"] == "gpu"
    assert row["power_w"] == pytest.approx(907.773 * 24)
    assert row["power_w"] / row["output_tokens_per_s"] == pytest.approx(2.30, rel=2e-3)
    for other in (pair for place, pair in metered.items() if place != "/199"):
        joules = other["row"]["power_w"] / other["row"]["output_tokens_per_s"]
        assert joules == pytest.approx(other["printed"]["joules_per_output_token"], rel=1e-5)


def test_rows_of_may_have_no_power_and_none_is_made_up(served):
    assert {pair["row"]["power_w"] for pair in served[OLDER].values()} == {None}


def test_joules_per_input_and_output_token_are_not_read(served):
    assert [name for name in served[NEWER]["/0"]["printed"] if "joules" in name] == ["joules_per_output_token"]


# Oviedo et al.


@pytest.fixture(scope="module")
def typed_in(read, published) -> list[dict]:
    """The printed rows, each with the book's row."""
    raw = read("raw.oviedo_throughput").to_dicts()
    return [row | {"row": published["oviedo_throughput", "v2", row["locator"]]} for row in raw]


def test_byte_order_mark_and_no_last_newline_lose_no_row(typed_in):
    content = published_bytes("oviedo_throughput", "v2")
    assert content.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in content
    assert not content.endswith(b"\n")
    assert len(typed_in) == 25


def test_words_in_numeric_columns_are_no_number(typed_in):
    variable = every(typed_in, **{"Input Length": "Variable"})
    assert [row["locator"] for row in sorted(variable, key=lambda row: row["locator"])] == [
        "line 2",
        "line 3",
        "line 4",
    ]
    assert {row["row"]["input_tokens"] for row in variable} == {None}
    assert {row["row"]["concurrency"] for row in typed_in} == {None}


@pytest.mark.parametrize(("printed", "locator"), [(1177.80, "line 2"), (1159.78, "line 3")])
def test_figures_of_another_leaderboard_are_not_taken_for_independent_measurements(typed_in, printed, locator):
    row = only(typed_in, locator=locator)
    assert row["Tokens per Second (TPS)"] == printed
    assert row["row"]["system"] == "oviedo_throughput: ml.energy-chat-results"
    assert row["row"]["throughput_is_measured"] is False
    assert row["row"]["caveat"] == "A row of ML.ENERGY v2 typed in, not independent of it"


def test_a_parameter_count_that_the_model_s_name_denies_is_not_used(read, typed_in):
    models = {row["model_id"]: row for row in read("core.models").to_dicts()}
    nemotron = every(typed_in, Model="Llama-3.1 Nemotron Ultra 253B")
    assert {row["Total Parameter Count (B)"] for row in nemotron} == {"235"}
    assert {models[row["row"]["model_id"]]["total_params_b"] for row in nemotron} == {253}


def test_active_parameters_of_mixtral_are_the_maker_s(read, typed_in):
    models = {row["model_id"]: row for row in read("core.models").to_dicts()}
    mixtral = every(typed_in, Model="Mixtral 8x22B")
    assert {row["Active Parameter Count (B)"] for row in mixtral} == {"22"}
    assert {models[row["row"]["model_id"]]["active_params_b"] for row in mixtral} == {39}


def test_an_h200_of_140_gigabytes_is_that_of_141(typed_in, cards):
    rows = every(typed_in, Hardware="H200 140GB HBM3")
    assert {row["row"]["accelerator_id"] for row in rows} == {"h200-sxm"}
    assert cards["h200-sxm"]["memory_gb"] == 141


def test_the_printed_node_power_is_no_power_of_the_book(read, typed_in):
    assert {row["Power for Node (kW)"] for row in typed_in} == {11.0, 14.3}
    assert {row["row"]["power_w"] for row in typed_in} == {None}
    of_paper = {row["power_max_w"] for row in read("core.nodes").to_dicts() if row["accelerator_id"] == "h100-sxm"}
    assert of_paper == {10200}


@pytest.mark.parametrize(("lengths", "printed"), [(("500", 2000), (3661.85, 2050)), (("5000", 500), (579.14, 480))])
def test_two_sources_of_one_configuration_are_kept_apart(typed_in, lengths, printed):
    key = {"Model": "Llama 3.1 405B", "Quantization": "FP8", "Input Length": lengths[0], "Output Length": lengths[1]}
    rows = {row["Source"]: row for row in every(typed_in, **key)}
    assert {name: row["Tokens per Second (TPS)"] for name, row in rows.items()} == {
        "tensorRT-LLM-May2025": printed[0],
        "llamaNemotron": printed[1],
    }
    assert {row["row"]["rejection_code"] for row in rows.values()} == {None}
    assert {row["row"]["system"] for row in rows.values()} == {f"oviedo_throughput: {name}" for name in rows}


def test_figures_read_off_a_drawing_are_not_measured_here(typed_in):
    drawn = [row for row in typed_in if "igure" in (row["Comments"] or "")]
    assert len(drawn) == 7
    assert {row["row"]["throughput_is_measured"] for row in drawn} == {False}
    caveats = [row["row"]["caveat"] for row in drawn]
    assert caveats.count("Read off a figure of another paper") == 6
    assert None not in caveats


# DeepSeek in production


def test_input_with_cache_hits_is_rejected_as_not_output(published):
    row = only(of(published, "deepseek_inference_system"), printed_value=73_700.0)
    assert (row["rejection_code"], row["rejected_because"]) == (
        "not-output",
        "input tokens, cache hits included: not output",
    )


def test_output_of_nodes_that_only_decode_says_that_prefill_is_left_out(published):
    row = only(of(published, "deepseek_inference_system"), printed_value=14_800.0)
    assert (row["accelerator_basis"], row["n_accelerators"]) == ("per_node", 8)
    assert "the nodes that prefill are not counted" in row["caveat"]
    assert "fleet average" in row["caveat"]
    assert "24 hours" in row["caveat"]


# ML.ENERGY


@pytest.fixture(scope="module")
def steady(read) -> pl.DataFrame:
    return read("raw.mlenergy_v3")


def test_energy_that_is_power_over_throughput_is_held_to_it_by_a_named_check(steady):
    assert validate(mlenergy_v3.TABLE, steady) == []
    off = steady.with_columns(pl.col("avg_power_watts") * 1.001)
    assert [f.check for f in validate(mlenergy_v3.TABLE, off)] == ["contract"]


def test_parallel_degrees_restated_under_the_same_key_are_told():
    found = []
    for release in ("gpqa", "lm-arena-chat", "sourcegraph-fim", "image-chat", "video-chat"):
        old, new = (revision(mlenergy_v3, "mlenergy_v3", release, as_of) for as_of in ("2026-02-13", "2026-02-27"))
        found += changes(mlenergy_v3.TABLE, old, new)
    assert {(row["change"], row["column_name"], row["old_value"]) for row in found} == {
        ("restated", "tensor_parallel", "1")
    }
    restatements = [row["new_value"] for row in found]
    assert {value: restatements.count(value) for value in restatements} == {"2": 82, "4": 30, "8": 20}


def test_gpus_are_those_of_the_run_not_the_product_of_its_degrees(steady, published):
    apart = steady.filter(pl.col("tensor_parallel") * pl.col("data_parallel") != pl.col("num_gpus"))
    assert apart.height == 348
    for row in apart.to_dicts():
        found = published["mlenergy_v3", row["source_release"], row["locator"]]
        assert (found["rejection_code"], found["n_accelerators"]) == (None, row["num_gpus"])


@pytest.mark.parametrize("task", ["text-to-image", "text-to-video"])
def test_tasks_that_make_pictures_are_refused_as_another_form(task):
    source, document = SOURCES["mlenergy_v3"], SOURCES["mlenergy_v3"].documents[0]
    url = document.place.replace(document.release, task)
    content = (MIRROR / newest_mirrored(url)["path"]).read_bytes()
    assert refusal(mlenergy_v3.parse, content, source, document).problem.startswith("is not an object of")
    printed = json.loads(content)
    language_form = {name: printed[name] for name in ("task", "task_display_name", "configurations")}
    error = refusal(mlenergy_v3.parse, json.dumps(language_form).encode(), source, document)
    assert "/configurations/0" in error.place


def test_fp8_and_bfloat16_of_a_model_are_two_configurations_with_their_own_gpus(published):
    rows = [r for r in of(published, "mlenergy_v3", "lm-arena-chat") if r["accelerator_id"] == "b200-sxm"]
    name = "qwen3-235b-a22b-instruct-2507"
    joules = {
        (row["precision"], row["n_accelerators"]): row["power_w"] / row["output_tokens_per_s"]
        for row in rows
        if row["model_id"] in (name, f"{name}-fp8") and row["concurrency"] == 8
    }
    assert {key: round(value, 3) for key, value in joules.items()} == {
        ("fp8", 2): 8.421, ("bf16", 4): 6.457, ("bf16", 8): 8.396,
    }  # fmt: skip


def test_models_without_an_architecture_are_rejected_as_no_language_models(read):
    raw = read("raw.mlenergy_models")
    without = set(raw.filter(pl.col("architecture").is_null())["locator"])
    assert len(without) == 12
    codes = {
        r["locator"]: r["rejection_code"] for r in every(read("core.rejected").to_dicts(), source_id="mlenergy_models")
    }
    assert codes == dict.fromkeys(without, "not-an-llm")


def test_rounded_sizes_of_the_list_do_not_replace_the_maker_s(read):
    listed = only(read("core.published_models").to_dicts(), model_id="gpt-oss-120b", source_id="mlenergy_models")
    ours = only(read("core.models").to_dicts(), model_id="gpt-oss-120b")
    assert (listed["total_params_b"], listed["active_params_b"]) == (117, 5)
    assert ours["active_params_b"] == 5.1


def test_fp8_and_base_variants_of_the_list_are_models_of_their_own(read):
    of_list = every(read("core.published_models").to_dicts(), source_id="mlenergy_models")
    rows = {row["model_as_printed"]: row["model_id"] for row in of_list}
    fp8 = [name for name in rows if name.endswith("-FP8")]
    assert len(fp8) == 6
    assert all(rows[name] != rows.get(name.removesuffix("-FP8")) for name in fp8)
    assert len(set(rows.values())) == len(rows)


def test_precisions_that_the_publishers_code_may_have_guessed_carry_a_caveat(read, published):
    rows = read("raw.mlenergy_v3").to_dicts()
    named = [row for row in rows if row["weight_precision"] == "fp8" and "fp8" in row["model_id"].lower()]
    fallen_back = every(rows, weight_precision="bfloat16")
    assert (len(rows), len(named), len(fallen_back)) == (838, 153, 598)
    for row in rows:
        caveat = published["mlenergy_v3", row["source_release"], row["locator"]]["caveat"] or ""
        assert ("publisher's guess" in caveat) == (row in named or row in fallen_back), row


# Epoch AI, accelerators


@pytest.mark.parametrize(
    ("name", "accelerator_id", "because"),
    [
        ("NVIDIA A100 PCIe", "a100-pcie-80gb", "Mixes the memory of the 40 GB card"),
        ("NVIDIA A100", "a100-sxm-40gb", "Repeats NVIDIA A100 SXM4 40 GB"),
        ("NVIDIA GH100", None, "A die"),
    ],
)
def test_mixed_repeated_and_bare_boards_are_excluded_by_a_correction(read, board, cards, name, accelerator_id, because):
    rejection = only(read("core.rejected").to_dicts(), locator=board[name]["locator"])
    assert rejection["rejection_code"] == "upstream-error"
    assert rejection["rejected_because"].startswith(because)
    assert board[name]["locator"] not in {card["locator"] for card in cards.values()}
    if accelerator_id:
        assert cards[accelerator_id]["locator"] != board[name]["locator"]


def test_the_a100_pcie_has_the_memory_and_power_of_one_card(board, cards):
    assert (board["NVIDIA A100 PCIe"]["Memory (bytes)"], board["NVIDIA A100 PCIe"]["TDP (W)"]) == (40e9, 300)
    assert (cards["a100-pcie-80gb"]["memory_gb"], cards["a100-pcie-80gb"]["tdp_w"]) == (80, 300)


def test_one_fp8_rate_printed_for_two_boards_gives_way_to_the_maker_s(board, cards):
    assert {board[f"AMD Instinct MI35{i}X"]["FP8 performance (FLOP/s)"] for i in (0, 5)} == {4.6e15}
    assert [round(cards[f"mi35{i}x"]["dense_fp8_tflop_per_s"]) for i in (0, 5)] == [4614, 5033]


@pytest.mark.parametrize(("name", "accelerator_id"), [("MI300X", "mi300x"), ("MI325X", "mi325x")])
def test_an_fp8_rate_that_is_missing_is_the_maker_s(board, cards, name, accelerator_id):
    assert board[f"AMD Instinct {name}"]["FP8 performance (FLOP/s)"] is None
    assert cards[accelerator_id]["dense_fp8_tflop_per_s"] == pytest.approx(2614.9)


@pytest.mark.parametrize(
    ("accelerator_id", "tdp_w"), [("b300-sxm", 1100), ("gb300", 1400), ("b200-sxm", 1000), ("gb200", 1200)]
)
def test_variants_of_one_chip_are_accelerators_of_their_own(cards, accelerator_id, tdp_w):
    assert cards[accelerator_id]["tdp_w"] == tdp_w


def test_what_is_missing_stays_empty_or_names_the_maker(cards, board):
    assert not [name for name in board if "L40S" in name]
    assert cards["l40s"]["tdp_w"] == 350
    assert cards["l40s"]["tdp_source"].startswith("https://")
    assert (cards["trainium1"]["tdp_w"], cards["vr200"]["tdp_w"]) == (None, None)
    assert (cards["maia-100"]["memory_gb"], cards["trainium3"]["memory_gb"]) == (None, None)


def test_cells_over_several_lines_lose_no_board(board):
    assert len(board) == 175
    assert published_bytes("epoch_ml_hardware", "latest").count(b"\n") == 300


def test_bytes_and_flops_in_full_become_gigabytes_and_teraflops(board, cards):
    assert (board["NVIDIA GB200"]["Memory (bytes)"], cards["gb200"]["memory_gb"]) == (186e9, 186)
    assert board["NVIDIA H200 SXM"]["FP8 performance (FLOP/s)"] == 1.979e15
    assert cards["h200-sxm"]["dense_fp8_tflop_per_s"] == 1979


def test_speeds_between_boards_and_nodes_in_two_units_are_not_read(board):
    assert not [name for name in board["NVIDIA GB200"] if "node bandwidth" in name]


@pytest.mark.parametrize(("n", "accelerator_id"), [(1, "mtia-100"), (2, "mtia-200")])
def test_a_board_renamed_by_the_publisher_keeps_its_id(read, n, accelerator_id):
    aliases = every(read("core.aliases").to_dicts(), source_id="epoch_ml_hardware", id=accelerator_id)
    assert {row["name_as_printed"] for row in aliases} == {f"Meta MTIA v{n}", f"Meta MTIA v{n} (MTIA {n}00)"}


def test_cells_restated_or_filled_in_are_told_and_the_newest_counts(cards):
    days = ("2025-12-24", "2026-07-06")
    old, new = (revision(epoch_ml_hardware, "epoch_ml_hardware", "latest", as_of) for as_of in days)
    found = {(r["row"], r["column_name"]): r for r in changes(epoch_ml_hardware.TABLE, old, new)}
    trainium = found["Amazon Trainium1", "Memory bandwidth (byte/s)"]
    assert (float(trainium["old_value"]), float(trainium["new_value"])) == (9.8e12, 0.82e12)
    assert cards["trainium1"]["memory_bandwidth_gb_per_s"] == 820
    filled = {
        ("NVIDIA H200 SXM", "Memory (bytes)"): 141e9,
        ("NVIDIA H100 SXM5 80GB", "FP8 performance (FLOP/s)"): 1.979e15,
        ("Google TPU v5e", "TDP (W)"): 225,
    }
    for key, value in filled.items():
        assert (found[key]["old_value"], float(found[key]["new_value"])) == (None, value)


# Traces of requests


@pytest.mark.parametrize("release", ["code", "conv"])
def test_a_last_line_without_newline_is_a_request_too(read, release):
    content = published_bytes("azure_llm_2023", release)
    assert not content.endswith(b"\n")
    last = content.decode().splitlines()[-1].split(",")
    rows = every(read("raw.azure_llm_2023").to_dicts(), source_release=release)
    row = max(rows, key=lambda row: int(row["locator"].split()[1]))
    assert [row["TIMESTAMP"], str(row["ContextTokens"]), str(row["GeneratedTokens"])] == last


def test_times_with_seven_digits_are_kept_as_printed_and_of_the_day_that_the_file_says(read):
    times = read("raw.azure_llm_2023")["TIMESTAMP"].to_list()
    assert {time[:10] for time in times} == {"2023-11-16"}
    assert {len(time.partition(".")[2]) for time in times} == {7}


def test_prompts_long_by_shared_prefixes_show_how_much_is_shared(read):
    shares = {
        release: (rows["n_shared_blocks"].sum(), rows["n_blocks"].sum())
        for (release,), rows in read("raw.mooncake_traces").group_by("source_release")
    }
    assert shares == {"conversation": (105_710, 288_500), "synthetic": (77_953, 121_877)}


def test_milliseconds_from_the_start_are_not_seconds(read):
    last = read("raw.mooncake_traces").group_by("source_release").agg(pl.col("timestamp").max()).rows()
    assert all(timestamp / 1000 < 2 * 3600 < timestamp for _, timestamp in last)


@pytest.mark.parametrize(
    ("release", "mean", "median"),
    [("code", 27.9, 13), ("conv", 211.1, 129), ("conversation", 342.6, 350), ("synthetic", 149.1, 69)],
)
def test_heavy_tails_are_kept_as_a_distribution_whose_mean_is_not_its_median(read, release, mean, median):
    counted = read("core.request_lengths").filter(pl.col("source_release") == release)
    outputs = counted.select(pl.col("output_tokens").repeat_by("n_requests").explode())["output_tokens"]
    assert round(outputs.mean(), 1) == mean
    assert outputs.median() == median
