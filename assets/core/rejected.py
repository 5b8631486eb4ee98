"""core.rejected: published rows that are not used, each with its reason. Nothing is dropped without a sound."""

from typing import Any

import polars as pl

from assets import columns as c
from assets.core.published_throughput import IDENTITY
from pipelines.shown import preview
from pipelines.tables.contract import Rule, Table
from pipelines.wiring import sql_asset

TABLE = Table(
    name="core.rejected",
    description="Published rows that are not used: which, where, and why. `unknown-*` rows are ours to mend: the "
    "reason names the file to edit.",
    grain=("source_id", "source_release", "locator"),
    columns=(
        *IDENTITY,
        c.text("printed", "The row in short, as printed."),
        c.text("rejection_code", "The reason in a word.", c.REJECTION_CODES),
        c.text("rejected_because", "The reason, and what to edit."),
    ),
    rules=(
        Rule(
            "No row is rejected for a name that is missing in assets/reference/aliases.csv",
            ~pl.col("rejection_code").str.starts_with("unknown-"),
            show="rejected_because",
        ),
    ),
    published=True,
)


def by_reason(frame: pl.DataFrame) -> dict[str, Any]:
    """How many rows of which source, and why."""
    counted = frame.group_by("source_id", "rejection_code").len("rows").sort("rows", descending=True)
    return {"rejected_by_source_and_reason": preview(counted, counted.height)}


rejected = sql_asset(TABLE, facts=by_reason)
