"""`joulebook sql`: a table for a person, CSV for a program, and nothing but reading."""

import csv
import io

import pytest

QUERY = "FROM models ORDER BY model_id"


def test_piped_it_is_csv_with_all_digits(run, opened):
    done = run("sql", QUERY)
    assert done.exit_code == 0, done.output
    read = list(csv.DictReader(io.StringIO(done.stdout)))
    stored = opened.rows(QUERY)
    assert [row["model_id"] for row in read] == [row["model_id"] for row in stored]
    assert [float(row["total_params_b"]) for row in read] == [row["total_params_b"] for row in stored]
    assert (
        run("sql", "SELECT NULL AS a, true AS b, 'x,y' AS c, 0.1::DOUBLE AS d").stdout == 'a,b,c,d\n,true,"x,y",0.1\n'
    )


def test_a_query_comes_from_the_input_too(book):
    from click.testing import CliRunner

    from pipelines.cli import main

    done = CliRunner().invoke(main, ["sql", "-", "--home", str(book)], input="SELECT 1 AS one;\n")
    assert done.stdout == "one\n1\n"


def test_on_a_terminal_what_is_named_first_is_shown(run, monkeypatch):
    monkeypatch.setattr("pipelines.reader.show.is_terminal", lambda: True)
    monkeypatch.setattr("pipelines.reader.query.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    lines = run(
        "sql", "FROM models SELECT model_id, family, model_id AS a, model_id AS b, model_id AS c"
    ).stdout.splitlines()
    assert lines[0].startswith("model_id")
    assert "Too narrow for: " in lines[-1]
    assert max(len(line.rstrip()) for line in lines) <= 80
    text = run("sql", "SELECT estimate_id, 'h\x1b[2Ji' AS said FROM energy_per_query").stdout
    assert "The first 200 of 11" in text
    assert "\x1b" not in text


def test_rows_of_many_columns_stand_one_below_the_other(run, monkeypatch):
    monkeypatch.setattr("pipelines.reader.show.is_terminal", lambda: True)
    monkeypatch.setattr("pipelines.reader.query.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    lines = [line.rstrip() for line in run("sql", "FROM energy_per_query_default").stdout.splitlines()]
    assert lines[0].startswith("row 1 of ")
    names = {line.split()[0] for line in lines if line}
    assert {"workload_id", "energy_wh_per_query_p50", "evidence", "share_with_cached_input"} <= names
    assert sum(line.startswith("row ") for line in lines) == 5
    assert "The first 5 rows" in " ".join(lines[-2:])
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("query", ["DESCRIBE models", "SUMMARIZE models", "SHOW TABLES", "WITH a AS (SELECT 1) FROM a"])
def test_what_only_reads_is_let_through(run, query):
    assert run("sql", query).exit_code == 0
