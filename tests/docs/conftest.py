"""The folder that the examples of the documentation are written for: one with `warehouse` in it."""

from pathlib import Path

import pytest

from tests.docs.pages import Shown, run_sql, same, words


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
            run_sql(block)
        else:
            exec(compile(block.code, str(block), "exec"), {"__name__": "__main__"})
            shown, printed = words(block.text or ""), words(capsys.readouterr().out)
            differ = [(a, b) for a, b in zip(shown, printed, strict=False) if not same(a, b)]
            assert not differ, f"{block} shows and prints {differ}"
            assert len(shown) == len(printed), f"{block} prints {printed}"

    return run
