"""What the tables of method `serving-time` share: which benchmarks it fits, what ran them, and its constants.

No table is made here, and no formula either: formulas are in pipelines/energy, constants in assumptions.yaml.
"""

from dataclasses import dataclass

import polars as pl

from assets.estimates.throughput_rules import FITTED_SOURCES, KEY
from pipelines.energy.precision import PRECISIONS, fits_in_memory
from pipelines.energy.serving_prior import Deployments
from pipelines.energy.serving_time import Points
from pipelines.energy.specifications import RATINGS, SPECIFICATIONS, deployments_of, peak_flop_per_s
from pipelines.energy.units import BILLION

NO_PRECISION = "the precision is not stated, or the method does not cover it"
NO_ARCHITECTURE = "layers and attention heads of the model were not read"
NO_RATING = "peak rate, bandwidth or memory of the accelerator is not published"
NO_MEMORY = "the weights do not fit in the memory of the accelerators: they must be more"


def benchmarks(serving_measurements: pl.DataFrame) -> pl.DataFrame:
    """Rows at saturation with both lengths. Rows of one fixed batch (a concurrency is printed) are another question."""
    return serving_measurements.filter(
        pl.col("source_id").is_in(FITTED_SOURCES),
        pl.col("scenario") == "offline",
        pl.col("concurrency").is_null(),
        pl.col("input_tokens").is_not_null() & pl.col("output_tokens").is_not_null(),
    ).sort(*KEY, "input_tokens", "output_tokens", "locator", nulls_last=True)


@dataclass(frozen=True)
class Benchmarked:
    """Configurations that the method can fit, in one order.

    Attributes:
        keys: one row a configuration: KEY, `configuration` (its index), SPECIFICATIONS and RATINGS.
        rows: the benchmarks of these, with their `configuration`.
        deployments: what runs each configuration.
        left_out: KEY of the configurations that cannot be fitted, and `no_fit_because`.
    """

    keys: pl.DataFrame
    rows: pl.DataFrame
    deployments: Deployments
    left_out: pl.DataFrame

    @classmethod
    def of(cls, serving_measurements: pl.DataFrame, models: pl.DataFrame, accelerators: pl.DataFrame) -> "Benchmarked":
        rows = benchmarks(serving_measurements)
        described = with_specifications(rows.select(KEY).unique(maintain_order=True), models, accelerators)
        usable = described.filter(pl.col("no_fit_because").is_null())
        keys = usable.with_columns(configuration=pl.int_range(pl.len(), dtype=pl.Int64))
        rows = rows.join(keys.select(*KEY, "configuration"), on=KEY, nulls_equal=True, maintain_order="left")
        left_out = described.filter(pl.col("no_fit_because").is_not_null()).select(*KEY, "no_fit_because")
        return cls(keys, rows, deployments_of(usable.to_dicts()), left_out)

    @property
    def points(self) -> Points:
        columns = ("input_tokens", "output_tokens", "output_tokens_per_s", "n_accelerators")
        l_in, l_out, tps, n = (self.rows[name].to_numpy() for name in columns)
        return Points.of(self.rows["configuration"].to_numpy(), self.keys.height, l_in, l_out, tps, n)


def with_specifications(keys: pl.DataFrame, models: pl.DataFrame, accelerators: pl.DataFrame) -> pl.DataFrame:
    """`keys` with SPECIFICATIONS of the model, RATINGS of the accelerator, and why the method cannot be used."""
    joined = keys.join(
        models.select("model_id", *SPECIFICATIONS), on="model_id", how="left", validate="m:1", maintain_order="left"
    ).join(
        accelerators.select("accelerator_id", *RATINGS),
        on="accelerator_id",
        how="left",
        validate="m:1",
        maintain_order="left",
    )
    because = [_no_fit_because(row) for row in joined.iter_rows(named=True)]
    return joined.with_columns(no_fit_because=pl.Series(because, dtype=pl.String))


def _no_fit_because(row: dict) -> str | None:
    if row["precision"] not in PRECISIONS:
        return NO_PRECISION
    if row["n_kv_cache_layers"] is None:
        return NO_ARCHITECTURE
    if peak_flop_per_s(row) is None or row["memory_gb"] is None or row["memory_bandwidth_gb_per_s"] is None:
        return NO_RATING
    memory_bytes = row["memory_gb"] * BILLION
    if not fits_in_memory(row["total_params_b"] * BILLION, row["precision"], row["n_accelerators"], memory_bytes):
        return NO_MEMORY
    return None
