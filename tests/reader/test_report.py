"""`joulebook report`: every number is the published one, texts are escaped, bad input is one line with exit code 2."""

import json
import math
import re
import shutil
import subprocess
import sys
import time
from datetime import date
from html.parser import HTMLParser

import altair
import duckdb
import jsonschema
import pytest

from pipelines.home import FILE_NAME, REPORT_NAME
from pipelines.reader.book import Book
from pipelines.reader.names import readable, states
from pipelines.reader.report_content import report_of
from tests.reader.test_refusals import refused
from tests.support import joulebook

MOST_BYTES = 5_000_000
TABLES = {
    "energy_per_query", "test_time_scaling", "measured_interventions", "assumptions", "combined_interventions", "fleet",
    "backtest", "boundary_ladder", "conflicts", "sources", "releases",
}  # fmt: skip
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>&\"'"


class Tables(HTMLParser):
    """The data tables of a page: of which published table, its columns, and the value of each cell."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[tuple[str, list[str | None], list[list[str]]]] = []
        self._cell: str | None = None
        self._value: str | None = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "table":
            self.tables.append((given["data-table"], [], []))
        elif tag == "th":
            self.tables[-1][1].append(given.get("data-column"))
        elif tag == "tr":
            self.tables[-1][2].append([])
        elif tag == "td":
            self._cell, self._value = "", None
        elif tag == "data":
            self._value = given["value"]

    def handle_endtag(self, tag):
        if tag == "td":
            self.tables[-1][2][-1].append(self._cell if self._value is None else self._value)
            self._cell = None

    def handle_data(self, text):
        if self._cell is not None:
            self._cell += text


@pytest.fixture(scope="module")
def text(book):
    return (book / REPORT_NAME).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report(book):
    with Book(book / FILE_NAME) as opened:
        return report_of(opened)


def figures(report):
    return [figure for section in report.sections for figure in section.figures]


def as_value(value) -> str:
    """A published value as a cell has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def test_the_refresh_writes_it_beside_the_published_file(book, text):
    assert text.startswith("<!doctype html>")
    assert (book / REPORT_NAME).stat().st_size < MOST_BYTES


def test_every_row_of_every_table_is_one_of_the_published_table(opened, text):
    found = Tables(text).tables
    assert {table for table, *_ in found} == TABLES
    n_numbers = 0
    for table, columns, rows in found:
        names = [name for name in columns if name]
        assert len(set(names)) == len(names), table
        published = {
            tuple(map(as_value, row.values())) for row in opened.rows(f"select {', '.join(names)} from {table}")
        }
        for row in filter(None, rows):
            shown = tuple(cell for cell, name in zip(row, columns, strict=True) if name)
            assert shown in published, (table, shown)
            n_numbers += sum(re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell) is not None for cell in shown)
    assert n_numbers > 5000


def test_tables_that_are_shown_whole_are_whole(opened, report):
    for table in (
        "combined_interventions",
        "measured_interventions",
        "fleet",
        "conflicts",
        "sources",
        "boundary_ladder",
    ):
        ((n,),) = (row.values() for row in opened.rows(f"select count(*) from {table}"))
        assert n == sum(len(figure.table.rows) for figure in figures(report) if figure.table.of == table), table


def test_one_row_a_model_and_accelerator_and_the_one_that_estimate_answers_with(run, report):
    (rows,) = (figure.table.rows for figure in figures(report) if figure.figure_id == "energy-by-model")
    pairs = [(row["model_id"], row["accelerator_id"]) for row in rows]
    assert len(set(pairs)) == len(pairs) > 50
    for row in rows[::12]:
        asked = run("estimate", row["model_id"], "--on", row["accelerator_id"], "--json")
        assert json.loads(asked.stdout)["estimate_id"] == row["estimate_id"]


def test_charts_draw_the_numbers_of_their_table(report):
    (figure,) = (figure for figure in figures(report) if figure.figure_id == "energy-by-model")
    drawn = sorted(row["median"] for row in figure.spec["datasets"]["rows"])
    assert drawn == sorted(row["energy_wh_per_query_p50"] for row in figure.table.rows)


def test_charts_follow_the_schema_of_vega_lite(report):
    schema = altair.load_schema()
    specs = [figure.spec for figure in figures(report) if figure.spec is not None]
    assert len(specs) >= 12
    for spec in specs:
        # colours are variables of the page, which the schema does not know
        plain = json.loads(re.sub(r"var\(--[a-z]+\d?\)", "#123456", json.dumps(spec)))
        jsonschema.validate(plain, schema)
        assert set(re.findall(r'"data": {"name": "([^"]+)"}', json.dumps(spec))) == set(spec["datasets"])


def test_every_figure_says_what_it_shows(report):
    shown = figures(report)
    assert len({figure.figure_id for figure in shown}) == len(shown)
    for figure in shown:
        assert re.fullmatch(r"[A-Z0-9].*[.]", figure.title), figure.title
        assert figure.title in figure.summary
        assert not re.search(r"\b(None|nan|inf)\b", figure.title + figure.caption)


def test_age_is_counted_to_the_day_of_the_report(book):
    with Book(book / FILE_NAME) as opened:
        made = report_of(opened, date(2027, 1, 1))
    for figure in figures(made):
        for row in figure.table.rows if figure.table.of == "sources" else ():
            taken = row["accepted_at_utc"]
            days = None if taken is None else (date(2027, 1, 1) - date.fromisoformat(taken[:10])).days
            assert row["age_days"] == days


def test_equal_books_make_equal_reports(book, run, tmp_path):
    for name in ("one.html", "two.html"):
        assert run("report", "--output", str(tmp_path / name)).exit_code == 0
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("llama-3.1-405b", "Llama 3.1 405B"), ("gpt-oss-120b", "GPT-OSS 120B"), ("mixtral-8x7b", "Mixtral 8x7B"),
        ("deepseek-r1-0528", "DeepSeek R1 0528"), ("qwen3-235b-a22b", "Qwen3 235B A22B"), ("h100-sxm", "H100 SXM"),
        ("a100-sxm-80gb", "A100 SXM 80GB"), ("gb200", "GB200"), ("rtx-pro-6000", "RTX Pro 6000"),
    ],
)  # fmt: skip
def test_ids_are_readable(name, reads):
    assert readable(name) == reads


def test_states_are_readable():
    assert states("h100-sxm fp8") == "H100 SXM FP8"


# Texts that are not ours


@pytest.fixture(scope="module")
def evil(book, tmp_path_factory):
    """A copy of the book whose texts would end a script, open another or an image."""
    home = tmp_path_factory.mktemp("evil")
    shutil.copy(book / FILE_NAME, home / FILE_NAME)
    text = "'" + EVIL.replace("'", "''") + "'"
    changes = [
        f"update sources set source_title = {text}, publisher = {text}, url = 'javascript:alert(1)//' || {text}",
        f"update conflicts set subject = {text}, caveat = {text}, source_release_a = {text}",
        f"update fleet set description = {text}, models = {text}",
        f"update boundary_ladder set rung = rung || {text}, explanation = {text}, ladder = ladder || {text}",
        f"update combined_interventions set path = path || {text}, missing = {text}",
        f"update measured_interventions set state_to = state_to || {text}",
        f"update energy_per_query set model_id = model_id || {text} where source_release = 'v2'",
        f"update releases set causes = {text}, tag = {text}, method_versions = {text}",
    ]
    with duckdb.connect(str(home / FILE_NAME)) as changed:
        for change in changes:
            changed.execute(change)
    return home


def test_texts_of_sources_are_escaped(evil, run):
    assert run("report", home=evil).exit_code == 0
    text = (evil / REPORT_NAME).read_text(encoding="utf-8")
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert 'href="javascript' not in text
    assert (
        len(re.findall(r"<script[\s>]", text)) == len(re.findall(r"</script>", text)) == text.count("data-chart=") + 2
    )
    for body in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL):
        assert not set("<>&") & set(body)
        json.loads(body)
    shown = {cell for _, _, rows in Tables(text).tables for row in rows for cell in row}
    assert EVIL in shown


# A book with little in it


def test_empty_tables_are_said_and_not_drawn(book, run, tmp_path):
    shutil.copy(book / FILE_NAME, tmp_path / FILE_NAME)
    with duckdb.connect(str(tmp_path / FILE_NAME)) as changed:
        for table in (
            "energy_per_query", "test_time_scaling", "measured_interventions", "assumptions", "combined_interventions",
            "fleet", "backtest", "boundary_ladder", "conflicts", "sources", "releases",
        ):  # fmt: skip
            changed.execute(f"delete from {table}")
    done = run("report", home=tmp_path)
    assert done.exit_code == 0, done.output
    text = (tmp_path / REPORT_NAME).read_text(encoding="utf-8")
    assert "data-chart=" not in text
    assert "The book has no fleet." in text


def test_what_a_release_changed_is_drawn(book, tmp_path):
    shutil.copy(book / FILE_NAME, tmp_path / FILE_NAME)
    with duckdb.connect(str(tmp_path / FILE_NAME)) as changed:
        changed.execute(
            "insert into releases by name select * replace (2 as release_number, 3 as n_changed, 1 as n_added,"
            " 0 as n_removed) from releases"
        )
        changed.execute(
            "insert into release_causes values (2, 'source trtllm_perf', 'serving_measurements', 1, 0, 4, 3)"
        )
        changed.execute(
            "insert into change_causes values (2, 'a', 'source trtllm_perf', 0.1, true),"
            " (2, 'b', 'source trtllm_perf', 0.3, true), (2, 'c', 'source trtllm_perf', -0.2, true)"
        )
    with Book(tmp_path / FILE_NAME) as opened:
        (figure,) = (figure for figure in figures(report_of(opened)) if figure.figure_id == "causes-of-changes")
    assert figure.title == "Release 2 changed 3 estimates, added 1 and removed 0."
    (drawn,) = figure.spec["datasets"]["rows"]
    assert drawn["estimates"] == 3
    assert [drawn[name] for name in ("low", "median", "high")] == pytest.approx([math.exp(x) for x in (-0.2, 0.1, 0.3)])


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for a browser is a shell script")
def test_it_is_shown_in_the_browser_of_the_person(book, tmp_path):
    asked = tmp_path / "asked"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {asked}\n', encoding="utf-8")
    browser.chmod(0o755)
    output = tmp_path / "a report.html"
    done = joulebook(book, "report", "--open", "--output", str(output), BROWSER=str(browser))
    assert done.returncode == 0, done.stderr
    for _ in range(50):
        if asked.exists() and asked.read_text(encoding="utf-8"):
            break
        time.sleep(0.1)
    assert asked.read_text(encoding="utf-8").strip() == output.as_uri()


# Bad input


def test_nothing_published_yet(run, tmp_path):
    assert "does not exist: run joulebook refresh --offline first" in refused(run("report", home=tmp_path))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["noise", "empty", "cut"])
def test_a_damaged_file(run, damage, book, tmp_path):
    whole = (book / FILE_NAME).read_bytes() if damage == "cut" else b""
    content = {"noise": b"no database " * 1000, "empty": b"", "cut": whole[: len(whole) // 3]}[damage]
    (tmp_path / FILE_NAME).write_bytes(content)
    line = refused(run("report", home=tmp_path))
    assert "cannot be read" in line
    assert not (tmp_path / REPORT_NAME).exists()


@pytest.mark.parametrize(
    "change", ["drop table boundary_ladder", "alter table sources drop column revised_on", "drop table releases"]
)
def test_a_file_of_an_older_version(run, change, book, tmp_path):
    shutil.copy(book / FILE_NAME, tmp_path / FILE_NAME)
    with duckdb.connect(str(tmp_path / FILE_NAME)) as changed:
        changed.execute(change)
    line = refused(run("report", home=tmp_path))
    assert "was made by another version of joulebook" in line


def test_an_output_that_cannot_be_written(run, tmp_path):
    line = refused(run("report", "--output", str(tmp_path / "no" / "such" / "folder.html")))
    assert "cannot be written" in line
    assert "--output" in line


def test_it_imports_neither_dagster_nor_great_expectations_nor_scipy(book, tmp_path):
    code = f"""
import sys
from click.testing import CliRunner
from pipelines.cli import main
done = CliRunner().invoke(main, ["report", "--home", {str(book)!r}, "--output", {str(tmp_path / "r.html")!r}])
assert done.exit_code == 0, done.output
heavy = {{"dagster", "great_expectations", "scipy", "polars", "pandas", "pyarrow", "assets"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
