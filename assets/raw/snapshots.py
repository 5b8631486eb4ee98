"""raw.snapshots: what was taken of each source, from which bytes, and whether it is what the publisher serves now."""

import dagster as dg
import polars as pl

from pipelines.sources.catalogue import Source
from pipelines.sources.errors import SourceError
from pipelines.sources.intake import Taken, read_taken
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import Book, asset_key, asset_spec, one_line_errors, store

STATES = ("live", "unchanged", "offline", "held")

TABLE = Table(
    name="raw.snapshots",
    description="The published files behind the figures: one row per document of a source, with the hash of its "
    "bytes, when it was accepted, and why newer bytes were not.",
    grain=("source_id", "source_release"),
    columns=(
        Column("source_id", pl.String, "The source."),
        Column("source_release", pl.String, "The publisher's release."),
        Column("source_title", pl.String, "What it is."),
        Column("publisher", pl.String, "Who publishes it."),
        Column("homepage", pl.String, "The publisher's page."),
        Column("url", pl.String, "The file."),
        Column("licence", pl.String, "Its licence."),
        Column("redistribution", pl.String, "May we?", allowed=("allowed", "unclear", "forbidden")),
        Column("credit", pl.String, "How to credit it."),
        Column("boundary", pl.String, "Its boundary.", allowed=("none", "gpu", "node", "facility")),
        Column("basis", pl.String, "Its basis."),
        Column("cadence_days", pl.Int64, "How often it is worth asking.", low=1),
        Column("state", pl.String, "How it was taken last.", allowed=STATES),
        Column("problem", pl.String, "Why newer bytes were not accepted.", nullable=True),
        Column("snapshot_sha256", pl.String, "Hash of the bytes."),
        Column("size_bytes", pl.Int64, "Their size.", unit="byte", low=1),
        Column("revised_on", pl.String, "Last-Modified of the file, as a date.", nullable=True),
        Column("accepted_at_utc", pl.String, "When the figures were accepted."),
    ),
    rules=(Rule("No source is held back: what publishers serve now was accepted", pl.col("state") != "held"),),
)


def snapshots_of(source: Source, taken: Taken) -> list[dict]:
    """One row a document of `source`."""
    return [
        {
            "source_id": source.source_id,
            "source_release": snapshot.release,
            "source_title": source.title,
            "publisher": source.publisher,
            "homepage": str(source.homepage),
            "url": snapshot.url,
            "licence": source.licence.name,
            "redistribution": source.licence.redistribution,
            "credit": source.credit,
            "boundary": source.boundary,
            "basis": source.basis,
            "cadence_days": source.cadence_days,
            "state": taken.state,
            "problem": taken.problem,
            "snapshot_sha256": snapshot.sha256,
            "size_bytes": snapshot.size_bytes,
            "revised_on": snapshot.revised_on,
            "accepted_at_utc": taken.accepted_at_utc,
        }
        for snapshot in taken.snapshots
    ]


SOURCE_TABLES = ("raw.oviedo_throughput", "raw.trtllm_perf", "raw.mlperf_inference", "raw.epoch_ml_hardware")


@dg.asset(**asset_spec(TABLE, kinds={"python"}), deps=[asset_key(name) for name in SOURCE_TABLES])
def snapshots(book: Book) -> dg.MaterializeResult:
    with one_line_errors():
        rows: list[dict] = []
        for source in book.catalogue.values():
            taken = read_taken(book.warehouse.home, source.source_id)
            if taken is None:
                raise SourceError(source.source_id, source.parser, "was never taken", "Materialise that table first.")
            rows += snapshots_of(source, taken)
        return store(book, TABLE, pl.DataFrame(rows, schema=TABLE.schema), {})
