"""raw.published_estimates: what others say one query takes, as printed. assets/reference/published_estimates.csv."""

import polars as pl

from pipelines.sources.reference import read_reference
from pipelines.tables.contract import Column, Table
from pipelines.wiring import reference_asset

BOUNDARIES = ("gpu", "node", "facility", "life-cycle", "unspecified")
BASES = ("measured", "modelled", "assumed", "stated")
UNITS = (
    "Wh/query", "Wh/prompt", "Wh/1000", "GWh/day", "gCO2e/prompt", "gCO2e/response", "mL/prompt", "mL/response",
    "US gal/query", "percent", "x", "fraction of peak", "fraction of peak FLOPS", "mg Sb eq/response", "ktCO2e", "m3",
)  # fmt: skip

TABLE = Table(
    name="raw.published_estimates",
    description="Figures that others publish of the energy, carbon and water of a query, in prose, each with the page "
    "that states it. For comparison, never an input of an estimate.",
    grain=("subject", "quantity", "year", "source_url"),
    columns=(
        Column("locator", pl.String, "Line of assets/reference/published_estimates.csv."),
        Column("subject", pl.String, "Who says it, of what."),
        Column("quantity", pl.String, "What is stated, as the page puts it."),
        Column("value", pl.Float64, "The figure, in `unit`.", low=0, high=1e6),
        Column("unit", pl.String, "Unit as printed.", allowed=UNITS),
        Column("boundary", pl.String, "What it covers, in our words.", allowed=BOUNDARIES),
        Column("basis", pl.String, "How its publisher knows it.", allowed=BASES),
        Column("input_tokens", pl.Float64, "Input tokens of the query, where stated.", low=1, high=1e6, nullable=True),
        Column("output_tokens", pl.Float64, "Output tokens, where stated.", low=1, high=1e6, nullable=True),
        Column("boundary_as_printed", pl.String, "What the page says is inside."),
        Column("year", pl.Int64, "Year of the figure or its publication.", low=2015, high=2100),
        Column("source_url", pl.String, "The page."),
        Column("confidence", pl.String, "How sure.", allowed=("high", "medium", "low")),
        Column("caveat", pl.String, "What to know before comparing.", nullable=True),
        Column("model_id", pl.String, "The model, where it is named and stands in models.csv.", nullable=True),
    ),
    min_rows=60,
)

published_estimates = reference_asset(
    TABLE,
    "reference/published_estimates.csv",
    lambda content, path: read_reference(content, path, TABLE.schema),
)
