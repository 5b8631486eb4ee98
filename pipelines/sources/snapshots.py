"""Bytes at rest, by their sha256, and the ledger of what was taken when. Both survive a crash.

Reading the bytes belongs to the parsers, deciding whether they are accepted to `intake`.
"""

import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write aside, flush to disk and rename, so that a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


@dataclass(frozen=True)
class LedgerRow:
    """One take: what was asked, what came."""

    source_id: str
    url: str
    retrieved_at_utc: str
    status: int | None
    sha256: str | None
    size_bytes: int | None
    problem: str | None


class SnapshotStore:
    """`snapshots/<sha256>` and `snapshots/ledger.jsonl` below a home folder."""

    def __init__(self, home: Path):
        self.folder = home / "snapshots"

    def put(self, content: bytes) -> str:
        """Keep `content`; returns its sha256."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.folder / sha256
        if not path.exists():
            write_atomically(path, content)
        return sha256

    def get(self, sha256: str) -> bytes | None:
        """The bytes of that hash, or None if they are not here or no longer have that hash."""
        path = self.folder / sha256
        if not path.exists():
            return None
        content = path.read_bytes()
        return content if hashlib.sha256(content).hexdigest() == sha256 else None

    def record(self, row: LedgerRow) -> None:
        """Append one line to the ledger. A line cut by a crash is closed first, so it spoils only itself."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "ledger.jsonl"
        line = json.dumps(asdict(row), sort_keys=True).encode() + b"\n"
        with path.open("ab") as file:
            if file.tell() and not _ends_with_newline(path):
                line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def ledger(self) -> list[LedgerRow]:
        """All readable rows, oldest first."""
        path = self.folder / "ledger.jsonl"
        if not path.exists():
            return []
        rows = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                rows.append(LedgerRow(**json.loads(line)))
            except (ValueError, TypeError):
                continue  # cut by a crash
        return rows


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
