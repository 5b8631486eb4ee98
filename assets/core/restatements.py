"""core.restatements: what newer revisions of the sources changed, as this home has seen it."""

import dagster as dg
import polars as pl

from assets import columns as c
from assets.raw.snapshots import SOURCE_TABLES
from pipelines.sources.restatements import known
from pipelines.tables.contract import Column, Table
from pipelines.wiring import Book, asset_key, asset_spec, one_line_errors, store

CHANGES = ("added", "removed", "restated")

TABLE = Table(
    name="core.restatements",
    description="What publishers changed between two revisions that this home accepted, in typed values: rows "
    "added and removed, cells restated under an unchanged key. Empty until a newer revision comes.",
    grain=("source_id", "source_release", "accepted_at_utc", "change", "row", "column_name", "old_value", "new_value"),
    columns=(
        c.source_id,
        c.source_release,
        c.text("accepted_at_utc", "When the newer revision was accepted."),
        c.text("change", "What happened.", CHANGES),
        c.text("row", "The row by the publisher's own key."),
        c.text("column_name", "The column restated; empty for whole rows.").optional(),
        c.text("old_value", "Value before.").optional(),
        c.text("new_value", "Value after.").optional(),
        Column("n_rows", pl.Int64, "Rows alike in all this (a key may occur twice).", low=1),
    ),
    min_rows=0,
    published=True,
)


@dg.asset(
    **asset_spec(TABLE, kinds={"python"}, made_by="comparing each accepted revision with the one before"),
    deps=[asset_key(name) for name in SOURCE_TABLES],
)
def restatements(book: Book) -> dg.MaterializeResult:
    with one_line_errors():
        changes = known(book.warehouse.home)
        counted = changes.group_by(changes.columns).len("n_rows").cast({"n_rows": pl.Int64})
        return store(book, TABLE, counted, {})
