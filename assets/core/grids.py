"""core.grids: published carbon and water factors of electricity, by country, aggregate and cloud region."""

import polars as pl

from assets import columns as c
from assets.core.published_throughput import IDENTITY
from pipelines.tables.contract import Column, Coverage, Table
from pipelines.wiring import sql_asset

METHODS = ("life-cycle, average of production", "life-cycle, average of consumption", "average of consumption")

TABLE = Table(
    name="core.grids",
    description="Location-based carbon and off-site water per kWh of electricity as published. Of one area the newest "
    "year of Our World in Data serves for carbon, then CodeCarbon, then EcoLogits (no year); of a cloud region that of "
    "Real-Time Cloud, once it was fetched. None serves that is over five years older than the newest year here. "
    "Water is EcoLogits'. Marginal and market-based factors are another "
    "quantity and are not here.",
    grain=("source_id", "source_release", "locator"),
    columns=(
        *IDENTITY,
        c.area_id,
        c.text("area_name", "The area as printed."),
        c.text("area_kind", "What kind of area.", ("country", "aggregate", "cloud region")),
        c.count("year", "Year of the figure; empty: not stated.", 1900, 2100).optional(),
        c.quantity("carbon_gco2e_per_kwh", "g/kWh", "Carbon of a kWh, CO2 equivalent.", 0, 2000).optional(),
        c.quantity("grid_water_l_per_kwh", "L/kWh", "Water that making a kWh takes, off site.", 0, 500).optional(),
        c.text("carbon_method", "What the carbon factor counts.", METHODS),
        Column("is_default_carbon", pl.Boolean, "Whether this carbon factor serves for its area."),
        Column("is_default_water", pl.Boolean, "Whether this water factor serves for its area."),
    ),
    min_rows=5000,
    coverage=(Coverage("area_id", ("USA", "WOR", "IRL", "SWE", "DEU")),),
    published=True,
)

grids = sql_asset(TABLE)
