"""core.inferencex_power: InferenceX runs with measured board power, and the energy per output token they give."""

import polars as pl

from assets import columns as c
from assets.core.published_throughput import IDENTITY
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import sql_asset

TABLE = Table(
    name="core.inferencex_power",
    description="InferenceX runs with board power: mean power of all boards of the deployment (boundary gpu) over its "
    "output tokens/s. Most are of low concurrency: joules per token there are not those of a busy fleet. Empty where "
    "the source was never taken.",
    grain=("source_id", "source_release", "locator"),
    columns=(
        *IDENTITY,
        c.model_id,
        c.accelerator_id,
        c.n_accelerators,
        c.parallelism,
        c.precision,
        c.framework,
        c.concurrency,
        c.system,
        c.input_tokens,
        c.output_tokens,
        c.output_tokens_per_s,
        c.power_w,
        c.power_boundary.but(allowed=("gpu",)),
        c.is_measured,
        c.energy_j_per_output_token,
        c.energy_j_per_output_token.but(
            name="energy_j_per_output_token_as_printed",
            meaning="The publisher's figure: of the decode pool alone where prefill has a pool of its own.",
        ).optional(),
        Column("is_disaggregated", pl.Boolean, "Whether prefill and decode have pools of their own."),
        c.caveat,
    ),
    min_rows=0,
    rules=(
        Rule(
            "In one pool, joules per output token are those printed",
            pl.col("is_disaggregated")
            | ((pl.col("energy_j_per_output_token") / pl.col("energy_j_per_output_token_as_printed") - 1).abs() < 1e-3),
            show="energy_j_per_output_token",
        ),
    ),
    published=True,
)

inferencex_power = sql_asset(TABLE)
