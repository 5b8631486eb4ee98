"""The rows of estimates.energy_per_query by method serving-time. No table is made here, and no formula either."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.workloads import share_columns
from pipelines.energy.assumed import ServingConstants
from pipelines.energy.oviedo2026 import joules_per_output_token, wh_per_million_output_tokens
from pipelines.energy.serving_estimate import (
    BOUNDARIES,
    CAUSES,
    Configurations,
    QueryTime,
    ServingEstimate,
    estimate_at,
    power_at,
    saturated_power,
)
from pipelines.energy.serving_time import METHOD
from pipelines.energy.workloads import QUANTILES, Asked


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
    mean, mean_tokens = estimate.mean_wh, asked.output_tokens_mean
    return fits.with_columns(
        workload_id=pl.lit(asked.workload_id),
        load=pl.lit(estimate.power.load),
        boundary=pl.lit(estimate.boundary),
        method=pl.lit(METHOD),
        energy_wh_per_query_mean=mean,
        **{f"energy_wh_per_query_{name}": estimate.quantiles_wh[i] for i, name in enumerate(QUANTILES)},
        **_intervals(estimate),
        accelerator_s_per_query_mean=estimate.mean_s,
        energy_j_per_output_token=joules_per_output_token(mean, mean_tokens),
        energy_wh_per_million_output_tokens=wh_per_million_output_tokens(mean, mean_tokens),
        power_w=estimate.power.w,
        pue=pl.lit(estimate.pue.median),
        node_id=pl.lit(None, dtype=pl.String) if estimate.boundary == "gpu" else pl.col("node_id"),
        throughput_rule=pl.lit(METHOD),
        n_benchmark_rows=pl.col("n_rows"),
        mean_share_extrapolated=estimate.mean_share_beyond,
        **share_columns(estimate.shares),
        evidence=pl.Series(estimate.evidence),
    )


def _intervals(estimate: ServingEstimate) -> dict[str, np.ndarray]:
    """The 90 % intervals of median and mean, and the share of each cause in the median's."""
    both = {"p50": estimate.median_interval_wh, "mean": estimate.mean_interval_wh}
    ends = {f"energy_wh_per_query_{name}_{end}90": both[name][i] for name in both for i, end in enumerate(("lo", "hi"))}
    return ends | {f"interval_share_{cause}": estimate.causes[i] for i, cause in enumerate(CAUSES)}
