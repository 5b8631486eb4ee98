"""Sources of energy, facilities, grids and models in the book: counts, units, boundaries, conflicts and defects.

Defects that the raw table alone shows are in tests/raw/test_<source>.py. Sources that may not be kept are fetched from
the mirror of published files, as a person fetches them, into a home that has seen an older revision of one of them;
these tests are skipped where a developer does not have the mirror beside the clone.
"""

import importlib
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.sources.catalogue import load_catalogue
from pipelines.sources.http import Web
from pipelines.sources.intake import Places, Reading, mark_released, promote, take_source
from pipelines.warehouse.store import Warehouse
from tests.support import MIRROR, joulebook, mirror_index

SOURCES = load_catalogue()
OLDER = "2025-07-21"
"""The day of the older revision of Real-Time Cloud."""
N_SAMPLED = 40
KEPT = {source_id for source_id, source in SOURCES.items() if source.keep_extract}


@contextmanager
def mirror_of(as_of: str = "9999-12-31") -> Iterator[str]:
    """Address of a server of the published files as they stood that day."""
    mirror_index()
    command = [sys.executable, str(MIRROR.parent / "serve_mirror.py"), "--port", "0", "--as-of", as_of]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()


def accept(home, source_id: str, address: str) -> None:
    """Take one source from `address` and accept it."""
    module = importlib.import_module(f"assets.{SOURCES[source_id].parser}")
    reading = Reading(module.parse, module.TABLE.conform, module.TABLE.schema, "of this test", module.TABLE.identity)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOULEBOOK_MIRROR", address)
        _, taken = take_source(SOURCES[source_id], reading, Places(home), Web(), ask_all=True)
    assert (taken.state, taken.problem) == ("live", None)
    mark_released(home, {source_id: taken.accepted_at_utc})
    promote(Places(home))


@pytest.fixture(scope="module")
def online(tmp_path_factory):
    """Tables of a home that took Real-Time Cloud on an older day, and everything as it is published now."""
    home = tmp_path_factory.mktemp("online")
    with mirror_of(OLDER) as address:
        accept(home, "gsf_cloud_regions", address)
    with mirror_of() as address:
        done = joulebook(home, "refresh", JOULEBOOK_MIRROR=address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "problem" not in done.stdout, done.stdout
    return Warehouse(home).read


@pytest.fixture(scope="module")
def read(book):
    return Warehouse(book).read


@pytest.fixture(scope="module")
def energies(read) -> pl.DataFrame:
    return read("core.energy_measurements")


@pytest.fixture(scope="module")
def places(read) -> pl.DataFrame:
    return read("core.facilities")


@pytest.fixture(scope="module")
def grids(read) -> pl.DataFrame:
    return read("core.grids")


def only(frame: pl.DataFrame, **wanted: object) -> dict:
    """The one row with these values."""
    return frame.filter(**wanted).row(0, named=True) if frame.filter(**wanted).height == 1 else pytest.fail(
        f"{frame.filter(**wanted).height} rows with {wanted}"
    )  # fmt: skip


def raw_and_core(read, raw: str, core: str) -> list[tuple[dict, dict]]:
    """Each row of the core table beside the raw row that it was made of."""
    place = ("source_release", "locator")
    printed = {tuple(row[name] for name in place): row for row in read(f"raw.{raw}").to_dicts()}
    made = read(f"core.{core}").filter(source_id=raw).to_dicts()
    return [(printed[tuple(row[name] for name in place)], row) for row in made]


# Counts: what the publisher prints is used or rejected for a reason. Kept sources: tests/core/test_throughput_counts.py

TASKS_OF_OTHERS = {
    "asr": 13, "image_captioning": 10, "image_classification": 23, "image_generation": 12, "object_detection": 7,
    "question_answering": 18, "sentence_similarity": 19, "summarization": 11, "text_classification": 13,
}  # fmt: skip
FETCHED = {
    ("inferencex", "latest"): (435, {"not-printed": 2, "upstream-error": 1}),
    ("gsf_cloud_regions", "main"): (373, {"upstream-error": 2, "not-printed": 6}),
    ("ai_energy_score_corinac", "main"): (206, {"unit": 206}),
    ("ai_energy_score_feb2025", "text_generation"): (40, {"not-followed": 33}),
    **{("ai_energy_score_feb2025", task): (n, {"not-an-llm": n}) for task, n in TASKS_OF_OTHERS.items()},
}


def test_of_fetched_sources_every_row_is_used_or_rejected_by_its_code(online):
    rows = online("core.sources").filter(~pl.col("source_id").is_in(KEPT)).to_dicts()
    found = {(r["source_id"], r["source_release"]): (r["rows_in"], r["rows_accepted"], r["state"]) for r in rows}
    assert found == {key: (n, n - sum(codes.values()), "live") for key, (n, codes) in FETCHED.items()}
    rejected = online("core.rejected").filter(~pl.col("source_id").is_in(KEPT))
    assert dict(Counter(rejected.select("source_id", "source_release", "rejection_code").iter_rows())) == {
        (*key, code): n for key, (_, codes) in FETCHED.items() for code, n in codes.items()
    }
    assert sum(TASKS_OF_OTHERS.values()) == 126


@pytest.mark.parametrize(
    "name", ["serving_measurements", "energy_measurements", "published_models", "mlperf_crosscheck"]
)
def test_what_is_fetched_of_a_kept_source_is_what_is_kept(read, online, name):
    kept, fetched = (of(f"core.{name}").filter(pl.col("source_id").is_in(KEPT)) for of in (read, online))
    assert kept.height
    assert_frame_equal(kept, fetched, check_row_order=False)


@pytest.mark.parametrize("of", ["read", "online"])
def test_no_row_stands_in_two_places(request, of):
    tables = request.getfixturevalue(of)
    rejected = set(tables("core.rejected").select("source_id", "source_release", "locator").rows())
    for name in ("serving_measurements", "energy_measurements", "published_models", "grids", "facilities"):
        used = set(tables(f"core.{name}").select("source_id", "source_release", "locator").rows())
        assert not used & rejected, name


# MLPerf: logs of the runs against the summaries


def test_the_mean_of_the_wall_power_log_is_the_power_of_the_summary_on_all_ten_runs(read):
    metered = read("core.mlperf_crosscheck").drop_nulls("power_w")
    assert metered.height == 10
    assert (metered["power_w"] / metered["power_w_of_summary"] - 1).abs().max() < 1e-9
    assert metered["n_meter_samples"].min() > 600  # about one a second, ten minutes at least
    assert set(metered["power_boundary"]) == {"node"}


def test_the_logged_throughput_is_that_of_the_summary_on_all_44_runs(read):
    runs = read("core.mlperf_crosscheck")
    assert runs.height == 44
    assert (runs["output_tokens_per_s"] / runs["output_tokens_per_s_of_summary"] - 1).abs().max() < 1e-5
    assert runs["result_id"].null_count() == 0


def test_runs_whose_logs_are_checked_are_those_of_the_power_table(read):
    logged = read("core.mlperf_crosscheck").drop_nulls("power_w")
    watts = {round(value, 6) for value in read("core.mlperf_power")["power_w"]}
    assert {round(value, 6) for value in logged["power_w_of_summary"]} <= watts


def test_samples_in_tokens_are_in_and_queries_are_not_taken_for_tokens(read):
    rows = read("core.published_throughput").filter(pl.col("source_release").str.starts_with("v4.0"))
    llama = rows.filter(model_as_printed="llama2-70b-99.9").drop_nulls("printed_value")
    maxq = llama.filter(pl.col("printed_value").is_in([17561.6, 53.0525]))
    found = maxq.select("printed_value", "printed_unit", "rejection_code", "output_tokens_per_s").rows()
    assert sorted(found) == [(53.0525, "Queries/s", "unit", 53.0525), (17561.6, "Tokens/s", None, 17561.6)]
    assert set(llama.filter(scenario="server")["rejection_code"]) == {"unit"}
    assert llama.filter(scenario="offline")["rejection_code"].drop_nulls().is_empty()
    assert set(rows.filter(pl.col("model_as_printed").str.starts_with("gptj"))["rejection_code"]) == {
        "unit", "power-of-a-run",
    }  # fmt: skip


def test_joules_of_a_query_are_not_taken_for_joules_of_a_token(read):
    power = read("core.mlperf_power").filter(pl.col("source_release").str.starts_with("v4.0"))
    assert power["scenario"].to_list() == ["offline"] * 2
    assert power["energy_j_per_output_token"].max() < 1  # 5,908.76 W over 53.0525 queries/s are 111.4 J


def test_metered_power_is_of_the_order_of_the_rating_of_a_node_like_it(read):
    rated = dict(read("core.nodes").filter("is_default").select("accelerator_id", "power_max_w_per_accelerator").rows())
    shares = {}
    for row in read("core.mlperf_power").to_dicts():
        share = row["power_w"] / row["n_accelerators"] / rated[row["accelerator_id"]]
        shares.setdefault(row["accelerator_id"], []).append(round(share, 2))
    assert {card: (min(found), max(found)) for card, found in shares.items()} == {
        "b200-sxm": (0.63, 0.73), "h200-sxm": (0.46, 0.62), "h100-sxm": (0.56, 0.58),
    }  # fmt: skip


def test_every_power_capped_run_says_so(read):
    rows = [row for row in read("core.mlperf_power").to_dicts() if "MaxQ" in row["system"]]
    assert len(rows) == 8
    assert all(row["caveat"].startswith("MaxQ") for row in rows)


# Units and boundaries


def test_every_measurement_has_a_boundary_and_it_is_that_of_its_source(energies, online):
    for frame in (energies, online("core.energy_measurements")):
        found = frame.group_by("source_id", "boundary").len().rows()
        counted = {
            ("argonne_llm_bench", "gpu"): 48, ("mlenergy_v2", "gpu"): 356, ("mlenergy_v3", "gpu"): 838,
            ("mlperf_inference", "node"): 15, ("tokenpowerbench", "gpu"): 185, ("tokenpowerbench", "node"): 9,
        }  # fmt: skip
        if frame is not energies:
            counted |= {("inferencex", "gpu"): 16, ("ai_energy_score_feb2025", "gpu"): 7}
        assert {(source, boundary): n for source, boundary, n in found} == counted


def test_boards_are_in_watts(energies):
    boards = energies.filter(boundary="gpu").drop_nulls("power_w")
    watts = boards["power_w"] / boards["n_metered_accelerators"]
    assert (watts.min() > 50, watts.max() < 1000) == (True, True)


def test_joules_of_a_token_and_watt_hours_of_a_query_are_one_energy(energies):
    rows = energies.drop_nulls(["energy_j_per_output_token", "energy_wh_per_query", "output_tokens"])
    assert rows.height > 1400
    wh = rows["energy_j_per_output_token"] * rows["output_tokens"] / 3600
    assert (rows["energy_wh_per_query"] / wh - 1).abs().max() < 1e-9


def test_grams_not_kilograms_of_every_grid(online):
    grids = online("core.grids")
    for (source,), rows in grids.group_by("source_id"):
        assert 100 < rows["carbon_gco2e_per_kwh"].median() < 600, source
    assert grids["carbon_gco2e_per_kwh"].null_count() == 0


def test_no_grid_figure_is_marginal_or_market_based(online):
    rows = raw_and_core(online, "gsf_cloud_regions", "grids")
    assert len(rows) == 354
    for printed, row in rows:
        assert row["carbon_gco2e_per_kwh"] == printed["grid-carbon-intensity-average-consumption-annual"]
    assert {printed["provider-carbon-intensity-market-annual"] for printed, _ in rows} <= {None, 0.0}
    differs = [p for p, _ in rows if p["grid-carbon-intensity-marginal-consumption-annual"] is not None]
    assert sum(
        printed["grid-carbon-intensity-marginal-consumption-annual"]
        != printed["grid-carbon-intensity-average-consumption-annual"]
        for printed in differs
    ) > 0.9 * len(differs)  # fmt: skip
    assert not [
        method for method in online("core.grids")["carbon_method"].unique() if "marg" in method or "mark" in method
    ]


def test_pue_is_a_ratio_and_water_on_site_and_of_the_grid_are_two_columns_of_two_tables(online):
    places, grids = online("core.facilities"), online("core.grids")
    assert (places["pue"].min() >= 1, places["pue"].max() < 2) == (True, True)
    assert places["wue_l_per_kwh"].max() <= 2.75
    assert "wue_l_per_kwh" not in grids.columns
    assert "grid_water_l_per_kwh" not in places.columns
    assert grids.drop_nulls("grid_water_l_per_kwh")["source_id"].unique().to_list() == ["ecologits_electricity_mixes"]


def test_a_best_site_is_never_the_default_pue(places):
    best = only(places, operator="AWS best site (Europe)")
    assert (best["pue"], best["fact_kind"], best["is_default_pue"]) == (1.04, "site", False)
    assert best["caveat"].startswith("The best site of a fleet: not a default")


def test_a_water_figure_that_was_computed_from_others_is_never_the_default(places):
    derived = only(places, fact_kind="derived")
    assert (derived["wue_l_per_kwh"], derived["is_default_wue"]) == (1.18, False)
    assert (derived["operator"], derived["confidence"]) == ("Google fleet implied by Gemini figures", "low")


def test_an_operator_and_region_has_at_most_one_default(online):
    places = online("core.facilities")
    for kind in ("pue", "wue"):
        defaults = places.filter(pl.col(f"is_default_{kind}"))
        assert defaults.select("operator_id", "region").is_duplicated().sum() == 0
        assert set(defaults["fact_kind"]) & {"site", "derived", "assumed"} == set()
        column = "pue" if kind == "pue" else "wue_l_per_kwh"
        assert defaults[column].null_count() == 0


def test_of_the_figures_that_bear_several_names_of_one_operator_one_serves(places):
    found = places.filter(pl.col("is_default_pue")).select("operator_id", "pue").rows()
    assert dict(found) == {
        "aws": 1.14, "google": 1.09, "meta": 1.08, "microsoft": 1.17, "industry-uptime": 1.54,
        "public-cloud-idc": 1.25, "on-premises-idc": 1.63,
    }  # fmt: skip
    assert len(found) == 7
    assert dict(places.filter(pl.col("is_default_wue")).select("operator_id", "wue_l_per_kwh").rows()) == {
        "aws": 0.15, "microsoft": 0.27, "meta": 0.26,
    }  # fmt: skip


def test_a_country_whose_newest_carbon_is_zero_is_not_served_with_an_old_one(grids):
    burundi, central_africa = (grids.filter(area_id=area) for area in ("BDI", "CAF"))
    assert (burundi.height > 0, central_africa.height > 0) == (True, True)
    assert not central_africa["is_default_carbon"].any()
    assert central_africa["year"].max() == 2012


def test_the_newest_year_of_a_fleet_is_its_default(places):
    amazon = places.filter(operator="AWS global").drop_nulls("pue").sort("year")
    assert amazon.select("year", "pue", "is_default_pue").rows() == [
        (2023, 1.15, False), (2024, 1.15, False), (2025, 1.14, True),
    ]  # fmt: skip


def test_every_figure_of_water_on_site_says_that_it_is_of_it_energy_or_of_the_site_alone(places):
    water = places.drop_nulls("wue_l_per_kwh")
    assert water.height >= 6
    assert all("On site only, none of the grid" in caveat for caveat in water["caveat"])


def test_a_region_of_ireland_is_not_in_finland(online):
    rejected = online("core.rejected").filter(source_id="gsf_cloud_regions", rejection_code="upstream-error")
    assert rejected["printed"].sort().to_list() == [
        "Microsoft Azure northeurope, 2022", "Microsoft Azure northeurope, 2023",
    ]  # fmt: skip
    found = online("core.grids").filter(area_id="Microsoft Azure northeurope").sort("year")
    assert found.select("year", "area_name", "carbon_gco2e_per_kwh").rows() == [
        (2022, "Ireland", 404.89), (2023, "Ireland", 403.4),
    ]  # fmt: skip
    places = online("core.facilities").filter(region="northeurope").sort("year")
    assert places.select("year", "pue").rows() == [(2022, 1.197), (2023, 1.19)]


# Places: back to the row that a figure was made of


PER_TOKEN = {
    "mlenergy_v3": lambda raw, _: raw["energy_per_token_joules"],
    "mlenergy_v2": lambda raw, _: raw["Energy/req (J)"] / raw["Avg Output Tokens"],
    "argonne_llm_bench": lambda raw, _: raw["avg_power"] / 1000 / (raw["Throughput"] / 2),
    "tokenpowerbench": lambda raw, row: (
        raw["gpu_energy" if row["boundary"] == "gpu" else "total_energy"] / raw["total_output_tokens"]
    ),
    "inferencex": lambda raw, _: (
        raw["avg_power_w"]
        * (raw["num_decode_gpu"] + (raw["num_prefill_gpu"] if raw["disagg"] else 0))
        / (raw["output_tput_per_gpu"] * raw["num_decode_gpu"])
    ),
    "mlperf_inference": lambda raw, _: raw["Power_Result"] / raw["Performance_Result"],
}
"""J per output token, worked out from the printed row alone."""


def with_power(raw: dict, read) -> dict:
    """A result of MLPerf with its power, which v4.0 prints on a row of its own."""
    if raw["Power_Result"] is not None:
        return raw
    same = ("source_release", "Submitter", "Platform", "UsedModel", "Scenario")
    twins = read("raw.mlperf_inference").filter(**{name: raw[name] for name in same}).drop_nulls("Power_Result")
    return raw | {"Power_Result": twins["Power_Result"].item()}


def printed_facility(raw: dict, row: dict) -> tuple[float | None, float | None]:
    if row["source_id"] == "gsf_cloud_regions":
        return raw["power-usage-effectiveness"], raw["water-usage-effectiveness"]
    return (raw["value"], None) if raw["quantity"].startswith("pue") else (None, raw["value"])


CARBON = {
    "owid_carbon_intensity": lambda raw: raw["Carbon intensity of electricity"],
    "codecarbon_energy_mix": lambda raw: raw["carbon_intensity"],
    "ecologits_electricity_mixes": lambda raw: raw["gwp"] * 1000,
    "gsf_cloud_regions": lambda raw: raw["grid-carbon-intensity-average-consumption-annual"],
}


def sampled(online, name: str) -> Iterator[tuple[dict, dict]]:
    """Rows of a core table of every source, each with the raw row that its place leads to."""
    chance = random.Random(20261125)
    frame = online(name)
    n_sources = frame["source_id"].n_unique()
    for (source_id,), rows in frame.sort(frame.columns).group_by("source_id", maintain_order=True):
        raw = online(SOURCES[source_id].parser if source_id in SOURCES else f"raw.{source_id}")
        keys = [key for key in ("source_id", "source_release", "locator") if key in raw.columns]
        for row in chance.sample(rows.to_dicts(), min(rows.height, -(-N_SAMPLED // n_sources))):
            yield only(raw, **{key: row[key] for key in keys}), row


def test_energies_lead_back_to_the_row_they_were_made_of(online):
    rows = list(sampled(online, "core.energy_measurements"))
    assert len(rows) >= N_SAMPLED
    for raw, row in rows:
        if row["source_id"] == "ai_energy_score_feb2025":
            assert row["energy_wh_per_query"] == raw["total_gpu_energy"]  # kWh for 1,000
            continue
        printed = with_power(raw, online) if row["source_id"] == "mlperf_inference" else raw
        joules = PER_TOKEN[row["source_id"]](printed, row)
        assert row["energy_j_per_output_token"] == pytest.approx(joules, rel=1e-9), row


def test_facilities_lead_back_to_the_row_they_were_made_of(online):
    rows = list(sampled(online, "core.facilities"))
    assert len(rows) >= N_SAMPLED
    for raw, row in rows:
        assert (row["pue"], row["wue_l_per_kwh"]) == printed_facility(raw, row)
        assert row["year"] == raw["year"]


def test_grids_lead_back_to_the_row_they_were_made_of(online):
    rows = list(sampled(online, "core.grids"))
    assert len(rows) >= N_SAMPLED
    for raw, row in rows:
        assert row["carbon_gco2e_per_kwh"] == pytest.approx(CARBON[row["source_id"]](raw), rel=1e-12)


# Conflicts, by name


@pytest.fixture(scope="module")
def conflicts(read) -> pl.DataFrame:
    return read("core.conflicts")


def test_one_request_at_a_time_takes_two_hundred_times_what_a_busy_server_takes(conflicts):
    row = only(conflicts, quantity="energy_wh_per_query", model_id="gpt-oss-120b")
    assert (row["source_id_a"], row["source_id_b"], row["differs_by"]) == (
        "mlenergy_v3",
        "published_estimates",
        "batch",
    )
    assert row["value_b"] == 8.5  # Wh, as AI Energy Score prints for 1,000: 8,500
    assert 150 < row["ratio"] < 300
    assert "One request at a time" in row["caveat"]


def test_sixteen_accelerators_that_are_called_eight(conflicts):
    row = only(conflicts, quantity="n_accelerators")
    assert (row["source_id_a"], row["locator_a"], row["value_a"]) == ("oviedo_throughput", "line 4", 8)
    assert (row["source_id_b"], row["value_b"], row["detail_b"]) == ("mlenergy_v2", 16, "tp8,pp2")
    assert row["locator_b"].endswith("Meta-Llama-3.1-405B-Instruct/bs64+tp8+pp2.json")
    assert (row["model_id"], row["differs_by"]) == ("llama-3.1-405b", "accelerators")


def test_watt_hours_that_are_kilowatt_hours(online):
    rows = online("core.conflicts").filter(quantity="energy_wh_per_1000_queries")
    assert rows.height == 7
    assert (rows["ratio"] * 1000 - 1).abs().max() < 3e-4
    row = only(rows, model_id="llama-3-70b")
    assert (row["value_b"], round(row["value_a"], 5), row["differs_by"]) == (1.71966, 1719.65556, "unit")
    (reason,) = online("core.rejected").filter(source_id="ai_energy_score_corinac")["rejected_because"].unique()
    assert reason.startswith("labelled Wh, holds kWh: 7 models")
    assert "1000 times less" in reason


def test_milliwatts_that_are_read_as_watts(conflicts):
    row = only(conflicts, quantity="power_w")
    assert (row["source_id_a"], row["value_a"], row["source_id_b"]) == ("epoch_ml_hardware", 700, "argonne_llm_bench")
    assert 100 < row["ratio"] < 1000  # a board never draws hundreds of times its rating
    assert row["caveat"] == f"Printed in milliwatts: {round(row['value_b'] / 1000)} W"


@pytest.mark.parametrize(
    ("accelerator_id", "quantity", "ours", "theirs"),
    [
        ("mi325x", "tdp_w", 1000, 750),
        ("l40s", "tdp_w", 350, 300),
        ("b300-sxm", "tdp_w", 1100, 1400),
        ("mi250x", "tdp_w", 500, 560),
        ("mi300x", "memory_bandwidth_gb_per_s", 5300, 10_300),
        ("b200-sxm", "memory_gb", 180, 90),
    ],
)
def test_ratings_of_a_board_that_pages_disagree_about(conflicts, accelerator_id, quantity, ours, theirs):
    row = only(conflicts, quantity=quantity, accelerator_id=accelerator_id)
    assert (row["value_a"], row["value_b"]) == (ours, theirs)
    assert row["detail_a"] == "the figure that serves"
    assert row["ratio"] == pytest.approx(theirs / ours)
    assert row["caveat"]


@pytest.mark.parametrize(("lengths", "printed"), [("500/2000", (2050, 3661.85)), ("5000/500", (480, 579.14))])
def test_two_origins_of_one_configuration_of_the_paper(conflicts, lengths, printed):
    row = only(conflicts, differs_by="row", detail_a=f"tp8, {lengths}")
    assert (row["source_id_a"], row["source_id_b"]) == ("oviedo_throughput", "oviedo_throughput")
    assert (row["value_a"], row["value_b"]) == printed
    assert row["ratio"] > 1.2


def test_every_conflict_leads_to_rows_that_exist_and_to_their_values(online):
    rows = online("core.conflicts").filter(quantity="output_tokens_per_s").to_dicts()
    values = {
        (r["source_id"], r["source_release"], r["locator"]): r["output_tokens_per_s"]
        for r in online("core.serving_measurements").to_dicts()
    }
    for row in rows:
        for side in "ab":
            key = tuple(row[f"{name}_{side}"] for name in ("source_id", "source_release", "locator"))
            assert values[key] == row[f"value_{side}"]
        assert row["ratio"] == row["value_b"] / row["value_a"]


def test_carbon_of_one_year_is_compared_with_that_year(conflicts):
    rows = conflicts.filter(quantity="carbon_gco2e_per_kwh", differs_by="source")
    assert set(rows["source_id_b"]) == {"codecarbon_energy_mix"}
    assert all(row["subject"].split()[1] in row["detail_b"] for row in rows.to_dicts())
    assert (rows["ratio"] - 1).abs().min() > 0.05


# LLM-Inference-Bench


@pytest.fixture(scope="module")
def argonne(read) -> list[tuple[dict, dict]]:
    return raw_and_core(read, "argonne_llm_bench", "published_throughput")


def test_total_tokens_are_halved_for_output_tokens(argonne):
    raw, row = next((raw, row) for raw, row in argonne if raw["locator"] == "line 2" and raw["avg_power"] is None)
    assert (raw["Hardware"], round(raw["Throughput"], 3)) == ("Nvidia GH200 GPU", 371.927)
    assert row["output_tokens_per_s"] == pytest.approx(128 / 0.688306736946106)


LATENCY_OF = ("Hardware", "Num of Hardware", "Framework", "Model", "Input Output Length")


def test_llama_cpp_serves_one_request_whatever_batch_it_prints(argonne):
    rows = [(raw, row) for raw, row in argonne if raw["Framework"] == "llama.cpp"]
    assert len(rows) == 1570
    of_one = {tuple(raw[k] for k in LATENCY_OF): raw["Latency"] for raw, _ in rows if raw["Batch Size"] == 1}
    more = [raw for raw, _ in rows if raw["Batch Size"] > 1]
    # so many requests would take longer than one; each of these takes less
    assert len(more) == 1161
    assert all(raw["Latency"] < of_one[tuple(raw[k] for k in LATENCY_OF)] for raw in more)
    for raw, row in rows:
        assert row["output_tokens_per_s"] == pytest.approx(raw["Input Output Length"] / raw["Latency"], rel=1e-5)
        assert (row["concurrency"], row["n_basis"]) == (1, 1)
        assert row["caveat"].startswith("One request; the printed batch size")


def test_keys_that_occur_twice_are_kept_and_said(argonne):
    twice = Counter(row["accelerator_id"] for _, row in argonne if "Printed twice" in (row["caveat"] or ""))
    assert twice == {"mi250": 68, "a100-sxm": 40, "h100-sxm": 6}


def test_two_names_of_one_part_are_one_accelerator(argonne):
    names = {raw["Hardware"] for raw, row in argonne if row["accelerator_id"] == "intel-max-1550"}
    assert names == {"Intel PVC GPU", "Intel Max 1550"}


def test_figures_of_two_names_of_one_part_stand_in_conflicts(read):
    found = read("core.conflicts").filter(
        pl.col("accelerator_id") == "intel-max-1550", pl.col("quantity") == "output_tokens_per_s"
    )
    assert (found.height, set(found["differs_by"])) == (24, {"row"})
    assert max(found["ratio"].max(), 1 / found["ratio"].min()) > 8


def test_rows_with_power_are_counted_once_and_keep_their_framework_apart(argonne):
    metered = [row for raw, row in argonne if raw["avg_power"] is not None]
    twins = [row for _, row in argonne if row["rejection_code"] == "twin"]
    same = ("model_id", "accelerator_id", "framework", "concurrency", "printed_value")
    assert len(metered) == len(twins) == 48
    assert {tuple(row[name] for name in same) for row in metered} == {tuple(r[name] for name in same) for r in twins}
    assert {row["rejection_code"] for row in metered} == {None}
    assert len({tuple(row[name] for name in same[:4]) for row in metered}) == 48


# ML.ENERGY v2


@pytest.fixture(scope="module")
def small_files(read) -> list[tuple[dict, dict]]:
    return raw_and_core(read, "mlenergy_v2", "energy_measurements")


def test_energy_of_a_request_is_in_watt_hours_of_the_boards(small_files):
    row = next(
        row for raw, row in small_files
        if raw["Model"] == "mistralai/Mixtral-8x22B-Instruct-v0.1" and round(raw["Energy/req (J)"]) == 564
    )  # fmt: skip
    assert (round(row["energy_wh_per_query"], 3), round(row["output_tokens"]), row["boundary"]) == (0.157, 385, "gpu")


def test_requests_of_all_stages_and_gpus_of_all_stages_are_counted(small_files):
    staged = [(raw, row) for raw, row in small_files if raw["PP"] == 2]
    assert len(staged) == 17
    assert {row["n_accelerators"] for _, row in staged} == {16}  # two nodes
    assert all(row["concurrency"] == raw["Max BS (reqs)"] for raw, row in staged)
    named_64 = {row["concurrency"] for raw, row in staged if raw["locator"].endswith("bs64+tp8+pp2.json")}
    assert named_64 == {128}


def test_energy_of_pictures_is_no_energy_of_a_language_model(read):
    rejected = read("core.rejected").filter(source_id="mlenergy_v2")
    assert (rejected.height, set(rejected["rejection_code"])) == (118, {"not-an-llm"})


def test_prompts_with_images_say_so(small_files):
    pictured = [row for raw, row in small_files if raw["family"] == "mllm_text_generation"]
    assert len(pictured) == 42
    assert all("images" in row["caveat"] for row in pictured)


def test_the_two_gpus_are_the_40_gigabyte_a100_and_the_h100(small_files):
    found = {(raw["GPU"], row["accelerator_id"]) for raw, row in small_files}
    assert found == {
        ("NVIDIA A100-SXM4-40GB", "a100-sxm-40gb"), ("NVIDIA H100 80GB HBM3", "h100-sxm"),
    }  # fmt: skip


# InferenceX power


@pytest.fixture(scope="module")
def powered(online) -> pl.DataFrame:
    return online("core.inferencex_power")


def test_all_boards_of_a_disaggregated_deployment_are_paid_for(powered):
    row = only(powered, is_disaggregated=True)
    assert (row["n_accelerators"], row["concurrency"]) == (24, 2048)
    assert row["energy_j_per_output_token_as_printed"] == 0.685255
    assert row["energy_j_per_output_token"] == pytest.approx(2.30, abs=0.005)


def test_in_one_pool_joules_are_those_printed(powered):
    rows = powered.filter(~pl.col("is_disaggregated"))
    assert rows.height == 15
    assert (rows["energy_j_per_output_token"] / rows["energy_j_per_output_token_as_printed"] - 1).abs().max() < 1e-5


def test_the_run_that_looks_failed_is_not_among_them(powered):
    assert powered.height == 16
    assert powered.filter(concurrency=512).is_empty()
    assert powered["energy_j_per_output_token"].max() < 14.2


def test_most_are_of_low_concurrency_and_every_row_says_which(powered):
    assert powered["concurrency"].null_count() == 0
    assert powered.filter(pl.col("concurrency") <= 64).height == 14
    assert set(powered["accelerator_id"]) == {"mi355x"}


# TokenPowerBench


@pytest.fixture(scope="module")
def short_runs(read) -> list[tuple[dict, dict]]:
    return raw_and_core(read, "tokenpowerbench", "energy_measurements")


def test_nine_readings_of_the_server_are_nodes_and_unread_counters_are_no_power(short_runs):
    servers = [(raw, row) for raw, row in short_runs if row["boundary"] == "node"]
    assert len(servers) == 9
    assert {(row["n_accelerators"], row["n_metered_accelerators"]) for _, row in servers} == {(2, 4)}
    assert {raw["saved_at"][:6] for raw, _ in servers} == {"202504"}
    for raw, row in servers:
        assert row["power_w"] == raw["total_avg_power"] > raw["gpu_avg_power"] + raw["cpu_avg_power"]
        assert row["energy_j_per_output_token"] == pytest.approx(raw["total_energy_per_token"])
    unread = [raw for raw, row in short_runs if row["boundary"] == "gpu" and raw["total_avg_power"] == 0]
    assert len(unread) == 176


def test_three_idle_boards_that_are_counted_in_are_told(short_runs):
    idle = [row for raw, row in short_runs if raw["gpu3_power_watts"] is not None]
    assert len(idle) == 168
    assert all("Three idle boards" in row["caveat"] for row in idle)
    assert {(row["n_accelerators"], row["n_metered_accelerators"]) for row in idle} == {(1, 4)}


def test_energy_of_a_response_is_worked_out_and_not_copied(short_runs):
    for raw, row in short_runs:
        whole = raw["gpu_energy"] if row["boundary"] == "gpu" else raw["total_energy"]
        assert row["energy_wh_per_query"] * 3600 == pytest.approx(whole / raw["responses"])
    sample = [row for raw, row in short_runs if raw["responses"] == 32 and raw["total_output_tokens"] == 17246]
    assert [round(row["energy_wh_per_query"] * 3600, 1) for row in sample] == [115.3]


def test_names_of_folders_and_of_models_are_one_model(short_runs):
    assert {row["model_id"] for _, row in short_runs} == {"llama-3.1-8b", "llama-3.2-1b", "llama-3.2-3b"}
    assert {raw["model"] for raw, _ in short_runs} > {"Llama-3.1-8B", "models--meta-llama--Llama-3.1-8B"}


def test_boards_that_nobody_names_are_not_guessed(short_runs):
    assert {row["accelerator_id"] for _, row in short_runs} == {None}


def test_the_most_joules_are_of_three_tokens_of_one_prompt_in_a_run_that_says_it_is_short(short_runs):
    _, row = max(short_runs, key=lambda pair: pair[1]["energy_j_per_output_token"])
    assert (round(row["energy_j_per_output_token"], 2), row["output_tokens"], row["concurrency"]) == (2.31, 3, 1)
    assert "A run under 20 s" in row["caveat"]


# AI Energy Score


@pytest.fixture(scope="module")
def board(online) -> list[tuple[dict, dict]]:
    return raw_and_core(online, "ai_energy_score_feb2025", "energy_measurements")


def test_kilowatt_hours_of_a_thousand_queries_are_watt_hours_of_one(board):
    assert len(board) == 7  # the models of the board that a throughput is published of
    assert all(row["energy_wh_per_query"] == raw["total_gpu_energy"] for raw, row in board)
    llama = next(row for raw, row in board if raw["model"] == "meta-llama/Meta-Llama-3.1-8B")
    assert (llama["model_id"], llama["energy_wh_per_query"]) == ("llama-3.1-8b", 0.017376263)


def test_one_request_at_a_time_is_said_on_every_row(board):
    # an H100, of which kind is not said
    assert {(row["concurrency"], row["boundary"], row["accelerator_id"]) for _, row in board} == {(1, "gpu", None)}
    assert all("4 to 20 times those of a busy server" in row["caveat"] for _, row in board)


def test_no_figure_of_the_mislabelled_copy_is_used_anywhere(online):
    copy = "ai_energy_score_corinac"
    for name in ("energy_measurements", "serving_measurements", "published_throughput", "coverage"):
        frame = online(f"core.{name}")
        columns = [column for column in ("source_id", "source_ids") if column in frame.columns]
        assert not frame.filter(pl.any_horizontal(pl.col(c).str.contains(copy) for c in columns)).height, name


# Facts of boards, nodes and queries


def test_figures_that_conflict_are_all_kept(read):
    facts = read("raw.published_facts").filter(pl.col("kind").is_in(["accelerator_tdp", "accelerator_memory"]))
    twice = facts.filter(facts.select("kind", "subject", "quantity").is_duplicated())
    assert {(row["subject_id"], row["quantity"]) for row in twice.to_dicts()} == {
        ("l40s", "tdp"), ("mi250x", "tdp"), ("mi325x", "tdp"), ("b300-sxm", "tdp"), ("mi300x", "memory_bandwidth"),
        ("b200-sxm", "memory"),
    }  # fmt: skip


def test_shares_that_add_up_to_101_are_no_energy(read):
    shares = read("core.published_estimates").filter(pl.col("quantity_as_printed").str.starts_with("energy_share_"))
    assert (shares.height, shares["value_as_printed"].sum()) == (4, 101)
    assert shares["energy_wh_per_query"].null_count() == 4


def test_the_wrong_750_watts_of_a_list_do_not_serve(read):
    cards = read("core.accelerators")
    assert only(cards, accelerator_id="mi325x")["tdp_w"] == 1000
    facts = read("raw.published_facts").filter(subject_id="mi325x", value=750)
    assert "dc-liquid-cooling-calculator" in facts["source_url"].item()
    assert facts["caveat"].item().startswith("Likely wrong")


# Cloud regions


def test_a_newer_revision_restates_three_values_and_adds_63_rows(online):
    found = online("core.restatements").filter(source_id="gsf_cloud_regions")
    assert dict(found.group_by("change").agg(pl.col("n_rows").sum()).iter_rows()) == {"restated": 3, "added": 63}
    told = found.filter(change="restated").sort("row").select("row", "column_name", "old_value", "new_value").rows()
    assert [(row.split(", ")[0], row.split(", ")[2], *values) for row, *values in told] == [
        ("2022", "ap-northeast-1", "power-usage-effectiveness", "1.32", "1.3"),
        ("2022", "me-south-1", "power-usage-effectiveness", "1.34", "1.38"),
        ("2023", "ap-northeast-1", "power-usage-effectiveness", "1.3", "1.32"),
    ]


def test_what_was_restated_is_what_serves(online):
    bahrain = only(online("core.facilities"), region="me-south-1", year=2022)
    assert bahrain["pue"] == 1.38


def test_nothing_else_is_said_to_be_restated(online):
    assert set(online("core.restatements")["source_id"]) == {"gsf_cloud_regions"}


def test_pue_and_water_of_a_region_are_those_of_its_row_or_absent(online):
    rows = raw_and_core(online, "gsf_cloud_regions", "facilities")
    assert len(rows) == 163
    assert sum(row["pue"] is not None for _, row in rows) == 137 - 1  # one of Finland
    assert sum(row["wue_l_per_kwh"] is not None for _, row in rows) == 113 - 1
    assert all((row["operator"], row["region"]) == (p["cloud-provider"], p["cloud-region"]) for p, row in rows)


# Grids


@pytest.mark.parametrize(
    ("name", "grams", "litres"),
    [
        ("USA", 383.55, 3.1321),
        ("WOR", 473.01, 3.908),
        ("FRA", 44.18, 3.6737),
        ("SWE", 35.82, 6.0315),
        ("IRL", 279.7, 1.4769),
    ],
)
def test_kilograms_become_grams_and_water_is_that_of_the_grid(grids, name, grams, litres):
    row = only(grids, source_id="ecologits_electricity_mixes", area_id=name)
    assert row["carbon_gco2e_per_kwh"] == pytest.approx(grams)
    assert (row["grid_water_l_per_kwh"], row["is_default_water"]) == (litres, True)
    assert (row["is_default_carbon"], row["year"]) == (False, None)


def test_the_world_is_no_country(grids):
    world = grids.filter(area_id="WOR")
    assert set(world["area_kind"]) == {"aggregate"}
    assert set(world["source_id"]) == {"owid_carbon_intensity", "ecologits_electricity_mixes"}


def test_aggregates_are_told_from_countries_and_kosovo_is_one(grids):
    owid = grids.filter(source_id="owid_carbon_intensity")
    kinds = dict(owid.group_by("area_kind").agg(pl.col("area_name").n_unique()).iter_rows())
    assert kinds == {"aggregate": 12 + 12, "country": 238 - 24}  # of no code and of pseudo-codes, without Kosovo
    assert only(owid, area_id="XKX", year=2024)["area_kind"] == "country"
    assert not [code for code in owid.filter(area_kind="country")["area_id"].unique() if len(code) != 3]


def test_zero_grams_are_rejected_and_never_a_grid_without_carbon(read, grids):
    assert grids["carbon_gco2e_per_kwh"].min() > 0
    rejected = read("core.rejected").filter(rejection_code="implausible")
    assert Counter(rejected["source_id"]) == {"owid_carbon_intensity": 22, "codecarbon_energy_mix": 1}
    areas = {text.rsplit(" ", 3)[0] for text in rejected["printed"]}
    assert areas == {"Burundi", "Central African Republic"}


def test_figures_of_mixed_years_keep_their_year_and_do_not_serve_before_newer_ones(grids):
    mix = grids.filter(source_id="codecarbon_energy_mix")
    assert Counter(mix["year"]) == {2022: 129, 2023: 78, 2021: 4, 2009: 1}
    assert only(mix, area_id="USA")["carbon_gco2e_per_kwh"] == 369.473
    assert not mix["is_default_carbon"].any()


def test_the_newest_year_of_an_area_serves_once(online):
    grids = online("core.grids")
    for kind in ("carbon", "water"):
        assert grids.filter(pl.col(f"is_default_{kind}"))["area_id"].is_duplicated().sum() == 0
    served = set(grids.filter("is_default_carbon")["area_id"])
    # zero grams since 2013, and nothing newer than 2009
    assert set(grids["area_id"]) - served == {"CAF", "ESH"}
    usa = only(grids.filter("is_default_carbon"), area_id="USA")
    assert (usa["source_id"], usa["year"], usa["carbon_gco2e_per_kwh"]) == ("owid_carbon_intensity", 2025, 384.4)


# Sizes of models


def test_sizes_that_a_tool_assumes_say_so_and_do_not_serve(read):
    raw = {row["locator"]: row for row in read("raw.ecologits_models").to_dicts()}
    listed = read("core.published_models").filter(source_id="ecologits_models")
    for row in listed.to_dicts():
        assert (row["size_basis"] == "assumed") == (
            "model-arch-not-released" in (raw[row["locator"]]["warnings"] or "")
        )
    closed = {model["locator"] for model in raw.values() if model["name"] == "gpt-4o"}
    assert closed
    assert closed <= set(read("core.rejected").filter(source_id="ecologits_models")["locator"])


def test_speed_of_one_request_at_an_api_is_no_throughput_of_a_node(read):
    assert (
        not read("core.published_throughput")
        .filter(pl.col("source_id").is_in(["ecologits_models", "llmfit_models"]))
        .height
    )
    assert not [name for name in read("core.published_models").columns if "tps" in name or "tokens" in name]


def test_active_parameters_estimated_from_the_ratio_of_experts_say_so_and_conflict(read, conflicts):
    listed = read("core.published_models").filter(source_id="llmfit_models")
    raw = {row["locator"]: row for row in read("raw.llmfit_models").to_dicts()}
    for row in listed.to_dicts():
        estimated = raw[row["locator"]]["active_parameters"] is not None
        assert (row["size_basis"] == "active ones estimated") == estimated
    found = conflicts.filter(source_id_b="llmfit_models", quantity="active_params_b")
    assert {row["model_id"]: round(row["ratio"], 2) for row in found.to_dicts()} == {
        "gpt-oss-120b": 1.88, "deepseek-r1-0528": 1.47, "qwen3-235b-a22b-instruct-2507-fp8": 1.17,
        "qwen3-235b-a22b-thinking-2507-fp8": 1.17,
    }  # fmt: skip


def test_models_made_for_tests_and_defaults_of_context_go_nowhere(read):
    followed = read("core.published_models").filter(source_id="llmfit_models")
    assert not followed.filter(pl.col("model_as_printed").str.contains("tiny-random")).height
    assert not [name for name in read("core.models").columns if "context" in name]


def test_no_listed_size_replaces_the_makers(read):
    ours = {row["model_id"]: row["active_params_b"] for row in read("core.models").to_dicts()}
    assert (ours["gpt-oss-120b"], ours["deepseek-r1-0528"], ours["mixtral-8x22b"]) == (5.1, 37, 39)


# What is covered


def test_every_model_on_every_accelerator_is_covered_or_named_as_a_hole(online):
    table = online("core.coverage")
    covered = table.filter("is_covered")
    n_models, n_cards = online("core.models").height, covered["accelerator_id"].n_unique()
    assert table.select("model_id", "accelerator_id").unique().height == n_models * n_cards
    accepted = online("core.serving_measurements")
    assert covered["n_throughputs"].sum() == accepted.height
    measured = online("core.energy_measurements").drop_nulls(["model_id", "accelerator_id"])
    counts = covered.select("n_gpu_energies", "n_node_energies").sum().row(0)
    assert counts == tuple(measured.filter(boundary=boundary).height for boundary in ("gpu", "node"))


def test_a_hole_is_the_first_thing_missing(read):
    table = read("core.coverage")
    assert table.filter(hole="nothing is published")["is_covered"].any() is False
    saturated = only(table, model_id="llama-3.1-405b", accelerator_id="h100-sxm", precision="fp8")
    assert saturated["n_length_pairs"] >= 5
    assert (saturated["has_node_power"], saturated["n_gpu_energies"], saturated["n_node_energies"]) == (True, 0, 0)
    # the pair was measured, in another precision
    others = table.filter(model_id="llama-3.1-405b", accelerator_id="h100-sxm")
    assert others["n_gpu_energies"].sum() > 0
    assert saturated["hole"] is None
