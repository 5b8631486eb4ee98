"""`joulebook compare` and `joulebook fleet`, by hand from the published rows."""

import math

import pytest

from pipelines.energy.impacts import ImpactFactors
from pipelines.reader.compare import ratio_of
from pipelines.reader.compute import compute
from pipelines.reader.fleet import FleetQuestion, fleet_of
from pipelines.reader.question import Question, ask, ask_together, find_area

MODEL = "llama-3.1-405b"
STORED = (
    "from energy_per_query where model_id = ? and accelerator_id = ? and n_accelerators = 8 and source_release = ?"
    " and method = 'serving-time' and boundary = 'facility' and workload_id = ? and load = ?"
)


def ratio(opened, *questions):
    asked = [ask(opened, question) for question in questions]
    return ratio_of(asked, [compute(opened, opened.assumptions(), one) for one in asked])


def test_of_two_models_on_one_server_only_the_fits_are_unknown(opened):
    found = ratio(opened, Question(MODEL), Question("llama-3.1-70b"))
    one, two = (opened.rows(STORED, *key, "traditional", 1.0)[0] for key in (
        (MODEL, "h100-sxm", "1.0"), ("llama-3.1-70b", "h100-sxm", "v2"),
    ))  # fmt: skip
    assert found.value == pytest.approx(one["energy_wh_per_query_p50"] / two["energy_wh_per_query_p50"], rel=1e-9)
    widths = [
        math.log(row["energy_wh_per_query_p50_hi90"] / row["energy_wh_per_query_p50"])
        * math.sqrt(row["interval_share_fit"])
        for row in (one, two)
    ]
    low, high = found.interval
    assert math.log(high / found.value) == pytest.approx(math.hypot(*widths), rel=1e-9)
    assert low * high == pytest.approx(found.value**2, rel=1e-9)


def releases_of(asked):
    return [one.configuration["source_release"] for one in asked]


TWO_H200 = Question("llama-3.3-70b", accelerator="h200-sxm")
"""Two H200 were benchmarked with this model in 0.21 alone."""


def test_of_two_releases_the_one_of_both_is_compared(opened):
    newer = Question("llama-3.1-8b", accelerator="h100-sxm")
    assert releases_of([ask(opened, question) for question in (TWO_H200, newer)]) == ["0.21", "1.0"]
    for questions in ((TWO_H200, newer), (newer, TWO_H200)):
        found = ask_together(opened, *questions)
        assert releases_of(found) == ["0.21", "0.21"]
        (moved,) = (one for one in found if one.question is newer)
        assert moved.chosen_as == moved.defaults["configuration"] == "as the other of trtllm_perf 0.21"


def test_a_release_that_knows_less_is_not_taken(opened):
    # 0.21 has nine pairs of lengths of it, 1.0 has ten
    assert releases_of(ask_together(opened, TWO_H200, Question(MODEL, accelerator="h100-sxm"))) == ["0.21", "1.0"]


def test_a_configuration_beside_itself_is_one(opened):
    assert ratio(opened, Question(MODEL), Question(MODEL)).interval == (1.0, 1.0)


def test_power_of_two_systems_is_known_separately(opened):
    found = ratio(opened, Question(MODEL, accelerator="h100-sxm"), Question(MODEL, accelerator="b200-sxm"))
    low, high = found.interval
    assert (low, high) == (pytest.approx(1.44, abs=0.01), pytest.approx(4.02, abs=0.02))
    assert "different hardware" in found.shared
    same = ratio(opened, Question(MODEL), Question("llama-3.1-70b"))
    assert same.half_width_ln["power"] == 0
    assert "same hardware" in same.shared


def test_power_known_in_two_ways_is_not_shared(opened):
    by_boards = Question("llama-3.3-70b", accelerator="gb200")
    found = ratio(opened, by_boards, Question("llama-3.3-70b", accelerator="h100-sxm"))
    assert found.half_width_ln["power"] == pytest.approx(math.hypot(0.414, math.log(0.76923 / 0.6)), rel=1e-3)
    assert "separate" in found.shared


def test_compare_prints_both_and_the_ratio(run):
    text = run("compare", f"{MODEL}@h100-sxm", f"{MODEL}@b200-sxm", "--workload", "test-time").stdout
    assert "llama-3.1-405b@b200-sxm" in text
    assert "ratio" in text
    assert "90 % interval" in text
    assert "the PUE is common" in text
    assert "asked   workload test-time; by default method serving-time, boundary facility" in text
    given = ("--boundary", "gpu", "--load", "0.5", "--input-tokens", "3000", "--output-tokens", "10")
    text = run("compare", MODEL, "llama-3.3-70b", *given, "--method", "serving-time").stdout
    for part in ("one query of 3000 tokens in and 10 out", "boundary gpu", "load 0.5", "method serving-time"):
        assert part in text.splitlines()[-1], part
    text = run("compare", MODEL, MODEL, "--region", "Sweden").stdout
    assert "gCO2e, Sweden\t0.00876\t0.00876" in text
    assert "region Sweden" in text.splitlines()[-1]
    assert "no interval" in run("compare", MODEL, "llama-4-maverick", "--method", "oviedo2026").stdout


def test_a_fleet_is_queries_times_means(opened):
    fleet, _, _ = fleet_of(opened, FleetQuestion(1e9, 0.1, load=0.5))
    short, long = (opened.rows(STORED, MODEL, "h100-sxm", "1.0", w, 0.5)[0] for w in ("traditional", "test-time"))
    for i, name in enumerate(("mean", "mean_lo90", "mean_hi90")):
        expected = 0.9 * short[f"energy_wh_per_query_{name}"] + 0.1 * long[f"energy_wh_per_query_{name}"]
        assert fleet.energy_gwh_per_day[i] == pytest.approx(expected, rel=1e-9)
    # a query at half load takes up its accelerators for twice as long, which is counted once
    seconds = 0.9e9 * short["accelerator_s_per_query_mean"] + 0.1e9 * long["accelerator_s_per_query_mean"]
    assert fleet.accelerators[0] == pytest.approx(seconds / 86400, rel=1e-9)
    (saturated,) = opened.rows(STORED, MODEL, "h100-sxm", "1.0", "traditional", 1.0)
    peak_w = fleet.accelerators[0] * saturated["power_w"] / 8 * saturated["pue"]
    assert fleet.peak_mw[0] == pytest.approx(peak_w / 1e6, rel=1e-9)
    assert fleet.accelerators[1] < fleet.accelerators[0] < fleet.accelerators[2]


def test_carbon_and_water_of_a_fleet(opened):
    fleet, _, _ = fleet_of(opened, FleetQuestion(1e8))
    area = find_area(opened, "IRL")
    found = fleet.impacts(area, ImpactFactors.of(opened.assumptions()))
    gwh, _, high = fleet.energy_gwh_per_day
    assert found["carbon_gco2e"][0] == pytest.approx(gwh * area["carbon_gco2e_per_kwh"], rel=1e-9)  # GWh g/kWh = t
    width = math.hypot(math.log(high / gwh), 0.26)
    assert math.log(found["carbon_gco2e"][2] / found["carbon_gco2e"][0]) == pytest.approx(width, rel=1e-9)
    assert found["grid_water_ml"][0] == pytest.approx(gwh * 1e3 * area["grid_water_l_per_kwh"], rel=1e-9)


def test_a_fleet_of_short_queries_alone_is_one_mean(opened):
    fleet, _, _ = fleet_of(opened, FleetQuestion(1e8, model="llama-3.1-70b"))
    (short,) = opened.rows(STORED, "llama-3.1-70b", "h100-sxm", "v2", "traditional", 1.0)
    assert fleet.energy_gwh_per_day[0] == pytest.approx(1e8 * short["energy_wh_per_query_mean"] / 1e9, rel=1e-9)


def test_what_a_fleet_prints(run):
    text = run("fleet", "--queries", "1e9", "--long-share", "0.1", "--region", "USA").stdout
    for part in (
        "1 billion queries a day",
        "GWh a day",
        "GWh a year",
        "MW",
        "tCO2e",
        "m3",
        " deployments of 8",
        "asked",
        "load 1",
    ):
        assert part in text, part


def test_a_fleet_says_what_was_asked_and_how_it_is_known(run):
    text = run("fleet", "--queries", "1e9", "--long-share", "0.1", "--load", "0.5", "--model", "deepseek-r1").stdout
    assert "model deepseek-r1, load 0.5; by default" in text
    assert "Read off a figure of another paper" in text
    (evidence,) = (line for line in text.splitlines() if line.startswith("evidence"))
    assert "traditional assumed, " in evidence
    assert "test-time assumed, " in evidence


def test_a_small_fleet_is_told_in_small_units_and_whole_deployments(run):
    text = run("fleet", "--queries", "2e6", "--model", "Llama-3.3-70B", "--on", "h200-sxm", "--load", "0.4").stdout
    assert " MWh a day, " in text and " MWh a year" in text
    assert " busy, evenly over the day: 5 deployments of 2" in text
    (peak,) = (line for line in text.splitlines() if line.startswith("peak"))
    assert " kW with all of them saturated" in peak
    assert "kWh a day" in run("fleet", "--queries", "100", "--model", "llama-3.1-8b").stdout


def test_what_stands_against_a_comparison_is_told(run):
    text = run("compare", "deepseek-r1@h200-sxm", "deepseek-r1-0528@h200-sxm").stdout
    assert "not alike  the benchmarks are of two sources" in text
    assert "deepseek-r1@h200-sxm: of 2 of its 2 rows: Read off a figure of another paper" in text
    assert "extrapolated\tyes\tyes" in text
    alike = run("compare", f"{MODEL}@h100-sxm", f"{MODEL}@b200-sxm").stdout
    assert "not alike" not in alike and "caveat" not in alike


@pytest.mark.parametrize(
    ("queries", "says"),
    [("1", "1 queries a day"), ("1", "at least one deployment of 8 h100-sxm"), ("1e13", "10 trillion queries a day")],
)
def test_very_small_and_very_large_fleets(run, queries, says):
    text = run("fleet", "--queries", queries).stdout
    assert says in text
    assert "e+" not in text
