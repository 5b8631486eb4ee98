"""The folder that the examples of the documentation are written for: one with `warehouse` in it."""

from pathlib import Path

import duckdb
import pytest

from tests.docs.pages import Shown, as_text, same, words


@pytest.fixture
def folder(book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder whose `warehouse` is the home of an offline refresh."""
    (tmp_path / "warehouse").symlink_to(book)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run_shown(folder: Path, capsys: pytest.CaptureFixture):
    """Run a block as a reader would, and compare with what the page shows below it."""

    def run(block: Shown) -> None:
        if block.language == "sql":
            _run_sql(block)
        else:
            exec(compile(block.code, str(block), "exec"), {"__name__": "__main__"})
            shown, printed = words(block.text or ""), words(capsys.readouterr().out)
            differ = [(a, b) for a, b in zip(shown, printed, strict=False) if not same(a, b)]
            assert not differ, f"{block} shows and prints {differ}"
            assert len(shown) == len(printed), f"{block} prints {printed}"

    return run


def _run_sql(block: Shown) -> None:
    with duckdb.connect("warehouse/joulebook.duckdb", read_only=True) as book:
        relation = book.sql(block.code)
        header, rows = tuple(relation.columns), relation.fetchall()
    assert block.table, f"{block} shows no table below the query"
    assert block.table[0] == header, f"{block} has columns {header}"
    found = [tuple(as_text(value) for value in row) for row in rows]
    assert len(found) == len(block.table) - 1, f"{block} gives {len(found)} rows"
    for shown, row in zip(block.table[1:], found, strict=True):
        assert all(same(a, b) for a, b in zip(shown, row, strict=True)), f"{block} shows {shown}, gives {row}"
