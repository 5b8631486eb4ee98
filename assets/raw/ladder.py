"""raw.ladder: which published estimates stand on the ladder of boundaries, and what explains how far they are off.

The file is assets/reference/ladder.csv.
"""

import polars as pl

from assets.columns import WORKLOADS
from pipelines.sources.reference import read_reference
from pipelines.tables.contract import Column, Table
from pipelines.wiring import reference_asset

TABLE = Table(
    name="raw.ladder",
    description="Published estimates that estimates.boundary_ladder compares with ours, each with our workload beside "
    "it and what explains the difference, in our words.",
    grain=("subject", "quantity"),
    columns=(
        Column("locator", pl.String, "Line of assets/reference/ladder.csv."),
        Column("subject", pl.String, "As in assets/reference/published_estimates.csv."),
        Column("quantity", pl.String, "As in assets/reference/published_estimates.csv."),
        Column("workload_id", pl.String, "The workload of ours that it is compared with.", allowed=WORKLOADS),
        Column(
            "statistic",
            pl.String,
            "Which of ours it is beside: mean where the publisher says average, else median.",
            allowed=("median", "mean"),
        ),
        Column("explanation", pl.String, "What explains the difference, or that nothing can."),
    ),
)

ladder = reference_asset(
    TABLE, "reference/ladder.csv", lambda content, path: read_reference(content, path, TABLE.schema)
)
