"""estimates.fleet: energy, accelerators, peak power, carbon and water of the fleets of assets/reference/fleets.csv."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.carbon_and_water import place_of
from assets.estimates.throughput_rules import KEY, PAPER_SOURCE
from assets.raw.fleets import BLEND
from pipelines.energy.errors import EnergyInputError
from pipelines.energy.fleet import accelerators_needed, energy_gwh_per_day, peak_kw
from pipelines.energy.impacts import Place, carbon_gco2e, grid_water_ml, on_site_water_ml
from pipelines.energy.oviedo2026 import FRONTIER_MODELS
from pipelines.energy.oviedo2026 import METHOD as OVIEDO
from pipelines.energy.serving_time import METHOD as SERVING_TIME
from pipelines.energy.units import (
    DAYS_PER_YEAR,
    GRAMS_PER_TONNE,
    JOULES_PER_WH,
    ML_PER_M3,
    SECONDS_PER_DAY,
    W_PER_KW,
    WH_PER_GWH,
)
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import model_asset

SATURATED = 1.0
_KW_OF_GWH_PER_DAY = WH_PER_GWH * JOULES_PER_WH / SECONDS_PER_DAY / W_PER_KW
_PER_DAY = "of the fleet a day; boundary facility"

TABLE = Table(
    name="estimates.fleet",
    description="Energy, accelerators, peak power, carbon and water of a fleet: queries times the mean of each kind. "
    "Method oviedo2026, for the paper's blend: mean of the untrimmed pool times the paper's overhead for orchestration "
    "and backup, with and without its serving gain. Method serving-time: the default configuration of each model at "
    "each load, no overhead; of the blend, the mean of those of its models that can be fitted.",
    grain=("fleet_id", "method", "load", "with_interventions"),
    columns=(
        c.text("fleet_id", "The fleet, as in assets/reference/fleets.csv."),
        c.text("description", "What it is."),
        c.method,
        c.load,
        Column("with_interventions", pl.Boolean, "Whether each query's energy is divided by the paper's serving gain."),
        c.boundary,
        c.text("models", "The models that serve, with the share of queries of each."),
        c.quantity("queries_per_day", "1/day", "Queries a day.", 1, 1e13),
        c.quantity("energy_gwh_per_day", "GWh/day", f"Energy {_PER_DAY}.", 1e-9, 1e5),
        c.quantity("energy_gwh_per_day_lo90", "GWh/day", "90 % interval of it: low end.", 1e-9, 1e5).optional(),
        c.quantity("energy_gwh_per_day_hi90", "GWh/day", "90 % interval of it: high end.", 1e-9, 1e5).optional(),
        c.quantity("energy_gwh_per_year", "GWh/year", "Energy of 365 such days; boundary facility.", 1e-7, 1e7),
        c.quantity(
            "accelerators_needed",
            "dimensionless",
            "Accelerators for queries spread evenly; the paper's overhead not counted.",
            0,
            1e9,
        ).optional(),
        c.quantity(
            "peak_kw",
            "kW",
            "Power with all of them saturated at once; boundary facility. Empty for oviedo2026: its overhead is energy "
            "of which the paper does not say what draws it.",
            0,
            1e9,
        ).optional(),
        c.area_id,
        c.quantity("carbon_tco2e_per_day", "t/day", f"Location-based carbon {_PER_DAY}.", 0, 1e7),
        c.quantity("carbon_tco2e_per_day_lo90", "t/day", "90 % interval of it: low end.", 0, 1e7).optional(),
        c.quantity("carbon_tco2e_per_day_hi90", "t/day", "90 % interval of it: high end.", 0, 1e7).optional(),
        c.quantity("on_site_water_m3_per_day", "m^3/day", f"Water evaporated on site, {_PER_DAY}.", 0, 1e8),
        c.quantity(
            "grid_water_m3_per_day", "m^3/day", f"Water of the electricity, off site, {_PER_DAY}.", 0, 1e9
        ).optional(),
        c.share("mean_share_extrapolated", "Share of the energy that no benchmark covers.").optional(),
    ),
    rules=(
        Rule(
            "A fleet by serving-time has its interval",
            (pl.col("method") == SERVING_TIME) == pl.col("energy_gwh_per_day_lo90").is_not_null(),
            check="contract",
            show="energy_gwh_per_day",
        ),
        Rule(
            "A fleet draws no less at its peak than in the mean",
            (pl.col("peak_kw") >= pl.col("energy_gwh_per_day") * _KW_OF_GWH_PER_DAY * (1 - 1e-9)).fill_null(True),
            check="contract",
            show="peak_kw",
        ),
    ),
    coverage=(
        Coverage("fleet_id", ("paper-traditional", "paper-10-long", "paper-all-long")),
        Coverage("method", (OVIEDO, SERVING_TIME)),
    ),
    published=True,
)


@dataclass(frozen=True)
class _Part:
    """One kind of query of a fleet: its queries a day and the estimates of those who serve it, in equal shares."""

    models: str
    queries: float
    mean_wh: float
    interval_wh: tuple[float | None, float | None]
    n_accelerators: float
    saturated_w_each: float
    pue: float
    share_extrapolated: float | None


def fleet_of(
    fleets: pl.DataFrame,
    energy_per_query: pl.DataFrame,
    default_configurations: pl.DataFrame,
    grids: pl.DataFrame,
    assumptions: pl.DataFrame,
) -> pl.DataFrame:
    """One row a fleet, method, load, and with or without the paper's gain."""
    assumed = Assumptions(assumptions)
    facility = energy_per_query.filter(pl.col("boundary") == "facility")
    theirs = facility.filter((pl.col("method") == OVIEDO) & (pl.col("source_id") == PAPER_SOURCE))
    ours = facility.filter(pl.col("method") == SERVING_TIME)
    ours = ours.join(default_configurations.select(KEY), on=KEY, nulls_equal=True)
    rows = []
    for _, lines in fleets.group_by("fleet_id", maintain_order=True):
        place = place_of(grids, lines["area_id"][0], assumed)
        if set(lines["model_id"]) == {BLEND}:
            rows += [_oviedo(lines, theirs, assumed, place, improved) for improved in (False, True)]
        rows += [_serving_time(lines, ours, theirs, place, load) for load in sorted(ours["load"].unique())]
    return pl.DataFrame(rows, schema=TABLE.schema)


def _frontier(theirs: pl.DataFrame, workload_id: str) -> pl.DataFrame:
    """The paper's estimates of the models in its blend: the largest medians."""
    return theirs.filter(pl.col("workload_id") == workload_id).top_k(FRONTIER_MODELS, by="energy_wh_per_query_p50")


def _oviedo(lines: pl.DataFrame, theirs: pl.DataFrame, assumed: Assumptions, place: Place, improved: bool) -> dict:
    overhead = assumed.value("oviedo2026.fleet.overhead")
    parts, energy = [], []
    for line in lines.iter_rows(named=True):
        part = _part(line, _frontier(theirs, line["workload_id"]))
        gain = assumed.lognormal(f"oviedo2026.fleet.serving_gain.{line['workload_id']}") if improved else None
        parts.append(part)
        energy.append(energy_gwh_per_day(part.mean_wh, part.queries, overhead, gain))
    # the paper does not say what its overhead does to power, nor its gain to the number of accelerators
    row = {"method": OVIEDO, "load": SATURATED, "with_interventions": improved, "peak_kw": None}
    row |= {"accelerators_needed": None} if improved else {}
    # its PUE is drawn independently, so a mean energy holds the mean of it
    return _row(lines, parts, np.array(energy), place, assumed.lognormal("oviedo2026.pue").mean) | row


def _serving_time(lines: pl.DataFrame, ours: pl.DataFrame, theirs: pl.DataFrame, place: Place, load: float) -> dict:
    parts = []
    for line in lines.iter_rows(named=True):
        blend = _frontier(theirs, line["workload_id"])["model_id"].to_list()
        models = blend if line["model_id"] == BLEND else [line["model_id"]]
        parts.append(_part(line, ours.filter(pl.col("model_id").is_in(models)), load))
    energy = np.array([energy_gwh_per_day(part.mean_wh, part.queries) for part in parts])
    row = {"method": SERVING_TIME, "load": load, "with_interventions": False}
    return _row(lines, parts, energy, place, parts[0].pue) | row


def _part(line: dict, estimates: pl.DataFrame, load: float = SATURATED) -> _Part:
    """What serves a line, at a load. Raises EnergyInputError where nothing does."""
    asked = estimates.filter(pl.col("workload_id") == line["workload_id"])
    served, saturated = (asked.filter(pl.col("load") == at) for at in (load, SATURATED))
    if served.is_empty():
        raise EnergyInputError(
            f"assets/reference/fleets.csv, {line['locator']}: {line['model_id']} has no estimate of "
            f"{line['workload_id']}; name a model of default_configurations"
        )
    seconds, each = saturated["accelerator_s_per_query_mean"], saturated["power_w"] / saturated["n_accelerators"]
    ends = (served[f"energy_wh_per_query_mean_{end}90"].mean() for end in ("lo", "hi"))
    energy, beyond = served["energy_wh_per_query_mean"], served["mean_share_extrapolated"]
    return _Part(
        models=" + ".join(served["model_id"]),
        queries=line["queries_per_day"],
        mean_wh=energy.mean(),
        interval_wh=tuple(ends),
        n_accelerators=float(accelerators_needed(line["queries_per_day"], seconds.mean(), load)),
        saturated_w_each=(each * seconds).sum() / seconds.sum(),
        pue=served["pue"][0],
        share_extrapolated=None if beyond.null_count() else (beyond * energy).sum() / energy.sum(),
    )


def _row(lines: pl.DataFrame, parts: list[_Part], energy_gwh: np.ndarray, place: Place, pue: float) -> dict:
    """Sums over the parts. What is not known of power and PUE is the same for all, so ends of intervals are summed."""
    queries = np.array([part.queries for part in parts])
    gwh = float(energy_gwh.sum())
    ends = [[part.interval_wh[i] for part in parts] for i in (0, 1)]
    low, high = (None if None in end else float(energy_gwh_per_day(end, queries).sum()) for end in ends)
    extrapolated = [part.share_extrapolated for part in parts]
    return {
        "fleet_id": lines["fleet_id"][0],
        "description": lines["description"][0],
        "boundary": "facility",
        "models": ", ".join(f"{part.models} {part.queries / queries.sum():.0%}" for part in parts),
        "queries_per_day": float(queries.sum()),
        "energy_gwh_per_day": gwh,
        "energy_gwh_per_day_lo90": low,
        "energy_gwh_per_day_hi90": high,
        "energy_gwh_per_year": gwh * DAYS_PER_YEAR,
        "accelerators_needed": sum(part.n_accelerators for part in parts),
        "peak_kw": float(sum(peak_kw(part.n_accelerators, part.saturated_w_each, part.pue) for part in parts)),
        "area_id": place.area_id,
        "mean_share_extrapolated": None
        if None in extrapolated
        else float(np.average(extrapolated, weights=energy_gwh)),
    } | _impacts(gwh, (low, high), pue, place)


def _impacts(gwh: float, interval_gwh: tuple[float | None, float | None], pue: float, place: Place) -> dict:
    wh = gwh * WH_PER_GWH
    low, high = (None if end is None else end / gwh for end in interval_gwh)
    carbon = float(carbon_gco2e(wh, place.carbon_gco2e_per_kwh)) / GRAMS_PER_TONNE
    width = None if low is None else place.with_carbon(np.log(high / low) / 2)
    water = place.grid_water_l_per_kwh
    return {
        "carbon_tco2e_per_day": carbon,
        "carbon_tco2e_per_day_lo90": None if width is None else float(carbon * np.exp(-width)),
        "carbon_tco2e_per_day_hi90": None if width is None else float(carbon * np.exp(width)),
        "on_site_water_m3_per_day": float(on_site_water_ml(wh, pue, place.wue_l_per_kwh)) / ML_PER_M3,
        "grid_water_m3_per_day": None if water is None else float(grid_water_ml(wh, water)) / ML_PER_M3,
    }


fleet = model_asset(
    TABLE,
    fleet_of,
    {
        "fleets": "raw.fleets",
        "energy_per_query": "estimates.energy_per_query",
        "default_configurations": "estimates.default_configurations",
        "grids": "core.grids",
        "assumptions": "core.assumptions",
    },
)
