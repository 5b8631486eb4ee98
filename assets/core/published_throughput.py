"""core.published_throughput: every published throughput figure in our ids and units, with the verdict on it.

What readers use is core.serving_measurements (the accepted) and core.rejected (the others, with their reason).
"""

import polars as pl

from assets import columns as c
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import sql_asset

IDENTITY = (
    c.source_id,
    c.source_release,
    c.snapshot_sha256,
    c.locator,
)
FIGURES = (
    c.n_accelerators,
    c.parallelism,
    c.scenario,
    c.concurrency,
    c.system,
    c.input_tokens.optional(),
    c.output_tokens.optional(),
    c.printed_value,
    c.printed_unit,
    c.token_basis,
    c.accelerator_basis,
    c.n_basis,
    c.output_tokens_per_s,
    c.throughput_is_measured,
    c.power_w.optional(),
    c.power_boundary.optional(),
    c.is_measured,
    c.n_source_rows,
    c.caveat,
)


def _may_be_empty(column: Column) -> bool:
    return column.nullable or column.name in ("printed_value", "printed_unit", "output_tokens_per_s")


TABLE = Table(
    name="core.published_throughput",
    description="Every throughput figure that a source prints, normalised to output tokens/s of the whole deployment, "
    "with the reason where it cannot be used. Power, where metered: wall power of the whole system.",
    grain=("source_id", "source_release", "locator"),
    columns=(
        *IDENTITY,
        c.text("model_as_printed", "Model as printed."),
        c.text("accelerator_as_printed", "Accelerator as printed."),
        c.model_id.optional(),
        c.accelerator_id.optional(),
        c.precision.optional(),
        c.framework.optional(),
        # figures of rows that are not about tokens have other units and scenarios: no range is promised for them
        *(column.but(low=None, high=None, allowed=None, nullable=_may_be_empty(column)) for column in FIGURES),
        c.text("rejection_code", "Why the row is not used, in a word; empty: it is.", c.REJECTION_CODES).optional(),
        c.text("rejected_because", "Why the row is not used, and what to edit.").optional(),
    ),
    rules=(
        Rule(
            "A rejected row says why, an accepted one has nothing to say",
            pl.col("rejection_code").is_null() == pl.col("rejected_because").is_null(),
            check="contract",
        ),
        Rule(
            "Throughput of the deployment is the printed value times what it is divided by, of output tokens alone",
            pl.col("output_tokens_per_s")
            == pl.col("printed_value")
            * pl.col("n_basis")
            * pl.when(pl.col("token_basis") == "total")
            .then(pl.col("output_tokens") / (pl.col("input_tokens") + pl.col("output_tokens")))
            .otherwise(1.0),
            check="contract",
        ),
    ),
)

published_throughput = sql_asset(TABLE)
