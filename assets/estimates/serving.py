"""What the tables of method `serving-time` share: which benchmarks it fits, what ran them, and its constants.

No table is made here, and no formula either: formulas are in pipelines/energy, constants in assumptions.yaml.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.throughput_rules import FITTED_SOURCES, KEY
from pipelines.energy.kv_cache import growing_layers, kv_bytes_per_token
from pipelines.energy.precision import PRECISIONS, fits_in_memory, peak_rate
from pipelines.energy.serving_prior import FEATURES, Deployments, Prior
from pipelines.energy.serving_time import N_TERMS, TERMS, Points

NO_PRECISION = "the precision is not stated, or the method does not cover it"
NO_ARCHITECTURE = "layers and attention heads of the model were not read"
NO_RATING = "peak rate, bandwidth or memory of the accelerator is not published"
NO_MEMORY = "the weights do not fit in the memory of the accelerators: they must be more"
SPECIFICATIONS = (
    "total_params_b", "active_params_b", "n_kv_heads", "head_dim", "kv_lora_rank", "rope_head_dim",
    "n_kv_cache_layers", "n_kv_window_layers", "kv_window_tokens",
)  # fmt: skip
RATINGS = (
    "memory_gb", "memory_bandwidth_gb_per_s", "dense_fp16_tflop_per_s", "dense_fp8_tflop_per_s",
    "dense_fp4_tflop_per_s", "tdp_w",
)  # fmt: skip
BILLION, TRILLION = 1e9, 1e12


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
        return cls(keys, rows, deployments_of(usable), left_out)

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


def peak_flop_per_s(row: dict) -> float | None:
    """Peak dense FLOP/s of one accelerator at the precision of `row`, or the next wider; None where none is known."""
    rates = {name: row[f"dense_{name}_tflop_per_s"] for name in ("fp16", "fp8", "fp4")}
    found = peak_rate(row["precision"], rates)
    return None if found is None else found * TRILLION


def deployments_of(described: pl.DataFrame) -> Deployments:
    """Deployments of rows `with_specifications` that have no `no_fit_because`."""
    rows = described.to_dicts()
    return Deployments(
        active_params=described["active_params_b"].to_numpy() * BILLION,
        total_params=described["total_params_b"].to_numpy() * BILLION,
        n_accelerators=described["n_accelerators"].to_numpy(),
        precision=described["precision"].to_list(),
        flop_per_s=np.array([peak_flop_per_s(row) for row in rows], dtype=float),
        bandwidth_bytes_per_s=described["memory_bandwidth_gb_per_s"].to_numpy() * BILLION,
        memory_bytes=described["memory_gb"].to_numpy() * BILLION,
        kv_bytes_per_token=np.array([_kv_bytes_per_token(row) for row in rows], dtype=float),
    )


def _kv_bytes_per_token(row: dict) -> float:
    latent = None if row["kv_lora_rank"] is None else row["kv_lora_rank"] + row["rope_head_dim"]
    layers = growing_layers(row["n_kv_cache_layers"], row["n_kv_window_layers"], row["kv_window_tokens"])
    bytes_per_value = PRECISIONS[row["precision"]].kv_bytes
    return kv_bytes_per_token(layers, row["n_kv_heads"], row["head_dim"], bytes_per_value, latent)


def prior_of(assumed: Assumptions) -> Prior:
    """The dated prior of assumptions.yaml: B by term and feature, S by pair of terms."""
    b = [[assumed.value(f"serving-time.prior.b.{term}.{feature}") for feature in FEATURES] for term in TERMS]
    s = np.empty((N_TERMS, N_TERMS))
    for i, first in enumerate(TERMS):
        for j, second in enumerate(TERMS[: i + 1]):
            s[i, j] = s[j, i] = assumed.value(f"serving-time.prior.s.{second}.{first}")
    return Prior(np.array(b), s)
