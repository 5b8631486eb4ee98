"""Energy per output token of metered runs, and node power: to the printed digits, in watts, with their boundary."""

import pytest

from pipelines.warehouse.store import Warehouse

METERED = [
    # result id, model, scenario, output tokens/s, W, J per output token: as worked out by hand from the two rounds
    ("5.1-0061", "llama-2-70b", "offline", "102909", "10401", "0.101"),
    ("5.1-0061", "llama-2-70b", "server", "99159", "10442", "0.105"),
    ("5.1-0062", "llama-3.1-405b", "offline", "1637", "9892", "6.04"),
    ("5.1-0062", "llama-3.1-405b", "server", "1249", "9566", "7.66"),
    ("5.1-0062", "llama-3.1-8b", "offline", "146960", "9436", "0.064"),
    ("5.1-0062", "llama-3.1-8b", "server", "128689", "9011", "0.070"),
    ("v4.1-0049", "llama-2-70b", "offline", "25262", "6153", "0.244"),
    ("v4.1-0049", "llama-2-70b", "server", "23113", "6280", "0.272"),
    ("v4.1-0049", "mixtral-8x7b", "offline", "48988", "6155", "0.126"),
    ("v4.1-0049", "mixtral-8x7b", "server", "45497", "6175", "0.136"),
    ("v4.1-0049", "gpt-j-6b", "offline", "13097", "4775", "0.365"),
    ("v4.1-0049", "gpt-j-6b", "server", "11701", "4723", "0.404"),
    # v4.0: DGX H100 MaxQ and Dell XE9680 MaxQ, whose power stands on a row of its own
    ("be5631a4dfe24181", "llama-2-70b", "offline", "17562", "5888", "0.335"),
    ("a1e202fb56654c75", "llama-2-70b", "offline", "17099", "5722", "0.335"),
]
RUN_AGAIN = ("5.1-0061", "llama-2-70b", "server", "99204", "10435", "0.105")
"""The stricter accuracy target of that server run was metered on its own; offline it is one run printed twice."""

RATED = {
    # node: accelerators in it, maximum in W, the same per accelerator
    "dgx-a100": (8, 6500, 812.5),
    "dgx-h100": (8, 10200, 1275),
    "dgx-h200": (8, 10200, 1275),
    "dgx-b200": (8, 14300, 1787.5),
    "dgx-b300": (8, 14500, 1812.5),
    "gb200-tray": (4, 6667, 1666.75),
    "gb200-nvl72": (72, 120000, 120000 / 72),
    "gb300-nvl72": (72, 142000, 142000 / 72),
    "8x-mi300x": (8, None, None),
}


@pytest.fixture(scope="module")
def read(book):
    return Warehouse(book).read


def test_metered_runs_give_the_joules_per_token_worked_out_by_hand(read):
    found = {
        (
            row["system"].split()[0],
            row["model_id"],
            row["scenario"],
            f"{row['output_tokens_per_s']:.0f}",
            f"{row['power_w']:.0f}",
            f"{row['energy_j_per_output_token']:#.3g}" if row["energy_j_per_output_token"] > 1
            else f"{row['energy_j_per_output_token']:.3f}",
        )
        for row in read("core.mlperf_power").to_dicts()
    }  # fmt: skip
    assert found == {*METERED, RUN_AGAIN}


def test_metered_power_is_that_of_the_wall_and_of_the_same_run(read):
    rows = [r for r in read("core.serving_measurements").to_dicts() if r["power_boundary"] == "node"]
    measured = {(r["source_release"], r["locator"]): r for r in rows}
    for row in read("core.mlperf_power").to_dicts():
        assert (row["power_boundary"], row["is_measured"]) == ("node", True)
        run = measured[row["source_release"], row["locator"]]
        assert (run["power_w"], run["output_tokens_per_s"]) == (row["power_w"], row["output_tokens_per_s"])
    assert len(rows) == len(measured) == 15


def test_power_on_a_row_of_its_own_is_that_of_the_same_submitter_platform_model_and_scenario(read):
    raw = {(r["source_release"], r["locator"]): r for r in read("raw.mlperf_inference").to_dicts()}
    same = ("source_release", "Submitter", "Platform", "UsedModel", "Scenario")
    alone = [row for row in raw.values() if row["Performance_Result"] is None]
    watts = {tuple(row[name] for name in same): row["Power_Result"] for row in alone}
    assert len(alone) == len(watts) == 20
    runs = [row for row in read("core.published_throughput").to_dicts() if row["source_release"].startswith("v4.0")]
    printed = [(row, raw[row["source_release"], row["locator"]]) for row in runs]
    metered = [(row, run) for row, run in printed if run not in alone and row["power_w"] is not None]
    assert len(metered) == 20
    assert all(row["power_w"] == watts[tuple(run[name] for name in same)] for row, run in metered)


def test_edge_runs_metered_in_joules_are_not_taken_for_watts(read):
    raw = read("raw.mlperf_inference")
    assert raw["Power_Units"].drop_nulls().unique().sort().to_list() == ["Watts", "millijoules"]
    in_watts = raw.filter(raw["Power_Units"] == "Watts").select("source_release", "locator").rows()
    published = read("core.published_throughput")
    of_mlperf = published.filter(published["source_id"] == "mlperf_inference").drop_nulls("power_w")
    metered = set(of_mlperf.select("source_release", "locator").rows())
    assert set(in_watts) <= metered
    # and the runs of v4.0 whose power stands on another row
    others = [release for release, _ in metered - set(in_watts)]
    assert sorted(others) == ["v4.0 closed-power offline"] * 10 + ["v4.0 closed-power server"] * 10


def test_power_of_the_gpus_is_not_taken_for_that_of_the_wall(read):
    measured = read("core.serving_measurements").drop_nulls("power_w")
    found = measured.group_by("source_id", "power_boundary").len().sort("source_id").rows()
    assert found == [
        ("argonne_llm_bench", "gpu", 48),
        ("mlenergy_v2", "gpu", 356),
        ("mlenergy_v3", "gpu", 838),
        ("mlperf_inference", "node", 15),
    ]
    raw = {(r["source_release"], r["locator"]): r for r in read("raw.mlenergy_v3").to_dicts()}
    for row in measured.filter(measured["source_id"] == "mlenergy_v3").to_dicts():
        printed = raw[row["source_release"], row["locator"]]["energy_per_token_joules"]
        assert row["power_w"] / row["output_tokens_per_s"] == pytest.approx(printed, rel=1e-9)


def test_node_power_is_in_watts_and_per_accelerator(read):
    found = {r["node_id"]: r for r in read("core.nodes").to_dicts()}
    assert set(found) == set(RATED)
    for node_id, (n, power_w, per_accelerator) in RATED.items():
        row = found[node_id]
        assert (row["accelerators_per_node"], row["power_max_w"]) == (n, power_w)
        assert row["power_max_w_per_accelerator"] == (per_accelerator and pytest.approx(per_accelerator, rel=1e-12))
        assert (row["power_boundary"], row["is_measured"]) == ("node", False)


def test_idle_and_measured_and_shelf_figures_are_not_taken_for_the_maximum(read):
    found = {r["node_id"]: r for r in read("core.nodes").to_dicts()}
    assert {n: r["power_idle_w"] for n, r in found.items() if r["power_idle_w"] is not None} == {"gb200-tray": 1000.0}
    assert found["gb300-nvl72"]["power_max_quantity"] == "peak_power"  # its power shelves' 132 kW are a capacity
    assert found["8x-mi300x"]["power_max_quantity"] is None


def test_each_accelerator_stands_in_one_node_by_default_the_whole_rack_first(read):
    default = {r["accelerator_id"]: r["node_id"] for r in read("core.nodes").to_dicts() if r["is_default"]}
    assert default == {
        "a100-sxm-80gb": "dgx-a100",
        "h100-sxm": "dgx-h100",
        "h200-sxm": "dgx-h200",
        "b200-sxm": "dgx-b200",
        "b300-sxm": "dgx-b300",
        "gb200": "gb200-nvl72",
        "gb300": "gb300-nvl72",
    }


def test_board_figures_are_converted_once(read):
    raw = {r["Hardware name"]: r for r in read("raw.epoch_ml_hardware").to_dicts()}
    core = {r["locator"]: r for r in read("core.accelerators").to_dicts() if r["locator"]}
    for name in ("NVIDIA H200 SXM", "NVIDIA H100 SXM5 80GB", "AMD Instinct MI300X"):
        row = core[raw[name]["locator"]]
        assert row["tdp_w"] == raw[name]["TDP (W)"]
        assert row["memory_gb"] * 1e9 == pytest.approx(raw[name]["Memory (bytes)"])
        assert row["memory_bandwidth_gb_per_s"] * 1e9 == pytest.approx(raw[name]["Memory bandwidth (byte/s)"])


def test_on_chip_memory_is_not_taken_for_the_memory(read):
    core = {r["locator"].split(", ")[1]: r for r in read("core.accelerators").to_dicts() if r["locator"]}
    assert core["Meta MTIA v1 (MTIA 100)"]["memory_gb"] is None
    assert core["Meta MTIA v2 (MTIA 200)"]["memory_gb"] is None
