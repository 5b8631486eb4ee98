"""core.coverage: what the published evidence covers, and where its holes are."""

import polars as pl

from assets import columns as c
from pipelines.tables.contract import Column, Rule, Table
from pipelines.warehouse.compared import rows_lost
from pipelines.wiring import compared_check, sql_asset

HOLES = (
    "nothing is published", "no throughput", "no throughput with both lengths", "no saturated throughput",
    "fewer than five pairs of lengths", "no node power", "no measured energy",
)  # fmt: skip

TABLE = Table(
    name="core.coverage",
    description="Which model, accelerator and precision are covered by which sources, with which lengths and which "
    "measured energy; and every model on every accelerator of the sources that nobody published anything of. `hole` "
    "names the first thing that is missing for an estimate checked against measurement.",
    grain=("model_id", "accelerator_id", "precision"),
    columns=(
        c.model_id,
        c.accelerator_id,
        c.precision.optional(),
        Column("is_covered", pl.Boolean, "Whether anything is published of them."),
        c.text("source_ids", "The sources that speak of them.").optional(),
        c.count("n_throughputs", "Published throughputs."),
        c.count("n_with_lengths", "Of these, with input and output length."),
        c.count("n_length_pairs", "Different pairs of lengths at saturation; near-duplicates count each."),
        *(
            c.quantity(
                f"{end}_{side}_tokens", "token", f"{end.capitalize()} tokens of {side} published.", 1, 1e6
            ).optional()
            for side in ("input", "output")
            for end in ("fewest", "most")
        ),
        c.count("fewest_accelerators", "Smallest deployment.").optional(),
        c.count("most_accelerators", "Largest deployment.").optional(),
        c.count("n_gpu_energies", "Measured energies or powers at this precision; boundary gpu."),
        c.count("n_node_energies", "Measured energies or powers at this precision; boundary node."),
        Column("has_node_power", pl.Boolean, "Whether the maximum power of a node of this accelerator is published."),
        c.text(
            "hole",
            "The first thing that is missing; empty: nothing. Energy counts as measured at whatever precision.",
            HOLES,
        ).optional(),
    ),
    rules=(
        Rule(
            "What is covered names its sources, and what is not names its hole",
            pl.col("is_covered") & pl.col("source_ids").is_not_null()
            | ~pl.col("is_covered") & (pl.col("hole") == "nothing is published"),
            check="contract",
        ),
    ),
    published=True,
)

coverage = sql_asset(TABLE)
covers_what_was_covered = compared_check(
    TABLE,
    "covers_all_it_covered",
    "Every model, accelerator and precision that the published file covers is still covered. A warning.",
    lambda before, now: rows_lost(before.filter("is_covered"), now.filter("is_covered"), TABLE.grain),
    "Look in core.rejected and core.restatements for the source that lost them; if its publisher withdrew them, "
    "nothing is to be done, else restore its extract and mend its parser or assets/reference/aliases.csv.",
)
