"""Writes tests/estimates/golden.csv anew from a refreshed home: `python -m tests.estimates.golden [HOME]`.

The file says which inputs and method versions its figures come from. Figures that moved while both are the same are not
written: the method needs a new version first (pipelines/energy/versions.py).
"""

import io
import sys
from pathlib import Path

import polars as pl

from assets.published.joulebook import published_tables
from pipelines.energy.versions import METHOD_VERSIONS
from pipelines.warehouse.releases import first_difference, identity
from pipelines.warehouse.store import Warehouse

FILE = Path(__file__).with_name("golden.csv")
FIGURES = (
    "energy_wh_per_query_p50", "energy_wh_per_query_mean", "energy_wh_per_query_p95", "energy_wh_per_query_p50_lo90",
    "energy_wh_per_query_mean_hi90", "accelerator_s_per_query_mean",
)  # fmt: skip
EVERY = 40
"""Every so many estimates, in the order of their ids, are golden."""


def sample(home: Path) -> pl.DataFrame:
    """Some estimates of every kind."""
    rows = Warehouse(home).read("estimates.energy_per_query").sort("estimate_id")
    return rows.gather_every(EVERY).select(
        "estimate_id", "model_id", "workload_id", "boundary", "load", "method", *FIGURES
    )


def head(home: Path) -> dict[str, str]:
    """The inputs and versions that the figures come from."""
    core = [table for table in published_tables() if table.layer == "core"]
    frames = {table.name: Warehouse(home).read(table.name) for table in core}
    return {"inputs": identity(core, frames, {}), **{f"method {name}": v for name, v in METHOD_VERSIONS.items()}}


def read() -> tuple[dict[str, str], pl.DataFrame]:
    """What the file says: its head, and its figures."""
    lines = FILE.read_text(encoding="utf-8").splitlines(keepends=True)
    comments = [line[2:].strip() for line in lines if line.startswith("# ")]
    body = "".join(line for line in lines if not line.startswith("# "))
    schema = dict.fromkeys((*FIGURES, "load"), pl.Float64)
    return dict(comment.split(": ") for comment in comments), pl.read_csv(io.StringIO(body), schema_overrides=schema)


def write(home: Path) -> None:
    """Raises SystemExit where figures moved with nothing to show for it."""
    found, figures = head(home), sample(home)
    if FILE.exists():
        was, old = read()
        difference = first_difference(old, figures)
        if was == found and difference:
            sys.exit(f"not written: {difference}, from the same inputs and versions: give the method a new version")
    comments = "".join(f"# {name}: {value}\n" for name, value in found.items())
    FILE.write_text(comments + figures.write_csv(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "warehouse"))
