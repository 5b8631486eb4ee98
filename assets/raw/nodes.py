"""raw.nodes: power figures of servers and racks from prose, as printed. assets/reference/nodes.csv."""

import polars as pl

from pipelines.sources.reference import read_reference
from pipelines.tables.contract import Column, Table
from pipelines.wiring import reference_asset

TABLE = Table(
    name="raw.nodes",
    description="Power figures of servers and racks, each with the page that states it. Rated maximum, typical, "
    "measured and rack capacity are different quantities and are not averaged. Boundary: node.",
    grain=("node_id", "quantity", "source_url"),
    columns=(
        Column("locator", pl.String, "Line of assets/reference/nodes.csv."),
        Column("node_id", pl.String, "Our id of the node."),
        Column("accelerator_id", pl.String, "The accelerators in it."),
        Column("accelerators_per_node", pl.Int64, "How many of them.", low=1, high=256),
        Column("node_name", pl.String, "The node as printed."),
        Column(
            "quantity",
            pl.String,
            "What kind of power.",
            allowed=(
                "max_power",
                "typical_power_low",
                "typical_power_high",
                "idle_power",
                "power_shelf_output",
                "peak_power",
                "measured_power_low",
                "measured_power_high",
            ),
        ),
        Column("value", pl.Float64, "The figure, in `unit`.", low=0.1, high=1000),
        Column("unit", pl.String, "Unit as printed.", allowed=("kW",)),
        Column("boundary_as_printed", pl.String, "What the page says is inside."),
        Column("year", pl.Int64, "Year of the figure or its publication.", low=2015, high=2100),
        Column("source_url", pl.String, "The page."),
        Column("confidence", pl.String, "How sure.", allowed=("high", "medium", "low")),
    ),
)

nodes = reference_asset(TABLE, "reference/nodes.csv", lambda content, path: read_reference(content, path, TABLE.schema))
