"""estimates.carbon_and_water: carbon and water of one query of each model in each area."""

import numpy as np
import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.profile import WORKLOADS
from assets.estimates.throughput_rules import CONFIGURATION, KEY
from pipelines.energy.impacts import ImpactFactors, Place, impacts_with_intervals, known_area
from pipelines.energy.serving_time import METHOD
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import model_asset

_QUERY = "of one query of median length"


def _figure(name: str, unit: str, meaning: str, high: float) -> tuple[Column, ...]:
    """A figure with the two ends of its 90 % interval."""
    return (
        c.quantity(f"{name}_p50", unit, f"{meaning} {_QUERY}.", 0, high),
        c.quantity(f"{name}_p50_lo90", unit, "90 % interval of it: low end.", 0, high),
        c.quantity(f"{name}_p50_hi90", unit, "90 % interval of it: high end.", 0, high),
    )


TABLE = Table(
    name="estimates.carbon_and_water",
    description="Location-based carbon, water on site and water of the electricity of one query, kept apart, for the "
    "default configuration of each model at saturation, in every area whose electricity has a carbon factor (newest "
    "year, unless that is over five years older than the newest of all; other "
    "years are in grids). Energy of the facility by serving-time; the same PUE and WUE everywhere. "
    "Embodied hardware, market-based and marginal carbon are out of scope.",
    grain=("model_id", "workload_id", "area_id"),
    columns=(
        *CONFIGURATION,
        c.workload_id,
        c.area_id,
        c.text("area_name", "The area as printed."),
        c.count("year", "Year of its carbon factor.", 1900, 2100).optional(),
        c.method,
        c.boundary,
        c.energy_p50,
        c.quantity("carbon_gco2e_per_kwh", "g/kWh", "Carbon of a kWh there, CO2 equivalent.", 0, 2000),
        c.source_id.but(name="carbon_source_id", meaning="The source of carbon_gco2e_per_kwh."),
        *_figure("carbon_gco2e_per_query", "g", "Location-based carbon", 1e4),
        *_figure("on_site_water_ml_per_query", "mL", "Water evaporated on site", 1e5),
        *(column.optional() for column in _figure("grid_water_ml_per_query", "mL", "Water of the electricity", 1e6)),
        c.source_id.but(name="grid_water_source_id", meaning="The source of the water of a kWh.").optional(),
        c.evidence,
    ),
    min_rows=1000,
    rules=(
        Rule(
            "Carbon is energy times what a kWh emits",
            (
                pl.col("energy_wh_per_query_p50") * pl.col("carbon_gco2e_per_kwh") / 1000
                - pl.col("carbon_gco2e_per_query_p50")
            ).abs()
            <= 1e-9 * pl.col("carbon_gco2e_per_query_p50"),
            check="contract",
            show="carbon_gco2e_per_query_p50",
        ),
    ),
    coverage=(Coverage("area_id", ("USA", "WOR", "IRL", "SWE", "DEU")), Coverage("workload_id", WORKLOADS)),
    published=True,
)


def place_of(grids: pl.DataFrame, area_id: str, assumed: Assumptions) -> Place:
    """The factors of `area_id`. Raises EnergyInputError that lists the areas there are."""
    areas = area_factors(grids)
    known_area(area_id, areas["area_id"].to_list(), "published carbon factor")
    row = areas.row(by_predicate=pl.col("area_id") == area_id, named=True)
    return Place(area_id, row["carbon_gco2e_per_kwh"], row["grid_water_l_per_kwh"], ImpactFactors.of(assumed))


def area_factors(grids: pl.DataFrame) -> pl.DataFrame:
    """One row an area with a carbon factor: its name, the year, carbon and water of a kWh, and whose they are."""
    carbon = grids.filter("is_default_carbon").select(
        "area_id", "area_name", "year", "carbon_gco2e_per_kwh", carbon_source_id="source_id"
    )
    water = grids.filter("is_default_water").select("area_id", "grid_water_l_per_kwh", grid_water_source_id="source_id")
    return carbon.join(water, on="area_id", how="left", validate="1:1").sort("area_id")


def carbon_and_water_of(
    energy_per_query: pl.DataFrame,
    default_configurations: pl.DataFrame,
    grids: pl.DataFrame,
    assumptions: pl.DataFrame,
) -> pl.DataFrame:
    """One row a model, workload and area."""
    assumed = Assumptions(assumptions)
    asked = energy_per_query.filter(
        (pl.col("method") == METHOD)
        & (pl.col("boundary") == "facility")
        & (pl.col("load") == assumed.value("load.published_benchmarks"))
        & pl.col("workload_id").is_in(WORKLOADS)
    )
    asked = asked.join(default_configurations.select(KEY), on=KEY, nulls_equal=True, validate="m:1")
    return _impacts(asked.join(area_factors(grids), how="cross"), ImpactFactors.of(assumed)).select(TABLE.schema.keys())


def _impacts(rows: pl.DataFrame, factors: ImpactFactors) -> pl.DataFrame:
    names = ("energy_wh_per_query_p50", "energy_wh_per_query_p50_hi90", "interval_share_pue", "carbon_gco2e_per_kwh")
    wh, high, share_of_pue, carbon = (rows[name].to_numpy() for name in names)
    water = rows["grid_water_l_per_kwh"].to_numpy()
    width = np.log(high / wh)
    found = impacts_with_intervals(wh, width, share_of_pue, rows["pue"][0], carbon, water, factors)
    ends = ("p50", "p50_lo90", "p50_hi90")
    columns = {f"{name}_per_query_{ends[i]}": found[name][i] for name in found for i in range(len(ends))}
    return rows.with_columns(**{name: pl.Series(values).fill_nan(None) for name, values in columns.items()})


carbon_and_water = model_asset(
    TABLE,
    carbon_and_water_of,
    {
        "energy_per_query": "estimates.energy_per_query",
        "default_configurations": "estimates.default_configurations",
        "grids": "core.grids",
        "assumptions": "core.assumptions",
    },
)
