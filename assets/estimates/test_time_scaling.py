"""estimates.test_time_scaling: what 1 to 100 times as many output tokens take, for every configuration."""

from dataclasses import replace

import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.oviedo_estimates import oviedo_estimates
from assets.estimates.serving_estimates import serving_estimates
from assets.estimates.throughput_rules import CONFIGURATION, KEY
from pipelines.energy.lengths import exponential
from pipelines.energy.workloads import Workload
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import model_asset

MULTIPLES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100)
BASE = "traditional"

TABLE = Table(
    name="estimates.test_time_scaling",
    description="Energy of one query at the facility when the output of workload traditional (500 tokens in, median "
    "300 out) is 1 to 100 times as long, at saturation, by both methods.",
    grain=(*KEY, "output_multiple", "method"),
    columns=(
        *CONFIGURATION,
        c.count("output_multiple", "Times as many output tokens.", 1, 1000),
        c.quantity("output_tokens_median", "token", "Median output of the longer queries.", 1, 1e6).but(
            name="median_output_tokens"
        ),
        c.method,
        c.boundary,
        c.energy_p50,
        c.energy_p50_lo90,
        c.energy_p50_hi90,
        c.energy_mean,
        c.quantity("energy_ratio_to_one", "dimensionless", "Median over that at one times the tokens.", 0.5, 1e4),
        c.quantity(
            "benchmarked_up_to_multiple",
            "dimensionless",
            "The multiple from which the query of median length is longer than any benchmarked output.",
            0.01,
            1e4,
        ).optional(),
        c.share("share_longer_than_benchmarked", "Share of queries longer than the longest benchmarked output."),
        Column("is_extrapolated", pl.Boolean, "Whether these queries are extrapolated, as in energy_per_query."),
        c.evidence,
    ),
    min_rows=1000,
    rules=(
        Rule(
            "More tokens take more energy",
            pl.col("energy_wh_per_query_p50").diff().over(*KEY, "method", order_by="output_multiple").fill_null(1) > 0,
            check="contract",
            show="energy_wh_per_query_p50",
        ),
        Rule(
            "At one times the tokens the ratio is one",
            (pl.col("output_multiple") != 1) | ((pl.col("energy_ratio_to_one") - 1).abs() < 1e-12),
            check="contract",
        ),
    ),
    coverage=(Coverage("method", ("oviedo2026", "serving-time")),),
    published=True,
)


def longer(base: Workload, multiple: int) -> Workload:
    """The workload with `multiple` times as many output tokens."""
    median = base.output_tokens_median * multiple
    return replace(base, workload_id=str(multiple), output_tokens_median=median, lengths=exponential(median))


def test_time_scaling_of(
    throughput_rules: pl.DataFrame, serving_fits: pl.DataFrame, assumptions: pl.DataFrame
) -> pl.DataFrame:
    """One row a configuration, multiple and method."""
    assumed = Assumptions(assumptions)
    base = Workload.of(assumed, BASE)
    asked = [longer(base, multiple) for multiple in MULTIPLES]
    saturated = (assumed.value("load.published_benchmarks"),)
    both = [
        *serving_estimates(serving_fits, asked, assumed, saturated, ("facility",)),
        *oviedo_estimates(throughput_rules, asked, assumed),
    ]
    shown = pl.concat([part.filter(pl.col("boundary") == "facility") for part in both], how="diagonal_relaxed")
    shown = shown.with_columns(output_multiple=pl.col("workload_id").cast(pl.Int64))
    one = pl.col("energy_wh_per_query_p50").filter(pl.col("output_multiple") == 1).first().over(*KEY, "method")
    limits = serving_fits.select(
        *KEY, benchmarked_up_to_multiple=pl.col("longest_output_tokens") / base.output_tokens_median
    )
    return (
        shown.join(limits, on=KEY, how="left", nulls_equal=True, validate="m:1")
        .with_columns(
            median_output_tokens=pl.col("output_multiple") * base.output_tokens_median,
            energy_ratio_to_one=pl.col("energy_wh_per_query_p50") / one,
        )
        .select(TABLE.schema.keys())
    )


test_time_scaling = model_asset(
    TABLE,
    test_time_scaling_of,
    {
        "throughput_rules": "estimates.throughput_rules",
        "serving_fits": "estimates.serving_fits",
        "assumptions": "core.assumptions",
    },
)
