"""`joulebook explain`: the number is computed again from what the file holds, and every printed cell is named."""

import json
import math
import random

import pytest

from pipelines.reader.compute import compute
from pipelines.reader.explain import asked_of, explain
from pipelines.reader.question import Question, ask

MODEL = "llama-3.1-405b"
N_RANDOM = 100


@pytest.fixture(scope="module")
def hundred(opened):
    """A hundred estimates at random, and one more of each method, boundary, load and workload."""
    ids = [row["estimate_id"] for row in opened.rows("select estimate_id from energy_per_query order by 1")]
    chosen = random.Random(7).sample(ids, N_RANDOM)
    each = opened.rows(
        "select min(estimate_id) as estimate_id from energy_per_query group by method, boundary, load, workload_id"
    )
    return [explain(opened, asked_of(opened, one, {})) for one in [*chosen, *(row["estimate_id"] for row in each)]]


def test_the_number_computed_again_is_the_stored_one(hundred):
    assert len(hundred) > N_RANDOM + 60
    for found in hundred:
        assert found["largest_relative_difference"] < 1e-9, found["what"]
        for both in found["energy_wh_per_query"].values():
            assert (both["stored"] is None) == (both["recomputed"] is None)
            assert both["stored"] is None or both["recomputed"] == pytest.approx(both["stored"], rel=1e-9)


def test_the_fit_is_that_of_the_printed_rows(hundred, opened):
    for found in hundred:
        assert found["fit"]["largest_difference"] < 1e-6, found["what"]
        asked = asked_of(opened, found["estimate_id"], {})
        assert len(found["benchmarks"]) == asked.configuration["n_rows"], found["what"]


def test_the_formula_with_its_numbers_gives_the_estimate(hundred):
    n_checked = 0
    for found in hundred:
        f = found["formula"]
        for name, step in f.get("of", {}).items():
            seconds = sum(math.exp(theta) * x for theta, x in zip(f["theta"].values(), step["x"], strict=True))
            wh = f["pue"] * f["power_w"] / f["n_accelerators"] * seconds / f["load"] / 3600
            assert wh == pytest.approx(found["energy_wh_per_query"][name]["stored"], rel=1e-9), found["what"]
            n_checked += 1
    assert n_checked > N_RANDOM


def test_every_cell_is_named_with_its_source(hundred, opened):
    for found in hundred:
        assert found["source"]["url"].startswith("https://")
        assert len(found["source"]["snapshot_sha256"]) == 64
        for row in found["benchmarks"]:
            assert row["locator"]
            assert row["printed_value"] > 0
            assert row["printed_unit"]
            assert row["token_basis"]
        assert all(row["source"] for row in found["assumptions"])


def test_it_can_be_asked_like_an_estimate(run):
    estimate_id = json.loads(run("estimate", MODEL, "--json").stdout)["estimate_id"]
    by_id = json.loads(run("explain", estimate_id, "--json").stdout)
    by_name = json.loads(run("explain", MODEL, "--json").stdout)
    assert by_name["defaults"]["workload"] == "traditional"
    assert {**by_id, "defaults": 0} == {**by_name, "defaults": 0}


def test_what_is_printed_holds_the_way_back(run):
    text = run("explain", MODEL, "--on", "h100-sxm").stdout
    for part in (
        "line 208, Llama 3.1 405B, row 128/4096, column H100 TP8 (FP8)\t128\t4096\t3,116\ttokens/s",
        "https://raw.githubusercontent.com/NVIDIA/TensorRT-LLM/v1.0.0/docs/source/performance/perf-overview.md",
        "sha256", "serving-time.node_power_share", "serving-time.prior.*", "serving-time.half_width_ln.table",
        "fitted again", "agree; largest relative difference",
    ):  # fmt: skip
        assert part in text, part


def test_caveats_and_corrections_are_told(run):
    text = run("explain", "deepseek-r1").stdout
    assert "Two H100 nodes, halved by hand" in text or "Read off a figure of another paper" in text
    assert "oviedo-405b-fp16-two-nodes" in text


def test_one_query_that_is_not_stored_is_explained_too(run):
    given = ("--input-tokens", "1000", "--output-tokens", "200", "--cached-tokens", "400")
    found = json.loads(run("explain", MODEL, *given, "--json").stdout)
    assert found["estimate_id"] is None
    assert found["formula"]["of"]["p50"]["x"] == [600, 200, 220_000, 840_000]
    assert "not stored" in run("explain", MODEL, *given).stdout


def test_assumptions_without_an_effect_are_marked(opened):
    """Another value of a marked one leaves the estimate; of an unmarked one, it does not."""
    found = explain(opened, ask(opened, Question(MODEL, load=0.5)))
    effects = {row["assumption_id"]: row["has_effect"] for row in found["assumptions"]}
    assert (
        effects["serving-time.pue"] and effects["idle.node_share_of_max"] and effects["serving-time.prior.b.decode.one"]
    )
    assert not effects["idle.gpu_share_of_tdp"]
    for name, has_effect in effects.items():
        if name.startswith(("serving-time.prior.", "serving-time.half_width_ln.table", "impacts.")):
            continue  # in the fit, which is stored; in carbon and water alone
        assumed = opened.assumptions()
        changed = assumed._row(name)
        changed |= {end: changed[end] and changed[end] * 1.05 for end in ("value", "low", "high")}
        again = compute(opened, assumed, ask(opened, Question(MODEL, load=0.5))).row
        stored = {end: both["stored"] for end, both in found["energy_wh_per_query"].items()}
        same = all(again[f"energy_wh_per_query_{end}"] == pytest.approx(value) for end, value in stored.items())
        assert same != has_effect, name


def test_carbon_and_water_are_taken_back_to_their_factors(opened, run):
    found = explain(opened, ask(opened, Question(MODEL, region="India")))["impacts"]
    carbon, water = found["factors"]
    figures = found["figures"]
    assert figures["carbon_gco2e_per_query"]["p50"] == pytest.approx(found["energy_wh"] * carbon["value"] / 1000)
    assert figures["grid_water_ml_per_query"]["p50"] == pytest.approx(found["energy_wh"] * water["value"])
    on_site = found["energy_wh"] / found["pue"] * found["wue_l_per_kwh"]
    assert figures["on_site_water_ml_per_query"]["p50"] == pytest.approx(on_site)
    for factor, column in ((carbon, "carbon_gco2e_per_kwh"), (water, "grid_water_l_per_kwh")):
        (row,) = opened.rows(
            "from grids where area_id = 'IND' and source_id = ? and locator = ?", factor["source_id"], factor["locator"]
        )
        assert row[column] == factor["value"]
        assert factor["url"].startswith("https://")
    text = run("explain", MODEL, "--region", "India").stdout
    assert "Carbon and water, India (IND)" in text
    assert carbon["snapshot_sha256"] in text
    assert "Carbon and water" not in run("explain", MODEL, "--boundary", "node").stdout
