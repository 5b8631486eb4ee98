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
    # a server of 10200 W at most: 0.6 of it saturated, between 0.10 and 0.55 without queries; at half load half way
    saturated, half = llama["node", 1.0], llama["node", 0.5]
    idle = 10200 * np.sqrt(0.10 * 0.55)
    assert saturated["power_w"] == pytest.approx(6120)
    assert half["power_w"] == pytest.approx((6120 + idle) / 2)
    ratio = half["energy_wh_per_query_p50"] / saturated["energy_wh_per_query_p50"]
    assert ratio == pytest.approx((6120 + idle) / 2 / 0.5 / 6120)
    assert half["accelerator_s_per_query_mean"] == pytest.approx(2 * saturated["accelerator_s_per_query_mean"])


def test_energy_is_power_times_time_at_every_load(ours):
    each = pl.col("power_w") / pl.col("n_accelerators") * pl.col("accelerator_s_per_query_mean") * pl.col("pue") / 3600
    assert ours.select((each / pl.col("energy_wh_per_query_mean") - 1).abs().max()).item() < 1e-9


def test_every_estimate_has_all_loads_and_less_load_takes_more_energy(ours):
    grouped = ours.sort("load").group_by(*KEY, "workload_id", "boundary").agg("load", "energy_wh_per_query_p50")
    assert set(map(tuple, grouped["load"].to_list())) == {(0.2, 0.5, 0.8, 1.0)}
    for energies in grouped["energy_wh_per_query_p50"]:
        assert energies.is_sorted(descending=True)


def test_below_saturation_all_is_assumed(ours):
    # GB200 as well, of whose tray idle power is published: that is a parked one
    assert ours.filter(pl.col("load") < 1)["evidence"].unique().to_list() == ["assumed"]
    assert "assumed" not in ours.filter(pl.col("load") == 1)["evidence"]
    gb200 = ours.filter((pl.col("accelerator_id") == "gb200") & (pl.col("boundary") == "node") & (pl.col("load") < 1))
    assert gb200.height > 0
    assert gb200["interval_share_load"].min() > 0


def test_not_knowing_idle_power_widens_the_interval_by_hand(llama):
    row = llama["node", 0.2]
    parked, held, saturated = 1020, 5610, 6120
    idle = np.sqrt(parked * held)
    at = idle * 0.8 + saturated * 0.2
    # the side of the held server is the wider one
    of_load = np.log((held * 0.8 + saturated * 0.2) / at)
    assert of_load > np.log(at / (parked * 0.8 + saturated * 0.2))
    total = np.log(row["energy_wh_per_query_p50_hi90"] / row["energy_wh_per_query_p50"])
    assert row["interval_share_load"] == pytest.approx(of_load**2 / total**2, rel=1e-6)
    of_saturated = saturated * 0.2 / at * np.log(0.76923 / 0.468) / 2
    assert row["interval_share_power"] == pytest.approx(of_saturated**2 / total**2, rel=1e-6)


def metered_by_share_of_best(read) -> pl.DataFrame:
    """Energy per token of each H100 run of ML.ENERGY v3 over that at the best throughput of its sweep."""
    sweep = ["model_id", "n_accelerators", "precision", "parallelism", "framework", "scenario", "system"]
    joules, tokens = pl.col("power_w") / pl.col("output_tokens_per_s"), pl.col("output_tokens_per_s")
    runs = read("core.serving_measurements").filter(
        (pl.col("source_id") == "mlenergy_v3") & (pl.col("accelerator_id") == "h100-sxm") & pl.col("is_measured")
    )
    return runs.filter(pl.len().over(sweep) >= 3).with_columns(
        share=tokens / tokens.max().over(sweep), ratio=joules / joules.sort_by(tokens).last().over(sweep)
    )


@pytest.mark.parametrize(
    ("load", "about", "runs", "printed"), [(0.8, 0.05, 41, 1.20), (0.5, 0.1, 75, 1.82), (0.2, 0.05, 40, 4.22)]
)
def test_the_interval_holds_what_boards_were_metered_to_take_below_their_best_throughput(
    read, ours, load, about, runs, printed
):
    metered = metered_by_share_of_best(read).filter(pl.col("share").is_between(load - about, load + about))
    assert (metered.height, metered["ratio"].median()) == (runs, pytest.approx(printed, abs=0.005))
    boards = ours.filter(pl.col("boundary") == "gpu")
    keys = [*KEY, "workload_id"]
    saturated = boards.filter(pl.col("load") == 1).select(*keys, saturated="energy_wh_per_query_p50")
    rows = boards.filter(pl.col("load") == load).join(saturated, on=keys, nulls_equal=True, validate="1:1")
    assert rows.height == boards.height / 4
    low, high = (rows[f"energy_wh_per_query_p50_{end}90"] / rows["saturated"] for end in ("lo", "hi"))
    assert ((low < printed) & (printed < high)).all()


def test_the_held_end_of_idle_power_is_that_of_metered_sweeps(read):
    sweep = ["model_id", "n_accelerators", "precision", "parallelism", "framework", "scenario", "system"]
    shares = metered_by_share_of_best(read).with_columns(of_tdp=pl.col("power_w") / pl.col("n_accelerators") / 700)
    slope = pl.cov("share", "of_tdp") / pl.col("share").var()
    held = shares.group_by(sweep).agg(held=pl.col("of_tdp").mean() - slope * pl.col("share").mean())["held"]
    assert (len(held), held.median()) == (58, pytest.approx(0.60, abs=0.005))
    assert held.quantile(0.9, "linear") == pytest.approx(0.71, abs=0.005)


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


def test_flagged_weights_serve_no_step_of_precision(read):
    pairs, rows = read("estimates.intervention_pairs"), read("core.serving_measurements")
    flagged = rows.filter(pl.col("caveat").str.contains("weights are MXFP4"))
    assert flagged.height == 20
    precise = pairs.filter(pl.col("intervention").str.contains("precision"))
    for side in ("from", "to"):
        keys = [f"{name}_{side}" for name in ("source_id", "source_release", "locator")]
        found = precise.join(flagged, left_on=keys, right_on=["source_id", "source_release", "locator"], how="semi")
        assert found.is_empty()


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


def test_a_path_with_a_step_of_concurrency_has_none_at_least_energy():
    # there each side has chosen its concurrency already: it would count twice
    for steps in PATHS.values():
        if any(step[0] == "concurrency" for step in steps):
            assert "least energy" not in {step[3] for step in steps}


def test_a_path_stands_beside_pairs_of_all_of_it(read):
    table = read("estimates.combined_interventions")
    filled = table.row(by_predicate=pl.col("path") == "32 to 512 requests in flight", named=True)
    pairs = read("estimates.intervention_pairs").filter(
        (pl.col("intervention") == "concurrency") & (pl.col("state_from") == "32") & (pl.col("state_to") == "512")
    )
    of_models = pairs.group_by("model_id").agg(pl.col("energy_ratio").median())["energy_ratio"]
    assert (filled["n_direct_pairs"], filled["energy_ratio_direct_p50"]) == (pairs.height, of_models.median())
    # all three changes at once, of two models
    whole = table.row(by_predicate=pl.col("n_steps") == 6, named=True)
    assert (whole["n_direct_pairs"], 1 / whole["energy_ratio_direct_p50"]) == (3, pytest.approx(6.85, abs=0.01))
    # no model was published in FP16 on H100 and in FP4 on B200
    none = table.row(by_predicate=pl.col("path") == "FP16 on H100 to FP4 on B200", named=True)
    assert (none["n_models_in_all_steps"], none["n_direct_pairs"], none["energy_ratio_direct_p50"]) == (0, 0, None)


def combined_of(read, measured: pl.DataFrame) -> pl.DataFrame:
    tables = (read(name) for name in ("estimates.intervention_pairs", "core.models", "core.assumptions"))
    return combined_interventions_of(measured, *tables)


def test_a_step_of_two_boundaries_is_an_error(read):
    measured = read("estimates.measured_interventions")
    twice = measured.filter(pl.col("intervention") == "precision").head(1).with_columns(boundary=pl.lit("node"))
    other = twice.with_columns(boundary=pl.lit("gpu"))
    with pytest.raises(EnergyInputError, match=r"precision .* of several boundaries"):
        combined_of(read, pl.concat([measured.filter(pl.col("intervention") != "precision"), twice, other]))


def test_a_step_that_no_source_shows_is_named(read):
    nothing = read("estimates.measured_interventions").filter(pl.col("intervention") != "precision")
    found = combined_of(read, nothing)
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
    # nobody says what draws its overhead
    assert row["peak_kw"] is None
    # its PUE is drawn independently: IT energy is the mean energy over the mean PUE, log-normal between 1.05 and 1.60
    mean_pue = np.sqrt(1.05 * 1.60) * np.exp((np.log(1.60 / 1.05) / 2 / 1.645) ** 2 / 2)
    it_kwh = row["energy_gwh_per_day"] * 1e6 / mean_pue
    assert row["on_site_water_m3_per_day"] == pytest.approx(it_kwh * np.sqrt(0.15 * 0.49) / 1000)


def test_what_no_benchmark_covers_is_a_share_of_the_energy(read, ours):
    usual = ours.join(read("estimates.default_configurations").select(KEY), on=KEY, nulls_equal=True).filter(
        (pl.col("boundary") == "facility") & (pl.col("load") == 1) & (pl.col("workload_id") == "traditional")
        & pl.col("model_id").is_in(["llama-3.1-405b", "deepseek-r1"])
    )  # fmt: skip
    mean, share = usual["energy_wh_per_query_mean"], usual["mean_share_extrapolated"]
    row = read("estimates.fleet").row(
        by_predicate=(pl.col("fleet_id") == "paper-traditional")
        & (pl.col("method") == "serving-time")
        & (pl.col("load") == 1),
        named=True,
    )
    assert (len(mean), row["mean_share_extrapolated"]) == (2, pytest.approx((mean * share).sum() / mean.sum()))


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


def test_a_factor_over_five_years_older_than_the_newest_does_not_serve(read):
    served = read("estimates.carbon_and_water")["year"]
    assert served.max() - served.min() <= 5
    # Western Sahara's newest is of 2009: it stays among the published ones
    western_sahara = read("core.grids").filter(pl.col("area_id") == "ESH")
    assert (western_sahara["year"].max(), western_sahara["is_default_carbon"].any()) == (2009, False)


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


@pytest.mark.parametrize(("idle_share_of_tdp", "load"), [(0.08, 0.2), (0.71, 0.7)])
def test_googles_first_step_is_that_of_our_boards_parked_or_held(llama, ladder, idle_share_of_tdp, load):
    saturated, idle = llama["gpu", 1.0]["power_w"], idle_share_of_tdp * 8 * 700
    step = (idle * (1 - load) + saturated * load) / load / saturated
    google = rungs(ladder, "Google Gemini Apps")[1]
    assert step == pytest.approx(google["step_ratio"], rel=0.03)
    assert f"{load}" in google["explanation"]
    # 0.10 Wh of active accelerators, this, then Google's shares: 0.24 Wh within their rounding
    low, high = 0.095 * step * 100.5 / 58.5, 0.105 * step * 101.5 / 57.5
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
    # an average, so beside our mean
    assert altman["ratio_to_ours"] == pytest.approx(0.34 / llama["facility", 1.0]["energy_wh_per_query_mean"])
    assert altman["statistic"] == "mean"
    epoch = others["Epoch AI GPT-4o typical query"]
    assert epoch["ratio_to_ours"] == pytest.approx(0.3 / llama["node", 1.0]["energy_wh_per_query_p50"])
    metered = next(rung for name, rung in others.items() if name.startswith("mlenergy_v3"))
    assert metered["ratio_to_ours"] == pytest.approx(
        (4874.8118 / 2363.4471) / llama["gpu", 1.0]["energy_j_per_output_token"], rel=1e-6
    )
    assert {"mlperf_inference v5.1, /372"} < set(others)
    assert (metered["source_id"], altman["source_id"]) == ("mlenergy_v3", None)
