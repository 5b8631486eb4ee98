"""core.facilities: published PUE and on-site WUE of operators, cloud regions and industries."""

import polars as pl

from assets import columns as c
from assets.raw.published_facts import FACT_KINDS
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import sql_asset

TABLE = Table(
    name="core.facilities",
    description="PUE (facility over IT energy) and on-site WUE (litres per kWh of IT energy: divide energy of the "
    "facility by PUE first) as published, by operator, region and year. Of one operator or region the figure of what "
    "is operated serves before that of a design, then the newest, then the surest; best sites, derived and assumed "
    "figures never do. Rows of cloud regions are there once Real-Time Cloud was fetched.",
    grain=("source_id", "source_release", "locator"),
    columns=(
        c.source_id,
        c.source_release,
        c.locator,
        c.text("operator_id", "Our id of the operator or industry; its figures compete for being the default."),
        c.text("operator", "Who operates it, or whose figure it is, as printed."),
        c.text("region", "Cloud region; empty: all of the operator's.").optional(),
        c.count("year", "Year of the figure.", 2000, 2100),
        c.text("fact_kind", "What the figure is of.", ("region", *FACT_KINDS)),
        c.quantity(
            "pue", "dimensionless", "Power usage effectiveness: energy of the facility over that of IT.", 1, 3
        ).optional(),
        c.quantity("wue_l_per_kwh", "L/kWh", "On-site water per kWh of IT energy; none of the grid.", 0, 20).optional(),
        Column("is_default_pue", pl.Boolean, "Whether this PUE serves for its operator and region."),
        Column("is_default_wue", pl.Boolean, "Whether this WUE serves for its operator and region."),
        c.source_url,
        c.confidence,
        c.caveat,
    ),
    rules=(
        Rule(
            "A row has a PUE or a WUE",
            pl.col("pue").is_not_null() | pl.col("wue_l_per_kwh").is_not_null(),
            check="contract",
        ),
    ),
    coverage=(Coverage("fact_kind", ("fleet", "survey", "market")),),
    published=True,
)

facilities = sql_asset(TABLE)
