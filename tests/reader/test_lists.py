"""`joulebook models`, `accelerators`, `workloads`, `sources`: all that can be asked, and only that."""

import pytest

from pipelines.reader.question import Question, ask


def column(text, i=0):
    return [line.split("\t")[i] for line in text.splitlines()[1:]]


def test_every_listed_model_can_be_asked(run, opened):
    listed = column(run("models").stdout)
    assert len(listed) > 15
    assert listed == [row["model_id"] for row in opened.rows("from default_configurations order by model_id")]
    for model in listed:
        ask(opened, Question(model))


def test_every_listed_accelerator_can_be_asked(run, opened):
    listed = column(run("accelerators").stdout)
    estimated = opened.rows("select distinct accelerator_id from energy_per_query where boundary = 'facility'")
    assert set(listed) <= {row["accelerator_id"] for row in estimated}
    assert "h100-sxm" in listed


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
