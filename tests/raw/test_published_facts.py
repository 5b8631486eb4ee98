"""raw.published_facts: figures from prose, told apart by what they are of, and none lost on the way."""

import csv

import polars as pl
import pytest

from assets.raw import nodes, published_estimates
from assets.raw.accelerators import TABLE as ACCELERATORS
from assets.raw.published_facts import KINDS, TABLE
from pipelines.sources.catalogue import REPOSITORY
from pipelines.sources.reference import read_reference
from pipelines.tables.contract import Table
from pipelines.tables.validate import validate
from tests.support import MIRROR


def read(table: Table) -> pl.DataFrame:
    path = REPOSITORY / "assets" / "reference" / f"{table.short_name}.csv"
    return table.conform(read_reference(path.read_bytes(), path.name, table.schema))


@pytest.fixture(scope="module")
def facts():
    return read(TABLE)


def collected(name: str) -> list[dict[str, str]]:
    path = MIRROR.parent / "facts" / f"{name}.csv"
    if not path.exists():
        pytest.skip("the collected facts are not beside this clone")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_file_keeps_its_promises(facts):
    assert validate(TABLE, facts) == []
    assert dict(facts["kind"].value_counts().iter_rows()) == dict(
        zip(KINDS, (15, 6, 24, 12, 4, 15, 20, 7), strict=True)
    )


@pytest.mark.parametrize(
    ("kind", "subject", "fact_kind", "caveat"),
    [
        ("pue", "AWS best site (Europe)", "site", "not a default"),
        ("pue", "Meta buildings completed 2021", "design", "not a fleet"),
        ("pue", "Industry weighted average (Uptime)", "survey", "survey of operators"),
        ("pue", "Public cloud average (IDC)", "market", "market analyst"),
        ("pue", "Microsoft global", "fleet", "year is not clear"),
        ("pue", "Meta average", "fleet", "year is not stated"),
        ("wue", "Google fleet implied by Gemini figures", "derived", "Not published as a WUE"),
        ("wue", "AWS global", "fleet", "Per kWh of IT energy"),
        ("provider_assumption", "Google (USA)", "assumed", "What a tool assumes"),
    ],
)
def test_a_pue_or_wue_says_what_it_is_of(facts, kind, subject, fact_kind, caveat):
    rows = facts.filter((pl.col("kind") == kind) & (pl.col("subject") == subject))
    assert set(rows["fact_kind"]) == {fact_kind}
    assert all(caveat in text for text in rows["caveat"])


def test_the_best_site_is_the_lowest_pue_of_all_and_no_fleet_s(facts):
    pues = facts.filter(pl.col("kind") == "pue")
    assert pues.filter(pl.col("value") == pues["value"].min())["fact_kind"].to_list() == ["site"]


def test_conflicting_figures_stand_beside_each_other_and_say_so(facts):
    named = facts.filter(pl.col("kind").str.starts_with("accelerator_"))
    pairs = named.filter(pl.len().over("subject_id", "quantity") > 1).sort("subject_id", "value")
    assert [(row["subject_id"], row["value"]) for row in pairs.to_dicts()] == [
        ("b200-sxm", 90), ("b200-sxm", 180), ("b300-sxm", 1100), ("b300-sxm", 1400), ("l40s", 300), ("l40s", 350),
        ("mi250x", 500), ("mi250x", 560), ("mi300x", 5.3), ("mi300x", 10.3), ("mi325x", 750), ("mi325x", 1000),
    ]  # fmt: skip
    assert pairs["caveat"].null_count() == 0


def test_ids_are_those_of_our_accelerators_and_of_whoever_a_pue_or_wue_is_of(facts):
    of_buildings = facts.filter(pl.col("fact_kind").is_not_null())
    assert of_buildings["subject_id"].null_count() == 0
    others = facts.filter(pl.col("fact_kind").is_null())["subject_id"].drop_nulls()
    assert set(others) <= set(read(ACCELERATORS)["accelerator_id"])


def test_what_was_fitted_is_told_from_the_constants_of_a_tool(facts):
    tool = facts.filter(pl.col("kind") == "tool_coefficient")
    fitted = set(tool.filter(pl.col("caveat").str.starts_with("Fitted"))["quantity"])
    assert fitted == {f"{q}_{c}" for q in ("gpu_energy", "latency") for c in ("alpha", "beta", "gamma")}
    constants = set(tool.filter(pl.col("caveat").str.starts_with("A constant"))["quantity"])
    assert constants == set(tool["quantity"]) - fitted


def test_every_collected_figure_stands_in_one_of_the_files(facts):
    found = [
        *facts.select("subject", "quantity", "value", "unit", "year", "source_url", "confidence").rows(),
        *read(nodes.TABLE).select("node_name", "quantity", "value", "unit", "year", "source_url", "confidence").rows(),
        *read(published_estimates.TABLE)
        .select("subject", "quantity", "value", "unit", "year", "source_url", "confidence")
        .rows(),
    ]
    wanted = [
        (
            row["subject"], row["quantity"], float(row["value"]), row["unit"], int(row["year"]),
            row["source_url"].split(" (")[0], row["confidence"],
        )
        for row in collected("published_facts")
    ]  # fmt: skip
    assert len(wanted) == 177
    assert sorted(found) == sorted(wanted)


def test_every_collected_figure_of_an_accelerator_stands_in_accelerators_csv():
    ours = {row["accelerator_id"]: row for row in read(ACCELERATORS).to_dicts()}
    columns = {
        "dense_tflops_fp16_bf16": "dense_fp16_tflop_per_s", "dense_tflops_fp8": "dense_fp8_tflop_per_s",
        "dense_tflops_fp4": "dense_fp4_tflop_per_s", "dense_tops_int8": "dense_int8_top_per_s",
        "memory_gb": "memory_gb", "tdp_w": "tdp_w",
    }  # fmt: skip
    rows = collected("accelerator_flops")
    assert len(rows) == 32
    for row in rows:
        mine = ours[row["accelerator_id"]]
        for theirs, name in columns.items():
            assert mine[name] == (float(row[theirs]) if row[theirs] else None), (row["accelerator_id"], name)
        assert mine["memory_bandwidth_gb_per_s"] == pytest.approx(1000 * float(row["memory_bandwidth_tb_per_s"]))
