"""core.published_estimates: what others say one query takes, in our units, each with its boundary."""

import polars as pl

from assets import columns as c
from assets.raw.published_estimates import BASES, BOUNDARIES, UNITS
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import sql_asset

# units in which the figure is that of one query, by the column that takes it
_PER_QUERY = {
    "energy_wh_per_query": ("Wh/query", "Wh/prompt", "Wh/1000"),
    "carbon_gco2e_per_query": ("gCO2e/prompt", "gCO2e/response"),
    "water_ml_per_query": ("mL/prompt", "mL/response", "US gal/query"),
}

TABLE = Table(
    name="core.published_estimates",
    description="Published figures of the energy, carbon and water of a query, in Wh, gCO2e and mL, for comparison and "
    "never an input. A query is a median prompt, an average or a fixed length: compare boundary and lengths first.",
    grain=("subject", "quantity_as_printed", "year", "source_url"),
    columns=(
        c.locator,
        c.text("subject", "Who says it, of what."),
        c.text(
            "quantity_as_printed",
            "What is stated, and of which statistic: a median, a quartile, a mean, a lower bound.",
        ),
        Column("value_as_printed", pl.Float64, "The figure as printed.", low=0, high=1e6),
        c.text("unit_as_printed", "Its unit as printed.", UNITS),
        c.text("estimate_boundary", "What it covers; life-cycle: with hardware; unspecified: not said.", BOUNDARIES),
        c.text("estimate_basis", "How its publisher knows it; stated: without a method.", BASES),
        c.input_tokens.optional(),
        c.output_tokens.optional(),
        c.energy_wh_per_query.optional(),
        c.carbon_gco2e_per_query.optional(),
        c.water_ml_per_query.optional(),
        c.text("boundary_as_printed", "What the page says is inside."),
        Column("year", pl.Int64, "Year of the figure or its publication.", low=2015, high=2100),
        c.source_url,
        c.confidence,
        c.caveat,
        c.model_id.but(
            meaning="The model, where it is named and is one of models; empty: another, or not said."
        ).optional(),
    ),
    rules=tuple(
        Rule(
            f"{column} is filled where the unit is one of {', '.join(units)}, and nowhere else",
            pl.col(column).is_not_null() == pl.col("unit_as_printed").is_in(units),
            check="contract",
            show="unit_as_printed",
        )
        for column, units in _PER_QUERY.items()
    ),
    coverage=(Coverage("estimate_boundary", ("gpu", "node", "facility")),),
    published=True,
)

published_estimates = sql_asset(TABLE)
