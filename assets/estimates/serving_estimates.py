"""The rows of estimates.energy_per_query by method serving-time. No table is made here, and no formula either."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from assets.core.assumptions import Assumptions
from pipelines.energy.assumed import ServingConstants
from pipelines.energy.serving_estimate import (
    BOUNDARIES,
    Configurations,
    QueryTime,
    ServingEstimate,
    estimate_at,
    power_at,
    saturated_power,
)
from pipelines.energy.serving_time import METHOD
from pipelines.energy.workloads import Asked


def serving_estimates(
    serving_fits: pl.DataFrame,
    workloads: list[Asked],
    assumed: Assumptions,
    at_loads: Sequence[float],
    boundaries: Sequence[str] = BOUNDARIES,
) -> Iterator[pl.DataFrame]:
    """The estimates of every fitted configuration whose power at the boundary is known, a frame a workload, boundary
    and load."""
    fitted = serving_fits.filter(pl.col("no_fit_because").is_null())
    every, constants = Configurations.of(lambda name: _numbers(fitted[name])), ServingConstants.of(assumed)
    for asked in workloads:
        time_of_every = QueryTime.of(every, asked, constants)
        for boundary in boundaries:
            is_rated = every.is_rated(boundary)
            found, time = every.take(is_rated), time_of_every.take(is_rated)
            saturated = saturated_power(found, time, boundary, constants)
            for load in at_loads:
                power = power_at(found, saturated, boundary, load, constants)
                estimate = estimate_at(found, time, boundary, power, constants)
                yield _rows(fitted.filter(is_rated), asked, estimate)


def _numbers(column: pl.Series) -> np.ndarray:
    return column.to_numpy() if column.dtype == pl.String else column.cast(pl.Float64).to_numpy()


def _rows(fits: pl.DataFrame, asked: Asked, estimate: ServingEstimate) -> pl.DataFrame:
    return fits.with_columns(
        workload_id=pl.lit(asked.workload_id),
        load=pl.lit(estimate.power.load),
        boundary=pl.lit(estimate.boundary),
        method=pl.lit(METHOD),
        node_id=pl.lit(None, dtype=pl.String) if estimate.boundary == "gpu" else pl.col("node_id"),
        throughput_rule=pl.lit(METHOD),
        n_benchmark_rows=pl.col("n_rows"),
        evidence=pl.Series(estimate.evidence),
        **estimate.columns(),
    )
