"""core.published_throughput and what follows from it, on the committed extracts: every row used or rejected, once.

Counts were made by hand on the published files; the independent route here reads the raw tables with plain loops.
"""

from collections import Counter

import pytest

from pipelines.warehouse.store import Warehouse

VERDICTS = {
    # (source, release): accepted, and rejected by code
    ("trtllm_perf", "0.5"): {None: 38},
    ("trtllm_perf", "0.6"): {None: 0, "repeated-page": 38},
    ("trtllm_perf", "0.7"): {None: 29, "repeated-page": 8},
    ("trtllm_perf", "0.8"): {None: 79},
    ("trtllm_perf", "0.9"): {None: 86, "repeated-page": 10},
    ("trtllm_perf", "0.10"): {None: 230, "upstream-error": 1},
    ("trtllm_perf", "0.11"): {None: 209, "upstream-error": 1},
    ("trtllm_perf", "0.21"): {None: 131},
    ("trtllm_perf", "1.0"): {None: 328},
    ("trtllm_perf", "main"): {None: 150},
    ("oviedo_throughput", "v2"): {None: 24, "upstream-error": 1},
    ("mlperf_inference", "v4.1"): {None: 195, "twin": 120, "open-division": 19, "unit": 3, "not-an-llm": 937 - 337},
    ("mlperf_inference", "v5.1"): {None: 295, "twin": 88, "open-division": 32, "unit": 1, "not-an-llm": 1448 - 416},
    ("mlperf_inference", "v4.0 closed offline"): {None: 20, "not-an-llm": 57, "unit": 48},
    ("mlperf_inference", "v4.0 closed server"): {None: 0, "not-an-llm": 57, "unit": 68},
    ("mlperf_inference", "v4.0 closed-power offline"): {None: 2, "not-an-llm": 8, "unit": 4, "power-of-a-run": 6},
    ("mlperf_inference", "v4.0 closed-power server"): {None: 0, "not-an-llm": 8, "unit": 6, "power-of-a-run": 6},
    ("mlenergy_v2", "v2"): {None: 191 + 123 + 42, "not-an-llm": 118},
    ("argonne_llm_bench", "all-results"): {None: 4772 - 48, "twin": 48},
    ("argonne_llm_bench", "fig-16-power"): {None: 48},
    ("mlenergy_v3", "gpqa"): {None: 187},
    ("mlenergy_v3", "lm-arena-chat"): {None: 328},
    ("mlenergy_v3", "sourcegraph-fim"): {None: 50},
    ("mlenergy_v3", "image-chat"): {None: 173},
    ("mlenergy_v3", "video-chat"): {None: 100},
    ("deepseek_inference_system", "day-6"): {None: 1, "not-output": 1},
}
NOT_THROUGHPUT = {
    # the same of sources that print cards, models and traces
    ("epoch_ml_hardware", "latest"): {None: 171, "upstream-error": 4},
    ("mlenergy_models", "v3"): {None: 34, "not-an-llm": 12},
    ("azure_llm_2023", "code"): {None: 8819},
    ("azure_llm_2023", "conv"): {None: 19366},
    ("mooncake_traces", "conversation"): {None: 12031},
    ("mooncake_traces", "synthetic"): {None: 3993},
    ("tokenpowerbench", "main"): {None: 185},
    ("mlperf_logs", "v4.1"): {None: 4},
    ("mlperf_logs", "v5.1"): {None: 40},
    ("ecologits_models", "main"): {None: 31, "not-followed": 325},
    ("llmfit_models", "main"): {None: 22, "not-followed": 492},
    ("ecologits_electricity_mixes", "main"): {None: 50},
    ("owid_carbon_intensity", "latest"): {None: 6310, "implausible": 22},
    ("codecarbon_energy_mix", "b05965e"): {None: 212, "implausible": 1},
}
ABSENT = {
    ("inferencex", "latest"), ("gsf_cloud_regions", "main"), ("ai_energy_score_corinac", "main"),
    *(("ai_energy_score_feb2025", task) for task in (
        "asr", "image_captioning", "image_classification", "image_generation", "object_detection",
        "question_answering", "sentence_similarity", "summarization", "text_classification", "text_generation",
    )),
}  # fmt: skip
"""May not be redistributed: no extract, so they are not in a book made offline."""
MISLABELLED = {
    "5.1-0024", "5.1-0046", "5.1-0049", "5.1-0051", "5.1-0069", "5.1-0079", "5.1-0080", "5.1-0086",
}  # fmt: skip


@pytest.fixture(scope="module")
def read(book):
    return Warehouse(book).read


@pytest.fixture(scope="module")
def accepted(read):
    return {(r["source_id"], r["source_release"], r["locator"]): r for r in read_rows(read, "serving_measurements")}


def read_rows(read, name: str, layer: str = "core") -> list[dict]:
    return read(f"{layer}.{name}").to_dicts()


def is_mislabelled(row: dict) -> bool:
    kind = (row["source_release"], row["UsedModel"], row["Scenario"], row["Performance_Units"])
    return kind == ("v5.1", "llama3.1-8b", "Interactive", "Queries/s") and row["ID"] in MISLABELLED


def is_offline_llama_of_v4_0(row: dict) -> bool:
    """Labelled Samples/s, in tokens/s."""
    kind = (row["UsedModel"], row["Scenario"], row["Performance_Units"])
    return row["source_release"].startswith("v4.0") and kind == ("llama2-70b-99.9", "Offline", "Samples/s")


def test_each_source_has_the_counted_verdicts(read):
    found = Counter()
    for row in read_rows(read, "published_throughput"):
        found[row["source_id"], row["source_release"], row["rejection_code"]] += 1
    expected = {(*release, code): n for release, verdicts in VERDICTS.items() for code, n in verdicts.items()}
    assert found == Counter(expected)


def test_accepted_and_rejected_tables_hold_just_those_rows(read, accepted):
    rejected = Counter((r["source_id"], r["source_release"], r["rejection_code"]) for r in read_rows(read, "rejected"))
    expected = {
        (*release, code): n
        for release, verdicts in (VERDICTS | NOT_THROUGHPUT).items()
        for code, n in verdicts.items()
        if code is not None
    }
    assert rejected == expected
    n_accepted = Counter({release: verdicts[None] for release, verdicts in VERDICTS.items() if verdicts[None]})
    assert Counter(key[:2] for key in accepted) == n_accepted


def test_rows_in_are_rows_accepted_and_rejected_for_every_document(read):
    found = {(r["source_id"], r["source_release"]): r for r in read_rows(read, "sources")}
    expected = {release: (sum(v.values()), v[None]) for release, v in (VERDICTS | NOT_THROUGHPUT).items()}
    expected |= dict.fromkeys(ABSENT, (0, 0))
    assert {key: (r["rows_in"], r["rows_accepted"]) for key, r in found.items()} == expected
    assert all(r["rows_in"] == r["rows_accepted"] + r["rows_rejected"] for r in found.values())
    assert {key for key, r in found.items() if r["state"] == "absent"} == ABSENT
    assert {(found[key]["snapshot_sha256"], found[key]["accepted_at_utc"]) for key in ABSENT} == {(None, None)}


def test_repeated_figures_stand_in_the_earlier_page(read, accepted):
    repeated = [r for r in read_rows(read, "published_throughput") if r["rejection_code"] == "repeated-page"]
    named = Counter((r["source_release"], r["rejected_because"].split()[-2]) for r in repeated)
    assert named == {("0.6", "0.5"): 38, ("0.7", "0.5"): 8, ("0.9", "0.8"): 9, ("0.9", "0.7"): 1}
    same = (
        "model_id", "accelerator_id", "precision", "parallelism", "concurrency", "input_tokens", "output_tokens",
        "printed_value", "accelerator_basis",
    )  # fmt: skip
    firsts = {(r["source_release"], *(r[name] for name in same)) for r in accepted.values()}
    for row in repeated:
        assert (row["rejected_because"].split()[-2], *(row[name] for name in same)) in firsts, row
    assert {r["accelerator_id"] for r in repeated if r["source_release"] == "0.7"} == {"l40s"}


@pytest.mark.parametrize(
    ("trace", "mean_input", "mean_output"),
    [("code", 2047.8, 27.9), ("conv", 1154.7, 211.1), ("conversation", 12_035, 342.6), ("synthetic", 15_325, 149.1)],
)
def test_mean_lengths_of_each_trace_are_those_counted_by_hand(read, trace, mean_input, mean_output):
    rows = [r for r in read_rows(read, "request_lengths") if r["source_release"] == trace]
    n = sum(r["n_requests"] for r in rows)
    assert sum(r["input_tokens"] * r["n_requests"] for r in rows) / n == pytest.approx(mean_input, rel=5e-5)
    assert sum(r["output_tokens"] * r["n_requests"] for r in rows) / n == pytest.approx(mean_output, rel=2e-3)


def test_three_keys_printed_twice_are_kept_and_flagged(accepted):
    twice = [r for key, r in accepted.items() if key[0] == "mlenergy_v3" and "twice" in (r["caveat"] or "")]
    assert Counter((r["source_release"], r["model_id"], r["accelerator_id"], r["concurrency"]) for r in twice) == {
        ("gpqa", "gpt-oss-20b", "h100-sxm", 96): 2,
        ("lm-arena-chat", "qwen3-30b-a3b-instruct-2507", "h100-sxm", 256): 2,
        ("lm-arena-chat", "qwen3-30b-a3b-instruct-2507", "h100-sxm", 512): 2,
    }


def test_published_models_are_the_language_models_of_the_list(read):
    rows = [r for r in read_rows(read, "published_models") if r["source_id"] == "mlenergy_models"]
    found = {r["model_id"]: r for r in rows}
    assert len(rows) == len(found) == 34
    assert (found["gpt-oss-120b"]["total_params_b"], found["gpt-oss-120b"]["active_params_b"]) == (117, 5)


def test_every_closed_llm_run_in_tokens_stands_exactly_once(read, accepted):
    out_of_scope = {r["name_as_printed"] for r in read_rows(read, "aliases") if r["id"] == "not-an-llm"}
    first_of_twins = {
        (r["source_release"], r["locator"]): r["rejected_because"].removeprefix("the run of ").split(",")[0]
        for r in read_rows(read, "rejected")
        if r["rejection_code"] == "twin"
    }
    n_closed = 0
    for row in read_rows(read, "mlperf_inference", "raw"):
        is_tokens = row["Performance_Units"] == "Tokens/s" or is_mislabelled(row) or is_offline_llama_of_v4_0(row)
        if row["Category"] != "closed" or row["UsedModel"] in out_of_scope or not is_tokens:
            continue
        n_closed += 1
        release, locator = row["source_release"], row["locator"]
        is_accepted = ("mlperf_inference", release, locator) in accepted
        assert is_accepted != ((release, locator) in first_of_twins), row
        if not is_accepted:
            twin = accepted["mlperf_inference", release, first_of_twins[release, locator]]
            assert twin["printed_value"] == row["Performance_Result"]
            assert twin["power_w"] == row["Power_Result"]
            assert twin["scenario"] == row["Scenario"].lower()
            assert twin["system"].split()[0] == row["ID"]
            assert twin["n_source_rows"] == 2
    assert n_closed == 195 + 120 + 295 + 88 + 22


def test_twins_are_counted_on_the_row_that_stands_for_them(read, accepted):
    rejected = [r for r in read_rows(read, "rejected") if r["source_id"] == "mlperf_inference"]
    twins = Counter(r["source_release"] for r in rejected if r["rejection_code"] == "twin")
    assert twins == Counter(key[1] for key, row in accepted.items() if row["n_source_rows"] == 2)


def test_results_labelled_queries_that_are_tokens_are_in(read, accepted):
    pointers = {r["locator"]: r for r in read_rows(read, "mlperf_inference", "raw") if is_mislabelled(r)}
    assert sorted(row["ID"] for row in pointers.values()) == sorted(MISLABELLED)
    for locator, raw in pointers.items():
        row = accepted["mlperf_inference", "v5.1", locator]
        assert (row["model_id"], row["scenario"]) == ("llama-3.1-8b", "interactive")
        assert (row["printed_unit"], row["output_tokens_per_s"]) == ("Tokens/s", raw["Performance_Result"])


@pytest.mark.parametrize(
    ("model_id", "accelerator_id", "parallelism", "lengths", "printed", "n_gpus", "of_the_group"),
    [
        ("deepseek-r1-0528", "b200-sxm", "dep4", (1000, 1000), 6463, 4, 25852),
        ("gpt-oss-120b", "h100-sxm", "dep4", (1000, 1000), 4685, 4, 18740),
        ("llama-3.3-70b", "h100-sxm", "tp2", (1000, 1000), 2209, 2, 4418),
        ("qwen3-235b-a22b", "rtx-pro-6000-blackwell-server", "dep2,pp2", (1000, 1000), 1731, 4, 6924),
        ("qwen3-30b-a3b", "rtx-pro-6000-blackwell-server", "dep8,pp1", (1024, 8192), 2406, 8, 19248),
    ],
)
def test_a_figure_per_gpu_is_multiplied_by_the_gpus_of_its_group(
    accepted, model_id, accelerator_id, parallelism, lengths, printed, n_gpus, of_the_group
):
    key = (model_id, accelerator_id, parallelism, *lengths)
    (row,) = [
        r
        for r in accepted.values()
        if r["source_release"] == "main"
        and (r["model_id"], r["accelerator_id"], r["parallelism"], r["input_tokens"], r["output_tokens"]) == key
    ]
    assert (row["printed_value"], row["accelerator_basis"], row["n_accelerators"]) == (printed, "per_gpu", n_gpus)
    assert row["output_tokens_per_s"] == of_the_group


def test_a_figure_of_a_group_is_taken_as_it_stands(accepted):
    rows = [r for r in accepted.values() if r["accelerator_basis"] != "per_gpu" and r["token_basis"] == "output"]
    assert {r["accelerator_basis"] for r in rows} == {"per_group", "per_system", "per_node"}
    assert all(r["output_tokens_per_s"] == r["printed_value"] for r in rows)


def test_of_a_figure_of_input_and_output_the_output_is_taken(accepted):
    rows = [r for r in accepted.values() if r["token_basis"] == "total"]
    assert Counter((r["source_id"], r["accelerator_basis"]) for r in rows) == {("argonne_llm_bench", "per_group"): 4772}
    for row in rows:
        assert row["input_tokens"] == row["output_tokens"]
        assert row["output_tokens_per_s"] == row["printed_value"] / 2


def test_accelerators_are_those_of_the_whole_system(accepted):
    # 18 nodes of four
    rows = [r for r in accepted.values() if r["system"].startswith("5.1-0071 ")]
    assert rows
    assert {r["n_accelerators"] for r in rows} == {72}


def test_two_nodes_printed_as_one_are_out_and_two_halved_by_hand_carry_a_caveat(read, accepted):
    (error,) = [r for r in read_rows(read, "rejected") if r["source_id"] == "oviedo_throughput"]
    assert (error["locator"], error["rejection_code"]) == ("line 4", "upstream-error")
    assert "two nodes" in error["rejected_because"]
    assert "halved by hand" in accepted["oviedo_throughput", "v2", "line 20"]["caveat"]


def test_no_precision_is_taken_from_the_round_that_prints_fp16_for_everything(accepted):
    assert {r["precision"] for key, r in accepted.items() if key[1] == "v4.1"} == {"unstated"}
