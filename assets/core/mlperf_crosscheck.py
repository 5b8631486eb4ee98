"""core.mlperf_crosscheck: published logs of MLPerf runs against the results that the summaries print."""

import polars as pl

from assets import columns as c
from assets.core.published_throughput import IDENTITY
from pipelines.tables.contract import Rule, Table
from pipelines.wiring import sql_asset

EXACT = 1e-4
"""Summaries print five to six digits."""

TABLE = Table(
    name="core.mlperf_crosscheck",
    description="MLPerf runs whose logs are published: output tokens/s as the load generator logged it and mean wall "
    "power between begin and end of the scored window (boundary node), each over the figure of the round's summary.",
    grain=("source_id", "source_release", "locator"),
    columns=(
        *IDENTITY,
        c.locator.but(name="result_locator", meaning="Where the result stands in the round's summary.").optional(),
        c.text("result_id", "The result's id.").optional(),
        c.system,
        c.output_tokens_per_s.but(meaning="Output tokens per second as logged."),
        c.output_tokens_per_s.but(
            name="output_tokens_per_s_of_summary", meaning="As the summary prints it."
        ).optional(),
        c.quantity("throughput_ratio", "dimensionless", "Logged over printed.", 1e-3, 1e3).optional(),
        c.power_w.but(meaning="Mean wall power in the scored window, from the meter's log; boundary node.").optional(),
        c.power_w.but(name="power_w_of_summary", meaning="As the summary prints it; boundary node.").optional(),
        c.quantity("power_ratio", "dimensionless", "Logged over printed.", 1e-3, 1e3).optional(),
        c.count("n_meter_samples", "Samples of the meter in the window.", 1).optional(),
        c.power_boundary.but(allowed=("node",)),
    ),
    rules=(
        Rule(
            "Each logged run has its result, and the throughput that the summary prints",
            ((pl.col("throughput_ratio") - 1).abs() < EXACT).fill_null(False),
            show="output_tokens_per_s",
        ),
        Rule(
            "The mean of the wall-power log is the power that the summary prints",
            pl.col("power_w").is_null() | ((pl.col("power_ratio") - 1).abs() < EXACT).fill_null(False),
            show="power_w",
        ),
    ),
    published=True,
)

mlperf_crosscheck = sql_asset(TABLE)
