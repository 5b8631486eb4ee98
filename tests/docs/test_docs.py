"""The pages below docs/ are executed like the README, and what they name exists."""

import re
from pathlib import Path

import duckdb
import pytest
import yaml

from assets.core.rejected import TABLE as REJECTED
from assets.published.tables import OF_A_RELEASE, RELEASES
from assets.published.views import VIEWS
from pipelines.definitions import all_tables
from pipelines.energy.versions import METHOD_VERSIONS
from pipelines.refresh import _headlines
from pipelines.sources.catalogue import REPOSITORY, Source, load_catalogue
from pipelines.tables.corrections import Correction
from pipelines.warehouse.publish import COLUMNS_TABLE
from tests.docs.pages import missing_files, page, shell_lines, shown_blocks, words_in_code, written_files

PAGES = sorted(str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "docs").glob("*.md"))
BLOCKS = [block for name in PAGES for block in shown_blocks(name, "sql", "python")]
TABLE_NAME = re.compile(r"(?:raw|core|estimates)\.\w+")
NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_block_gives_what_is_shown(block, run_shown):
    run_shown(block)


@pytest.mark.parametrize("name", PAGES)
def test_files_exist(name, book):
    assert missing_files(name, book) == []


@pytest.mark.parametrize("name", PAGES)
def test_make_targets_exist(name):
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    named = {match[1] for line in shell_lines(name) if (match := re.match(r"make (\w+)", line))}
    assert named <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("name", PAGES)
def test_tables_and_columns_exist(name):
    tables = [*all_tables(), COLUMNS_TABLE, RELEASES, *OF_A_RELEASE, *(view.table for view in VIEWS)]
    columns = {column for table in tables for column in table.columns}
    known = {column.name for column in columns} | {value for column in columns for value in column.allowed or ()}
    known |= {table.short_name for table in tables} | set(load_catalogue())
    known |= {Path(written.path).stem for written in written_files(name)}
    known |= set(Source.model_fields) | set(Correction.model_fields)
    in_code = words_in_code(name)
    example = {f"raw.{Path(written.path).stem}" for written in written_files(name)}
    assert {word for word in in_code if TABLE_NAME.fullmatch(word)} <= {table.name for table in tables} | example
    assert {word for word in in_code if NAME.fullmatch(word)} - known == set()


def test_what_a_refresh_prints_is_what_the_readme_shows(book):
    with duckdb.connect(str(book / "joulebook.duckdb"), read_only=True) as connection:
        printed = list(_headlines(connection, is_new_release=True))
    shown = page("README.md").split("```text\nsources ")[1].split("```")[0]
    shown = [line for line in f"sources {shown}".splitlines() if not line.startswith(("checks", "file"))]
    assert shown == printed


def test_assumptions_named_exist():
    entries = yaml.safe_load((REPOSITORY / "assets" / "assumptions.yaml").read_text(encoding="utf-8"))
    ids = {entry["id"] for entry in entries}
    prefixes = tuple({entry_id.split(".")[0] + "." for entry_id in ids})
    named = {word for word in words_in_code("docs/methods.md") if word.startswith(prefixes) and "*" not in word}
    assert {"oviedo2026.pue", "oviedo2026.power_utilisation"} <= named <= ids


def test_every_method_has_its_version(book):
    history = page("docs/methods.md").split("## Method versions")[1]
    listed = dict(re.findall(r"(?:^- | and )`([\w-]+)` ([\w.-]+)(?=:| and `)", history, re.MULTILINE))
    assert listed == dict(METHOD_VERSIONS)
    with duckdb.connect(str(book / "joulebook.duckdb"), read_only=True) as connection:
        used = [name for (name,) in connection.sql("SELECT DISTINCT method FROM energy_per_query").fetchall()]
    assert set(used) < set(listed)


def test_every_reason_for_rejection_is_explained():
    codes = next(column.allowed for column in REJECTED.columns if column.name == "rejection_code")
    explained = page("docs/data.md").split("| rejection_code | meaning |")[1].split("\n\n")[0]
    listed = {code for row in re.findall(r"^\| ([a-z, -]+) \|", explained, re.MULTILINE) for code in row.split(", ")}
    assert listed == set(codes)


def test_every_source_has_its_section():
    sections = set(re.findall(r"^## (\w+)$", page("docs/data.md"), re.MULTILINE))
    assert set(load_catalogue()) <= sections


def test_counts_of_rows_in_prose(book):
    with duckdb.connect(str(book / "joulebook.duckdb"), read_only=True) as connection:
        rows = connection.sql("SELECT source_id, sum(rows_in), sum(rows_accepted) FROM sources GROUP BY 1").fetchall()
    counts = {source_id: (rows_in, accepted) for source_id, rows_in, accepted in rows}
    stated = 0
    for section in page("docs/data.md").split("\n## ")[1:]:
        source_id = section.partition("\n")[0]
        for n in re.findall(r"(\d+)\s+rows,\s+all\s+accepted", section):
            assert counts[source_id] == (int(n), int(n)), source_id
            stated += 1
    assert stated >= 3


def test_every_correction_is_listed():
    entries = yaml.safe_load((REPOSITORY / "assets" / "corrections.yaml").read_text(encoding="utf-8"))
    of_absent = {entry["id"] for entry in entries if entry["table"] == "raw.inferencex"}
    text = page("docs/data.md")
    assert [entry["id"] for entry in entries if entry["id"] not in text and entry["id"] not in of_absent] == []
