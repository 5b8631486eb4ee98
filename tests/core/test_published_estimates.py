"""What others say a query takes: converted once, by the printed unit, with its boundary."""

import csv

import polars as pl
import pytest

from pipelines.warehouse.store import Warehouse
from tests.support import MIRROR


@pytest.fixture(scope="module")
def said(book):
    return Warehouse(book).read("core.published_estimates")


@pytest.mark.parametrize(
    ("subject", "unit", "column", "value"),
    [
        ("Google Gemini Apps median text prompt", "Wh/prompt", "energy_wh_per_query", [0.1, 0.24]),
        ("AI Energy Score v2 gpt-oss-120b reasoning (high)", "Wh/1000", "energy_wh_per_query", [8.5]),
        ("OpenAI average ChatGPT query (Altman)", "US gal/query", "water_ml_per_query", [0.32176]),
        ("Mistral Large 2, 400-token Le Chat response", "gCO2e/response", "carbon_gco2e_per_query", [1.14]),
        ("Mistral Large 2, 400-token Le Chat response", "mL/response", "water_ml_per_query", [45.0]),
    ],
)
def test_figures_of_a_query_by_their_unit(said, subject, unit, column, value):
    rows = said.filter((pl.col("subject") == subject) & (pl.col("unit_as_printed") == unit))
    assert sorted(rows[column].to_list()) == pytest.approx(value, rel=1e-4)


def test_figures_of_something_else_are_of_no_query(said):
    other = said.filter(
        pl.col("unit_as_printed").is_in(["GWh/day", "percent", "x", "ktCO2e", "m3", "mg Sb eq/response"])
    )
    assert other.height == 16
    for column in ("energy_wh_per_query", "carbon_gco2e_per_query", "water_ml_per_query"):
        assert other[column].null_count() == other.height


def test_energy_of_accelerators_alone_is_not_said_to_be_of_the_facility(said):
    only = said.filter(pl.col("quantity_as_printed").str.contains("active"))
    assert (only.height, set(only["estimate_boundary"])) == (3, {"gpu"})
    life_cycle = said.filter(pl.col("subject").str.starts_with("Mistral"))
    assert set(life_cycle["estimate_boundary"]) == {"life-cycle"}
    assert life_cycle["energy_wh_per_query"].null_count() == life_cycle.height


def test_a_ten_fold_slip_and_a_forty_fold_conflict_carry_a_caveat(said):
    o3 = said.row(by_predicate=pl.col("subject") == "Jegham 2505.09598 o3 long", named=True)
    assert (o3["energy_wh_per_query"], "ten times less" in o3["caveat"]) == (39.2, True)
    on = said.row(by_predicate=pl.col("subject").str.ends_with("70B reasoning on"), named=True)
    assert (on["confidence"], "40 times less" in on["caveat"]) == ("low", True)


def test_no_figure_was_lost_or_changed(said):
    facts = MIRROR.parent / "facts" / "published_facts.csv"
    if not facts.exists():
        pytest.skip("the collected facts are not beside this clone")
    with facts.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "point_estimate"]
    printed = sorted((r["subject"], r["quantity"], float(r["value"]), r["unit"], r["source_url"]) for r in rows)
    columns = ("subject", "quantity_as_printed", "value_as_printed", "unit_as_printed", "source_url")
    assert sorted(said.select(columns).rows()) == printed


def test_models_that_are_named_are_ours(said, book):
    named = said.filter(pl.col("model_id").is_not_null())
    assert named.height == 4
    assert named.join(Warehouse(book).read("core.models"), on="model_id", how="anti").is_empty()
