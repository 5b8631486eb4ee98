"""estimates.energy_per_query: energy of one query for every benchmarked configuration, workload, boundary and method.

The two methods are made in oviedo_estimates and serving_estimates; here is the contract, and they are put together.
"""

from collections.abc import Sequence
from hashlib import sha256

import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.oviedo_estimates import oviedo_estimates
from assets.estimates.serving_estimates import serving_estimates
from assets.estimates.throughput_rules import CONFIGURATION, PAPER_MODELS
from assets.estimates.workloads import all_workloads
from pipelines import plots
from pipelines.energy.assumed import stored_loads
from pipelines.energy.serving_estimate import CAUSES
from pipelines.energy.serving_time import METHOD
from pipelines.plots import Chart
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import model_asset

GRAIN = (
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
)
_GPU_POWER_W = (
    pl.when(pl.col("boundary") == "gpu").then("power_w").max().over(name for name in GRAIN if name != "boundary")
)
"""Power of the boards of the same configuration, workload, load and method; empty where it has no such row."""

TABLE = Table(
    name="estimates.energy_per_query",
    description="Energy of one query in Wh: median, quartiles, tails and mean across queries, for each benchmarked "
    "configuration, workload and boundary. Method serving-time: with the 90 % interval of median and mean from what we "
    "do not know, and the share of each cause. Method oviedo2026 (the paper's rule) beside it: quantiles pool the "
    "spread of lengths, power and PUE. How wrong each is on figures it did not see stands in backtest.",
    grain=GRAIN,
    columns=(
        c.estimate_id,
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
        c.energy_p50_lo90,
        c.energy_p50_hi90,
        c.energy_mean_lo90,
        c.energy_mean_hi90,
        *(
            c.share(
                f"interval_share_{cause}", f"Share of the median's interval, in squares of ln, from {cause}."
            ).optional()
            for cause in CAUSES
        ),
        c.accelerator_s_per_query_mean,
        c.energy_j_per_output_token,
        c.energy_wh_per_million_output_tokens,
        c.power_w.but(
            meaning="Central power of the deployment without PUE; boundary gpu, or node for node and facility."
        ),
        c.quantity(
            "pue", "dimensionless", "Central PUE that is in the energy; 1 where the boundary is not the facility.", 1, 3
        ),
        c.node_id.optional(),
        c.node_power_max_w.optional(),
        c.text(
            "throughput_rule",
            "How throughput depends on lengths here.",
            ("serving-time", "log-linear", "constant"),
        ),
        c.count("n_benchmark_rows", "Published rows behind the throughput.", 1),
        c.share(
            "share_longer_than_benchmarked",
            "Share of the workload's queries with outputs longer than the longest benchmarked one.",
        ),
        c.share(
            "share_shorter_than_benchmarked",
            "Share of the workload's queries with outputs shorter than the shortest benchmarked one.",
        ),
        c.share(
            "share_input_outside_benchmarked",
            "Share of the workload's queries with an input shorter or longer than any benchmarked one.",
        ),
        c.share(
            "share_with_cached_input",
            "Share of the workload's queries with part of the input from a prefix cache; no benchmark has one.",
        ),
        c.share(
            "mean_share_extrapolated",
            "Share of the mean from queries with an output longer or shorter than any benchmarked, or an input outside "
            "or cached in part.",
        ).optional(),
        Column(
            "is_extrapolated",
            pl.Boolean,
            "Whether more than a tenth of the queries has longer outputs than any benchmarked, or an input outside or "
            "cached in part, or more than half has shorter outputs.",
        ),
        c.evidence,
    ),
    min_rows=1000,
    rules=(
        Rule(
            "An estimate_id is twelve hexadecimal digits and names one estimate",
            pl.col("estimate_id").str.contains("^[0-9a-f]{12}$") & pl.col("estimate_id").is_unique(),
            check="contract",
            show="estimate_id",
        ),
        Rule(
            "Quantiles ascend",
            (pl.col("energy_wh_per_query_p05") <= pl.col("energy_wh_per_query_p25"))
            & (pl.col("energy_wh_per_query_p25") <= pl.col("energy_wh_per_query_p50"))
            & (pl.col("energy_wh_per_query_p50") <= pl.col("energy_wh_per_query_p75"))
            & (pl.col("energy_wh_per_query_p75") <= pl.col("energy_wh_per_query_p95")),
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
        Rule(
            "Method serving-time has an interval round its median and mean, and the shares of its causes add up",
            (pl.col("method") != "serving-time")
            | pl.col("energy_wh_per_query_p50").is_between(
                "energy_wh_per_query_p50_lo90", "energy_wh_per_query_p50_hi90"
            )
            & pl.col("energy_wh_per_query_mean").is_between(
                "energy_wh_per_query_mean_lo90", "energy_wh_per_query_mean_hi90"
            )
            & ((pl.sum_horizontal(f"interval_share_{cause}" for cause in CAUSES) - 1).abs() < 1e-9),
            check="contract",
            show="energy_wh_per_query_p50_lo90",
        ),
        Rule(
            "A node draws at least what its boards do",
            pl.col("power_w") >= _GPU_POWER_W * (1 - 1e-9),
            show="power_w",
        ),
        Rule(
            "What is extrapolated is predicted, the rest benchmarked; below saturation it may be assumed",
            pl.when(pl.col("evidence") == "assumed")
            .then(pl.col("load") < 1)
            .otherwise((pl.col("evidence") == "predicted") == pl.col("is_extrapolated")),
            check="contract",
        ),
    ),
    coverage=(
        Coverage("model_id", PAPER_MODELS),
        Coverage("workload_id", c.WORKLOADS),
        Coverage("boundary", c.BOUNDARIES),
        Coverage("method", ("oviedo2026", "serving-time")),
    ),
    published=True,
)


def estimate_id_of(key: Sequence[object]) -> str:
    """The id of the estimate whose values of GRAIN are `key`."""
    return sha256("|".join("" if value is None else str(value) for value in key).encode()).hexdigest()[:12]


def energy_per_query_of(
    throughput_rules: pl.DataFrame,
    serving_fits: pl.DataFrame,
    request_lengths: pl.DataFrame,
    assumptions: pl.DataFrame,
) -> pl.DataFrame:
    """The estimates of both methods, each with its id."""
    assumed = Assumptions(assumptions)
    asked = all_workloads(assumed, request_lengths)
    parts = [
        *serving_estimates(serving_fits, asked, assumed, stored_loads(assumed)),
        *oviedo_estimates(throughput_rules, asked, assumed),
    ]
    columns = [name for name in TABLE.schema if name != "estimate_id"]
    made = pl.concat([part.select(columns) for part in parts])
    return made.with_columns(estimate_id=pl.Series([estimate_id_of(key) for key in made.select(GRAIN).iter_rows()]))


def energy_by_model_of(estimates: pl.DataFrame, **_inputs: pl.DataFrame) -> Chart | None:
    """The default question for each model, on the hardware that most was published of."""
    asked = estimates.filter(method=METHOD, boundary="facility", load=1.0, workload_id="traditional").sort(
        "model_id", "n_benchmark_rows", "n_accelerators", "accelerator_id", descending=[False, True, False, False]
    )
    label = pl.format("{}, {} x {}", "model_id", "n_accelerators", "accelerator_id")
    shown = ("evidence", *(f"energy_wh_per_query_p50{end}" for end in ("", "_lo90", "_hi90")))
    rows = asked.unique("model_id", keep="first", maintain_order=True).select(*shown, label=label)
    question = "500 tokens in, 300 out (median); facility; load 1; serving-time; hardware with most benchmarks"
    return plots.energy_by_model(rows, question) if rows.height else None


energy_per_query_asset = model_asset(
    TABLE,
    energy_per_query_of,
    {
        "throughput_rules": "estimates.throughput_rules",
        "serving_fits": "estimates.serving_fits",
        "request_lengths": "core.request_lengths",
        "assumptions": "core.assumptions",
    },
    plot=energy_by_model_of,
)
