"""`joulebook models`, `accelerators`, `workloads`, `sources`: all that can be asked, and only that."""

import shutil

import pytest

from pipelines.reader.question import Question, ask


def column(text, i=0):
    return [line.split("\t")[i] for line in text.splitlines()[1:]]


def test_every_listed_model_can_be_asked(run, opened):
    text = run("models").stdout
    listed, methods = column(text), column(text, 9)
    assert listed == [
        row["model_id"]
        for row in opened.rows("select distinct model_id from energy_per_query where boundary = 'facility' order by 1")
    ]
    for model, method in zip(listed, methods, strict=True):
        ask(opened, Question(model, method=method))
    assert dict(zip(listed, methods, strict=True))["llama-3.1-nemotron-ultra-253b"] == "oviedo2026"


def test_as_many_accelerators_are_promised_as_the_default_question_has(run, opened):
    text = run("models").stdout
    promised = dict(zip(column(text), column(text, 10), strict=True))
    (row,) = opened.rows(
        "select count(distinct accelerator_id) as n from energy_per_query where model_id = 'llama-3.1-405b'"
        " and boundary = 'facility' and method = 'serving-time'"
    )
    assert promised["llama-3.1-405b"] == str(row["n"]) == "4"


def test_what_a_model_rests_on_is_listed(run):
    header, *lines = (line.split("\t") for line in run("models").stdout.splitlines())
    (row,) = (dict(zip(header, line, strict=True)) for line in lines if line[0] == "deepseek-r1")
    assert (row["benchmark rows"], row["evidence"], row["rows with a caveat"]) == ("2", "predicted", "2")


@pytest.mark.parametrize("command", ["models", "accelerators", "workloads"])
def test_a_piped_figure_says_where_it_holds(run, command):
    assert "Wh at facility, load 1" in run(command).stdout.splitlines()[0]


def test_every_listed_accelerator_can_be_asked(run, opened):
    text = run("accelerators").stdout
    listed = dict(zip(column(text), column(text, 4), strict=True))
    estimated = opened.rows("select accelerator_id, list(distinct boundary) as at from energy_per_query group by all")
    assert listed == {row["accelerator_id"]: "any" if "facility" in row["at"] else "gpu only" for row in estimated}
    assert listed["l40s"] == "gpu only"


def test_every_workload_is_listed_with_its_median(run, opened):
    text = run("workloads").stdout
    assert sorted(column(text)) == sorted(
        row["workload_id"] for row in opened.rows("select distinct workload_id from energy_per_query")
    )
    assert column(text, 2)[column(text).index("traditional")] == "0.249"


def test_lengths_of_a_trace_are_its_means(run, opened):
    text = run("workloads").stdout
    (row,) = opened.rows(
        "select sum(n_requests * input_tokens) / sum(n_requests) as l_in from request_lengths"
        " where source_id = 'mooncake_traces' and source_release = 'conversation' and output_tokens > 0"
    )
    assert f"mean {row['l_in']:.0f} tokens in" in text


@pytest.mark.parametrize("command", ["models", "accelerators", "workloads", "sources"])
def test_piped_tables_are_tab_separated_and_nothing_else(run, command):
    lines = run(command).stdout.splitlines()
    assert len({line.count("\t") for line in lines}) == 1


@pytest.mark.parametrize("command", ["models", "accelerators", "workloads", "sources"])
def test_on_a_terminal_they_fit(run, command, monkeypatch):
    monkeypatch.setattr("pipelines.reader.show.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    lines = run(command).stdout.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 100


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("command", ["models", "accelerators", "workloads", "sources"])
def test_ids_are_never_broken(run, command, width, monkeypatch):
    ids = column(run(command).stdout)
    monkeypatch.setattr("pipelines.reader.show.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    lines = run(command).stdout.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width
    for one in ids:
        assert any(line.split("  ")[0].strip() == one for line in lines), one


def test_sources_are_a_line_each_on_a_narrow_terminal(run, opened, monkeypatch):
    monkeypatch.setattr("pipelines.reader.show.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    (row,) = opened.rows("select count(*) as n from sources")
    assert len(run("sources").stdout.splitlines()) <= row["n"] + 5


def test_a_name_given_since_is_shown(book, tmp_path, run):
    home = tmp_path / "home"
    shutil.copytree(book, home)
    assert run("tag", "1", "paper", home=home).exit_code == 0
    assert [line.split("\t")[2] for line in run("releases", home=home).stdout.splitlines()[1:]] == ["paper"]
    assert run("untag", "paper", home=home).exit_code == 0
    assert [line.split("\t")[2] for line in run("releases", home=home).stdout.splitlines()[1:]] == ["-"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("llama-3.1-8b", "--on", "gh200-96gb"), "--boundary gpu answers"),
        (("llama-3.1-nemotron-ultra-253b",), "--method oviedo2026 answers"),
    ],
)
def test_a_question_without_an_answer_names_the_one_that_has(run, words, says):
    done = run("estimate", *words)
    assert (done.exit_code, says in done.output) == (2, True)
    assert run("estimate", *words, *says.removesuffix(" answers").split()).exit_code == 0
