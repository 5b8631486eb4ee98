"""core.conflicts: where two sources, two releases or two rows speak of the same thing, and how far apart they are."""

import polars as pl

from assets import columns as c
from pipelines.tables.contract import Column, Table
from pipelines.wiring import sql_asset

QUANTITIES = (
    "output_tokens_per_s", "n_accelerators", "tdp_w", "memory_gb", "memory_bandwidth_gb_per_s", "total_params_b",
    "active_params_b", "energy_wh_per_query", "power_w", "energy_wh_per_1000_queries", "carbon_gco2e_per_kwh",
)  # fmt: skip
REASONS = ("release", "source", "row", "accelerators", "batch", "unit", "year")


def _side(letter: str) -> tuple[Column, ...]:
    of = "The first" if letter == "a" else "The second"
    return (
        c.source_id.but(name=f"source_id_{letter}", meaning=f"{of} figure's source, or the reference file it is in."),
        c.source_release.but(name=f"source_release_{letter}", meaning=f"{of} figure's release."),
        c.locator.but(name=f"locator_{letter}", meaning=f"Where {of[0].lower()}{of[1:]} figure stands."),
        c.text(f"detail_{letter}", f"What {of[0].lower()}{of[1:]} figure says of itself.").optional(),
        Column(f"value_{letter}", pl.Float64, f"{of} figure, in `unit`.", low=0, high=1e9),
    )


TABLE = Table(
    name="core.conflicts",
    description="Pairs of published figures of one thing, both values and their ratio: throughputs of the same model, "
    "accelerators, precision and lengths (1000 and 1024 count as the same) under saturated load; ratings of boards "
    "(over 2 % apart), sizes of models and carbon of grids (over 5 %); energy of a query; and figures whose unit or "
    "count of accelerators is mistaken. A newer release is usually faster; a ratio far from 1 between sources is a "
    "difference of basis, batch, unit or software: differs_by and caveat say which.",
    grain=(
        "quantity", "source_id_a", "source_release_a", "locator_a", "source_id_b", "source_release_b", "locator_b",
    ),
    columns=(
        c.text("quantity", "What both figures are of.", QUANTITIES),
        c.text("unit", "Unit of both values."),
        c.text("subject", "Of what, beside the model and accelerator."),
        c.model_id.optional(),
        c.accelerator_id.optional(),
        *_side("a"),
        *_side("b"),
        c.quantity("ratio", "dimensionless", "Second figure over first.", 1e-5, 1e5),
        c.text("differs_by", "What differs.", REASONS),
        c.caveat,
    ),
    published=True,
)  # fmt: skip

conflicts = sql_asset(TABLE)
