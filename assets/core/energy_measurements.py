"""core.energy_measurements: all measured energy and power of language models, each with its boundary and what ran."""

import polars as pl

from assets import columns as c
from assets.core.published_throughput import IDENTITY
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import sql_asset

TABLE = Table(
    name="core.energy_measurements",
    description="Measured power and energy from every source: of the boards (boundary gpu) or of the whole server "
    "(boundary node), never with PUE. J per output token includes reading the input. Empty accelerator: not stated. "
    "Rows of AI Energy Score are there once it was fetched.",
    grain=("source_id", "source_release", "locator", "boundary"),
    columns=(
        *IDENTITY,
        c.model_id,
        c.accelerator_id.optional(),
        c.n_accelerators.optional(),
        c.count(
            "n_metered_accelerators",
            "Accelerators that power_w covers: more than n_accelerators where idle ones are counted in.",
        ).optional(),
        c.precision,
        c.framework,
        c.scenario,
        c.concurrency,
        c.input_tokens.optional(),
        c.output_tokens.optional(),
        c.output_tokens_per_s.optional(),
        c.power_w.optional(),
        c.boundary.but(allowed=("gpu", "node")),
        c.energy_j_per_output_token.optional(),
        c.energy_wh_per_query.but(
            meaning="Energy of the mean query of the run; empty: its length is not known."
        ).optional(),
        c.n_source_rows,
        c.caveat,
        Column("is_measured", pl.Boolean, "Always true: the power or energy was measured, by meter or driver."),
    ),
    rules=(
        Rule(
            "A row has an energy per output token or per query",
            pl.col("energy_j_per_output_token").is_not_null() | pl.col("energy_wh_per_query").is_not_null(),
            check="contract",
        ),
        Rule(
            "A board draws 15 to 1500 W, a server 100 to 3000 W for each of those in it",
            pl.when(pl.col("boundary") == "gpu")
            .then((pl.col("power_w") / pl.col("n_metered_accelerators")).is_between(15, 1500))
            .otherwise((pl.col("power_w") / pl.col("n_metered_accelerators")).is_between(100, 3000)),
            show="power_w",
        ),
    ),
    coverage=(
        Coverage(
            "source_id", ("argonne_llm_bench", "mlenergy_v2", "mlenergy_v3", "mlperf_inference", "tokenpowerbench")
        ),
        Coverage("boundary", ("gpu", "node")),
    ),
    published=True,
)

energy_measurements = sql_asset(TABLE)
