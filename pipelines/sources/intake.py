"""Taking a source: live bytes accepted as a whole, or the last accepted extract with the reason said aloud.

The order of trust: what the publisher serves now, if every document of it parses and keeps its contract; else the
newest accepted extract, of this home or of the repository. New figures are a candidate until a file that holds them was
published, all checks passed; only then do they replace the accepted ones. Nothing accepted earlier is lost.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl

from pipelines.sources.bundles import pack
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.errors import GoneError, SourceError, UnansweredError
from pipelines.sources.extracts import EXTRACTS_FOLDER, ExtractHead, Snapshot, read_extract, read_head, write_extract
from pipelines.sources.http import Web
from pipelines.sources.restatements import keep_proposed, propose, restated
from pipelines.sources.snapshots import LedgerRow, SnapshotStore, write_atomically

Parse = Callable[[bytes, Source, Document], pl.DataFrame]
Accept = Callable[[pl.DataFrame], pl.DataFrame]
Schema = dict[str, type[pl.DataType]]
PROVENANCE = ("source_id", "source_release", "snapshot_sha256", "locator")
"""Columns every raw row has: whose it is, of which release, from which bytes, and where in them."""
ASKED = ("live", "unchanged")
"""States of a take whose publisher was asked and whose figures serve."""


@dataclass(frozen=True)
class Taken:
    """How a source was taken this time.

    `state`: live (accepted now), unchanged (the publisher serves what was accepted before), offline (not asked),
    finished (not asked: its publisher adds nothing, and what was accepted is younger than its cadence), held (when it
    was asked last, what it served was not accepted, `problem` says why; the last accepted extract serves), or absent (a
    source that may not be redistributed and was never accepted in this home: no rows). `problem` also says which
    document was withdrawn while the others were accepted; it stays until the publisher is asked again. `asked_at_utc`:
    when the publisher last answered for all of them. `answered_at_utc`: when it last answered at all, be it with
    figures that were not accepted. `problem_since_utc`: since when no take went without a problem. `is_unanswered`: the
    problem is that nobody answered, not what was answered. `is_withdrawn`: it is that a document is there no more.
    `problem_url`: the document. `remedy`: what the problem says to do about it, in its own last words.
    """

    source_id: str
    state: str
    accepted_at_utc: str
    problem: str | None
    snapshots: tuple[Snapshot, ...]
    asked_at_utc: str | None = None
    answered_at_utc: str | None = None
    problem_since_utc: str | None = None
    is_unanswered: bool = False
    is_withdrawn: bool = False
    problem_url: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Places:
    """Where takes are kept: the home folder and the repository's extracts."""

    home: Path
    extracts: Path = EXTRACTS_FOLDER

    def accepted(self, source_id: str) -> Path:
        return self.home / "accepted" / f"{source_id}.csv"

    def candidate(self, source_id: str) -> Path:
        """New figures that no published file holds yet."""
        return self.home / "candidates" / f"{source_id}.csv"

    def extracts_of(self, source_id: str) -> list[Path]:
        """The accepted extracts, newest first; the home's wins a tie with the repository's. Unreadable ones last."""
        paths = [self.accepted(source_id), self.extracts / f"{source_id}.csv"]
        return sorted((path for path in paths if path.exists()), key=_accepted_at, reverse=True)


def _accepted_at(path: Path) -> str:
    try:
        return read_head(path).accepted_at_utc
    except SourceError:
        return ""


@dataclass(frozen=True)
class Reading:
    """How bytes become rows.

    Attributes:
        parse: bytes of one document to rows, pure. Raises SourceError.
        accept: conforms the rows of all documents and checks their contract. Raises SourceError. Run on new bytes
            only; an extract was accepted before, and its table's blocking checks look at it again.
        schema: columns of the raw table, for reading the extract.
        version: changes when the parser does; rows parsed by another version are parsed again.
        identity: columns that name a row, by which a new revision is compared with the last.
    """

    parse: Parse
    accept: Accept
    schema: Schema
    version: str
    identity: tuple[str, ...]


def take_source(
    source: Source,
    reading: Reading,
    places: Places,
    web: Web | None,
    refused: str | None = None,
    *,
    ask_all: bool = False,
) -> tuple[pl.DataFrame, Taken]:
    """The frame of a source's raw table and how it was taken.

    Args:
        web: this run's dealings with the web; None: offline.
        refused: why the figures that the publisher serves now are not wanted: checks downstream refused them.
        ask_all: whether to ask for a finished source too.

    Raises SourceError where neither live bytes nor an extract can be had of a source that has one in the repository.
    """
    before = read_taken(places.home, source.source_id)
    frame, taken = _take(source, reading, places, web, refused, ask_all=ask_all)
    is_as_before = before and (not taken.snapshots or taken.accepted_at_utc == before.accepted_at_utc)
    if is_as_before and taken.problem is None and taken.state not in ASKED:
        taken = _still(before, taken)
    since = before.problem_since_utc if before else None
    return frame, replace(taken, problem_since_utc=(since or now_utc()) if taken.problem else None)


def _still(before: Taken, taken: Taken) -> Taken:
    """As `taken`, with the problem of the take before: a run that asked nobody cannot know that it is over."""
    is_held = before.state == "held" and taken.snapshots
    return replace(
        taken,
        state="held" if is_held else taken.state,
        problem=before.problem,
        is_unanswered=before.is_unanswered,
        is_withdrawn=before.is_withdrawn,
        problem_url=before.problem_url,
        remedy=before.remedy,
    )


def _told(error: SourceError) -> dict[str, Any]:
    """What a take keeps of the error that speaks against it."""
    return {
        "problem": str(error),
        "is_unanswered": isinstance(error, UnansweredError),
        "is_withdrawn": isinstance(error, GoneError),
        "problem_url": error.url,
        "remedy": error.remedy,
    }


def _take(
    source: Source, reading: Reading, places: Places, web: Web | None, refused: str | None, *, ask_all: bool
) -> tuple[pl.DataFrame, Taken]:
    places.candidate(source.source_id).unlink(missing_ok=True)
    propose(places.home, source.source_id, None)
    told: dict[str, Any] = {"problem": refused}
    if web is not None and refused is None and not ask_all and not is_due(source, reading.version, places):
        return _serve_last(source, reading, places, None, "finished")
    if web is not None and refused is None:
        try:
            return _take_live(source, reading, places, web)
        except SourceError as error:
            told = _told(error)
        except Exception as error:  # what the web brought and nobody foresaw is held against this source alone
            problem = f"{source.source_id}: could not be taken ({type(error).__name__}: {error}). Report it."
            told = {"problem": problem}
    frame, taken = _serve_last(source, reading, places, told["problem"])
    taken = replace(taken, **told)
    if web is None or refused is not None or taken.is_unanswered:
        return frame, taken
    return frame, replace(taken, answered_at_utc=now_utc())


def is_due(source: Source, parser_version: str | None, places: Places) -> bool:
    """Whether the publisher is worth asking: always, but for a finished source that answered within its cadence.

    What was accepted by another parser (None: not asked about), or of other documents, does not count.
    """
    newest = next((path for path in places.extracts_of(source.source_id) if _accepted_at(path)), None)
    if not source.finished or newest is None:
        return True
    head = read_head(newest)
    documents = {(document.place, document.release) for document in source.documents}
    if {(snapshot.url, snapshot.release) for snapshot in head.snapshots} != documents:
        return True
    if parser_version not in (None, head.parser_version):
        return True
    taken = read_taken(places.home, source.source_id)
    answered = max(head.accepted_at_utc, (taken and taken.asked_at_utc) or "")
    return datetime.fromisoformat(now_utc()) - datetime.fromisoformat(answered) > timedelta(days=source.cadence_days)


def is_worth_asking(source: Source, taken: Taken | None, on: date) -> bool:
    """Whether a day is `cadence_days` after the one on which the publisher answered last, or it never did.

    Counted in days of UTC, so that a daily schedule which runs a few seconds earlier than the day before asks all the
    same. A publisher that did not answer is asked again the next day: nothing came that could be worth waiting for.
    """
    if taken is None or taken.answered_at_utc is None:
        return True
    return datetime.fromisoformat(taken.answered_at_utc).date() + timedelta(days=source.cadence_days) <= on


def _serve_last(
    source: Source, reading: Reading, places: Places, problem: str | None, not_asked: str = "offline"
) -> tuple[pl.DataFrame, Taken]:
    """The newest accepted extract that can be read, of the documents that are asked for now.

    An extract of all of them goes before a newer one that lacks some: it was accepted before they were asked for.
    """
    unreadable: SourceError | None = None
    readable: list[tuple[ExtractHead, pl.DataFrame]] = []
    for path in places.extracts_of(source.source_id):
        try:
            readable.append(read_extract(path, reading.schema))
        except SourceError as error:
            unreadable = unreadable or error
    asked_for = {document.release for document in source.documents}
    readable.sort(key=lambda extract: len(asked_for - {s.release for s in extract[0].snapshots}))
    before = read_taken(places.home, source.source_id)
    asked_at, answered_at = (before.asked_at_utc, before.answered_at_utc) if before else (None, None)
    for head, frame in readable:
        state = "held" if problem else not_asked
        snapshots = tuple(snapshot for snapshot in head.snapshots if snapshot.release in asked_for)
        rows = frame.filter(pl.col("source_release").is_in(asked_for))
        return rows, Taken(source.source_id, state, head.accepted_at_utc, problem, snapshots, asked_at, answered_at)
    if unreadable is not None:
        raise unreadable
    if source.keep_extract:
        problem = problem or "has no extract under assets/extracts"
        raise SourceError(source.source_id, "last accepted figures", problem, "Refresh online when that is mended.")
    # its licence keeps it out of the repository, and it was never accepted in this home
    absent = Taken(source.source_id, "absent", now_utc(), problem, (), asked_at, answered_at)
    return pl.DataFrame(schema=reading.schema), absent


def _take_live(source: Source, reading: Reading, places: Places, web: Web) -> tuple[pl.DataFrame, Taken]:
    store = SnapshotStore(places.home)
    last = next((path for path in places.extracts_of(source.source_id) if _accepted_at(path)), None)
    known = {snapshot.url: snapshot for snapshot in read_head(last).snapshots} if last else {}
    taken, gone = _take_documents(source, store, known, web)
    told = _told(gone) if gone else {"problem": None}
    snapshots = tuple(snapshot for snapshot, _ in taken)
    if last and (accepted := _accepted_of(snapshots, last, reading)):
        head, frame = accepted
        head = ExtractHead.of(source, head.accepted_at_utc, reading.version, snapshots)
        write_extract(places.accepted(source.source_id), head, frame)
        return frame, _taken(source, "unchanged", head, told)
    before = _last_frame(last, reading)
    if gone and before is None:
        raise gone
    frames = [
        _parsed(reading.parse, content, source, document, snapshot.sha256)
        if content is not None
        else before.filter(pl.col("source_release") == document.release)
        for document, (snapshot, content) in zip(source.documents, taken, strict=True)
    ]
    frame = reading.accept(pl.concat(frames, how="diagonal"))
    changed = None
    if before is not None:
        # figures of the bytes that were accepted before are not the publisher's doing: our parser may have learned
        same = {s.release for s in snapshots if known.get(s.url) and known[s.url].sha256 == s.sha256}
        older, newer = (part.filter(~pl.col("source_release").is_in(same)) for part in (before, frame))
        _refuse_loss(source, older, newer)
        changed = restated(older, newer, reading.identity, now_utc())
    head = ExtractHead.of(source, now_utc(), reading.version, snapshots)
    write_extract(places.candidate(source.source_id), head, frame)
    propose(places.home, source.source_id, changed)
    return frame, _taken(source, "live", head, told)


def _taken(source: Source, state: str, head: ExtractHead, told: dict[str, Any]) -> Taken:
    """How a source was taken whose publisher answered just now."""
    now = now_utc()
    return Taken(
        source.source_id,
        state,
        head.accepted_at_utc,
        snapshots=tuple(head.snapshots),
        asked_at_utc=now,
        answered_at_utc=now,
        **told,
    )


def _take_documents(
    source: Source, store: SnapshotStore, known: dict[str, Snapshot], web: Web
) -> tuple[list[tuple[Snapshot, bytes | None]], GoneError | None]:
    """Snapshot and bytes of every document, and what was said of one that was withdrawn.

    A known document that its publisher withdrew keeps its rows, with None for its bytes: the others are new all the
    same. If all are withdrawn, so is the source.
    """
    taken: list[tuple[Snapshot, bytes | None]] = []
    gone: list[GoneError] = []
    for document in source.documents:
        try:
            taken.append(_take_document(source, document, store, known.get(document.place), web))
        except GoneError as error:
            gone.append(error)
            if document.place not in known or len(gone) == len(source.documents):
                raise
            taken.append((known[document.place], None))
    return taken, gone[0] if gone else None


def serves_what_was_accepted(source: Source, places: Places, web: Web) -> bool:
    """Whether the publisher says of every document that it is the one accepted in this home. Downloads nothing new."""
    taken = read_taken(places.home, source.source_id)
    if not is_due(source, None, places):
        newest = max(map(_accepted_at, places.extracts_of(source.source_id)))
        return taken is not None and taken.problem is None and taken.accepted_at_utc == newest
    accepted = places.accepted(source.source_id)
    if taken is None or taken.problem is not None or not accepted.exists():
        return False
    store = SnapshotStore(places.home)
    known = {snapshot.url: snapshot for snapshot in read_head(accepted).snapshots}
    if set(known) != {document.place for document in source.documents}:
        return False
    return all(_is_not_modified(source, document, store, known[document.place], web) for document in source.documents)


def _is_not_modified(source: Source, document: Document, store: SnapshotStore, known: Snapshot, web: Web) -> bool:
    try:
        snapshot, _ = _take_document(source, document, store, known, web)
    except SourceError:
        return False
    return snapshot.sha256 == known.sha256


RELEASED = "released.json"


def mark_released(home: Path, accepted_at_utc: Mapping[str, str | None]) -> None:
    """Note that the latest release holds the figures of each source that were taken then."""
    write_atomically(home / RELEASED, json.dumps(dict(accepted_at_utc), indent=1, sort_keys=True).encode())


def promote(places: Places) -> None:
    """The latest release was published: the candidates whose figures it holds are the accepted ones from now on."""
    note = places.home / RELEASED
    released = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
    for path in sorted((places.home / "candidates").glob("*.csv")):
        if _accepted_at(path) != released.get(path.stem):
            continue
        accepted = places.accepted(path.stem)
        accepted.parent.mkdir(parents=True, exist_ok=True)
        keep_proposed(places.home, path.stem)
        path.replace(accepted)


def _last_frame(last: Path | None, reading: Reading) -> pl.DataFrame | None:
    """The rows accepted last; None where there are none, or where they cannot be read any more."""
    try:
        return read_extract(last, reading.schema)[1] if last else None
    except SourceError:
        return None


def _refuse_loss(source: Source, before: pl.DataFrame, frame: pl.DataFrame) -> None:
    """Raises SourceError where a release lost more rows than sources.yaml allows: half a file may parse too."""
    n_now = dict(frame["source_release"].value_counts().iter_rows())
    limits = {document.release: document.max_row_loss_share for document in source.documents}
    for release, n_before in sorted(before["source_release"].value_counts().iter_rows()):
        n = n_now.get(release, 0)
        limit = limits.get(release, 1.0)  # a release that is asked for no more may go
        limit = source.max_row_loss_share if limit is None else limit
        if n < n_before * (1 - limit):
            problem = f"has {n} rows where {n_before} were accepted, a loss of over {limit:.0%}"
            remedy = "Open the url; if they were withdrawn, raise max_row_loss_share in assets/sources.yaml."
            error = SourceError(source.source_id, f"release {release}", problem, remedy)
            error.url = next((d.place for d in source.documents if d.release == release), None)
            raise error


def _accepted_of(
    snapshots: tuple[Snapshot, ...], last: Path, reading: Reading
) -> tuple[ExtractHead, pl.DataFrame] | None:
    """The extract `last` if today's parser made it from just these bytes; None if not, or if it cannot be read."""
    head = read_head(last)
    if head.parser_version != reading.version:
        return None
    if {(s.release, s.sha256) for s in snapshots} != {(s.release, s.sha256) for s in head.snapshots}:
        return None
    try:
        return read_extract(last, reading.schema)
    except SourceError:
        return None


def _parsed(parse: Parse, content: bytes, source: Source, document: Document, sha256: str) -> pl.DataFrame:
    """As parse_document, with an exception that the parser did not foresee held against this source alone."""
    try:
        return parse_document(parse, content, source, document, sha256)
    except SourceError as error:
        error.url = error.url or document.place
        raise
    except Exception as error:
        problem = f"could not be parsed ({type(error).__name__}: {error})"
        raise SourceError(source.source_id, document.place, problem, "This is a defect of ours: report it.") from error


def _take_document(
    source: Source, document: Document, store: SnapshotStore, known: Snapshot | None, web: Web
) -> tuple[Snapshot, bytes]:
    """One document's bytes, asked for conditionally where we still hold the bytes accepted before."""
    if document.files is not None:
        return _take_files(source, document, store, web)
    held = store.get(known.sha256) if known else None
    condition = {"etag": known.etag, "last_modified": known.last_modified} if known and held else {}
    url = document.place
    try:
        answer = web.take(source.source_id, url, source.max_bytes, **condition)
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


def _take_files(source: Source, document: Document, store: SnapshotStore, web: Web) -> tuple[Snapshot, bytes]:
    """All files of a document as one: asked for in full, because only finished sources are laid out so."""
    files, revised_on = {}, []
    for path in document.paths:
        url = document.place + quote(path)
        try:
            answer = web.take(source.source_id, url, source.max_bytes)
        except SourceError as error:
            store.record(LedgerRow(source.source_id, url, now_utc(), None, None, None, str(error)))
            raise
        _refuse_no_document(answer.content, source, url)
        files[path] = answer.content
        revised_on.append(_date_of(answer.last_modified) or "")
    content = pack(files, source.source_id)
    sha256 = store.put(content)
    store.record(LedgerRow(source.source_id, document.place, now_utc(), answer.status, sha256, len(content), None))
    snapshot = Snapshot(
        url=document.place,
        release=document.release,
        sha256=sha256,
        size_bytes=len(content),
        revised_on=max(revised_on) or None,
    )
    return snapshot, content


def parse_document(parse: Parse, content: bytes, source: Source, document: Document, sha256: str) -> pl.DataFrame:
    """Rows of one document with their provenance. Raises SourceError for what is no such document at all."""
    _refuse_no_document(content, source, document.place)
    frame = parse(content, source, document)
    return frame.with_columns(
        source_id=pl.lit(source.source_id),
        source_release=pl.lit(document.release),
        snapshot_sha256=pl.lit(sha256),
    )


def _refuse_no_document(content: bytes, source: Source, place: str) -> None:
    if not content.strip():
        raise SourceError(source.source_id, place, "is empty", "The last accepted figures are served.")
    if content.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        problem = f"is an HTML page, expected {source.format}"
        raise SourceError(
            source.source_id, place, problem, "Open the url; if the file moved, edit assets/sources.yaml."
        )


def record_taken(home: Path, taken: Taken) -> None:
    """Keep how a source was taken, for the table of snapshots."""
    plain = asdict(replace(taken, snapshots=()))
    plain["snapshots"] = [snapshot.model_dump() for snapshot in taken.snapshots]
    write_atomically(home / "taken" / f"{taken.source_id}.json", json.dumps(plain, indent=1).encode())


def read_taken(home: Path, source_id: str) -> Taken | None:
    """How a source was taken last, or None if it never was."""
    path = home / "taken" / f"{source_id}.json"
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        snapshots = tuple(Snapshot(**snapshot) for snapshot in plain.pop("snapshots"))
        return Taken(**{**plain, "snapshots": snapshots})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None  # never taken, or the note was cut by a crash: the next take writes it anew


def now_utc() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _date_of(last_modified: str | None) -> str | None:
    """The day of a Last-Modified header; None where it is absent or not a date."""
    try:
        return parsedate_to_datetime(last_modified).date().isoformat() if last_modified else None
    except (ValueError, OverflowError):
        return None
