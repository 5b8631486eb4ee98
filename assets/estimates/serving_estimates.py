"""The rows of estimates.energy_per_query by method serving-time. No table is made here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.profile import Workload
from assets.estimates.serving import BILLION, TRILLION
from assets.estimates.serving_fits import serving_time_of
from assets.estimates.workloads import QUANTILES, Trace, beyond_benchmarks, mean_output_tokens, reach_of
from pipelines.energy.intervals import (
    combined_half_width_ln,
    interval,
    interval_shares,
    normal_half_width_ln,
    widest_half_width_ln,
)
from pipelines.energy.load import PowerAtLoad
from pipelines.energy.lognormal import ONE, LogNormal
from pipelines.energy.oviedo2026 import joules_per_output_token, wh_per_million_output_tokens
from pipelines.energy.power import CentralPower, UtilisationPower, compute_utilisation, node_power
from pipelines.energy.reach import Reach
from pipelines.energy.serving_energy import (
    energy_wh,
    exponential_mean_share_above,
    exponential_mean_share_beyond,
    exponential_mean_work,
    exponential_quantile_work,
    histogram_mean_share,
    histogram_mean_work,
    histogram_quantile_requests,
)
from pipelines.energy.serving_time import METHOD, ServingTime, output_tokens_per_s_of, work

BOUNDARIES = ("gpu", "node", "facility")
METERED_IDLE = "h100-sxm"
"""The board whose idle power was metered (idle.gpu_share_of_tdp)."""
MEDIAN = list(QUANTILES).index("p50")
MOST = 0.5
"""A mean is beyond the benchmarked lengths where more than this share of it comes from longer ones."""


@dataclass(frozen=True)
class _Queries:
    """A workload as the fits see it: work (4 terms) and lengths of its queries, (c,) or (1,) where common to all fits.

    `mean_shares` (c,): of the mean, from outputs or inputs longer than any benchmarked, and from any query beyond.
    """

    quantile_work: np.ndarray
    mean_work: np.ndarray
    median_lengths: dict[str, np.ndarray]
    mean_shares: dict[str, np.ndarray]


@dataclass(frozen=True)
class _Asked:
    """One workload on every fitted configuration: accelerator-seconds across its queries, before any power.

    `quantiles_s` (5, c), the others (c,); the half-widths are of the 90 % interval in ln, from the fit.
    """

    workload: Workload | Trace
    quantiles_s: np.ndarray
    mean_s: np.ndarray
    mean_share_beyond: np.ndarray
    half_width_ln_at_median: np.ndarray
    half_width_ln_at_mean: np.ndarray

    @classmethod
    def of(cls, fits: pl.DataFrame, fit: ServingTime, workload: Workload | Trace, assumed: Assumptions) -> "_Asked":
        reach = reach_of(fits)
        queries = (_of_trace if isinstance(workload, Trace) else _of_exponential)(fit, workload, reach)
        seconds = (fit.accelerator_s_of_work(work) for work in (queries.quantile_work, queries.mean_work))
        widths = _half_widths_ln(fits["half_width_ln"].to_numpy(), fit, queries, reach, assumed)
        return cls(workload, *seconds, queries.mean_shares["beyond"], *widths)

    def take(self, rows: np.ndarray) -> "_Asked":
        arrays = (self.mean_s, self.mean_share_beyond, self.half_width_ln_at_median, self.half_width_ln_at_mean)
        return _Asked(self.workload, self.quantiles_s[:, rows], *(array[rows] for array in arrays))


def loads(assumed: Assumptions) -> tuple[float, ...]:
    """The default load, and those below saturation."""
    return tuple(assumed.value(f"load.{name}") for name in ("published_benchmarks", "busy", "half", "light"))


def serving_estimates(
    serving_fits: pl.DataFrame,
    workloads: list[Workload | Trace],
    assumed: Assumptions,
    at_loads: Sequence[float],
    boundaries: Sequence[str] = BOUNDARIES,
) -> Iterator[pl.DataFrame]:
    """The estimates of every fitted configuration whose power at the boundary is known, a frame a workload, boundary
    and load."""
    fitted = serving_fits.filter(pl.col("no_fit_because").is_null())
    fit = serving_time_of(fitted)
    for workload in workloads:
        asked = _Asked.of(fitted, fit, workload, assumed)
        for boundary in boundaries:
            is_rated = fitted["tdp_w" if boundary == "gpu" else "node_power_max_w"].is_not_null()
            fits, rated = fitted.filter(is_rated), asked.take(is_rated.to_numpy())
            saturated = _power(fits, rated, boundary, assumed)
            for load in at_loads:
                yield _estimate(fits, rated, boundary, _at_load(fits, saturated, boundary, load, assumed), assumed)


def _estimate(
    fits: pl.DataFrame, asked: _Asked, boundary: str, power: PowerAtLoad, assumed: Assumptions
) -> pl.DataFrame:
    pue = assumed.lognormal("serving-time.pue") if boundary == "facility" else ONE
    w_per_accelerator = power.w / fits["n_accelerators"].to_numpy()
    # below saturation a query takes up its server for longer: its share of the time in which nobody asks
    seconds = (asked.quantiles_s / power.load, asked.mean_s / power.load)
    quantiles, mean = (energy_wh(s, w_per_accelerator, pue.median) for s in seconds)
    mean_tokens = mean_output_tokens(asked.workload)
    beyond = beyond_benchmarks(fits, asked.workload)
    return fits.with_columns(
        workload_id=pl.lit(asked.workload.workload_id),
        load=pl.lit(power.load),
        boundary=pl.lit(boundary),
        method=pl.lit(METHOD),
        energy_wh_per_query_mean=mean,
        **{f"energy_wh_per_query_{name}": quantiles[i] for i, name in enumerate(QUANTILES)},
        **_unknown(asked, power, pue, quantiles[MEDIAN], mean),
        accelerator_s_per_query_mean=seconds[1],
        energy_j_per_output_token=joules_per_output_token(mean, mean_tokens),
        energy_wh_per_million_output_tokens=wh_per_million_output_tokens(mean, mean_tokens),
        power_w=power.w,
        pue=pl.lit(pue.median),
        node_id=pl.lit(None, dtype=pl.String) if boundary == "gpu" else pl.col("node_id"),
        throughput_rule=pl.lit("serving-time"),
        n_benchmark_rows=pl.col("n_rows"),
        mean_share_extrapolated=asked.mean_share_beyond,
        **beyond | {"evidence": _evidence(fits, beyond["evidence"], boundary, power.load)},
    )


def _power(fits: pl.DataFrame, asked: _Asked, boundary: str, assumed: Assumptions) -> CentralPower:
    """Of the whole deployment, without PUE."""
    model = UtilisationPower(*(assumed.value(f"serving-time.gpu_power.{name}") for name in ("k0", "k1")))
    n_accelerators, tdp_w = (fits[name].to_numpy() for name in ("n_accelerators", "tdp_w"))
    width = np.full(fits.height, assumed.value("serving-time.gpu_power_half_width_ln"))
    boards = CentralPower(model.share_of_tdp(_utilisation(fits, asked)) * tdp_w * n_accelerators, width)
    if boundary == "gpu":
        return boards
    return node_power(fits["node_power_max_w"].to_numpy(), assumed.lognormal("serving-time.node_power_share"), boards)


def _at_load(
    fits: pl.DataFrame, saturated: CentralPower, boundary: str, load: float, assumed: Assumptions
) -> PowerAtLoad:
    """Power at a load, with idle power as published for the accelerator's server, else as assumed."""
    if boundary == "gpu":
        share = assumed.lognormal("idle.gpu_share_of_tdp")
        rated = (fits["tdp_w"] * fits["n_accelerators"]).to_numpy()
        return PowerAtLoad.of(saturated, share.median * rated, share, load)
    share = assumed.lognormal("idle.node_share_of_max")
    published = fits["node_power_idle_w"].cast(pl.Float64).to_numpy()
    idle = np.where(np.isfinite(published), published, share.median * fits["node_power_max_w"].to_numpy())
    return PowerAtLoad.of(saturated, idle, share, load, np.isfinite(published))


def _evidence(fits: pl.DataFrame, at_saturation: pl.Series, boundary: str, load: float) -> pl.Series:
    """Below saturation an idle power that nobody published is assumed. That of H100 boards was metered."""
    if load == 1:
        return at_saturation
    is_known = fits["accelerator_id"] == METERED_IDLE if boundary == "gpu" else fits["node_power_idle_w"].is_not_null()
    return at_saturation.zip_with(is_known, pl.repeat("assumed", fits.height, eager=True))


def _utilisation(fits: pl.DataFrame, asked: _Asked) -> np.ndarray:
    """Compute utilisation over the workload: output tokens of all its queries over their serving time."""
    n_accelerators = fits["n_accelerators"].to_numpy()
    tokens_per_s = output_tokens_per_s_of(mean_output_tokens(asked.workload), asked.mean_s, n_accelerators)
    active, peak = fits["active_params_b"].to_numpy() * BILLION, fits["dense_tflop_per_s"].to_numpy() * TRILLION
    return compute_utilisation(tokens_per_s, active, n_accelerators, peak)


def _of_trace(fit: ServingTime, asked: Trace, reach: Reach) -> _Queries:
    x = work(asked.input_tokens, asked.output_tokens, asked.cached_tokens)
    at = histogram_quantile_requests(fit, x, asked.n_requests, list(QUANTILES.values()))
    is_output_longer = reach.is_output_longer(asked.output_tokens)
    meant = {
        "output": is_output_longer,
        "input": reach.is_input_longer(asked.input_tokens),
        "beyond": is_output_longer | reach.is_input_outside(asked.input_tokens),
    }
    return _Queries(
        x[at],
        histogram_mean_work(x, asked.n_requests),
        {"output": asked.output_tokens[at[MEDIAN]], "input": asked.input_tokens[at[MEDIAN]]},
        {name: histogram_mean_share(fit, x, asked.n_requests, mask) for name, mask in meant.items()},
    )


def _of_exponential(fit: ServingTime, asked: Workload, reach: Reach) -> _Queries:
    lengths = (asked.input_tokens, asked.output_tokens_median)
    return _Queries(
        exponential_quantile_work(*lengths, list(QUANTILES.values())),
        exponential_mean_work(*lengths),
        {"output": np.array([asked.output_tokens_median]), "input": np.array([asked.input_tokens])},
        {
            "output": exponential_mean_share_above(fit, *lengths, reach.longest_output_tokens),
            "input": reach.is_input_longer(asked.input_tokens)[:, 0].astype(float),
            "beyond": exponential_mean_share_beyond(fit, reach, *lengths),
        },
    )


def _half_widths_ln(
    within: np.ndarray, fit: ServingTime, queries: _Queries, reach: Reach, assumed: Assumptions
) -> Iterator[np.ndarray]:
    """Of the fit at the median and at the mean: the widest of held-out errors `within` the benchmarks, those beyond
    their lengths where the query lies there, and the posterior."""
    longest = {"output": reach.longest_output_tokens, "input": reach.longest_input_tokens}
    beyond = {side: assumed.value(f"serving-time.half_width_ln.beyond-{side}") for side in longest}
    at_median = {side: queries.median_lengths[side] > longest[side] for side in longest}
    at_mean = {side: queries.mean_shares[side] > MOST for side in longest}
    for x, is_beyond in ((queries.quantile_work[MEDIAN], at_median), (queries.mean_work, at_mean)):
        further = (np.where(is_beyond[side], beyond[side], 0.0) for side in longest)
        yield widest_half_width_ln(within, *further, normal_half_width_ln(fit.sd_ln_of_work(x)))


def _unknown(
    asked: _Asked, power: PowerAtLoad, pue: LogNormal, median: np.ndarray, mean: np.ndarray
) -> dict[str, np.ndarray]:
    """The 90 % intervals of median and mean, and the share of each cause in the median's."""
    none = np.zeros(len(median))
    # the load is stated with the estimate: of it only idle power is unknown
    others = (power.half_width_ln, none + pue.half_width_ln, power.idle_half_width_ln)
    of_median = np.stack([asked.half_width_ln_at_median, *others])
    of_mean = np.stack([asked.half_width_ln_at_mean, *others])
    shares = interval_shares(of_median)
    p50_low, p50_high = interval(median, combined_half_width_ln(of_median))
    mean_low, mean_high = interval(mean, combined_half_width_ln(of_mean))
    return {
        "energy_wh_per_query_p50_lo90": p50_low,
        "energy_wh_per_query_p50_hi90": p50_high,
        "energy_wh_per_query_mean_lo90": mean_low,
        "energy_wh_per_query_mean_hi90": mean_high,
        **{f"interval_share_{cause}": shares[i] for i, cause in enumerate(("fit", "power", "pue", "load"))},
    }
