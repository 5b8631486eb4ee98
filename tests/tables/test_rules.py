"""Every promise of every table is seen broken: a check that cannot fail protects nothing.

Frames come from one offline refresh and are broken in one place each. What follows from a declaration (empty cells,
ranges, vocabularies, grain, coverage) is broken by the declaration; a Rule by the frame given for it in BREAKS, so a
new Rule without a failing example fails here.
"""

from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from pipelines.definitions import all_tables
from pipelines.tables.contract import Column, Rule, Table
from pipelines.tables.validate import validate
from pipelines.warehouse.store import Warehouse

TABLES = {table.name: table for table in all_tables()}
RULES = {(table.name, rule.sentence): rule for table in TABLES.values() for rule in table.rules}
NOBODY = "a word that no vocabulary has"


def cell(column: str, value: object) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Break the first row: `value` (or an expression) in `column`."""

    def put(frame: pl.DataFrame) -> pl.DataFrame:
        value_of = value if isinstance(value, pl.Expr) else pl.lit(value, frame.schema[column])
        first = pl.int_range(pl.len()) == 0
        return frame.with_columns(pl.when(first).then(value_of).otherwise(pl.col(column)).alias(column))

    return put


def where(holds: pl.Expr, break_: Callable) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Break the first row of those for which `holds` is true."""
    return lambda frame: pl.concat([break_(frame.filter(holds)), frame.filter(holds.fill_null(False).not_())])


def cells(**values: object) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Break the first row in several columns."""

    def put(frame: pl.DataFrame) -> pl.DataFrame:
        for column, value in values.items():
            frame = cell(column, value)(frame)
        return frame

    return put


BREAKS: dict[tuple[str, str], tuple[Callable, ...]] = {
    ("raw.fleets", "A fleet has one description and one area"): (
        where(pl.col("workload_id").eq("test-time") & pl.col("fleet_id").eq("paper-10-long"), cell("area_id", "USA")),
        where(pl.col("workload_id").eq("test-time") & pl.col("fleet_id").eq("paper-10-long"), cell("description", "x")),
    ),
    ("raw.fleets", "The paper's blend is asked for traditional or test-time, as in the paper"): (
        where(pl.col("model_id") == ">200B", cell("workload_id", "azure-conv-2023")),
        where(pl.col("workload_id") == "azure-conv-2023", cell("model_id", ">200B")),
    ),
    ("estimates.energy_per_query", "An estimate_id is twelve hexadecimal digits and names one estimate"): (
        cell("estimate_id", "not hexadecimal"),
        cell("estimate_id", "abc"),
    ),
    ("estimates.intervention_pairs", "Pairs compared at saturation are benchmarked, all others are metered"): (
        where(pl.col("compared_at") == "saturation", cell("evidence", "measured")),
        where(pl.col("compared_at") == "least energy", cell("evidence", "benchmarked")),
    ),
    ("estimates.intervention_pairs", "Energy falls at most twelvefold and rises at most sevenfold"): (
        cell("energy_ratio", 7.1),
        cell("energy_ratio", 0.08),
    ),
    ("estimates.measured_interventions", "A tenth of the pairs lies no higher than nine tenths of them"): (
        cell("energy_ratio_p10", pl.col("energy_ratio_p90") * 1.01),
    ),
    ("estimates.measured_interventions", "There are no fewer pairs than models"): (
        cell("n_pairs", pl.col("n_models") - 1),
    ),
    ("estimates.combined_interventions", "A path has its ratio, or says which step is missing"): (
        where(pl.col("missing").is_null(), cells(energy_ratio_p50=None, gain_p50=None)),
        where(pl.col("missing").is_not_null(), cell("missing", None)),
    ),
    ("estimates.combined_interventions", "The gain is one over the energy ratio"): (
        where(pl.col("missing").is_null(), cell("gain_p50", pl.col("gain_p50") * 1.001)),
    ),
    ("estimates.default_configurations", "What is called eight H100 is eight H100"): (
        where(pl.col("chosen_as") == "most benchmarked", cell("chosen_as", "newest on eight H100")),
        where(pl.col("chosen_as") == "newest on eight H100", cell("n_accelerators", 4)),
    ),
    ("estimates.test_time_scaling", "More tokens take more energy"): (
        where(pl.col("output_multiple") == 1, cell("energy_wh_per_query_p50", 1e3)),
    ),
    ("estimates.test_time_scaling", "At one times the tokens the ratio is one"): (
        where(pl.col("output_multiple") == 1, cell("energy_ratio_to_one", 1.001)),
    ),
    ("estimates.carbon_and_water", "Carbon is energy times what a kWh emits"): (
        cell("carbon_gco2e_per_query_p50", pl.col("carbon_gco2e_per_query_p50") * 1.001),
        cell("carbon_gco2e_per_kwh", pl.col("carbon_gco2e_per_kwh") * 1000),
    ),
    ("estimates.fleet", "A fleet by serving-time has its interval"): (
        where(pl.col("method") == "serving-time", cell("energy_gwh_per_day_lo90", None)),
        where(pl.col("method") == "oviedo2026", cell("energy_gwh_per_day_lo90", 1.0)),
    ),
    ("estimates.fleet", "A fleet draws no less at its peak than in the mean"): (
        where(pl.col("peak_kw").is_not_null(), cell("peak_kw", pl.col("energy_gwh_per_day") * 1e6 / 24 * 0.99)),
    ),
    ("estimates.boundary_ladder", "A wider boundary holds no less energy"): (
        where(pl.col("step_ratio").is_not_null(), cell("step_ratio", 0.9)),
    ),
    ("raw.snapshots", "No document of a source was withdrawn by its publisher"): (
        where(pl.col("state") == "offline", cell("problem", "2.0.csv: answered HTTP 404")),
    ),
    ("raw.snapshots", "No source is held back: what publishers serve now was accepted"): (cell("state", "held"),),
    ("raw.models", "Layers that cache the whole context or a window of it are no more than all layers"): (
        where(pl.col("n_layers").is_not_null(), cell("n_layers", pl.col("n_kv_cache_layers") - 1)),
        where(pl.col("n_kv_window_layers").is_not_null(), cell("n_kv_window_layers", pl.col("n_layers"))),
    ),
    ("raw.models", "A window has its layers, and a latent rank its second part"): (
        where(pl.col("kv_window_tokens").is_not_null(), cell("kv_window_tokens", None)),
        where(pl.col("kv_window_tokens").is_not_null(), cell("n_kv_window_layers", None)),
        where(pl.col("kv_lora_rank").is_not_null(), cell("rope_head_dim", None)),
    ),
    ("raw.models", "Layers, heads and their size stand together, with the page they were read from"): (
        where(pl.col("n_layers").is_not_null(), cell("n_kv_heads", None)),
        where(pl.col("n_layers").is_not_null(), cell("architecture_url", None)),
        where(pl.col("n_layers").is_null(), cell("n_kv_cache_layers", 32)),
    ),
    ("raw.published_facts", "A PUE or WUE says what it is of, and no other quantity does"): (
        where(pl.col("kind") == "pue", cell("fact_kind", None)),
        where(pl.col("kind") == "provider_assumption", cell("fact_kind", None)),
        where(pl.col("kind") == "node_power", cell("fact_kind", "fleet")),
    ),
    ("raw.published_facts", "A PUE is between 1 and 3"): (
        where(pl.col("quantity") == "pue", cell("value", 0.99)),
        where(pl.col("quantity") == "pue_p95", cell("value", 16.0)),
    ),
    ("raw.published_facts", "An accelerator, and whoever a PUE or WUE is of, has our id"): (
        where(pl.col("kind") == "accelerator_tdp", cell("subject_id", None)),
    ),
    ("raw.ai_energy_score_feb2025", "Text generation has classes, and no other task"): (
        cell("class", None),
        cell("source_release", "asr"),
    ),
    (
        "raw.ai_energy_score_corinac",
        "Energy of 100 and of 1,000 queries is that of one times as many, as rounded",
    ): (
        cell("wh_per_1000_queries", pl.col("wh_per_1000_queries") + 2e-5),
        cell("wh_per_100_queries", pl.col("wh_per_100_queries") + 2e-6),
    ),
    ("raw.ai_energy_score_corinac", "Carbon is energy at 417 g/kWh, as rounded"): (
        cell("co2_g_per_query", pl.col("co2_g_per_query") + 2e-8),
        cell("co2_g_per_100_queries", pl.col("co2_g_per_100_queries") + 2e-6),
        cell("co2_g_per_1000_queries", pl.col("co2_g_per_1000_queries") + 2e-5),
    ),
    ("raw.codecarbon_energy_mix", "Fossil electricity is coal, gas and oil"): (
        cell("coal_TWh", pl.col("coal_TWh") + 1e-5),
        cell("fossil_TWh", pl.col("fossil_TWh") + 1e-5),
    ),
    ("raw.codecarbon_energy_mix", "Renewable electricity is hydro, sun, wind, biofuel and others"): (
        cell("biofuel_TWh", pl.col("biofuel_TWh") + 1e-5),
        cell("renewables_TWh", pl.col("renewables_TWh") + 1e-5),
    ),
    ("raw.codecarbon_energy_mix", "All electricity is fossil, renewable and nuclear"): (
        cell("total_TWh", pl.col("total_TWh") + 1e-5),
        cell("nuclear_TWh", pl.col("nuclear_TWh") + 1e-5),
    ),
    ("raw.ecologits_models", "A range of parameters ascends"): (
        where(pl.col("total_params_low_b").is_not_null(), cell("total_params_low_b", 9999.0)),
        where(pl.col("active_params_low_b").is_not_null(), cell("active_params_low_b", 9999.0)),
    ),
    ("raw.ecologits_models", "Active parameters are at most all parameters"): (
        where(pl.col("active_params_b").is_not_null(), cell("active_params_b", pl.col("total_params_b") * 1.001)),
        where(pl.col("active_params_high_b").is_not_null(), cell("total_params_b", pl.col("active_params_low_b"))),
    ),
    ("raw.ecologits_models", "Mixtures of experts print active parameters, dense models do not"): (
        where(pl.col("architecture_type") == "moe", cell("architecture_type", "dense")),
        where(pl.col("architecture_type") == "dense", cell("architecture_type", "moe")),
    ),
    ("raw.llmfit_models", "What is said of experts is said in full or not at all"): (
        where(pl.col("is_moe").is_not_null(), cell("active_parameters", None)),
        where(pl.col("is_moe").is_null(), cell("is_moe", False)),
    ),
    ("raw.llmfit_models", "What is active is at most what there is"): (
        where(pl.col("active_experts").is_not_null(), cell("active_experts", pl.col("num_experts") + 1)),
        where(pl.col("active_parameters").is_not_null(), cell("active_parameters", pl.col("parameters_raw") + 1)),
    ),
    ("core.assumptions", "A log-normal has low and high, and its value is their geometric mean"): (
        where(pl.col("distribution") == "log-normal", cell("low", None)),
        where(pl.col("distribution") == "log-normal", cell("high", None)),
        where(pl.col("distribution") == "log-normal", cell("value", pl.col("value") * 1.02)),
        where(pl.col("distribution") == "log-normal", cell("low", pl.col("low") * -1)),
        where(pl.col("distribution") == "log-normal", cells(low=pl.col("value"), high=pl.col("value"))),
        where(pl.col("distribution") == "log-normal", cells(low=pl.col("value") * 2, high=pl.col("value") / 2)),
        where(pl.col("distribution") == "fixed", cell("distribution", "log-normal")),
    ),
    ("core.corrections", "Each correction still finds the error that it corrects"): (cell("is_applied", False),),
    ("core.corrections", "An override names a column that the SQL of core takes from here"): (
        where(pl.col("action") == "override", cell("column_name", "Scenario")),
        where(pl.col("action") == "override", cell("table_name", "raw.trtllm_perf")),
        where(pl.col("action") == "flag", cells(action="override", column_name="throughput")),
    ),
    ("core.corrections", "A flag is on a row that has a caveat to show"): (
        where(pl.col("action") == "flag", cell("table_name", "raw.epoch_ml_hardware")),
    ),
    ("core.coverage", "What is covered names its sources, and what is not names its hole"): (
        where(pl.col("is_covered"), cell("source_ids", None)),
        where(pl.col("is_covered"), cell("is_covered", False)),
        where(~pl.col("is_covered"), cell("hole", "no measured energy")),
        where(~pl.col("is_covered"), cell("is_covered", True)),
    ),
    ("core.energy_measurements", "A row has an energy per output token or per query"): (
        cells(energy_j_per_output_token=None, energy_wh_per_query=None),
    ),
    (
        "core.energy_measurements",
        "A board draws 15 to 1500 W, a server 100 to 3000 W for each of those in it",
    ): (
        where(pl.col("boundary") == "gpu", cell("power_w", pl.col("power_w") * 1000)),
        where(pl.col("boundary") == "gpu", cell("power_w", pl.col("power_w") / 1000)),
        where(pl.col("boundary") == "node", cell("power_w", pl.col("power_w") / 1000)),
        where(pl.col("boundary") == "node", cell("n_metered_accelerators", 100)),
    ),
    ("core.facilities", "A row has a PUE or a WUE"): (cells(pue=None, wue_l_per_kwh=None),),
    ("core.inferencex_power", "In one pool, joules per output token are those printed"): (
        where(~pl.col("is_disaggregated"), cell("energy_j_per_output_token", pl.col("energy_j_per_output_token") * 9)),
        where(
            ~pl.col("is_disaggregated"),
            cell("energy_j_per_output_token_as_printed", pl.col("energy_j_per_output_token_as_printed") * 1.0011),
        ),
    ),
    ("core.mlperf_crosscheck", "Each logged run has its result, and the throughput that the summary prints"): (
        cell("throughput_ratio", 1.00011),
        cell("throughput_ratio", None),
    ),
    ("core.mlperf_crosscheck", "The mean of the wall-power log is the power that the summary prints"): (
        where(pl.col("power_w").is_not_null(), cell("power_ratio", 0.99989)),
        where(pl.col("power_w").is_not_null(), cell("power_ratio", None)),
    ),
    ("core.nodes", "Idle power is below maximum power"): (
        where(pl.col("power_idle_w").is_not_null(), cell("power_idle_w", pl.col("power_max_w"))),
    ),
    (
        "core.published_estimates",
        "energy_wh_per_query is filled where the unit is one of Wh/query, Wh/prompt, Wh/1000, and nowhere else",
    ): (
        where(pl.col("unit_as_printed") == "Wh/1000", cell("energy_wh_per_query", None)),
        where(pl.col("unit_as_printed") == "GWh/day", cell("energy_wh_per_query", 1.0)),
    ),
    (
        "core.published_estimates",
        "carbon_gco2e_per_query is filled where the unit is one of gCO2e/prompt, gCO2e/response, and nowhere else",
    ): (
        where(pl.col("unit_as_printed") == "gCO2e/prompt", cell("carbon_gco2e_per_query", None)),
        where(pl.col("unit_as_printed") == "ktCO2e", cell("carbon_gco2e_per_query", 1.0)),
    ),
    (
        "core.published_estimates",
        "water_ml_per_query is filled where the unit is one of mL/prompt, mL/response, US gal/query, and nowhere else",
    ): (
        where(pl.col("unit_as_printed") == "US gal/query", cell("water_ml_per_query", None)),
        where(pl.col("unit_as_printed") == "m3", cell("water_ml_per_query", 1.0)),
    ),
    ("core.published_throughput", "A rejected row says why, an accepted one has nothing to say"): (
        where(pl.col("rejection_code").is_null(), cell("rejection_code", "unit")),
        where(pl.col("rejection_code").is_null(), cell("rejected_because", "no reason")),
        where(pl.col("rejection_code").is_not_null(), cell("rejected_because", None)),
    ),
    (
        "core.published_throughput",
        "Throughput of the deployment is the printed value times what it is divided by, of output tokens alone",
    ): (
        where(
            pl.col("token_basis") == "total", cell("output_tokens_per_s", pl.col("printed_value") * pl.col("n_basis"))
        ),
        where(
            (pl.col("accelerator_basis") == "per_gpu") & (pl.col("n_basis") > 1),
            cell("output_tokens_per_s", pl.col("printed_value")),
        ),
        where(pl.col("accelerator_basis") == "per_gpu", cell("n_basis", pl.col("n_basis") + 1)),
        where(
            pl.col("accelerator_basis") == "per_group",
            cell("output_tokens_per_s", pl.col("printed_value") * pl.col("n_accelerators") * 2),
        ),
        where(
            pl.col("accelerator_basis") == "per_system", cell("output_tokens_per_s", pl.col("printed_value") * 1.001)
        ),
    ),
    ("raw.inferencex", "Where one pool serves, total throughput is input and output together"): (
        cell("tput_per_gpu", pl.col("output_tput_per_gpu")),
        cell("tput_per_gpu", pl.col("tput_per_gpu") * (1 + 2e-6)),
        cell("input_tput_per_gpu", pl.col("input_tput_per_gpu") * 2),
    ),
    ("raw.mlenergy_v2", "A row has all figures of a language model or all of a diffusion model"): (
        where(pl.col("family") == "diffusion", cell("family", "llm_text_generation")),
        where(pl.col("family") == "diffusion", cell("TP", 1)),
        where(pl.col("family") == "diffusion", cell("Batch size", None)),
        where(pl.col("task") == "text-to-image", cell("Energy/image (J)", None)),
        where(pl.col("task") == "text-to-video", cell("Frames", None)),
        where(pl.col("family") != "diffusion", cell("Avg Output Tokens", None)),
        where(pl.col("family") != "diffusion", cell("Frames", 14)),
    ),
    ("raw.mlenergy_v2", "The folders name the GPU and the model of the row"): (
        cell("gpu_folder", "NVIDIA H100 80GB HBM3"),
        cell("model_folder", "made/up"),
    ),
    ("raw.mlenergy_v2", "The mean of requests in flight is at most their maximum"): (
        where(pl.col("family") != "diffusion", cell("Avg BS (reqs)", pl.col("Max BS (reqs)") * 1.001)),
    ),
    ("raw.mlenergy_v2", "Requests in flight are at least the tokens/s times the time per token"): (
        where(pl.col("family") != "diffusion", cell("Avg TPOT (s)", pl.col("Avg TPOT (s)") * 3.5)),
    ),
    ("raw.mlenergy_v2", "Energy, tokens and tokens/s imply a power that the GPUs of the row can draw"): (
        where(pl.col("TP") == 8, cell("TP", 1)),
        where(pl.col("TP") == 1, cell("Energy/req (J)", pl.col("Energy/req (J)") / 10)),
    ),
    ("raw.mlenergy_v2", "Energy, size and time of a batch imply a power that one GPU can draw"): (
        where(pl.col("family") == "diffusion", cell("Batch latency (s)", pl.col("Batch latency (s)") / 1000)),
        where(pl.col("family") == "diffusion", cell("Batch size", pl.col("Batch size") * 10)),
    ),
    ("raw.mlperf_inference", "A row prints a performance, a power, or both"): (
        where(pl.col("Power_Result").is_null(), cells(Performance_Result=None, Performance_Units=None)),
        where(pl.col("Performance_Result").is_null(), cells(Power_Result=None, Power_Units=None)),
    ),
    ("raw.mlperf_inference", "A performance and a power stand with their units"): (
        where(pl.col("Performance_Result").is_not_null(), cell("Performance_Units", None)),
        where(pl.col("Performance_Result").is_null(), cell("Performance_Units", "Watts")),
        where(pl.col("Power_Result").is_not_null(), cell("Power_Units", None)),
        where(pl.col("Power_Result").is_null(), cell("Power_Units", "Watts")),
    ),
    ("raw.mlperf_logs", "A run has window, samples and mean power, or none of them"): (
        where(pl.col("mean_watts").is_not_null(), cell("mean_watts", None)),
        where(pl.col("mean_watts").is_not_null(), cell("power_end", None)),
        where(pl.col("mean_watts").is_null(), cell("mean_watts", 5000.0)),
        where(pl.col("mean_watts").is_null(), cell("n_meter_samples", 600)),
    ),
    (
        "raw.argonne_llm_bench",
        "Throughput is input and output tokens of the batch over its latency, but for llama.cpp",
    ): (
        where(
            (pl.col("Framework") != "llama.cpp") & (pl.col("Batch Size") > 1),
            cell("Throughput", pl.col("Throughput") / pl.col("Batch Size")),
        ),
        where(pl.col("Framework") != "llama.cpp", cell("Throughput", pl.col("Throughput") / 2)),
        where(pl.col("Framework") != "llama.cpp", cell("Latency", pl.col("Latency") * (1 + 2e-9))),
    ),
    (
        "raw.argonne_llm_bench",
        "Throughput of llama.cpp is input and output tokens of one request over its latency",
    ): (
        where(
            (pl.col("Framework") == "llama.cpp") & (pl.col("Batch Size") > 1),
            cell("Throughput", pl.col("Throughput") * pl.col("Batch Size")),
        ),
        where(pl.col("Framework") == "llama.cpp", cell("Throughput", pl.col("Throughput") / 2)),
    ),
    ("raw.mlenergy_v3", "Energy per token is power over throughput"): (
        cell("avg_power_watts", pl.col("avg_power_watts") * (1 + 2e-9)),
        cell("output_throughput_tokens_per_sec", pl.col("output_throughput_tokens_per_sec") / pl.col("num_gpus") * 0.5),
    ),
    ("raw.mlenergy_v3", "Energy per request is energy per token times output tokens"): (
        cell("energy_per_request_joules", pl.col("energy_per_request_joules") * (1 + 2e-9)),
        cell("avg_output_len", pl.col("avg_output_len") + 1),
    ),
    ("raw.tokenpowerbench", "GPU power is the sum of the metered boards"): (
        cell("gpu0_power_watts", pl.col("gpu0_power_watts") + 1e-5),
        cell("gpu1_power_watts", None),
    ),
    ("raw.tokenpowerbench", "Energy of GPUs, CPUs and memory is their power times the duration"): (
        cell("gpu_energy", pl.col("gpu_energy") * (1 + 2e-9)),
        where(pl.col("cpu_avg_power") > 0, cell("cpu_energy", 0.0)),
        where(pl.col("dram_avg_power") == 0, cell("dram_energy", 1.0)),
    ),
    ("raw.tokenpowerbench", "Total energy is that of the server where it was read, else of GPUs and CPUs"): (
        where(pl.col("total_avg_power") > 0, cell("total_energy", pl.col("gpu_energy") + pl.col("cpu_energy"))),
        where(pl.col("total_avg_power") == 0, cell("total_energy", pl.col("total_energy") * (1 + 2e-9))),
    ),
    ("raw.tokenpowerbench", "Energy per token is energy over output tokens"): (
        cell("energy_per_token", pl.col("energy_per_token") * (1 + 2e-9)),
        where(pl.col("total_avg_power") > 0, cell("gpu_energy_per_token", pl.col("energy_per_token"))),
        where(pl.col("total_avg_power") > 0, cell("total_energy_per_token", 0.0)),
    ),
    ("raw.tokenpowerbench", "A server that was read draws at least what its GPUs, CPUs and memory draw"): (
        where(pl.col("total_avg_power") > 0, cell("total_avg_power", pl.col("gpu_avg_power"))),
    ),
    ("raw.tokenpowerbench", "Output tokens of a response are within a tenth of their limit"): (
        cell("max_output_tokens", 2),
        cell("responses", 1),
    ),
    ("core.rejected", "No row is rejected for a name that is missing in assets/reference/aliases.csv"): (
        cell("rejection_code", "unknown-accelerator"),
        cell("rejection_code", "unknown-model"),
        cell("rejection_code", "unknown-framework"),
    ),
    ("core.serving_measurements", "Power and its boundary stand together"): (
        where(pl.col("power_w").is_null(), cell("power_w", 5000.0)),
        where(pl.col("power_w").is_not_null(), cell("power_boundary", None)),
    ),
    ("core.serving_measurements", "At most 150000 output tokens/s per accelerator"): (
        cell("output_tokens_per_s", pl.max_horizontal("n_accelerators", pl.lit(1)) * 150_001.0),
        where(pl.col("n_accelerators") == 0, cell("output_tokens_per_s", 150_001.0)),
    ),
    ("core.sources", "Rows in are rows accepted and rows rejected"): (
        cell("rows_in", pl.col("rows_in") + 1),
        cell("rows_rejected", pl.col("rows_rejected") + 1),
    ),
    ("core.sources", "A document that is not absent has rows"): (
        where(pl.col("rows_in") > 0, cell("state", "absent")),
        where(pl.col("state") == "absent", cell("state", "offline")),
        where(pl.col("rows_in") > 0, cells(rows_in=0, rows_accepted=0, rows_rejected=0)),
    ),
    ("estimates.backtest", "The error is at most the last accepted one plus the margin"): (
        where(
            pl.col("accepted_error_p50").is_not_null(),
            cell("error_p50", pl.col("accepted_error_p50") + pl.col("accepted_margin") + 1e-6),
        ),
        where(
            pl.col("accepted_error_mean").is_not_null(),
            cell("error_mean", pl.col("accepted_error_mean") + pl.col("accepted_margin") + 1e-6),
        ),
    ),
    ("estimates.backtest", "An interval has its promise, width and coverage together"): (
        where(pl.col("half_width_factor").is_not_null(), cell("half_width_factor", None)),
        where(pl.col("half_width_factor").is_not_null(), cell("nominal_coverage", None)),
        where(pl.col("half_width_factor").is_null(), cell("coverage_of_rows", 0.9)),
        where(pl.col("half_width_factor").is_not_null(), cell("coverage_of_groups", None)),
    ),
    ("estimates.serving_fits", "A configuration has a fit, or says why not"): (
        where(pl.col("ln_prefill").is_not_null(), cell("ln_prefill", None)),
        where(pl.col("ln_prefill").is_not_null(), cell("no_fit_because", "no reason")),
    ),
    (
        "estimates.serving_fits",
        "Throughput at every benchmarked pair of lengths is that printed, within a factor of 2.5",
    ): (where(pl.col("residual_ln").is_not_null(), cells(residual_ln=-0.92, half_width_ln=0.93)),),
    ("estimates.serving_fits", "The interval holds every benchmark that was fitted"): (
        where(pl.col("residual_ln").is_not_null(), cell("residual_ln", -pl.col("half_width_ln") - 1e-9)),
    ),
    (
        "estimates.energy_per_query",
        "Method serving-time has an interval round its median and mean, and the shares of its causes add up",
    ): (
        where(
            pl.col("method") == "serving-time",
            cell("energy_wh_per_query_p50_hi90", pl.col("energy_wh_per_query_p50") * 0.99),
        ),
        where(
            pl.col("method") == "serving-time",
            cell("energy_wh_per_query_mean_lo90", pl.col("energy_wh_per_query_mean") * 1.01),
        ),
        where(pl.col("method") == "serving-time", cell("interval_share_load", 0.01)),
    ),
    ("estimates.energy_per_query", "A node draws at least what its boards do"): (
        where(
            (pl.col("method") == "serving-time") & (pl.col("boundary") == "node"),
            cell("power_w", pl.lit(60.0)),
        ),
        where(
            (pl.col("method") == "serving-time") & (pl.col("boundary") == "facility"),
            cell("power_w", pl.lit(60.0)),
        ),
    ),
    (
        "estimates.energy_per_query",
        "What is extrapolated is predicted, the rest benchmarked; below saturation it may be assumed",
    ): (
        where(pl.col("is_extrapolated") & (pl.col("load") == 1), cell("evidence", "benchmarked")),
        where(~pl.col("is_extrapolated") & (pl.col("load") == 1), cell("evidence", "predicted")),
        where(pl.col("load") == 1, cell("evidence", "assumed")),
    ),
    ("estimates.energy_per_query", "Quantiles ascend"): tuple(
        cell(f"energy_wh_per_query_{lower}", pl.col(f"energy_wh_per_query_{upper}") * 1.001)
        for lower, upper in [("p05", "p25"), ("p25", "p50"), ("p50", "p75"), ("p75", "p95")]
    ),
    ("estimates.energy_per_query", "The mean lies between the 25th and the 95th percentile"): (
        cell("energy_wh_per_query_mean", pl.col("energy_wh_per_query_p95") * 1.001),
        cell("energy_wh_per_query_mean", pl.col("energy_wh_per_query_p25") * 0.999),
    ),
    (
        "estimates.energy_per_query",
        "Wh per million output tokens is J per output token times a million over 3600",
    ): (cell("energy_wh_per_million_output_tokens", pl.col("energy_wh_per_million_output_tokens") * (1 + 1e-8)),),
    ("estimates.interventions", "An intervention lowers the median"): (cell("change_of_median", 0.0),),
    ("estimates.paper_reproduction", "Every figure of the paper is reproduced within its tolerance"): (
        cell("ratio", 1 + pl.col("tolerance") * 1.01),
        cell("ratio", 1 - pl.col("tolerance") * 1.01),
    ),
    (
        "estimates.throughput_rules",
        "A configuration has a rule and a node power, or says why there is no estimate",
    ): (
        where(pl.col("no_estimate_because").is_null(), cell("rule", "none")),
        where(pl.col("no_estimate_because").is_null(), cell("node_power_max_w", None)),
        where(pl.col("no_estimate_because").is_not_null(), cell("no_estimate_because", None)),
    ),
}


@pytest.fixture(scope="module")
def good(book):
    """A table of the book; rows made up from its contract follow where it has too few to break."""

    def read(name: str) -> pl.DataFrame:
        frame = Warehouse(book).read(name)
        if frame.height >= ROWS_TO_BREAK:
            return frame
        assert frame.height >= TABLES[name].min_rows
        return pl.concat([frame, made_up(TABLES[name])])

    return read


ROWS_TO_BREAK = 3
MADE_UP = {
    "raw.ai_energy_score_feb2025": {"source_release": "text_generation"},
    "raw.ai_energy_score_corinac": {
        "wh_per_query": 0.01, "wh_per_100_queries": 1.0, "wh_per_1000_queries": 10.0, "co2_g_per_query": 0.00417,
        "co2_g_per_100_queries": 0.417, "co2_g_per_1000_queries": 4.17,
    },
    "raw.inferencex": {
        "disagg": False, "tput_per_gpu": 900.0, "input_tput_per_gpu": 800.0, "output_tput_per_gpu": 100.0,
    },
    "core.inferencex_power": {"energy_j_per_output_token": 7.5, "energy_j_per_output_token_as_printed": 7.5},
}  # fmt: skip
"""What no column says alone: the rows of these tables must also keep the rules."""


def made_up(table: Table) -> pl.DataFrame:
    """Rows that keep the promises of each column, told apart by their text."""
    rows = [
        {column.name: plausible(column, i) for column in table.columns} | MADE_UP.get(table.name, {})
        for i in range(ROWS_TO_BREAK)
    ]
    return pl.DataFrame(rows, schema=table.schema)


def plausible(column: Column, i: int) -> object:
    if column.allowed is not None:
        return column.allowed[0]
    if column.dtype == pl.String:
        return f"made up {i}"
    if column.dtype == pl.Boolean:
        return False
    low, high = column.low, column.high
    if low is not None and high is not None:
        middle = (low + high) / 2
        return int(middle) if column.dtype == pl.Int64 else middle
    value = low if low is not None else high if high is not None else 1
    return int(value) if column.dtype == pl.Int64 else float(value)


@pytest.mark.parametrize("name", TABLES)
def test_made_up_rows_keep_the_promises_of_every_column(name):
    table = TABLES[name]
    promised = replace(table, min_rows=0, coverage=(), rules=table.rules if name in MADE_UP else ())
    assert validate(promised, made_up(table)) == []


def sentences(table: Table, frame: pl.DataFrame) -> dict[str, str]:
    return {failure.expectation: failure.check for failure in validate(table, frame)}


def test_every_rule_has_a_failing_example():
    assert set(BREAKS) == set(RULES)


@pytest.mark.parametrize("name", TABLES)
def test_no_rows_break_the_contract(good, name):
    table = replace(bare(TABLES[name]), min_rows=TABLES[name].min_rows)
    promised = {f"at least {table.min_rows} rows": "contract"} if table.min_rows else {}
    assert sentences(table, good(name).clear()) == promised


@pytest.mark.parametrize("name", TABLES)
def test_each_cell_promise_is_seen_broken(good, name):
    table = TABLES[name]
    found = {f.expectation: (f.check, f.found) for f in validate(table, with_broken_cells(table, good(name)))}
    grain = f"{table.grain[0]} is unique" if len(table.grain) == 1 else f"({', '.join(table.grain)}) is unique"
    for sentence, n_rows in [(grain, 2), *(promise for column in table.columns for promise in promises(column))]:
        (expectation,) = [expectation for expectation in found if expectation.startswith(sentence)]
        check, rows = found[expectation]
        assert (check, rows.split(": ")[0]) == ("contract", f"{n_rows} rows"), expectation


def promises(column: Column) -> list[tuple[str, int]]:
    """How the failure of each promise of a column begins, and how many rows break it."""
    ends = (column.low is not None) + (column.high is not None)
    return [
        *([] if column.nullable else [(f"{column.name} is never empty", 1)]),
        *([(f"{column.name} between ", ends)] if ends else []),
        *([] if column.allowed is None else [(f"{column.name} is one of ", 1)]),
    ]


def with_broken_cells(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Two equal rows, then one of nulls, one of values below their range or foreign words, one of values above."""
    nulls = frame[[0]].select(pl.lit(None, dtype).alias(name) for name, dtype in table.schema.items())
    rows = [frame[[0, 0]], nulls]
    for i, beyond in enumerate((below, above), start=1):
        broken = {column.name: beyond(column) for column in table.columns if beyond(column) is not None}
        rows.append(frame[[i]].with_columns(pl.lit(v, table.schema[n]).alias(n) for n, v in broken.items()))
    return pl.concat(rows)


def below(column: Column) -> object:
    if column.allowed is not None:
        return NOBODY
    return None if column.low is None else column.low - (1 if column.dtype == pl.Int64 else max(1e-9, column.low / 10))


def above(column: Column) -> object:
    return None if column.high is None else column.high + (1 if column.dtype == pl.Int64 else column.high / 1e6 + 1e-9)


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.rules])
def test_each_rule_is_seen_broken_by_its_check(good, name):
    table = TABLES[name]
    frame = good(name)
    parts = [frame, *[break_(frame) for rule in table.rules for break_ in BREAKS[name, rule.sentence][:1]]]
    failures = sentences(bare(table, rules=table.rules), pl.concat(parts))
    of_rules = {rule.sentence: rule.check for rule in table.rules}
    assert {sentence: check for sentence, check in failures.items() if sentence in of_rules} == of_rules


@pytest.mark.parametrize(
    ("name", "sentence", "example"),
    [(*key, i) for key, breaks in BREAKS.items() for i in range(len(breaks))],
)
def test_each_way_to_break_a_rule_is_caught(good, name, sentence, example):
    # the Boolean expression itself; how its failure is told is tested above
    frame = good(name)
    assert holds(RULES[name, sentence], frame).all()
    broken = BREAKS[name, sentence][example](frame)
    assert broken.height == frame.height
    assert holds(RULES[name, sentence], broken).not_().sum() == 1


def holds(rule: Rule, frame: pl.DataFrame) -> pl.Series:
    return frame.select(holds=rule.holds.fill_null(True))["holds"]


def bare(table: Table, **kept: object) -> Table:
    """The table with nothing promised of its cells, so that one kind of promise is seen alone and fast."""
    columns = tuple(c.but(low=None, high=None, allowed=None, nullable=True) for c in table.columns)
    return replace(table, columns=columns, min_rows=0, **({"rules": (), "coverage": ()} | kept))


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [(name, c.column, value) for name, table in TABLES.items() for c in table.coverage for value in c.values],
)
def test_each_value_that_goes_missing_is_named(good, name, column, value):
    table = bare(TABLES[name], coverage=TABLES[name].coverage)
    frame = good(name).filter(pl.col(column) != value)
    found = {failure.expectation: failure for failure in validate(table, frame)}
    (failure,) = [failure for sentence, failure in found.items() if sentence.startswith(f"{column} contains ")]
    assert failure.check == "coverage"
    assert value in failure.found
