"""Releases: checked tables frozen as Parquet with a manifest, one folder each, never rewritten.

What belongs here: when tables are a new release, how one is written so that it is there wholly or not at all, and
whether one is as it was written. What changed between two belongs to `changes`, the file people open to `publish`.
"""

import hashlib
import io
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import duckdb
import polars as pl

from pipelines.home import FILE_NAME
from pipelines.sources.snapshots import write_atomically
from pipelines.tables.contract import Table, TableError
from pipelines.warehouse.store import SIGNIFICANT_DIGITS, Warehouse, content_version

FOLDER, MANIFEST, TAGS = "releases", "manifest.json", "tags.json"
PRUNED = "pruned"
"""Of a pruned release: its manifest and the tables it made itself, for the history and the changes."""
TAG = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
TOLERANCE = 1e-9
"""Equal inputs give equal estimates up to this: the last bits of floating-point results differ between machines."""
OF_THE_TAKING = ("core.sources", "core.restatements")
"""Tables that say how and when figures were taken. They move with every refresh and are no part of a release's id."""
STATES = "published.states"
"""What of a table that is kept through all releases begins and ends with one."""
LOOSER = {"estimates.backtest": 1e-3}
"""Scores come from fits that stop at a tolerance, whose last digits differ between machines."""


class ReleaseError(Exception):
    """A release that cannot be made, or is not as it was written. Says what to do."""


@dataclass(frozen=True)
class Release:
    """One release on disk."""

    folder: Path

    @cached_property
    def manifest(self) -> dict:
        return json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))

    @property
    def number(self) -> int:
        return self.manifest["release_number"]

    @property
    def release_id(self) -> str:
        return self.manifest["release_id"]

    def path(self, name: str) -> Path:
        """Where `layer.table` of this release lies."""
        layer, table = name.split(".")
        return self.folder / layer / f"{table}.parquet"

    def read(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.path(name), glob=False)

    @property
    def tables(self) -> list[str]:
        return [entry["table"] for entry in self.manifest["tables"]]

    def verify(self, beside_alone: bool = False) -> None:
        """Raises ReleaseError naming the first file that is not as it was written; of those it made itself alone, if
        asked."""
        tables = () if beside_alone else self.manifest["tables"]
        for entry in (*tables, *self.manifest["beside"]):
            path = self.path(entry["table"])
            if not path.exists() or _sha256(path) != entry["file_sha256"]:
                raise ReleaseError(
                    f"release {self.number}: {path} is missing or not as it was released; bring it back from a copy, "
                    f"or remove {self.folder} to release anew"
                )


@dataclass(frozen=True)
class Draft:
    """What a release is made of: tables as they lie in the warehouse, and what the manifest says beside them.

    `others` go into the id beside the core tables: versions of methods, which assumptions are in force. `facts` are
    told in the manifest alone: commit, headline, backtest, checks. `beside` makes further tables of the release
    (its changes, the history) from the release before, or none, and what the manifest tells of them.
    """

    tables: tuple[Table, ...]
    others: Mapping[str, str]
    facts: Mapping[str, object]
    beside: Callable[
        ["Release | None", Mapping[str, pl.DataFrame], int], tuple[dict[str, pl.DataFrame], dict[str, object]]
    ]


@dataclass(frozen=True)
class Releases:
    """The releases of a home. Whoever writes holds the lock of its refresh."""

    home: Path

    @property
    def folder(self) -> Path:
        return self.home / FOLDER

    def all(self) -> list[Release]:
        """Oldest first."""
        found = [Release(path) for path in self.folder.glob("[0-9]*-*") if (path / MANIFEST).exists()]
        return sorted(found, key=lambda release: release.number)

    def ever(self) -> list[Release]:
        """Every release there was, oldest first; of pruned ones what they made themselves is left."""
        pruned = {release.number: release for release in map(Release, (self.folder / PRUNED).glob("[0-9]*-*"))}
        found = pruned | {release.number: release for release in self.all()}
        return [found[number] for number in sorted(found)]

    def latest(self) -> Release | None:
        return max(self.all(), key=lambda release: release.number, default=None)

    def served(self) -> int | None:
        """The release in the published file; None: there is no file, or none that can be read."""
        try:
            with duckdb.connect(str(self.home / FILE_NAME), read_only=True) as book:
                return book.execute("select max(release_number) from releases").fetchone()[0]
        except duckdb.Error:
            return None

    def freeze(self, warehouse: Warehouse, draft: Draft) -> tuple[Release, bool]:
        """The release that the tables are: the latest where its inputs are the same, else a new one (True).

        Raises TableError for unchecked tables, ReleaseError where the same inputs gave other estimates.
        """
        if unchecked := [table.name for table in draft.tables if not warehouse.is_checked(table.name)]:
            raise TableError(f"not released: {unchecked} did not pass their checks as they lie there; refresh anew")
        self._clear()
        frames = {table.name: warehouse.read(table.name) for table in draft.tables}
        release_id = identity(draft.tables, frames, draft.others)
        latest = self.latest()
        if latest is not None and latest.release_id == release_id:
            latest.verify()
            _same_estimates(latest, draft.tables, frames)
            return latest, False
        return self._write(draft, frames, release_id, latest), True

    def _write(
        self, draft: Draft, frames: Mapping[str, pl.DataFrame], release_id: str, before: Release | None
    ) -> Release:
        number = 1 if before is None else before.number + 1
        aside = self.folder / f".aside-{secrets.token_hex(4)}"
        release = Release(aside)
        try:
            entries = [_store(release, before, name, frame) for name, frame in frames.items()]
            made, told = draft.beside(before, frames, number)
            beside = [_store(release, None, name, frame) for name, frame in made.items()]
            manifest = {
                "release_number": number,
                "release_id": release_id,
                "previous_release_id": before and before.release_id,
                "released_at_utc": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
                **draft.facts,
                **told,
                "others_in_the_id": dict(draft.others),
                "tables": entries,
                "beside": beside,
            }
            _write_through(aside / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode())
            final = self.folder / f"{number:04d}-{release_id[:12]}"
            # the one moment: before it there is no release, after it a whole one
            aside.rename(final)
            _flush_folder(self.folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return Release(final)

    def _clear(self) -> None:
        """What a killed refresh left half written."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob(".aside-*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    # Retention

    def tags(self) -> dict[str, int]:
        """Release numbers by their names."""
        path = self.folder / TAGS
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def tag(self, number: int, name: str) -> None:
        """Name a release, so that prune keeps it. Raises ReleaseError for an unknown one or a name that is taken."""
        numbers = [release.number for release in self.all()]
        if number not in numbers:
            raise ReleaseError(f"there is no release {number}; there are {', '.join(map(str, numbers)) or 'none'}")
        if not TAG.fullmatch(name):
            raise ReleaseError(f"{name[:80]!r} is no name: up to 60 small letters, digits, dots, dashes, underscores")
        tags = self.tags()
        if tags.get(name, number) != number:
            raise ReleaseError(f"{name} is release {tags[name]}; choose another name")
        self._write_tags(tags | {name: number})

    def untag(self, name: str) -> int:
        """Take a name from its release, and return which. Raises ReleaseError for a name that none has."""
        tags = self.tags()
        if name not in tags:
            raise ReleaseError(f"no release is named {name}; names are {', '.join(tags) or 'none'}")
        number = tags.pop(name)
        self._write_tags(tags)
        return number

    def _write_tags(self, tags: Mapping[str, int]) -> None:
        write_atomically(self.folder / TAGS, json.dumps(tags, indent=1).encode())

    def prune(self, keep: int) -> list[Release]:
        """Remove all but the newest `keep`, those with a name and the one that is served.

        What a release made itself stays: history and changes need it.
        """
        if keep < 1:
            raise ReleaseError("keep at least one release: the latest is the one that is served")
        stay = {*self.tags().values(), self.served()}
        removed = [release for release in self.all()[:-keep] if release.number not in stay]
        for release in removed:
            self._keep_beside(release)
            # renamed first: a kill half way leaves no release without its tables
            doomed = self.folder / f".aside-{secrets.token_hex(4)}"
            release.folder.rename(doomed)
            shutil.rmtree(doomed)
        return removed

    def _keep_beside(self, release: Release) -> None:
        """Copy the manifest and what a release made itself to PRUNED, there wholly or not at all."""
        kept = self.folder / PRUNED / release.folder.name
        if kept.exists():
            return  # of a prune that was killed
        aside = Release(self.folder / f".aside-{secrets.token_hex(4)}")
        for entry in release.manifest["beside"]:
            path = aside.path(entry["table"])
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_through(path, release.path(entry["table"]).read_bytes())
        _write_through(aside.folder / MANIFEST, (release.folder / MANIFEST).read_bytes())
        kept.parent.mkdir(exist_ok=True)
        aside.folder.rename(kept)
        _flush_folder(kept.parent)


def identity(tables: Iterable[Table], frames: Mapping[str, pl.DataFrame], others: Mapping[str, str]) -> str:
    """sha256 of what decides the estimates: typed values of what they are made of, the columns of all, and `others`.

    Where a figure stands in which bytes is left out: new bytes with the same figures are the same release.
    """
    digest = hashlib.sha256()
    for table in sorted(tables, key=lambda table: table.name):
        columns = ", ".join(f"{column.name} {column.dtype}" for column in table.columns)
        digest.update(f"{table.name} ({columns})\n".encode())
        if table.layer != "estimates" and table.name not in OF_THE_TAKING:
            digest.update(values_version(frames[table.name]).encode())
    for name, value in sorted(others.items()):
        digest.update(f"\n{name}={value}".encode())
    return digest.hexdigest()


def is_place(column: str) -> bool:
    """Whether a column says where a figure stands, and not what it is."""
    return column == "snapshot_sha256" or column.startswith("locator")


def values_version(frame: pl.DataFrame) -> str:
    """content_version of the figures alone, whatever order their rows came in."""
    figures = frame.select(name for name in frame.columns if not is_place(name))
    # rounded before rows are put in order: the last bits decide neither
    figures = figures.with_columns(pl.selectors.float().round_sig_figs(SIGNIFICANT_DIGITS))
    return content_version(figures.sort(figures.columns, nulls_last=True))


def _same_estimates(latest: Release, tables: Iterable[Table], frames: Mapping[str, pl.DataFrame]) -> None:
    """Raises ReleaseError for the first estimate that differs from the release of the same inputs."""
    for table in tables:
        if table.layer != "estimates":
            continue
        tolerance = LOOSER.get(table.name, TOLERANCE)
        if difference := first_difference(latest.read(table.name), frames[table.name], tolerance):
            raise changed_without_version(table.name, difference, latest)


def changed_without_version(table: str, difference: str, latest: Release) -> ReleaseError:
    return ReleaseError(
        f"{table}: {difference}, from the same figures, assumptions and method versions as release {latest.number}: "
        "the method changed without a version; give it a new one in pipelines/energy/versions.py and tell of it in "
        "docs/methods.md"
    )


def first_difference(old: pl.DataFrame, new: pl.DataFrame, tolerance: float = TOLERANCE) -> str | None:
    """Where two frames in the order of their grain differ by more than `tolerance`; None: nowhere."""
    if old.height != new.height:
        return f"{new.height} rows, {old.height} before"
    for name in new.columns:
        if is_place(name):
            continue
        a, b = old[name], new[name]
        at = differs(a, b, tolerance)
        if at.any():
            row = at.arg_max()
            return f"{name} is {b[row]}, was {a[row]} in row {row + 1}"
    return None


def differs(a: pl.Series, b: pl.Series, tolerance: float = TOLERANCE) -> pl.Series:
    """Where two columns differ: floats by more than `tolerance` of the second."""
    if a.dtype.is_float() and b.dtype.is_float():
        far = ((a - b).abs() > tolerance * b.abs()).fill_null(False)
        return far | (a.is_null() != b.is_null())
    return a.ne_missing(b)


def _store(release: Release, before: Release | None, name: str, frame: pl.DataFrame) -> dict:
    """Write a table of a release; one that did not change shares the file of the release before."""
    path = release.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    version = content_version(frame)
    known = before and {entry["table"]: entry for entry in before.manifest["tables"]}.get(name)
    if known and known["content_sha256"] == version and _shared(before.path(name), path, known["file_sha256"]):
        return known
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    content = buffer.getvalue()
    _write_through(path, content)
    return {
        "table": name,
        "rows": frame.height,
        "content_sha256": version,
        "file_sha256": hashlib.sha256(content).hexdigest(),
    }


def _shared(source: Path, target: Path, expected_sha256: str) -> bool:
    """Link the file, which nobody ever writes again; False where it was touched, or the file system cannot."""
    if not source.exists() or _sha256(source) != expected_sha256:
        return False
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
