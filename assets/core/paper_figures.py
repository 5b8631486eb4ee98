"""core.paper_figures: the published figures that profile oviedo2026 must give. assets/reference/paper_figures.csv."""

import polars as pl

from assets import columns as c
from pipelines.sources.reference import read_reference
from pipelines.tables.contract import Column, Table
from pipelines.wiring import reference_asset

FIGURE = (
    c.text("quantity", "What the figure is."),
    c.text("subject", "Of what: a model, the blend of models above 200B, an intervention, a fleet."),
    c.text("statistic", "p25, p50, p75, mean, or a coefficient of the throughput rule."),
    c.text("regime", "Workload: traditional, test-time, their mix, or any."),
    c.text("unit", "Unit of the figures in this row."),
    Column("published", pl.Float64, "As printed in the paper.", nullable=True),
    Column("authors_code", pl.Float64, "From the authors' released code (noise of 10,000 draws).", nullable=True),
    Column("limit", pl.Float64, "The value without sampling noise, recomputed independently.", nullable=True),
    Column("tolerance", pl.Float64, "How far ours may lie from the reference, as a share.", low=0, high=0.05),
    c.source_text,
)

TABLE = Table(
    name="core.paper_figures",
    description="Figures of Oviedo et al., arXiv:2509.20241 v1 and v2, printed and from their released code.",
    grain=("quantity", "subject", "statistic", "regime"),
    columns=FIGURE,
)

paper_figures = reference_asset(
    TABLE, "reference/paper_figures.csv", lambda content, path: read_reference(content, path, TABLE.schema)
)
