"""raw.fleets: the fleets that estimates are summed for, one row a kind of query.

The file is assets/reference/fleets.csv; add your own lines.
"""

import polars as pl

from assets.columns import WORKLOADS
from pipelines.sources.reference import read_reference
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import reference_asset

BLEND = ">200B"

TABLE = Table(
    name="raw.fleets",
    description="Fleets: how many queries of which workload go to which model a day, and in which area. The first ones "
    "are those of Oviedo et al.; a fleet of several lines sums them.",
    grain=("fleet_id", "model_id", "workload_id"),
    columns=(
        Column("locator", pl.String, "Line of assets/reference/fleets.csv."),
        Column("fleet_id", pl.String, "Our id of the fleet."),
        Column("description", pl.String, "What it is."),
        Column("model_id", pl.String, "A model that has a default configuration, or >200B: the paper's blend."),
        Column("workload_id", pl.String, "What is asked.", allowed=WORKLOADS),
        Column("queries_per_day", pl.Float64, "Queries of this line a day.", unit="1/day", low=1, high=1e13),
        Column("area_id", pl.String, "Area whose electricity it uses, an area of core.grids."),
    ),
    rules=(
        Rule(
            "A fleet has one description and one area",
            (pl.col("description") == pl.col("description").first().over("fleet_id"))
            & (pl.col("area_id") == pl.col("area_id").first().over("fleet_id")),
            check="contract",
            show="fleet_id",
        ),
        Rule(
            "The paper's blend is asked for traditional or test-time, as in the paper",
            (pl.col("model_id") != BLEND) | pl.col("workload_id").is_in(("traditional", "test-time")),
            check="contract",
            show="workload_id",
        ),
    ),
    coverage=(Coverage("fleet_id", ("paper-traditional", "paper-10-long", "paper-all-long")),),
)

fleets = reference_asset(
    TABLE, "reference/fleets.csv", lambda content, path: read_reference(content, path, TABLE.schema)
)
