"""estimates.energy_per_query: energy of one query for every benchmarked configuration, workload and boundary."""

import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.profile import WORKLOADS, Workload, factors, workloads
from assets.estimates.throughput_rules import CONFIGURATION, PAPER_MODELS, PAPER_SOURCE, rule_of
from pipelines.energy.distribution import quantiles_wh
from pipelines.energy.lengths import exponential_share_above
from pipelines.energy.oviedo2026 import (
    METHOD,
    accelerator_s_per_query,
    energy_per_query,
    joules_per_output_token,
    wh_per_million_output_tokens,
)
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import model_asset

BOUNDARIES = ("node", "facility")
"""No `gpu`: the paper's power is that of the node."""
QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p95": 0.95}

TABLE = Table(
    name="estimates.energy_per_query",
    description="Energy of one query in Wh: median, quartiles, tails and mean, for each benchmarked configuration, "
    "workload and boundary. Method oviedo2026 (the paper's rule): quantiles pool the spread of lengths, power and "
    "PUE. Its throughput rule misses left-out published points by 38 % in the median: see docs/methods.md.",
    grain=(
        "model_id",
        "accelerator_id",
        "n_accelerators",
        "parallelism",
        "precision",
        "framework",
        "source_id",
        "source_release",
        "scenario",
        "concurrency",
        "workload_id",
        "load",
        "boundary",
        "method",
    ),
    columns=(
        *CONFIGURATION,
        c.workload_id,
        c.load,
        c.boundary,
        c.method,
        c.energy_p05,
        c.energy_p25,
        c.energy_p50,
        c.energy_p75,
        c.energy_p95,
        c.energy_mean,
        c.accelerator_s_per_query_mean,
        c.energy_j_per_output_token,
        c.energy_wh_per_million_output_tokens,
        c.node_id.optional(),
        c.node_power_max_w,
        c.text("throughput_rule", "How throughput depends on lengths here.", ("log-linear", "constant")),
        c.count("n_benchmark_rows", "Published rows behind the throughput.", 2),
        c.quantity(
            "share_longer_than_benchmarked",
            "dimensionless",
            "Share of the workload's queries with outputs longer than the longest benchmarked one.",
            0,
            1,
        ),
        c.quantity(
            "share_shorter_than_benchmarked",
            "dimensionless",
            "Share of the workload's queries with outputs shorter than the shortest benchmarked one.",
            0,
            1,
        ),
        Column(
            "input_is_benchmarked",
            pl.Boolean,
            "Whether the workload's input length lies between the shortest and the longest benchmarked one.",
        ),
        c.evidence,
    ),
    min_rows=100,
    rules=(
        Rule(
            "Quantiles ascend",
            (pl.col("energy_wh_per_query_p05") < pl.col("energy_wh_per_query_p25"))
            & (pl.col("energy_wh_per_query_p25") < pl.col("energy_wh_per_query_p50"))
            & (pl.col("energy_wh_per_query_p50") < pl.col("energy_wh_per_query_p75"))
            & (pl.col("energy_wh_per_query_p75") < pl.col("energy_wh_per_query_p95")),
            check="contract",
        ),
        Rule(
            "The mean lies between the 25th and the 95th percentile",
            pl.col("energy_wh_per_query_mean").is_between("energy_wh_per_query_p25", "energy_wh_per_query_p95"),
        ),
        Rule(
            "Wh per million output tokens is J per output token times a million over 3600",
            (pl.col("energy_wh_per_million_output_tokens") * 3600 / 1e6 / pl.col("energy_j_per_output_token") - 1).abs()
            < 1e-9,
            check="contract",
        ),
    ),
    coverage=(Coverage("model_id", PAPER_MODELS), Coverage("workload_id", WORKLOADS), Coverage("boundary", BOUNDARIES)),
    published=True,
)


def energy_per_query_of(throughput_rules: pl.DataFrame, assumptions: pl.DataFrame) -> pl.DataFrame:
    """The estimates of every configuration that has a rule and a node power."""
    assumed = Assumptions(assumptions)
    usable = throughput_rules.filter(pl.col("no_estimate_because").is_null())
    parts = [_estimate(usable, assumed, asked, boundary) for asked in workloads(assumed) for boundary in BOUNDARIES]
    return pl.concat(parts).select(TABLE.schema.keys())


def _estimate(rules: pl.DataFrame, assumed: Assumptions, asked: Workload, boundary: str) -> pl.DataFrame:
    rule = rule_of(rules)
    power_w = rules["node_power_max_w"].to_numpy()[:, None]
    energy = energy_per_query(rule, power_w, factors(assumed, boundary), asked.input_tokens, asked.lengths)
    quantiles = quantiles_wh(energy, list(QUANTILES.values()))
    n_accelerators = rules["n_accelerators"].to_numpy()
    longer = exponential_share_above(asked.output_tokens_median, rules["longest_output_tokens"].to_numpy())
    shorter = 1 - exponential_share_above(asked.output_tokens_median, rules["shortest_output_tokens"].to_numpy())
    paper = pl.col("source_id") == PAPER_SOURCE
    return rules.with_columns(
        workload_id=pl.lit(asked.workload_id),
        load=pl.lit(assumed.value("load.published_benchmarks")),
        boundary=pl.lit(boundary),
        method=pl.lit(METHOD),
        energy_wh_per_query_mean=energy.mean_wh,
        accelerator_s_per_query_mean=accelerator_s_per_query(rule, n_accelerators, asked.input_tokens, asked.lengths),
        energy_j_per_output_token=joules_per_output_token(energy.mean_wh, asked.lengths.mean),
        energy_wh_per_million_output_tokens=wh_per_million_output_tokens(energy.mean_wh, asked.lengths.mean),
        throughput_rule=pl.col("rule"),
        n_benchmark_rows=pl.col("n_rows"),
        share_longer_than_benchmarked=longer,
        share_shorter_than_benchmarked=shorter,
        input_is_benchmarked=pl.lit(asked.input_tokens).is_between("shortest_input_tokens", "longest_input_tokens"),
        evidence=pl.lit("benchmarked"),
        # the paper's node is its own, not one of core.nodes
        node_id=pl.when(~paper).then("node_id"),
        **{f"energy_wh_per_query_{name}": quantiles[:, i] for i, name in enumerate(QUANTILES)},
    )


energy_per_query_asset = model_asset(
    TABLE,
    energy_per_query_of,
    {"throughput_rules": "estimates.throughput_rules", "assumptions": "core.assumptions"},
)
