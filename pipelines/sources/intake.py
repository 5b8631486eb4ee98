"""Taking a source: live bytes accepted as a whole, or the last accepted extract with the reason said aloud.

The order of trust: what the publisher serves now, if every document of it parses and keeps its contract; else the
newest accepted extract, of this home or of the repository. Nothing accepted earlier is lost.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import polars as pl

from pipelines.sources import http
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.errors import SourceError
from pipelines.sources.extracts import EXTRACTS_FOLDER, ExtractHead, Snapshot, read_extract, read_head, write_extract
from pipelines.sources.snapshots import LedgerRow, SnapshotStore, write_atomically

Parse = Callable[[bytes, Source, Document], pl.DataFrame]
Accept = Callable[[pl.DataFrame], pl.DataFrame]
Schema = dict[str, type[pl.DataType]]
PROVENANCE = ("source_id", "source_release", "snapshot_sha256", "locator")
"""Columns every raw row has: whose it is, of which release, from which bytes, and where in them."""


@dataclass(frozen=True)
class Taken:
    """How a source was taken this time.

    `state`: live (accepted now), unchanged (the publisher serves what was accepted before), offline (not asked), or
    held (asked, not accepted, `problem` says why; the last accepted extract serves).
    """

    source_id: str
    state: str
    accepted_at_utc: str
    problem: str | None
    snapshots: tuple[Snapshot, ...]


@dataclass(frozen=True)
class Places:
    """Where takes are kept: the home folder and the repository's extracts."""

    home: Path
    extracts: Path = EXTRACTS_FOLDER

    def accepted(self, source_id: str) -> Path:
        return self.home / "accepted" / f"{source_id}.csv"

    def newest_extract(self, source_id: str) -> Path | None:
        """The extract accepted last; the home's wins a tie with the repository's."""
        candidates = [self.extracts / f"{source_id}.csv", self.accepted(source_id)]
        heads = [(read_head(path).accepted_at_utc, i, path) for i, path in enumerate(candidates) if path.exists()]
        return max(heads)[2] if heads else None


def take_source(
    source: Source, parse: Parse, accept: Accept, schema: Schema, places: Places, offline: bool
) -> tuple[pl.DataFrame, Taken]:
    """The frame of a source's raw table and how it was taken.

    Args:
        parse: bytes of one document to rows, pure. Raises SourceError.
        accept: conforms the rows of all documents and checks their contract. Raises SourceError. Run on new bytes
            only; an extract was accepted before, and its table's blocking checks look at it again.
        schema: columns of the raw table, for reading the extract.

    Raises SourceError where neither live bytes nor an extract can be had.
    """
    try:
        last = places.newest_extract(source.source_id)
    except SourceError:
        if offline:
            raise
        last = None  # new bytes mend a damaged extract
    if not offline:
        try:
            return _take_live(source, parse, accept, schema, places, last)
        except SourceError as error:
            if last is None:
                raise
            problem = str(error)
    elif last is None:
        raise SourceError(source.source_id, "assets/extracts", "has no extract of it", "Refresh without --offline.")
    else:
        problem = None
    head, frame = read_extract(last, schema)
    state = "held" if problem else "offline"
    return frame, Taken(source.source_id, state, head.accepted_at_utc, problem, head.snapshots)


def _take_live(
    source: Source, parse: Parse, accept: Accept, schema: Schema, places: Places, last: Path | None
) -> tuple[pl.DataFrame, Taken]:
    store = SnapshotStore(places.home)
    known = {snapshot.url: snapshot for snapshot in read_head(last).snapshots} if last else {}
    taken = [_take_document(source, document, store, known.get(document.place)) for document in source.documents]
    snapshots = tuple(snapshot for snapshot, _ in taken)
    if last and (accepted := _accepted_of(snapshots, last, schema)):
        accepted_at, state, frame = accepted[0].accepted_at_utc, "unchanged", accepted[1]
    else:
        frames = [
            parse_document(parse, content, source, document, snapshot.sha256)
            for document, (snapshot, content) in zip(source.documents, taken, strict=True)
        ]
        accepted_at, state, frame = now_utc(), "live", accept(pl.concat(frames))
    head = ExtractHead.of(source, accepted_at, snapshots)
    write_extract(places.accepted(source.source_id), head, frame)
    return frame, Taken(source.source_id, state, accepted_at, None, snapshots)


def _accepted_of(
    snapshots: tuple[Snapshot, ...], last: Path, schema: Schema
) -> tuple[ExtractHead, pl.DataFrame] | None:
    """The extract `last` if it was made from just these bytes; None if not, or if it has other columns than today's."""
    if {(s.release, s.sha256) for s in snapshots} != {(s.release, s.sha256) for s in read_head(last).snapshots}:
        return None
    try:
        return read_extract(last, schema)
    except SourceError:
        return None


def _take_document(
    source: Source, document: Document, store: SnapshotStore, known: Snapshot | None
) -> tuple[Snapshot, bytes]:
    """One document's bytes, asked for conditionally where we still hold the bytes accepted before."""
    held = store.get(known.sha256) if known else None
    condition = {"etag": known.etag, "last_modified": known.last_modified} if known and held else {}
    url = document.place
    try:
        answer = http.take(source.source_id, url, source.max_bytes, **condition)
    except SourceError as error:
        store.record(LedgerRow(source.source_id, url, now_utc(), None, None, None, str(error)))
        raise
    if answer.content is None:
        store.record(LedgerRow(source.source_id, url, now_utc(), answer.status, known.sha256, len(held), None))
        return known.model_copy(update={"release": document.release}), held
    sha256 = store.put(answer.content)
    store.record(LedgerRow(source.source_id, url, now_utc(), answer.status, sha256, len(answer.content), None))
    snapshot = Snapshot(
        url=url,
        release=document.release,
        sha256=sha256,
        size_bytes=len(answer.content),
        revised_on=_date_of(answer.last_modified),
        etag=answer.etag,
        last_modified=answer.last_modified,
    )
    return snapshot, answer.content


def parse_document(parse: Parse, content: bytes, source: Source, document: Document, sha256: str) -> pl.DataFrame:
    """Rows of one document with their provenance. Raises SourceError for what is no such document at all."""
    place = document.place
    if not content.strip():
        raise SourceError(source.source_id, place, "is empty", "The last accepted figures are served.")
    if content.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        problem = f"is an HTML page, expected {source.format}"
        raise SourceError(source.source_id, place, problem, "Open the url; if the file moved, edit sources.yaml.")
    frame = parse(content, source, document)
    return frame.with_columns(
        source_id=pl.lit(source.source_id),
        source_release=pl.lit(document.release),
        snapshot_sha256=pl.lit(sha256),
    )


def record_taken(home: Path, taken: Taken) -> None:
    """Keep how a source was taken, for the table of snapshots."""
    plain = asdict(replace(taken, snapshots=()))
    plain["snapshots"] = [snapshot.model_dump() for snapshot in taken.snapshots]
    write_atomically(home / "taken" / f"{taken.source_id}.json", json.dumps(plain, indent=1).encode())


def read_taken(home: Path, source_id: str) -> Taken | None:
    """How a source was taken last, or None if it never was."""
    path = home / "taken" / f"{source_id}.json"
    if not path.exists():
        return None
    plain = json.loads(path.read_text(encoding="utf-8"))
    snapshots = tuple(Snapshot(**snapshot) for snapshot in plain.pop("snapshots"))
    return Taken(**{**plain, "snapshots": snapshots})


def now_utc() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _date_of(last_modified: str | None) -> str | None:
    """The day of a Last-Modified header; None where it is absent or not a date."""
    try:
        return parsedate_to_datetime(last_modified).date().isoformat() if last_modified else None
    except ValueError:
        return None
