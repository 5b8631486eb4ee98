"""raw.published_facts: single figures from prose, as printed, each with its page. assets/reference/published_facts.csv.

PUE and WUE of providers, power and memory of accelerators where pages disagree, and constants of other people's
models. Power of servers stands in nodes.csv and what a query takes in published_estimates.csv; figures of power that
are of no node of ours are kept here.
"""

import polars as pl

from pipelines.sources.reference import read_reference
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import reference_asset

KINDS = (
    "pue", "wue", "provider_assumption", "accelerator_tdp", "accelerator_memory", "tool_coefficient", "model_input",
    "node_power",
)  # fmt: skip
FACT_KINDS = ("fleet", "site", "design", "survey", "market", "derived", "assumed")
UNITS = (
    "ratio", "L/kWh", "W", "kW", "TB/s", "GB", "Wh/token/B-param (per GPU)", "Wh/token (per GPU)", "1/batch",
    "s/token/B-param", "s/token/batch", "s/token", "s", "count", "requests", "bits", "x", "kgCO2e", "tokens",
    "fraction", "fraction of p_max", "fraction per GPU", "fraction of 10.2 kW",
    "fraction of GPU energy (authors: CPU+RAM ~30% greater than GPU use, wording ambiguous)",
)  # fmt: skip

TABLE = Table(
    name="raw.published_facts",
    description="Single figures that exist only in prose, each with the page that states it. Conflicting pages stand "
    "beside each other on purpose. Fleet, best site, design and survey are different quantities, and units differ "
    "within a kind: never average, convert by unit.",
    grain=("kind", "subject", "quantity", "year", "source_url"),
    columns=(
        Column("locator", pl.String, "Line of assets/reference/published_facts.csv."),
        Column("kind", pl.String, "What kind of figure.", allowed=KINDS),
        Column("subject", pl.String, "Of whom or what."),
        Column(
            "subject_id",
            pl.String,
            "Our id of the accelerator, or of whoever a PUE or WUE is of; empty for others.",
            nullable=True,
        ),
        Column("quantity", pl.String, "What is stated."),
        Column(
            "fact_kind",
            pl.String,
            "What a PUE or WUE is of: a fleet, one site, a design, a survey, a market average, a figure derived from "
            "others, or what somebody assumes; empty for other quantities.",
            allowed=FACT_KINDS,
            nullable=True,
        ),
        Column("value", pl.Float64, "The figure, in `unit`.", low=-1, high=1e9),
        Column("unit", pl.String, "Unit as printed.", allowed=UNITS),
        Column("boundary_as_printed", pl.String, "What the page says is inside, or whose figure it is.", nullable=True),
        Column("year", pl.Int64, "Year of the figure or its publication.", low=2015, high=2100),
        Column("source_url", pl.String, "The page."),
        Column("confidence", pl.String, "How sure.", allowed=("high", "medium", "low")),
        Column("caveat", pl.String, "What to know before using it.", nullable=True),
    ),
    min_rows=100,
    rules=(
        Rule(
            "A PUE or WUE says what it is of, and no other quantity does",
            pl.col("fact_kind").is_not_null() == pl.col("quantity").str.contains("^(pue|wue)(_|$)"),
            check="contract",
            show="quantity",
        ),
        Rule(
            "A PUE is between 1 and 3",
            (pl.col("quantity").str.contains("^pue(_|$)") & ~pl.col("value").is_between(1, 3)).not_(),
            check="contract",
            show="value",
        ),
        Rule(
            "An accelerator, and whoever a PUE or WUE is of, has our id",
            pl.col("subject_id").is_not_null()
            | (pl.col("kind").str.starts_with("accelerator_").not_() & pl.col("fact_kind").is_null()),
            check="contract",
            show="subject",
        ),
    ),
    coverage=(Coverage("kind", KINDS),),
)

published_facts = reference_asset(
    TABLE, "reference/published_facts.csv", lambda content, path: read_reference(content, path, TABLE.schema)
)
