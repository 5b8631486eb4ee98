"""`joulebook estimate`: stored and computed answers agree, defaults are said, the schema holds, one screen will do."""

import json
import math

import jsonschema
import pytest

from pipelines.home import REPOSITORY
from pipelines.reader.answer import answer
from pipelines.reader.estimate import print_estimate
from pipelines.reader.question import Question

SCHEMA = json.loads((REPOSITORY / "pipelines/reader/schemas/estimate.schema.json").read_text(encoding="utf-8"))
MODEL = "llama-3.1-405b"
QUESTIONS = [
    (),
    ("--workload", "test-time", "--load", "0.3", "--region", "Sweden"),
    ("--on", "b200-sxm", "--workload", "test-time"),
    ("--workload", "mooncake-conversation", "--load", "0.5", "--region", "Sweden"),
    ("--input-tokens", "500", "--output-tokens", "300"),
    ("--input-tokens", "9000", "--output-tokens", "300", "--cached-tokens", "8000", "--load", "0.37"),
    ("--boundary", "gpu"),
    ("--boundary", "node", "--load", "0.01"),
    ("--method", "oviedo2026"),
    ("--method", "oviedo2026", "--input-tokens", "500", "--output-tokens", "300", "--region", "swe"),
]


@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
def test_json_follows_its_schema(run, words):
    done = run("estimate", MODEL, *words, "--json")
    assert done.exit_code == 0, done.output
    jsonschema.validate(json.loads(done.stdout), SCHEMA, cls=jsonschema.Draft202012Validator)


def test_the_schema_is_one_and_refuses_what_is_not_promised(run):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    found = json.loads(run("estimate", MODEL, "--json").stdout)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found | {"energy": 1}, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found | {"pue": 0.9}, SCHEMA)


@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
@pytest.mark.parametrize("model", [MODEL, "deepseek-r1"])
def test_one_screen_is_enough(opened, run, model, words, monkeypatch):
    """A terminal of 80 columns and 24 lines, what is typed and the next prompt included."""
    if model == "deepseek-r1" and ("b200-sxm" in words or "9000" in words):
        pytest.skip("no such benchmarks")
    monkeypatch.setattr("pipelines.reader.show.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    done = run("estimate", model, *words)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len(lines) <= 24
    assert max(len(line) for line in lines) <= 80
    assert any(line.startswith("asked ") for line in lines)


def test_all_that_was_asked_is_said_and_what_of_it_by_default(run):
    (line,) = (line for line in run("estimate", MODEL).stdout.splitlines() if line.startswith("asked"))
    assert line.split(maxsplit=1)[1] == (
        "by default method serving-time, workload traditional, boundary facility (server times PUE: 6,120 W * PUE "
        "1.31), load 1, region WOR, configuration newest on eight H100"
    )
    given = ("--workload", "test-time", "--load", "1", "--boundary", "node", "--method", "serving-time")
    (line,) = (line for line in run("estimate", MODEL, *given).stdout.splitlines() if line.startswith("asked"))
    assert line.split(maxsplit=1)[1] == (
        "method serving-time, workload test-time, boundary node (whole server: 6,120 W), load 1; "
        "by default configuration newest on eight H100"
    )


def test_without_lengths_it_is_the_stored_row(opened):
    found = answer(opened, Question(MODEL, workload="azure-code-2023", load=0.5, boundary="node"))
    (row,) = opened.rows("from energy_per_query where estimate_id = ?", found["estimate_id"])
    for name, value in found["energy_wh_per_query"].items():
        assert value == row[f"energy_wh_per_query_{name}"]
    assert (row["model_id"], row["workload_id"], row["load"]) == (MODEL, "azure-code-2023", 0.5)


def test_one_query_of_median_length_takes_the_median(opened):
    # at the facility of this configuration power is a share of the rated maximum: the same whatever is asked
    stored = answer(opened, Question(MODEL))
    one = answer(opened, Question(MODEL, input_tokens=500, output_tokens=300))
    assert (stored["power_w"], stored["estimate_id"] is None, one["estimate_id"]) == (one["power_w"], False, None)
    for name in ("p50", "p50_lo90", "p50_hi90"):
        assert one["energy_wh_per_query"][name] == pytest.approx(stored["energy_wh_per_query"][name], rel=1e-9)
    assert one["energy_wh_per_query"]["mean"] == one["energy_wh_per_query"]["p50"]
    for name in ("carbon_gco2e_per_query", "on_site_water_ml_per_query", "grid_water_ml_per_query"):
        assert one["impacts"][name] == pytest.approx(stored["impacts"][name], rel=1e-9)
    assert one["uncertainty"]["share"] == pytest.approx(stored["uncertainty"]["share"], rel=1e-9, abs=1e-12)


def test_one_query_by_hand(opened):
    (c,) = opened.rows(
        "from serving_fits where model_id = ? and accelerator_id = 'h100-sxm' and source_release = '1.0'", MODEL
    )
    l_in, l_out, cached = 3000, 700, 2000
    x = (l_in - cached, l_out, l_out * (l_in + l_out / 2), l_in**2 - cached**2)
    terms = ("prefill", "decode", "decode_attention", "prefill_attention")
    seconds = sum(math.exp(c[f"ln_{term}"]) * one for term, one in zip(terms, x, strict=True))
    pue = math.sqrt(1.08 * 1.58)
    expected = pue * 0.6 * 10200 / 8 * seconds / 3600
    found = answer(opened, Question(MODEL, input_tokens=l_in, output_tokens=l_out, cached_tokens=cached))
    assert found["energy_wh_per_query"]["p50"] == pytest.approx(expected, rel=1e-4)
    full = answer(opened, Question(MODEL, input_tokens=l_in, output_tokens=l_out))
    assert full["energy_wh_per_query"]["p50"] > found["energy_wh_per_query"]["p50"]


def test_any_load_is_answered_between_those_stored(opened):
    wh = [answer(opened, Question(MODEL, load=load))["energy_wh_per_query"]["p50"] for load in (1, 0.8, 0.65, 0.5)]
    assert wh == sorted(wh)
    # E(load) = a + b / load: the power is linear in the load
    a_b = [wh[0] - (wh[1] - wh[0]) / 0.25, (wh[1] - wh[0]) / 0.25]
    assert wh[2] == pytest.approx(a_b[0] + a_b[1] / 0.65, rel=1e-9)


def test_carbon_and_water_are_those_of_the_table(opened):
    found = answer(opened, Question(MODEL, region="SWE"))["impacts"]
    (row,) = opened.rows(
        "from carbon_and_water where model_id = ? and workload_id = 'traditional' and area_id = 'SWE'", MODEL
    )
    for name in ("carbon_gco2e_per_query", "on_site_water_ml_per_query", "grid_water_ml_per_query"):
        for end, value in found[name].items():
            assert value == pytest.approx(row[f"{name}_{end}"], rel=1e-9), (name, end)
    assert answer(opened, Question(MODEL, region="sweden"))["impacts"] == found


def test_beyond_the_boundary_of_the_facility_there_is_no_carbon(opened, run):
    assert answer(opened, Question(MODEL, boundary="node"))["impacts"] is None
    assert "only of the facility" in run("estimate", MODEL, "--boundary", "node").stdout


def test_extrapolation_is_said(run):
    text = run("estimate", MODEL, "--workload", "test-time").stdout
    assert "predicted" in text
    assert "extrapolated: beyond any benchmark are 57 % of the queries by a longer output; 95 % of the mean" in text
    assert "not extrapolated" in run("estimate", MODEL).stdout


def test_caveats_of_the_benchmarks_are_told(opened, run):
    found = answer(opened, Question("deepseek-r1"))["benchmarks"]
    assert found["caveats"] == [{"caveat": "Read off a figure of another paper", "n_rows": 2}]
    assert "of 2 of these 2 rows: Read off a figure" in run("estimate", "deepseek-r1").stdout
    assert answer(opened, Question(MODEL))["benchmarks"]["caveats"] == []


def test_evidence_is_worded_by_boundary_and_load(run):
    def evidence(*words):
        (line,) = (line for line in run("estimate", MODEL, *words).stdout.splitlines() if line.startswith("evidence"))
        return line

    assert "power rated, not metered" in evidence()
    assert "published by nobody" not in evidence()
    boards = evidence("--boundary", "gpu", "--load", "0.5")
    assert "power a share of the boards' rating" in boards
    assert "load 0.5 published by nobody" in boards


def test_one_query_is_not_spoken_of_as_many(run):
    one = ("--input-tokens", "500", "--output-tokens", "10000")
    text = run("estimate", MODEL, *one).stdout
    assert "extrapolated: beyond any benchmark by a longer output" in text
    assert "of the queries" not in text
    cached = run("estimate", MODEL, "--input-tokens", "500", "--output-tokens", "20", "--cached-tokens", "1").stdout
    assert "predicted" in cached
    assert "extrapolated: beyond any benchmark by a shorter output and cached input\n" in cached
    text = run("estimate", MODEL, "--input-tokens", "500", "--output-tokens", "300", "--method", "oviedo2026").stdout
    assert "by their power and PUE half of the servers 0.303 to 0.440 Wh" in text
    assert "of the queries" not in text


def test_on_all_hardware_each_row_is_the_stored_one(run, opened):
    found = json.loads(run("estimate", MODEL, "--on", "all", "--json").stdout)
    stored = opened.rows(
        "from energy_per_query where model_id = ? and method = 'serving-time' and boundary = 'facility' and load = 1"
        " and workload_id = 'traditional' order by energy_wh_per_query_p50",
        MODEL,
    )
    assert len(found["configurations"]) == len(stored)
    for one, row in zip(found["configurations"], stored, strict=True):
        assert one["energy_wh_per_query_p50"] == pytest.approx(row["energy_wh_per_query_p50"], rel=1e-9)
        assert one["accelerator_id"] == row["accelerator_id"]
    lines = run("estimate", MODEL, "--on", "all", "--load", "0.5", "--boundary", "node").stdout.splitlines()
    assert "Wh, node, load 0.5, workload traditional, serving-time" in lines[0].split("\t")
    assert len(lines) == 1 + len(stored)
    assert len({line.count("\t") for line in lines}) == 1
    text = run("estimate", MODEL, "--on", "all", "--region", "Sweden").stdout
    assert "gCO2e, Sweden" in text.splitlines()[0].split("\t")


def test_published_figures_are_those_of_the_same_kind_of_query(opened):
    short = answer(opened, Question(MODEL))
    long = answer(opened, Question(MODEL, workload="test-time"))
    assert len(short["published"]) > 2
    assert not {one["rung"] for one in short["published"]} & {one["rung"] for one in long["published"]}
    # of another kind of query they are no yardstick
    for other in (Question(MODEL, workload="azure-code-2023"), Question(MODEL, input_tokens=2000, output_tokens=500)):
        assert {one["ratio_to_this"] for one in answer(opened, other)["published"]} == {None}
    assert {(one["input_tokens"], one["output_tokens"]) for one in short["published"]} >= {(100, 300), (None, None)}
    for one in short["published"]:
        ours = short["energy_wh_per_query"]["mean" if one["statistic"] == "mean" else "p50"]
        assert one["ratio_to_this"] == pytest.approx(one["energy_wh_per_query"] / ours, rel=1e-12)
    assert {one["statistic"] for one in short["published"]} == {"mean", "median"}
    assert short["published"][0]["is_same_lengths"]  # the paper's


def test_which_published_figures_are_shown_does_not_hang_on_the_answer(opened):
    first, *others = (
        [one["rung"] for one in answer(opened, Question(MODEL, load=load, accelerator=board))["published"]]
        for load, board in ((1.0, None), (0.2, None), (1.0, "b200-sxm"))
    )
    assert others == [first, first]


def test_published_figures_of_the_same_model_and_lengths_go_first(opened, run):
    found = answer(opened, Question("deepseek-r1", input_tokens=100, output_tokens=300))["published"]
    first, second = found[0], next(one for one in found if not one["is_same_model"])
    assert (first["rung"], first["energy_wh_per_query"]) == (
        "Jegham 2505.09598 DeepSeek-R1 short: energy_per_query", 23.8,
    )  # fmt: skip
    assert first["is_same_model"] and first["is_same_lengths"] and first["ratio_to_this"] > 20
    assert second["is_same_lengths"]
    assert "times this, of the same model, of the same lengths: Jegham" in run(
        "estimate", "deepseek-r1", "--input-tokens", "100", "--output-tokens", "300"
    ).stdout  # fmt: skip
    (longer, *_) = answer(opened, Question("deepseek-r1", input_tokens=9000, output_tokens=1500))["published"]
    assert (longer["energy_wh_per_query"], longer["ratio_to_this"]) == (33.6, None)


def test_on_a_terminal_it_is_laid_out_by_rich(opened, monkeypatch, capsys):
    monkeypatch.setattr("pipelines.reader.show.is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    print_estimate(opened, Question(MODEL), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert max(len(line) for line in lines) <= 100
    assert any(line.startswith(" " * 15 + "0.") for line in lines), "wrapped text stands beside its label"
