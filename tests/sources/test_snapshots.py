"""Bytes at rest and their ledger: both survive a crash, and bytes that rotted are not served."""

import hashlib
import os

import pytest

from pipelines.sources.snapshots import LedgerRow, SnapshotStore, write_atomically


def row(i: int) -> LedgerRow:
    return LedgerRow("a_source", f"https://published.test/{i}", "2027-02-03T04:05:06Z", 200, "ab" * 32, i, None)


@pytest.fixture
def store(tmp_path):
    return SnapshotStore(tmp_path)


def test_bytes_are_kept_under_their_hash(store):
    sha256 = store.put(b"published")
    assert sha256 == hashlib.sha256(b"published").hexdigest()
    assert store.get(sha256) == b"published"
    assert store.put(b"published") == sha256
    assert [path.name for path in store.folder.iterdir()] == [sha256]


def test_bytes_we_never_had_are_none(store):
    assert store.get("0" * 64) is None


@pytest.mark.parametrize("damage", [b"publishes", b"", b"published and more"])
def test_bytes_that_changed_at_rest_are_not_served(store, damage):
    sha256 = store.put(b"published")
    (store.folder / sha256).write_bytes(damage)
    assert store.get(sha256) is None


def test_the_ledger_keeps_every_take_in_order(store):
    assert store.ledger() == []
    for i in range(3):
        store.record(row(i))
    assert store.ledger() == [row(0), row(1), row(2)]


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_cut_by_a_crash_spoils_only_itself(store, cut):
    for i in range(2):
        store.record(row(i))
    path = store.folder / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    store.record(row(2))
    store.record(row(3))
    # a line that lost nothing but its end is whole
    assert store.ledger() == [row(0), *([row(1)] if cut == 1 else []), row(2), row(3)]


def test_lines_that_are_no_takes_are_passed_over(store):
    store.record(row(0))
    with (store.folder / "ledger.jsonl").open("ab") as file:
        file.write(b'\xff\xfe\n{"url": "alone"}\n[1]\nnull\n\n')
    store.record(row(1))
    assert store.ledger() == [row(0), row(1)]


def test_a_file_is_the_old_one_or_the_new_one(tmp_path, monkeypatch):
    path = tmp_path / "below" / "file"
    write_atomically(path, b"old")

    def crash(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in path.parent.iterdir()] == ["file"]


def test_a_reader_keeps_the_file_it_opened(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with path.open("rb") as reader:
        write_atomically(path, b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"
