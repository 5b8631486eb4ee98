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
from pipelines.energy.units import DAYS_PER_YEAR, GRAMS_PER_TONNE, ML_PER_M3, WH_PER_GWH
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import model_asset

SATURATED = 1.0
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
        c.quantity("energy_gwh_per_year", "GWh", "Energy of 365 such days; boundary facility.", 1e-7, 1e7),
        c.quantity(
            "accelerators_needed",
            "dimensionless",
            "Accelerators for queries spread evenly; the paper's overhead not counted.",
            0,
            1e9,
        ).optional(),
        c.quantity("peak_kw", "kW", "Power with all of them saturated at once; boundary facility.", 0, 1e9).optional(),
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
    row = {"method": OVIEDO, "load": SATURATED, "with_interventions": improved}
    # the paper does not say what its overhead and gain do to the number of accelerators
    row |= {"accelerators_needed": None, "peak_kw": None} if improved else {}
    return _row(lines, parts, np.array(energy), place) | row


def _serving_time(lines: pl.DataFrame, ours: pl.DataFrame, theirs: pl.DataFrame, place: Place, load: float) -> dict:
    parts = []
    for line in lines.iter_rows(named=True):
        blend = _frontier(theirs, line["workload_id"])["model_id"].to_list()
        models = blend if line["model_id"] == BLEND else [line["model_id"]]
        parts.append(_part(line, ours.filter(pl.col("model_id").is_in(models)), load))
    energy = np.array([energy_gwh_per_day(part.mean_wh, part.queries) for part in parts])
    return _row(lines, parts, energy, place) | {"method": SERVING_TIME, "load": load, "with_interventions": False}


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
    return _Part(
        models=" + ".join(served["model_id"]),
        queries=line["queries_per_day"],
        mean_wh=served["energy_wh_per_query_mean"].mean(),
        interval_wh=tuple(ends),
        n_accelerators=float(accelerators_needed(line["queries_per_day"], seconds.mean(), load)),
        saturated_w_each=(each * seconds).sum() / seconds.sum(),
        pue=served["pue"][0],
        share_extrapolated=served["mean_share_extrapolated"].mean(),
    )


def _row(lines: pl.DataFrame, parts: list[_Part], energy_gwh: np.ndarray, place: Place) -> dict:
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
    } | _impacts(gwh, (low, high), parts[0].pue, place)


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
