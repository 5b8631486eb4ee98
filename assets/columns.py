"""Every column of core, estimates and published, once: meaning, unit, plausible range.

Names follow `<quantity>_<unit>[_per_<thing>]`; a test parses the units and compares them with the suffix. Raw tables
keep the publisher's names and declare their own columns.
"""

import polars as pl

from pipelines.tables.contract import Column

BOUNDARIES = ("gpu", "node", "facility")
PRECISIONS = ("fp4", "mxfp4", "fp8", "fp16", "bf16", "fp32", "int4", "int8", "uint4", "unstated")
FRAMEWORKS = (
    "tensorrt-llm", "tensorrt", "vllm", "sglang", "pytorch", "llmboost", "deepsparse", "atom", "mori-sglang",
    "dynamo-tensorrt-llm", "dynamo-sglang", "deepspeed", "deepspeed-mii", "llama.cpp", "sambaflow", "unstated",
    "pooled",
)  # fmt: skip
ACCELERATOR_BASES = ("per_gpu", "per_group", "per_system", "per_decode_gpu", "per_node")
SCENARIOS = ("offline", "server", "interactive", "singlestream", "steady-state", "serving", "production", "batch")
EVIDENCE = ("measured", "benchmarked", "predicted", "assumed")
CONFIDENCES = ("high", "medium", "low")
REJECTION_CODES = (
    "not-an-llm", "open-division", "unit", "unknown-model", "unknown-accelerator", "unknown-precision",
    "unknown-framework", "unknown-operator", "upstream-error", "twin", "repeated-page", "not-output", "not-printed",
    "power-of-a-run", "not-followed", "implausible",
)  # fmt: skip


def text(name: str, meaning: str, allowed: tuple[str, ...] | None = None) -> Column:
    return Column(name, pl.String, meaning, allowed=allowed)


def count(name: str, meaning: str, low: float = 0, high: float | None = None) -> Column:
    return Column(name, pl.Int64, meaning, low=low, high=high)


def quantity(name: str, unit: str, meaning: str, low: float | None = None, high: float | None = None) -> Column:
    return Column(name, pl.Float64, meaning, unit=unit, low=low, high=high)


# Whose figure it is, and where it stands
source_id = text("source_id", "The source the figure was published in, as in assets/sources.yaml.")
source_release = text("source_release", "The publisher's release, as text.")
snapshot_sha256 = text("snapshot_sha256", "sha256 of the published bytes the figure was read from.")
locator = text(
    "locator", "Where in those bytes the figure stands: line, JSON pointer, or table heading, row and column."
)
source_url = text("source_url", "Where the figure was published.")
source_text = text("source", "Where the figure comes from.")
confidence = text("confidence", "How sure the figure is: primary page high, single secondary page low.", CONFIDENCES)
caveat = text("caveat", "What a reader must know of this row before using it; empty: nothing known.").optional()

estimate_id = text("estimate_id", "The estimate, for joulebook explain: sha256 of its grain, the first 12 hex digits.")

# What ran on what
model_id = text("model_id", "The model, our id.")
accelerator_id = text("accelerator_id", "The accelerator, our id; `cpu` where there is none.")
node_id = text("node_id", "The server or rack, our id.")
n_accelerators = count("n_accelerators", "Accelerators that the throughput was measured on.", 0, 10_000)
parallelism = text("parallelism", "How the model is split over them (TP, PP, DEP and degrees), as printed, lower case.")
precision = text("precision", "Numeric precision of the weights as published; unstated where not reliable.", PRECISIONS)
framework = text("framework", "Serving software; pooled where rows of several were fitted together.", FRAMEWORKS)
scenario = text(
    "scenario",
    "Load and latency rule: offline is saturated without latency bound, batch one batch from begin to end.",
    SCENARIOS,
)
concurrency = count(
    "concurrency", "Most requests in flight (clients, or the batch); empty: not published.", 1
).optional()
system = text("system", "The system as printed, with its result id where it has one.")

# Lengths
input_tokens = quantity("input_tokens", "token", "Input tokens of a query; empty: not published.", 1, 1e6)
output_tokens = quantity("output_tokens", "token", "Output tokens of a query, mean; empty: not published.", 1, 1e6)

# Throughput
printed_value = quantity("printed_value", "1/s", "Throughput as printed, on the printed basis.", 1e-3, 1e8)
printed_unit = text("printed_unit", "Unit as printed, after corrections.")
token_basis = text("token_basis", "Which tokens the printed value counts.", ("output", "total"))
accelerator_basis = text("accelerator_basis", "What the printed value is divided by.", ACCELERATOR_BASES)
n_basis = count("n_basis", "How many of what the printed value is divided by make up the deployment.", 1, 10_000)
output_tokens_per_s = quantity(
    "output_tokens_per_s", "1/s", "Output tokens per second of all n_accelerators together.", 1e-3, 1e8
)
n_source_rows = count("n_source_rows", "Printed rows that this one stands for (twins joined).", 1, 2)

# Power and energy
tdp_w = quantity("tdp_w", "W", "Rated thermal design power of one accelerator; boundary gpu.", 5, 30_000)
power_w = quantity("power_w", "W", "Power of the whole deployment; power_boundary says what is inside.", 1, 10_000_000)
power_boundary = text("power_boundary", "What the power covers.", BOUNDARIES)
is_measured = Column(
    "is_measured",
    pl.Boolean,
    "True: the power was measured, by meter or driver; false: rated, or none published.",
)
throughput_is_measured = Column(
    "throughput_is_measured",
    pl.Boolean,
    "True: the source measured the throughput; false: it copied it.",
)
node_power_max_w = quantity(
    "node_power_max_w", "W", "Maximum power of exactly the accelerators used; boundary node, rated.", 50, 1e7
)
energy_j_per_output_token = quantity(
    "energy_j_per_output_token", "J", "Energy per output token, input processing included.", 1e-5, 1e4
)
energy_wh_per_million_output_tokens = quantity(
    "energy_wh_per_million_output_tokens",
    "Wh",
    "Energy per million output tokens, input processing included.",
    1e-3,
    1e7,
)
accelerator_s_per_query_mean = quantity(
    "accelerator_s_per_query_mean", "s", "Accelerator-seconds a query takes up, mean over queries.", 1e-6, 1e6
)


def energy_quantile(statistic: str, meaning: str) -> Column:
    return quantity(f"energy_wh_per_query_{statistic}", "Wh", meaning, 1e-7, 1e4)


energy_wh_per_query = quantity("energy_wh_per_query", "Wh", "Energy of one query; a boundary stands beside.", 1e-7, 1e4)
carbon_gco2e_per_query = quantity("carbon_gco2e_per_query", "g", "Carbon of one query, CO2 equivalent.", 1e-7, 1e4)
water_ml_per_query = quantity("water_ml_per_query", "mL", "Water of one query.", 1e-7, 1e4)

_SPREAD = (
    "method serving-time: across queries of other lengths, at central power and PUE; method oviedo2026: lengths, power "
    "and PUE pooled, as the paper does"
)
energy_p05 = energy_quantile("p05", f"Energy of one query, 5 % lie below: {_SPREAD}.")
energy_p25 = energy_quantile("p25", f"Energy of one query, lower quartile: {_SPREAD}.")
energy_p50 = energy_quantile("p50", f"Energy of one query, median: {_SPREAD}.")
energy_p75 = energy_quantile("p75", f"Energy of one query, upper quartile: {_SPREAD}.")
energy_p95 = energy_quantile("p95", f"Energy of one query, 95 % lie below: {_SPREAD}.")
energy_mean = energy_quantile("mean", f"Energy of one query, mean: {_SPREAD}.")
_UNKNOWN = "90 % interval from what we do not know (fit, power, PUE, load); empty for method oviedo2026"
energy_p50_lo90 = energy_quantile("p50_lo90", f"Lower end of the median's {_UNKNOWN}.").optional()
energy_p50_hi90 = energy_quantile("p50_hi90", f"Upper end of the median's {_UNKNOWN}.").optional()
energy_mean_lo90 = energy_quantile("mean_lo90", f"Lower end of the mean's {_UNKNOWN}.").optional()
energy_mean_hi90 = energy_quantile("mean_hi90", f"Upper end of the mean's {_UNKNOWN}.").optional()


def share(name: str, meaning: str) -> Column:
    return quantity(name, "dimensionless", meaning, 0, 1)


# What an estimate assumes
WORKLOADS = ("traditional", "test-time", "azure-conv-2023", "azure-code-2023", "mooncake-conversation")
workload_id = text(
    "workload_id",
    "What is asked: 500 tokens in and exponential output (median 300, or 5000), or the requests of a published trace.",
    WORKLOADS,
)
load = quantity("load", "dimensionless", "Share of saturation the deployment runs at; 1: as published.", 0.01, 1)
boundary = text("boundary", "What the energy covers: gpu boards, node at the wall, facility (node x PUE).", BOUNDARIES)
area_id = text("area_id", "ISO3 code; WOR is the world; an aggregate's name; provider and cloud region.")
method = text("method", "How it was computed, with its version.")
evidence = text(
    "evidence",
    "How the estimate is known: benchmarked, throughput was published at such lengths; predicted, beyond them.",
    EVIDENCE,
)
profile = text("profile", "Which version of the paper's constants.", ("v2", "arxiv-v1"))
