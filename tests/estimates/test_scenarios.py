"""Load, longer outputs, interventions, fleets, carbon, water and the ladder, by hand from published cells."""

import itertools

import numpy as np
import polars as pl
import pytest

from assets.core.assumptions import Assumptions
from assets.estimates import test_time_scaling as scaling
from assets.estimates.carbon_and_water import place_of
from assets.estimates.combined_interventions import ASSUMED, PATHS, combined_interventions_of
from assets.estimates.fleet import fleet_of
from assets.estimates.intervention_pairs import INTERVENTIONS
from pipelines.energy.errors import EnergyInputError
from pipelines.warehouse.store import Warehouse

KEY = [
    "model_id", "accelerator_id", "n_accelerators", "parallelism", "precision", "framework", "source_id",
    "source_release", "scenario", "concurrency",
]  # fmt: skip


@pytest.fixture(scope="module")
def read(book):
    return Warehouse(book).read


@pytest.fixture(scope="module")
def ours(read):
    return read("estimates.energy_per_query").filter(pl.col("method") == "serving-time")


@pytest.fixture(scope="module")
def llama(ours):
    """Llama 3.1 405B on eight H100, TensorRT-LLM 1.0, traditional, by boundary and load."""
    rows = ours.filter(
        (pl.col("model_id") == "llama-3.1-405b") & (pl.col("accelerator_id") == "h100-sxm")
        & (pl.col("source_id") == "trtllm_perf") & (pl.col("source_release") == "1.0")
        & (pl.col("workload_id") == "traditional")
    )  # fmt: skip
    return {(row["boundary"], row["load"]): row for row in rows.iter_rows(named=True)}


# Load


def test_energy_at_half_load_by_hand(llama):
    # a server of 10200 W at most: 0.6 of it saturated, 0.15 idle; at half load half way between, for half the queries
    saturated, half = llama["node", 1.0], llama["node", 0.5]
    assert saturated["power_w"] == pytest.approx(6120)
    assert half["power_w"] == pytest.approx((6120 + 1530) / 2)
    ratio = half["energy_wh_per_query_p50"] / saturated["energy_wh_per_query_p50"]
    assert ratio == pytest.approx((6120 + 1530) / 2 / 0.5 / 6120)
    assert half["accelerator_s_per_query_mean"] == pytest.approx(2 * saturated["accelerator_s_per_query_mean"])


def test_energy_is_power_times_time_at_every_load(ours):
    each = pl.col("power_w") / pl.col("n_accelerators") * pl.col("accelerator_s_per_query_mean") * pl.col("pue") / 3600
    assert ours.select((each / pl.col("energy_wh_per_query_mean") - 1).abs().max()).item() < 1e-9


def test_every_estimate_has_all_loads_and_less_load_takes_more_energy(ours):
    grouped = ours.sort("load").group_by(*KEY, "workload_id", "boundary").agg("load", "energy_wh_per_query_p50")
    assert set(map(tuple, grouped["load"].to_list())) == {(0.2, 0.5, 0.8, 1.0)}
    for energies in grouped["energy_wh_per_query_p50"]:
        assert energies.is_sorted(descending=True)


def test_an_assumed_idle_power_is_said_to_be(ours):
    below = ours.filter(pl.col("load") < 1)
    known = below.filter(pl.col("evidence") != "assumed")
    # idle power is published of GB200's tray, and metered of H100 boards
    assert set(known.select("accelerator_id", "boundary").unique().iter_rows()) == {
        ("h100-sxm", "gpu"), ("gb200", "node"), ("gb200", "facility"),
    }  # fmt: skip
    assert "assumed" not in ours.filter(pl.col("load") == 1)["evidence"]


def test_idle_power_that_is_published_is_taken(ours):
    row = ours.filter(
        (pl.col("accelerator_id") == "gb200") & (pl.col("boundary") == "node") & (pl.col("load") == 0.2)
    ).row(0, named=True)
    # a tray of four idles at 1 kW; the rack of 72 draws 120 kW at most
    saturated = 0.6 * 120_000 / 72
    assert row["power_w"] / row["n_accelerators"] == pytest.approx(250 + (saturated - 250) * 0.2, rel=1e-6)
    assert row["interval_share_load"] == 0


def test_not_knowing_idle_power_widens_the_interval_by_hand(llama):
    row = llama["node", 0.2]
    idle, saturated = 1530, 6120
    of_idle = idle * 0.8 / (idle + (saturated - idle) * 0.2)
    of_load = of_idle * np.log(0.225 / 0.10) / 2
    total = np.log(row["energy_wh_per_query_p50_hi90"] / row["energy_wh_per_query_p50"])
    assert row["interval_share_load"] == pytest.approx(of_load**2 / total**2, rel=1e-6)
    assert row["interval_share_power"] == pytest.approx(
        ((1 - of_idle) * np.log(0.76923 / 0.468) / 2) ** 2 / total**2, rel=1e-6
    )


# Test-time scaling


def test_one_and_sixteen_times_the_tokens_are_the_workloads(read, ours):
    table = read("estimates.test_time_scaling")
    assert set(table["output_multiple"]) == set(scaling.MULTIPLES)
    assert table.group_by(*KEY, "method").len()["len"].unique().to_list() == [len(scaling.MULTIPLES)]
    one = table.filter((pl.col("output_multiple") == 1) & (pl.col("method") == "serving-time"))
    base = ours.filter(
        (pl.col("boundary") == "facility") & (pl.col("load") == 1) & (pl.col("workload_id") == "traditional")
    )
    both = one.join(base, on=KEY, nulls_equal=True, suffix="_base")
    assert both.height == base.height == one.height
    for name in ("energy_wh_per_query_p50", "energy_wh_per_query_mean", "energy_wh_per_query_p50_hi90"):
        assert both.select((pl.col(name) / pl.col(f"{name}_base") - 1).abs().max()).item() < 1e-9


def test_the_multiple_where_benchmarks_end_by_hand(read):
    row = read("estimates.test_time_scaling").filter(
        (pl.col("model_id") == "llama-3.1-405b") & (pl.col("accelerator_id") == "h100-sxm")
        & (pl.col("source_release") == "1.0") & (pl.col("output_multiple") == 15) & (pl.col("method") == "serving-time")
    )  # fmt: skip
    assert row["benchmarked_up_to_multiple"].item() == pytest.approx(4096 / 300)
    # half of exponential lengths with median 4500 are above it; above 4096: 2^(-4096/4500)
    assert row["share_longer_than_benchmarked"].item() == pytest.approx(2 ** (-4096 / 4500))


# Interventions: five pairs, from the cells that the publishers print

PRINTED = {
    # release, before, after: energy after over before, by hand
    ("0.10", "LLaMA v3 70B row 128/128 TP8, column H100 80GB HBM3 FP16", "column H100 80GB HBM3 FP8"): 7126.51
    / 9308.51,
    ("0.21", "Llama 3.1 405B FP8, row 128, 4096, column H100", "row 128, 4096, column H200"): 2910.31 / 4475.91,
    ("0.21", "Llama 3.1 405B FP8, row 128, 2048, column H100", "column H100 TP8 (FP8)"): 4517.39 / 4340,
    # mJ and tokens/s of ML.ENERGY: boards' W over tokens/s, per token
    ("lm-arena-chat", "/configurations/207", "/configurations/209"): (4874.8118 / 2363.4471) / (4606.1486 / 1895.9147),
    ("lm-arena-chat", "/configurations/231", "/configurations/219"): (1907.0861 / 10107.8121) / (2547.5181 / 6827.2079),
}


@pytest.mark.parametrize(("cells", "ratio"), PRINTED.items(), ids=lambda value: str(value)[:60])
def test_an_intervention_is_that_of_its_cells(read, cells, ratio):
    release, before, after = cells
    pairs = read("estimates.intervention_pairs").filter(
        (pl.col("source_release_from") == release)
        & pl.col("locator_from").str.ends_with(before)
        & pl.col("locator_to").str.ends_with(after)
    )
    assert pairs.height >= 1
    # H100 and H200 stand in nodes of the same rated maximum, so that energy is one over throughput
    assert pairs["energy_ratio"].to_list() == pytest.approx([ratio] * pairs.height, rel=1e-6)


def test_more_power_of_the_node_counts_against_an_accelerator(read):
    pairs = read("estimates.intervention_pairs").filter(pl.col("state_to") == "b200-sxm fp4")
    # 14.3 kW of eight B200 against 10.2 kW of eight H100 or H200
    product = pairs["energy_ratio"] * pairs["throughput_ratio"]
    assert product.to_list() == pytest.approx([14.3 / 10.2] * pairs.height)


def test_each_pair_rests_on_two_rows_that_are_there(read):
    pairs, rows = read("estimates.intervention_pairs"), read("core.serving_measurements")
    for side in ("from", "to"):
        keys = {f"{name}_{side}": name for name in ("source_id", "source_release", "locator")}
        found = pairs.join(rows, left_on=list(keys), right_on=list(keys.values()), how="semi")
        assert found.height == pairs.height
    assert set(pairs["intervention"]) < set(INTERVENTIONS)


def test_a_summary_weighs_models_alike(read):
    pairs = read("estimates.intervention_pairs").filter(
        (pl.col("intervention") == "release") & (pl.col("state_from") == "0.10") & (pl.col("state_to") == "0.11")
    )
    of_models = pairs.group_by("model_id").agg(pl.col("energy_ratio").median())["energy_ratio"]
    row = read("estimates.measured_interventions").row(
        by_predicate=(pl.col("intervention") == "release") & (pl.col("state_from") == "0.10"), named=True
    )
    assert row["energy_ratio_p50"] == pytest.approx(of_models.median())
    assert (row["n_pairs"], row["n_models"]) == (pairs.height, len(of_models))


def test_a_path_is_the_product_of_its_steps(read):
    steps = {
        (row["intervention"], row["state_from"], row["state_to"], row["compared_at"]): row
        for row in read("estimates.measured_interventions").iter_rows(named=True)
    }
    table = read("estimates.combined_interventions")
    for path, names in PATHS.items():
        row = table.row(by_predicate=pl.col("path") == path, named=True)
        if row["missing"] is None:
            found = [steps[name] for name in names]
            assert row["energy_ratio_p50"] == pytest.approx(np.prod([step["energy_ratio_p50"] for step in found]))
            ln = np.abs(np.log([step["energy_ratio_p50"] for step in found]))
            metered = [step["evidence"] == "measured" for step in found]
            assert row["share_measured"] == pytest.approx(ln[metered].sum() / ln.sum())
    paper = table.row(by_predicate=pl.col("path") == ASSUMED, named=True)
    # 8 to 20x, the paper says of its three ranges together
    assert paper["gain_p50"] == pytest.approx(20.5, rel=0.015)
    assert 1 / paper["energy_ratio_p90"] == pytest.approx(8.4, rel=0.015)


def test_a_step_that_no_source_shows_is_named(read):
    nothing = read("estimates.measured_interventions").filter(pl.col("intervention") != "precision")
    found = combined_interventions_of(nothing, read("core.assumptions"))
    row = found.row(by_predicate=pl.col("path") == "FP16 on H100 to FP4 on B200", named=True)
    assert row["energy_ratio_p50"] is None
    assert row["missing"] == "precision fp16 to fp8 (saturation)"


# Fleets, carbon and water


@pytest.mark.parametrize(
    ("fleet_id", "improved", "gwh"),
    [
        ("paper-traditional", False, 0.731), ("paper-10-long", False, 1.711), ("paper-10-long", True, 0.800),
        ("paper-all-long", False, 10.53), ("paper-all-long", True, 5.05), ("paper-traditional", True, 0.327),
    ],
)  # fmt: skip
def test_with_the_papers_assumptions_a_fleet_is_the_papers(read, fleet_id, improved, gwh):
    row = read("estimates.fleet").row(
        by_predicate=(pl.col("fleet_id") == fleet_id)
        & (pl.col("method") == "oviedo2026")
        & (pl.col("with_interventions") == improved),
        named=True,
    )
    assert row["energy_gwh_per_day"] == pytest.approx(gwh, rel=0.015)


def test_a_fleet_of_two_kinds_by_hand(read, ours):
    usual = ours.join(read("estimates.default_configurations").select(KEY), on=KEY, nulls_equal=True)
    usual = usual.filter((pl.col("boundary") == "facility") & (pl.col("load") == 0.5))
    chat, code = (
        usual.row(by_predicate=(pl.col("model_id") == model) & (pl.col("workload_id") == workload), named=True)
        for model, workload in (("llama-3.1-70b", "azure-conv-2023"), ("llama-3.1-405b", "azure-code-2023"))
    )
    row = read("estimates.fleet").row(
        by_predicate=(pl.col("fleet_id") == "mixed-swe") & (pl.col("load") == 0.5), named=True
    )
    wh = 80e6 * chat["energy_wh_per_query_mean"] + 20e6 * code["energy_wh_per_query_mean"]
    assert row["energy_gwh_per_day"] == pytest.approx(wh / 1e9)
    assert row["energy_gwh_per_year"] == pytest.approx(wh / 1e9 * 365)
    busy = 80e6 * chat["accelerator_s_per_query_mean"] + 20e6 * code["accelerator_s_per_query_mean"]
    assert row["accelerators_needed"] == pytest.approx(busy / 86400)
    # all H100, 0.6 of 1275 W each, times the PUE
    assert row["peak_kw"] == pytest.approx(busy / 86400 * 765 / 1000 * chat["pue"])
    # Sweden: 35.26 g/kWh, 6.0315 L/kWh
    assert row["carbon_tco2e_per_day"] == pytest.approx(wh / 1000 * 35.26 / 1e6)
    assert row["grid_water_m3_per_day"] == pytest.approx(wh / 1000 * 6.0315 / 1000)
    assert row["on_site_water_m3_per_day"] == pytest.approx(wh / chat["pue"] / 1000 * np.sqrt(0.15 * 0.49) / 1000)


@pytest.mark.parametrize(
    ("area_id", "g_per_kwh", "l_per_kwh"), [("USA", 384.4, 3.1321), ("SWE", 35.26, 6.0315), ("IND", 670.13, 3.4368)]
)
def test_carbon_and_water_of_a_query_by_hand(read, llama, area_id, g_per_kwh, l_per_kwh):
    row = read("estimates.carbon_and_water").row(
        by_predicate=(pl.col("model_id") == "llama-3.1-405b")
        & (pl.col("workload_id") == "traditional")
        & (pl.col("area_id") == area_id),
        named=True,
    )
    query = llama["facility", 1.0]
    wh, high = query["energy_wh_per_query_p50"], query["energy_wh_per_query_p50_hi90"]
    assert row["carbon_gco2e_per_query_p50"] == pytest.approx(wh / 1000 * g_per_kwh)
    assert row["grid_water_ml_per_query_p50"] == pytest.approx(wh * l_per_kwh)
    sources = (row["carbon_source_id"], row["grid_water_source_id"])
    assert sources == ("owid_carbon_intensity", "ecologits_electricity_mixes")
    assert row["on_site_water_ml_per_query_p50"] == pytest.approx(wh / query["pue"] * np.sqrt(0.15 * 0.49))
    width = np.log(row["carbon_gco2e_per_query_p50_hi90"] / row["carbon_gco2e_per_query_p50"])
    assert width == pytest.approx(np.hypot(np.log(high / wh), 0.26))
    # the PUE is divided out of water on site, and what is not known of it too
    on_site = np.log(row["on_site_water_ml_per_query_p50_hi90"] / row["on_site_water_ml_per_query_p50"])
    without_pue = np.log(high / wh) * np.sqrt(1 - query["interval_share_pue"])
    assert on_site == pytest.approx(np.hypot(without_pue, np.log(0.49 / 0.15) / 2))


def test_an_area_without_data_lists_those_there_are(read):
    with pytest.raises(EnergyInputError, match=r"ATL has no published carbon factor; there are .*SWE.*USA.*WOR"):
        place_of(read("core.grids"), "ATL", Assumptions(read("core.assumptions")))


def fleet_with(read, **changed) -> pl.DataFrame:
    lines = read("raw.fleets").head(1).with_columns(**{name: pl.lit(value) for name, value in changed.items()})
    tables = ("energy_per_query", "default_configurations")
    return fleet_of(lines, *(read(f"estimates.{t}") for t in tables), read("core.grids"), read("core.assumptions"))


def test_a_fleet_with_a_model_nobody_benchmarked_names_its_line(read):
    with pytest.raises(EnergyInputError, match=r"fleets\.csv, line 6: gpt-5 has no estimate of azure-conv-2023"):
        fleet_with(read, model_id="gpt-5")


def test_a_fleet_in_an_unknown_area_lists_those_there_are(read):
    with pytest.raises(EnergyInputError, match="ATL has no published carbon factor; there are"):
        fleet_with(read, area_id="ATL")


def test_twice_the_queries_take_twice_of_everything(read):
    one, two = (fleet_with(read, queries_per_day=queries) for queries in (1e6, 2e6))
    for name in ("energy_gwh_per_day", "accelerators_needed", "peak_kw", "carbon_tco2e_per_day"):
        assert two[name].to_list() == pytest.approx([None if v is None else 2 * v for v in one[name]])


# The ladder


@pytest.fixture(scope="module")
def ladder(read):
    return read("estimates.boundary_ladder")


def rungs(ladder, name: str) -> list[dict]:
    return ladder.filter(pl.col("ladder") == name).sort("rung_order").to_dicts()


def test_the_ladder_reaches_googles_full_figure_within_the_rounding_of_its_shares(ladder):
    found = rungs(ladder, "Google Gemini Apps")
    assert found[0]["energy_wh_per_query"] == pytest.approx(0.10)
    climbed = found[0]["energy_wh_per_query"] * np.prod([rung["step_ratio"] for rung in found[1:]])
    assert climbed == pytest.approx(0.24)
    # each step is that of the printed shares, which are rounded to a percent
    for (below, rung), (inner, outer) in zip(
        itertools.pairwise(found[1:]), ((58, 83), (83, 93), (93, 101)), strict=True
    ):
        assert rung["energy_wh_per_query"] / below["energy_wh_per_query"] == pytest.approx(outer / inner)


def test_our_boards_at_a_load_of_a_fifth_bridge_googles_first_step(llama, ladder):
    # 0.10 Wh of active accelerators, our idle boards at load 0.2, then Google's shares: 0.24 Wh within their rounding
    ours = llama["gpu", 0.2]["energy_wh_per_query_p50"] / llama["gpu", 1.0]["energy_wh_per_query_p50"]
    low, high = 0.095 * ours * 100.5 / 58.5, 0.105 * ours * 101.5 / 57.5
    assert low < 0.24 < high


def test_our_own_rungs_are_the_estimates(ladder, llama):
    found = rungs(ladder, "llama-3.1-405b")
    assert [rung["energy_wh_per_query"] for rung in found] == [
        llama[key]["energy_wh_per_query_p50"]
        for key in (("gpu", 1.0), ("node", 1.0), ("node", 0.5), ("facility", 0.5), ("facility", 1.0))
    ]
    assert found[3]["step_ratio"] == pytest.approx(llama["facility", 1.0]["pue"])


def test_published_figures_stand_beside_ours_of_their_boundary(ladder, llama):
    others = {rung["rung"].split(":")[0]: rung for rung in rungs(ladder, "published and metered")}
    altman = others["OpenAI average ChatGPT query (Altman)"]
    assert altman["ratio_to_ours"] == pytest.approx(0.34 / llama["facility", 1.0]["energy_wh_per_query_p50"])
    epoch = others["Epoch AI GPT-4o typical query"]
    assert epoch["ratio_to_ours"] == pytest.approx(0.3 / llama["node", 1.0]["energy_wh_per_query_p50"])
    metered = next(rung for name, rung in others.items() if name.startswith("mlenergy_v3"))
    assert metered["ratio_to_ours"] == pytest.approx(
        (4874.8118 / 2363.4471) / llama["gpu", 1.0]["energy_j_per_output_token"], rel=1e-6
    )
    assert {"mlperf_inference v5.1, /372"} < set(others)
    assert (metered["source_id"], altman["source_id"]) == ("mlenergy_v3", None)
