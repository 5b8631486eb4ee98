"""A process that releases and publishes, for tests that kill it, starve it of space, or read meanwhile.

python -m tests.warehouse.publishing HOME PUE: as a refresh of HOME that found the PUE of assumptions.yaml changed.
"""

import sys
from pathlib import Path

import polars as pl

from assets.estimates.energy_per_query import TABLE as ENERGY_PER_QUERY
from assets.published.causes import estimates_of
from assets.published.joulebook import contents, released_tables
from assets.published.release import draft_of
from assets.published.views import VIEWS
from pipelines.alone import alone
from pipelines.warehouse.publish import publish
from pipelines.warehouse.releases import Release, Releases
from pipelines.warehouse.store import Warehouse, content_version

TABLES = {table.name: table for table in released_tables()}
PUE = pl.col("assumption_id") == "serving-time.pue"


def put(warehouse: Warehouse, name: str, frame: pl.DataFrame) -> None:
    """A table as it lies after its asset and its checks ran."""
    warehouse.write(TABLES[name], frame)
    warehouse.mark_checked(name, content_version(warehouse.read(name)))


def with_pue(warehouse: Warehouse, pue: float) -> None:
    """The tables of a refresh that found another PUE: the energy of a facility is proportional to it."""
    assumptions = warehouse.read("core.assumptions")
    was = assumptions.filter(PUE)["value"].item()
    columns = {name: pl.when(PUE).then(pl.col(name) * pue / was).otherwise(name) for name in ("value", "low", "high")}
    put(warehouse, "core.assumptions", assumptions.with_columns(**columns))
    estimates = warehouse.read(ENERGY_PER_QUERY.name)
    concerned = (pl.col("method") == "serving-time") & (pl.col("boundary") == "facility")
    scaled = [
        name for name in estimates.columns
        if name.startswith("energy_") or name == "pue"
    ]  # fmt: skip
    moved = {name: pl.when(concerned).then(pl.col(name) * pue / was).otherwise(name) for name in scaled}
    put(warehouse, ENERGY_PER_QUERY.name, estimates.with_columns(**moved))


def with_throughput(warehouse: Warehouse, factor: float, rows: pl.Expr) -> None:
    """The tables of a refresh that found `factor` times the throughput in these benchmark rows."""
    measured = warehouse.read("core.serving_measurements")
    tps = pl.when(rows).then(pl.col("output_tokens_per_s") * factor).otherwise("output_tokens_per_s")
    put(warehouse, "core.serving_measurements", measured.with_columns(output_tokens_per_s=tps))
    remake(warehouse)


def remake(warehouse: Warehouse) -> None:
    """Estimates of the tables of core as they are."""
    made = estimates_of({name: warehouse.read(name) for name in TABLES if name.startswith("core.")})
    put(warehouse, ENERGY_PER_QUERY.name, ENERGY_PER_QUERY.conform(made))


def release(home: Path) -> tuple[Release, bool]:
    warehouse = Warehouse(home)
    frames = {name: warehouse.read(name) for name in TABLES}
    return Releases(home).freeze(warehouse, draft_of(frames, list(TABLES.values())))


def release_and_publish(home: Path, pue: float) -> None:
    with alone(home):
        warehouse = Warehouse(home)
        with_pue(warehouse, pue)
        release(home)
        publish(home, contents(Releases(home), warehouse), VIEWS)


if __name__ == "__main__":
    release_and_publish(Path(sys.argv[1]), float(sys.argv[2]))
