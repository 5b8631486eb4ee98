"""README.md is executed: its queries give what it shows, its commands, files and tables exist."""

import re

import click
import duckdb
import pytest
from click.testing import CliRunner

from assets.published.joulebook import published_tables
from pipelines.cli import main
from pipelines.definitions import all_tables
from pipelines.sources import http
from pipelines.sources.catalogue import REPOSITORY, load_catalogue
from tests.docs.pages import missing_files, page, shell_lines, shown_blocks, words_in_code

README = "README.md"
BLOCKS = shown_blocks(README, "sql", "python")


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_block_gives_what_is_shown(block, run_shown):
    run_shown(block)


def test_readme_shows_queries_in_both_languages():
    assert {block.language for block in BLOCKS} == {"sql", "python"}
    assert len(BLOCKS) >= 5


def test_make_targets_exist():
    named = {match[1] for line in shell_lines(README) if (match := re.match(r"make (\w+)", line))}
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    assert {"refresh", "test"} <= named
    assert named <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


def test_commands_and_their_options_exist():
    commands = [line.split() for line in shell_lines(README) if line.startswith("joulebook ")]
    assert {command for _, command, *_ in commands} == set(main.commands)
    for _, command, *arguments in commands:
        said = CliRunner().invoke(main, [command, "--help"])
        assert said.exit_code == 0, f"joulebook {command}: {said.output}"
        for option in arguments:
            if option.startswith("--"):
                assert re.search(rf"{option}(?![\w-])", said.output), f"joulebook {command} has no {option}"


def test_options_named_alone_exist():
    options = {word for word in words_in_code(README) if word.startswith("--")}
    known = {option for command in main.commands.values() for parameter in command.params for option in parameter.opts}
    assert isinstance(main, click.Group)
    assert options <= known


def test_files_exist(book):
    assert missing_files(README, book) == []


def test_environment_variables_are_read():
    code = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "pipelines").rglob("*.py"))
    for name in set(re.findall(r"\bJOULEBOOK_[A-Z]+", page(README))):
        assert f'"{name}"' in code, f"nothing reads {name}"


def test_every_published_table_is_described(book):
    section = page(README).split("## What is in joulebook.duckdb")[1].split("\n## ")[0]
    tables, views = (re.findall(r"^\| ([a-z_]+) \|", part, re.MULTILINE) for part in section.split("| view, macro |"))
    with duckdb.connect(str(book / "joulebook.duckdb"), read_only=True) as connection:
        published = [name for (name,) in connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()]
        computed = connection.sql(
            "SELECT view_name FROM duckdb_views() WHERE NOT internal UNION ALL SELECT function_name "
            "FROM duckdb_functions() WHERE function_type = 'table_macro' AND schema_name = 'main' AND NOT internal"
        ).fetchall()
    described = tables[1:]
    assert sorted(described) == sorted(published)
    assert sorted(views) == sorted(name for (name,) in computed)
    assert {table.short_name for table in published_tables()} < set(described)


def test_the_picture_names_every_table():
    picture = page(README).split("## The walk of a number")[1].split("```")[1]
    named = set(re.findall(r"\b(?:raw|core|estimates)\.\w+", picture))
    assert named == {table.name for table in all_tables()}


def test_every_source_is_credited():
    text = page(README)
    for source in load_catalogue().values():
        line = next(line for line in text.splitlines() if line.startswith(f"| [{source.source_id}]({source.homepage})"))
        assert source.publisher in line
        assert source.licence.name in line
        assert line.rstrip(" |").rpartition("| ")[2] in source.credit
    assert "derived, not verified by MLCommons" in text


def test_the_manners_of_a_live_take_are_those_of_the_code():
    text = " ".join(page(README).split("## Live and offline")[1].split("\n## ")[0].split())
    assert "tried three times at most" in text
    assert http.ATTEMPTS == 3
    assert f"(up to {http.LONGEST_PAUSE_S} seconds" in text
    assert "A host that failed twice is left alone" in text
    assert http.FAILURES_UNTIL_LEFT_ALONE == 2
    assert f"after {http.FAILURE_BUDGET_S} seconds spent on failures" in text


def test_sources_without_an_extract_are_named_as_absent():
    text = page(README).split("## Live and offline")[1].split("\n## ")[0]
    kept_out = [source.source_id for source in load_catalogue().values() if not source.keep_extract]
    assert kept_out
    assert [source_id for source_id in kept_out if f"`{source_id}`" not in text] == []
