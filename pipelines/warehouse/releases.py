"""Releases: checked tables frozen as Parquet with a manifest, one folder each, never rewritten.

What belongs here: when tables are a new release, how one is written so that it is there wholly or not at all, and
whether one is as it was written. What changed between two belongs to `changes`, the file people open to `publish`.
"""

import hashlib
import io
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from pipelines.sources.snapshots import write_atomically
from pipelines.tables.contract import Table, TableError
from pipelines.warehouse.store import Warehouse, content_version

FOLDER, MANIFEST, TAGS = "releases", "manifest.json", "tags.json"
TOLERANCE = 1e-9
"""Equal inputs give equal estimates up to this: the last bits of floating-point results differ between machines."""
OF_THE_TAKING = ("core.sources", "core.restatements")
"""Tables that say how and when figures were taken. They move with every refresh and are no part of a release's id."""
STATES = "published.states"
"""What of a table that is kept through all releases begins and ends with one; it outlives the release."""
SCORES = ("estimates.backtest",)
"""Scores of the estimators: fits that stop at a tolerance, whose last digits differ between machines."""


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

    def verify(self) -> None:
        """Raises ReleaseError naming the first file that is not as it was written."""
        for entry in (*self.manifest["tables"], *self.manifest["beside"]):
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

    def latest(self) -> Release | None:
        return max(self.all(), key=lambda release: release.number, default=None)

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
            shutil.rmtree(path, ignore_errors=True)

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
        tags = self.tags()
        if tags.get(name, number) != number:
            raise ReleaseError(f"{name} is release {tags[name]}; choose another name")
        _replace(self.folder / TAGS, json.dumps(tags | {name: number}, indent=1).encode())

    def prune(self, keep: int) -> list[Release]:
        """Remove all but the newest `keep` and those with a name; never the latest, which is served."""
        if keep < 1:
            raise ReleaseError("keep at least one release: the latest is the one that is served")
        named = set(self.tags().values())
        removed = [release for release in self.all()[:-keep] if release.number not in named]
        for release in removed:
            self._keep_states(release)
            _ = release.manifest  # read while it is there
            # renamed first: a kill half way leaves no release without its tables
            doomed = self.folder / f".aside-{secrets.token_hex(4)}"
            release.folder.rename(doomed)
            shutil.rmtree(doomed)
        return removed

    def states(self) -> list[Path]:
        """The STATES of every release there ever was, oldest first."""
        found = {int(path.stem): path for path in (self.folder / "states").glob("*.parquet")}
        found |= {release.number: release.path(STATES) for release in self.all()}
        return [found[number] for number in sorted(found)]

    def _keep_states(self, release: Release) -> None:
        kept = self.folder / "states" / f"{release.number:04d}.parquet"
        kept.parent.mkdir(exist_ok=True)
        if not kept.exists():
            write_atomically(kept, release.path(STATES).read_bytes())


def identity(tables: Iterable[Table], frames: Mapping[str, pl.DataFrame], others: Mapping[str, str]) -> str:
    """sha256 of what decides the estimates: typed values of the core tables, the columns of all, and `others`.

    Where a figure stands in which bytes is left out: new bytes with the same figures are the same release.
    """
    digest = hashlib.sha256()
    for table in sorted(tables, key=lambda table: table.name):
        columns = ", ".join(f"{column.name} {column.dtype}" for column in table.columns)
        digest.update(f"{table.name} ({columns})\n".encode())
        if table.layer == "core" and table.name not in OF_THE_TAKING:
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
    return content_version(figures.sort(figures.columns, nulls_last=True))


def _same_estimates(latest: Release, tables: Iterable[Table], frames: Mapping[str, pl.DataFrame]) -> None:
    """Raises ReleaseError for the first estimate that differs from the release of the same inputs."""
    for table in tables:
        if table.layer != "estimates" or table.name in SCORES:
            continue
        if difference := first_difference(latest.read(table.name), frames[table.name]):
            raise ReleaseError(
                f"{table.name}: {difference}, from the same figures, assumptions and method versions as release "
                f"{latest.number}: the method changed without a version; give it a new one in "
                "pipelines/energy/versions.py and tell of it in docs/methods.md"
            )


def first_difference(old: pl.DataFrame, new: pl.DataFrame) -> str | None:
    """Where two frames in the order of their grain differ by more than TOLERANCE; None: nowhere."""
    if old.height != new.height:
        return f"{new.height} rows, {old.height} before"
    for name in new.columns:
        if is_place(name):
            continue
        a, b = old[name], new[name]
        if a.dtype.is_float():
            differs = ((a - b).abs() > TOLERANCE * b.abs()) | (a.is_null() != b.is_null())
        else:
            differs = a.ne_missing(b)
        if differs.fill_null(False).any():
            at = differs.fill_null(False).arg_max()
            return f"{name} is {b[at]}, was {a[at]} in row {at + 1}"
    return None


def _store(release: Release, before: Release | None, name: str, frame: pl.DataFrame) -> dict:
    """Write a table of a release; one that did not change shares the file of the release before."""
    path = release.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    version = content_version(frame)
    known = before and {entry["table"]: entry for entry in before.manifest["tables"]}.get(name)
    if known and known["content_sha256"] == version and _shared(before.path(name), path):
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


def _shared(source: Path, target: Path) -> bool:
    """Link the file, which nobody ever writes again; False where the file system cannot."""
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


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_name(f".aside-{secrets.token_hex(4)}")
    _write_through(aside, content)
    aside.replace(path)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
