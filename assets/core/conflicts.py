"""core.conflicts: where two sources, or two releases of one, speak of the same configuration, and how far apart."""

from assets import columns as c
from pipelines.tables.contract import Column, Table
from pipelines.wiring import sql_asset


def _side(letter: str) -> tuple[Column, ...]:
    columns = (
        c.source_id, c.source_release, c.locator, c.parallelism, c.input_tokens, c.output_tokens, c.output_tokens_per_s,
    )  # fmt: skip
    return tuple(column.but(name=f"{column.name}_{letter}") for column in columns)


TABLE = Table(
    name="core.conflicts",
    description="Pairs of published throughputs of the same model, accelerators, precision and lengths (1000 and 1024 "
    "count as the same) under saturated load: both values and their ratio. A newer release is usually faster; a ratio "
    "far from 1 between sources is a difference of basis, batch or software.",
    grain=("source_id_a", "source_release_a", "locator_a", "source_id_b", "source_release_b", "locator_b"),
    columns=(
        c.model_id,
        c.accelerator_id,
        c.n_accelerators,
        c.precision,
        *_side("a"),
        *_side("b"),
        c.quantity("ratio", "dimensionless", "Second throughput over first.", 1e-3, 1e3),
        c.text("differs_by", "What differs.", ("release", "source")),
        c.caveat,
    ),
    published=True,
)

conflicts = sql_asset(TABLE)
