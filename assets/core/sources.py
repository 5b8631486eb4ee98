"""core.sources: the sources as a reader meets them, with how many of their rows are used."""

from typing import Any

import polars as pl

from assets import columns as c
from assets.raw.snapshots import STATES
from pipelines.shown import preview
from pipelines.sources.catalogue import load_catalogue
from pipelines.tables.contract import Coverage, Rule, Table
from pipelines.wiring import sql_asset

TABLE = Table(
    name="core.sources",
    description="The published sources: what they are, under which licence, from which bytes, how old, and how many of "
    "their rows are used.",
    grain=("source_id", "source_release"),
    columns=(
        c.source_id,
        c.source_release,
        c.text("source_title", "What it is."),
        c.text("publisher", "Who publishes it."),
        c.text("homepage", "The publisher's page."),
        c.text("url", "The file."),
        c.text("licence", "Its licence."),
        c.text("licence_url", "Where the licence stands."),
        c.text("redistribution", "Whether extracted figures may be published.", ("allowed", "unclear", "forbidden")),
        c.text("redistribution_reason", "Why they may, or may not: our reading of the licence, not legal advice."),
        c.text("credit", "How to credit it."),
        c.text("source_boundary", "What its power or energy covers; none: throughput only.", ("none", *c.BOUNDARIES)),
        c.text("basis", "What its figures are divided by."),
        c.count("cadence_days", "Days between two times that it is worth asking.", 1).but(unit="day"),
        c.text(
            "state",
            "live: accepted now; unchanged: as accepted before; offline, finished: not asked; held: newer not "
            "accepted; absent: none.",
            STATES,
        ),
        c.text("problem", "Why newer bytes were not accepted, or which document was withdrawn.").optional(),
        c.snapshot_sha256.optional(),
        c.count("size_bytes", "Size of the bytes.", 1).but(unit="byte").optional(),
        c.text("revised_on", "The day the publisher last changed the file, where it says so.").optional(),
        c.text("accepted_at_utc", "When its figures were accepted.").optional(),
        c.count("rows_in", "Rows that the file prints.", 0),
        c.count("rows_accepted", "Rows used.", 0),
        c.count("rows_rejected", "Rows not used; core.rejected says why each.", 0),
    ),
    rules=(
        Rule(
            "Rows in are rows accepted and rows rejected",
            pl.col("rows_in") == pl.col("rows_accepted") + pl.col("rows_rejected"),
            check="coverage",
        ),
        Rule(
            "A document that is not absent has rows",
            (pl.col("state") == "absent") == (pl.col("rows_in") == 0),
            check="coverage",
            show="state",
        ),
    ),
    coverage=(Coverage("source_id", tuple(sorted(load_catalogue()))),),
    published=True,
)


def counts(frame: pl.DataFrame) -> dict[str, Any]:
    """Rows of all sources, and those of each."""
    names = ["rows_in", "rows_accepted", "rows_rejected"]
    by_source = frame.group_by("source_id", "state").agg(pl.col(names).sum()).sort("source_id")
    return {name: int(frame[name].sum()) for name in names} | {"by_source": preview(by_source, by_source.height)}


sources = sql_asset(TABLE, facts=counts)
