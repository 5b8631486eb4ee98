"""core.nodes: servers and racks with their maximum power, in watts."""

import polars as pl

from assets import columns as c
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import sql_asset

TABLE = Table(
    name="core.nodes",
    description="Servers and racks: rated maximum power (boundary node, rated, not measured), idle power where it is "
    "published, and which node an accelerator is taken to stand in.",
    grain=("node_id",),
    columns=(
        c.node_id,
        c.text("node_name", "The node as printed."),
        c.accelerator_id,
        c.count("accelerators_per_node", "Accelerators in it.", 1, 256),
        c.quantity("power_max_w", "W", "Maximum power; boundary node, rated.", 500, 1e6).optional(),
        c.quantity("power_max_w_per_accelerator", "W", "The same per accelerator in it.", 200, 20_000).optional(),
        c.text("power_max_quantity", "What kind of maximum was printed.", ("max_power", "peak_power")).optional(),
        c.quantity("power_idle_w", "W", "Idle power; boundary node.", 10, 1e6).optional(),
        c.power_boundary.but(allowed=("node",)),
        c.is_measured,
        Column("is_default", pl.Boolean, "Whether deployments of its accelerator are taken to stand in it."),
        c.source_url.optional(),
        c.confidence.optional(),
    ),
    rules=(
        Rule("Idle power is below maximum power", pl.col("power_idle_w") < pl.col("power_max_w"), check="contract"),
    ),
    coverage=(Coverage("accelerator_id", ("h100-sxm", "h200-sxm", "b200-sxm", "gb200")),),
    published=True,
)

nodes = sql_asset(TABLE)
