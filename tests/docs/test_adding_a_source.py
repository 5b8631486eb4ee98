"""docs/adding-a-source.md is carried out, block by block, in a copy of the repository with a server on loopback."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.sources.catalogue import REPOSITORY
from tests.docs.pages import page, run_sql, same, shell_lines, shown_blocks, words, written_files
from tests.support import Loopback

PAGE = "docs/adding-a-source.md"
NOT_COPIED = (".git", ".venv", "warehouse", "__pycache__", ".*_cache", "*.egg-info")
URL = "https://example.org/bench/made_up_bench.csv"
MODULE_OF = {"pytest": ["pytest", "-q"], "joulebook": ["pipelines.cli"]}


def run_in(copy: Path, *arguments: str, **environment: str) -> str:
    """What Python prints in the copy, whose modules come before those of the repository."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JOULEBOOK_", "DAGSTER_"))}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env={**inherited, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def command(copy: Path, line: str, **environment: str) -> str:
    """Run a line of an sh block by the module behind the command, so that it is the copy's."""
    name, *arguments = line.split()
    return run_in(copy, "-m", *MODULE_OF[name], *arguments, **environment)


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The repository with everything that the page writes."""
    place = tmp_path_factory.mktemp("copy") / "joulebook"
    shutil.copytree(REPOSITORY, place, ignore=shutil.ignore_patterns(*NOT_COPIED))
    for written in written_files(PAGE):
        written.write_below(place)
    return place


@pytest.fixture(scope="module")
def refreshed(copy: Path) -> Path:
    """The copy after the refresh of the page; every publisher but the made-up one answers 404."""
    (line,) = {line for line in shell_lines(PAGE) if line == "joulebook refresh --update-extracts"}
    with Loopback() as server:
        server.serve(URL, (copy / "tests" / "fixtures" / "made_up_bench.csv").read_bytes())
        command(copy, line, JOULEBOOK_MIRROR=server.address)
    return copy


def test_the_page_writes_each_part_it_lists():
    listed = page(PAGE).split("\n| part | where |")[1].split("\n\n")[0]
    named = set(re.findall(r"`([\w./-]+/[\w.-]+)`", listed))
    assert {written.path for written in written_files(PAGE)} == named - {"assets/extracts/made_up_bench.csv"}


def test_the_module_and_the_test_are_in_the_style_of_the_house(copy):
    paths = [written.path for written in written_files(PAGE) if written.path.endswith(".py")]
    for tool in (["check"], ["format", "--check"]):
        run_in(copy, "-m", "ruff", *tool, "--no-cache", *paths)


def test_the_python_block_prints_what_is_shown(copy):
    (block,) = shown_blocks(PAGE, "python run")
    assert words(run_in(copy, "-c", block.code)) == words(block.text)


def test_the_test_of_the_page_passes(copy):
    (line,) = {line for line in shell_lines(PAGE) if line.startswith("pytest ")}
    assert "2 passed" in command(copy, line)


def test_the_refresh_writes_the_extract_that_the_page_describes(refreshed):
    extract = (refreshed / "assets" / "extracts" / "made_up_bench.csv").read_text(encoding="utf-8")
    fixture = (refreshed / "tests" / "fixtures" / "made_up_bench.csv").read_text(encoding="utf-8").splitlines()
    assert "# licence: CC-BY-4.0\n" in extract
    assert f"# - url: {URL}\n" in extract
    rows = [line for line in extract.splitlines() if not line.startswith("#")]
    assert rows[0] == f"source_release,locator,{fixture[0]}"
    printed = {line.split(",", 2)[2] for line in rows[1:]}
    assert len(printed) == len(fixture) - 1
    for line in fixture[1:]:
        assert any(same_cells(line, row) for row in printed), line


def same_cells(shown: str, found: str) -> bool:
    pairs = list(zip(shown.split(","), found.split(","), strict=True))
    return all(same(a, b) for a, b in pairs)


def test_the_query_gives_what_is_shown(refreshed, monkeypatch):
    monkeypatch.chdir(refreshed)
    (block,) = shown_blocks(PAGE, "sql run")
    run_sql(block)
