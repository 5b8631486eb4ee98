"""estimates.intervention_pairs: published rows that differ in what a step names, and what it did to energy."""

import polars as pl

from assets import columns as c
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import sql_asset

INTERVENTIONS = (
    "precision", "accelerator", "accelerator and precision", "release", "concurrency",
    "concurrency, accelerator and precision", "speculative decoding", "disaggregation",
)  # fmt: skip
COMPARED_AT = ("saturation", "equal concurrency", "its own states", "least energy")

intervention = c.text("intervention", "What differs between the two states.", INTERVENTIONS)
state_from = c.text("state_from", "Before: a precision, accelerator, release, concurrency or way of serving.")
state_to = c.text("state_to", "After.")
compared_at = c.text(
    "compared_at",
    "At what load: both saturated, both with as many requests in flight, each with its own number of them, or each at "
    "the least energy of its sweep, whatever number of accelerators that takes.",
    COMPARED_AT,
)


def _side(name: str, of: str) -> tuple[Column, ...]:
    return (
        c.source_id.but(name=f"source_id_{name}", meaning=f"Source of the row {of}."),
        c.source_release.but(name=f"source_release_{name}", meaning=f"Release of the row {of}."),
        c.locator.but(name=f"locator_{name}", meaning=f"Where the row {of} stands in the published bytes."),
    )


TABLE = Table(
    name="estimates.intervention_pairs",
    description="Pairs of rows of TensorRT-LLM, ML.ENERGY v3 and InferenceX of the same weights and lengths (or task) "
    "that differ in one thing, or in the two or three that the step names; rows flagged as of other weights than their "
    "precision says serve no step of precision. The energy ratio is that of metered boards per output token where both "
    "rows are metered (measured); else both are saturated, the ratio is that of throughputs, and power is taken as the "
    "same share of each node's rated maximum (benchmarked).",
    grain=(
        "intervention", "compared_at", "source_id_from", "source_release_from", "locator_from", "source_id_to",
        "source_release_to", "locator_to",
    ),
    columns=(
        intervention,
        state_from,
        state_to,
        compared_at,
        c.model_id,
        c.accelerator_id.but(meaning="The accelerator before."),
        c.n_accelerators.but(meaning="Accelerators before."),
        c.precision.but(meaning="Precision before."),
        *_side("from", "before"),
        *_side("to", "after"),
        c.input_tokens.optional(),
        c.output_tokens.optional(),
        c.text("task", "What was asked, where the source names a task instead of lengths.").optional(),
        c.concurrency.but(meaning="Requests in flight before; empty: saturated."),
        c.quantity(
            "throughput_ratio", "dimensionless", "Output tokens/s per accelerator, after over before.", 1e-3, 1e3
        ),
        c.quantity("energy_ratio", "dimensionless", "Energy per output token, after over before.", 1e-3, 1e3),
        c.boundary.but(allowed=("gpu", "node")),
        c.evidence.but(allowed=("measured", "benchmarked")),
    ),
    min_rows=200,
    rules=(
        Rule(
            "Pairs compared at saturation are benchmarked, all others are metered",
            (pl.col("compared_at") == "saturation") == (pl.col("evidence") == "benchmarked"),
            check="contract",
            show="compared_at",
        ),
        Rule(
            "Energy falls at most twelvefold and rises at most sevenfold", pl.col("energy_ratio").is_between(1 / 12, 7)
        ),
    ),
    coverage=(Coverage("intervention", ("precision", "accelerator", "release", "concurrency")),),
    published=True,
)  # fmt: skip

intervention_pairs = sql_asset(TABLE)
