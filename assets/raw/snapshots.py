"""raw.snapshots: what was taken of each source, from which bytes, and whether it is what the publisher serves now."""

import dagster as dg
import polars as pl

from pipelines import plots
from pipelines.plots import Chart
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.errors import SourceError
from pipelines.sources.extracts import Snapshot
from pipelines.sources.intake import Taken, now_utc, read_taken
from pipelines.tables.contract import Column, Rule, Table
from pipelines.warehouse.store import content_version
from pipelines.wiring import Book, asset_key, asset_spec, catalogue, one_line_errors, plotted, store

STATES = ("live", "unchanged", "offline", "finished", "held", "absent")

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
        Column("licence_url", pl.String, "Where its licence stands."),
        Column("redistribution", pl.String, "May we?", allowed=("allowed", "unclear", "forbidden")),
        Column("redistribution_reason", pl.String, "Why we may, or may not."),
        Column("credit", pl.String, "How to credit it."),
        Column("boundary", pl.String, "Its boundary.", allowed=("none", "gpu", "node", "facility")),
        Column("basis", pl.String, "Its basis."),
        Column("cadence_days", pl.Int64, "How often it is worth asking.", low=1),
        Column("state", pl.String, "How it was taken last.", allowed=STATES),
        Column(
            "problem", pl.String, "Why newer bytes were not accepted, or which document was withdrawn.", nullable=True
        ),
        Column("snapshot_sha256", pl.String, "Hash of the bytes; empty: absent.", nullable=True),
        Column("size_bytes", pl.Int64, "Their size.", unit="byte", low=1, nullable=True),
        Column("revised_on", pl.String, "Last-Modified of the file, as a date.", nullable=True),
        Column("accepted_at_utc", pl.String, "When the figures were accepted.", nullable=True),
    ),
    rules=(
        Rule("No source is held back: what publishers serve now was accepted", pl.col("state") != "held"),
        Rule(
            "No document of a source was withdrawn by its publisher",
            pl.col("problem").is_null() | pl.col("state").is_in(["held", "absent"]),
            show="problem",
        ),
    ),
)


def snapshots_of(source: Source, taken: Taken) -> list[dict]:
    """One row a document of `source`; without bytes where it is absent."""
    by_url = {snapshot.url: snapshot for snapshot in taken.snapshots}
    common = {
        "source_id": source.source_id,
        "source_title": source.title,
        "publisher": source.publisher,
        "homepage": str(source.homepage),
        "licence": source.licence.name,
        "licence_url": str(source.licence.url),
        "redistribution": source.licence.redistribution,
        "redistribution_reason": source.licence.reason,
        "credit": source.credit,
        "boundary": source.boundary,
        "basis": source.basis,
        "cadence_days": source.cadence_days,
        "state": taken.state,
        "problem": taken.problem,
        "accepted_at_utc": taken.accepted_at_utc if taken.snapshots else None,
    }
    return [common | _of_document(document, by_url.get(document.place)) for document in source.documents]


def _of_document(document: Document, snapshot: Snapshot | None) -> dict:
    return {
        **({} if snapshot else {"state": "absent", "accepted_at_utc": None}),
        "source_release": document.release,
        "url": document.place,
        "snapshot_sha256": snapshot.sha256 if snapshot else None,
        "size_bytes": snapshot.size_bytes if snapshot else None,
        "revised_on": snapshot.revised_on if snapshot else None,
    }


SOURCE_TABLES = tuple(sorted(source.parser for source in catalogue().values()))


@dg.asset(
    **asset_spec(TABLE, kinds={"python"}, made_by="the notes of the last takes"),
    deps=[asset_key(name) for name in SOURCE_TABLES],
)
def snapshots(book: Book) -> dg.MaterializeResult:
    with one_line_errors():
        rows: list[dict] = []
        for source in book.catalogue.values():
            taken = read_taken(book.warehouse.home, source.source_id)
            if taken is None:
                raise SourceError(source.source_id, source.parser, "was never taken", "Materialise that table first.")
            rows += snapshots_of(source, taken)
        frame = pl.DataFrame(rows, schema=TABLE.schema)
        return store(book, TABLE, frame, plotted(ages_of(frame, now_utc())), news_of(frame))


def news_of(frame: pl.DataFrame) -> str:
    """The data version: that a publisher served the same bytes once more, or failed in other words, is no news."""
    state = pl.col("state").replace(dict.fromkeys(("live", "unchanged", "finished"), "current"))
    problem = pl.when(pl.col("problem").is_not_null()).then(pl.lit("yes")).alias("problem")
    return content_version(TABLE.conform(frame.with_columns(state, problem)))


def ages_of(frame: pl.DataFrame, now: str) -> Chart | None:
    """How old the figures of each source are."""
    accepted = pl.col("accepted_at_utc").str.to_datetime("%Y-%m-%dT%H:%M:%SZ")
    age = (pl.lit(now).str.to_datetime("%Y-%m-%dT%H:%M:%SZ") - accepted).dt.total_hours() / 24
    rows = frame.filter(pl.col("accepted_at_utc").is_not_null()).with_columns(age_days=age)
    if rows.is_empty():
        return None
    return plots.age_of_sources(rows.group_by("source_id", "cadence_days").agg(pl.col("age_days").min()))
