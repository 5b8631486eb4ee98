"""estimates.throughput_rules: the paper's throughput rule fitted to every benchmarked configuration."""

import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from pipelines.energy.assumed import paper_node_power_id
from pipelines.energy.throughput import ThroughputRule, fit_rule
from pipelines.tables.contract import Coverage, Rule, Table
from pipelines.wiring import model_asset

PAPER_SOURCE = "oviedo_throughput"
PAPER_MODELS = (
    "deepseek-r1", "llama-3.1-405b", "llama-3.1-70b", "llama-3.1-nemotron-ultra-253b", "mixtral-8x22b",
)  # fmt: skip
PAPER_PRECISION = "fp8"
FITTED_SOURCES = (PAPER_SOURCE, "trtllm_perf")
"""Saturated load at fixed lengths. Serving benchmarks at a given concurrency are another question."""

CONFIGURATION = (
    c.source_id,
    c.source_release,
    c.model_id,
    c.accelerator_id,
    c.n_accelerators,
    c.parallelism,
    c.precision,
    c.framework,
    c.scenario,
    c.concurrency,
)
KEY = tuple(column.name for column in CONFIGURATION)

TABLE = Table(
    name="estimates.throughput_rules",
    description="Output tokens/s of each benchmarked configuration as the paper's rule: min(cap, exp(b0 + b1 ln L_in + "
    "b2 ln L_out)). The authors' own rows (FP8, pooled by model, as their code does) and every TensorRT-LLM "
    "configuration with two rows or more.",
    grain=KEY,
    columns=(
        *CONFIGURATION,
        c.text("rule", "log-linear (three rows or more), constant (two), none.", ("log-linear", "constant", "none")),
        c.quantity("b0", "dimensionless", "Intercept, ln of tokens/s.", -50, 50).optional(),
        c.quantity("b1", "dimensionless", "Exponent of the input length.", -10, 10).optional(),
        c.quantity("b2", "dimensionless", "Exponent of the output length.", -10, 10).optional(),
        c.output_tokens_per_s.but(name="cap_output_tokens_per_s", meaning="The largest benchmarked throughput."),
        c.count("n_rows", "Benchmark rows fitted.", 1),
        c.count("shortest_input_tokens", "Shortest benchmarked input.", 1).but(unit="token"),
        c.count("longest_input_tokens", "Longest benchmarked input.", 1).but(unit="token"),
        c.count("shortest_output_tokens", "Shortest benchmarked output.", 1).but(unit="token"),
        c.count("longest_output_tokens", "Longest benchmarked output.", 1).but(unit="token"),
        c.node_id.optional(),
        c.node_power_max_w.optional(),
        c.text("no_estimate_because", "Why no energy follows from it; empty: it does.").optional(),
    ),
    rules=(
        Rule(
            "A configuration has a rule and a node power, or says why there is no estimate",
            (pl.col("rule") != "none") & pl.col("node_power_max_w").is_not_null()
            | pl.col("no_estimate_because").is_not_null(),
            check="contract",
        ),
    ),
    coverage=(Coverage("source_id", (PAPER_SOURCE, "trtllm_perf")), Coverage("model_id", PAPER_MODELS)),
    published=True,
)


def throughput_rules_of(
    serving_measurements: pl.DataFrame, nodes: pl.DataFrame, assumptions: pl.DataFrame
) -> pl.DataFrame:
    """One rule a configuration. Rows without a published input length cannot be fitted and take no part."""
    saturated = serving_measurements.filter(pl.col("source_id").is_in(FITTED_SOURCES))
    known = saturated.filter(pl.col("input_tokens").is_not_null() & pl.col("output_tokens").is_not_null())
    of_paper = pl.col("source_id") == PAPER_SOURCE
    configurations = pl.concat([_pooled_as_in_paper(known.filter(of_paper)), known.filter(~of_paper)])
    rows = [
        dict(zip(KEY, key, strict=True)) | _fit(rows) for key, rows in configurations.group_by(KEY, maintain_order=True)
    ]
    schema = {name: dtype for name, dtype in TABLE.schema.items() if name not in ("node_id", "node_power_max_w")}
    fitted = pl.DataFrame(rows, schema={**schema, "no_estimate_because": pl.String})
    return _with_node_power(fitted, nodes, Assumptions(assumptions)).select(TABLE.schema.keys())


def _pooled_as_in_paper(rows: pl.DataFrame) -> pl.DataFrame:
    """The FP8 rows of a model pooled whatever their source and hardware; the accelerator is that of most rows."""
    fp8 = rows.filter(pl.col("precision") == PAPER_PRECISION)
    accelerator = (
        fp8.group_by("model_id", "accelerator_id")
        .len()
        .sort("len", "accelerator_id", descending=[True, False])
        .group_by("model_id", maintain_order=True)
        .first()
        .select("model_id", pl.col("accelerator_id").alias("most_rows"))
    )
    return (
        fp8.join(accelerator, on="model_id", validate="m:1")
        .with_columns(accelerator_id=pl.col("most_rows"), framework=pl.lit("pooled"))
        .select(rows.columns)
    )


def benchmarked_lengths() -> list[pl.Expr]:
    """Shortest and longest lengths of the rows of a configuration, a mean length up to the next whole token."""
    return [
        getattr(pl.col(f"{side}_tokens"), end)().ceil().cast(pl.Int64).alias(f"{name}_{side}_tokens")
        for side in ("input", "output")
        for name, end in (("shortest", "min"), ("longest", "max"))
    ]


def _fit(rows: pl.DataFrame) -> dict:
    inputs, outputs, tps = (rows[name].to_numpy() for name in ("input_tokens", "output_tokens", "output_tokens_per_s"))
    found = fit_rule(inputs, outputs, tps)
    row = {
        "cap_output_tokens_per_s": float(tps.max()),
        "n_rows": rows.height,
        **rows.select(benchmarked_lengths()).row(0, named=True),
    }
    if found is None:
        because = "fewer than two rows, or lengths too much alike to fit the rule"
        return row | {"rule": "none", "b0": None, "b1": None, "b2": None, "no_estimate_because": because}
    return row | {"rule": found.rule, "b0": found.b0, "b1": found.b1, "b2": found.b2, "no_estimate_because": None}


def _with_node_power(fitted: pl.DataFrame, nodes: pl.DataFrame, assumed: Assumptions) -> pl.DataFrame:
    """Node power of exactly the accelerators used: the paper's for its own rows, else the node's share."""
    default = nodes.filter("is_default").select("accelerator_id", "node_id", "power_max_w_per_accelerator")
    paper = pl.DataFrame(
        [(PAPER_SOURCE, model, paper_node_power_w(assumed, model)) for model in PAPER_MODELS],
        schema={"source_id": pl.String, "model_id": pl.String, "paper_w": pl.Float64},
        orient="row",
    )
    joined = fitted.join(default, on="accelerator_id", how="left", validate="m:1").join(
        paper, on=["source_id", "model_id"], how="left", validate="m:1"
    )
    share = pl.col("power_max_w_per_accelerator") * pl.col("n_accelerators")
    power = pl.when(pl.col("source_id") == PAPER_SOURCE).then("paper_w").otherwise(share)
    no_power = pl.lit("no published node power for ") + pl.col("accelerator_id")
    return joined.with_columns(node_power_max_w=power).with_columns(
        no_estimate_because=pl.coalesce(
            "no_estimate_because", pl.when(pl.col("node_power_max_w").is_null()).then(no_power)
        )
    )


def paper_node_power_w(assumed: Assumptions, model_id: str, profile: str = "v2") -> float:
    """Maximum node power that the paper takes for a model, W; `profile` v2 or arxiv-v1."""
    return assumed.value(paper_node_power_id(model_id, profile))


def rule_of(rows: pl.DataFrame) -> ThroughputRule:
    """The rules of `rows` as one, with coefficients of shape (rows, 1)."""
    columns = {name: rows[name].to_numpy()[:, None] for name in ("b0", "b1", "b2", "cap_output_tokens_per_s")}
    return ThroughputRule(columns["b0"], columns["b1"], columns["b2"], columns["cap_output_tokens_per_s"])


throughput_rules = model_asset(
    TABLE,
    throughput_rules_of,
    {
        "serving_measurements": "core.serving_measurements",
        "nodes": "core.nodes",
        "assumptions": "core.assumptions",
    },
)
