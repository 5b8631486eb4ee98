"""The rows of estimates.energy_per_query by method serving-time. No table is made here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.profile import Workload
from assets.estimates.serving import BILLION, TRILLION
from assets.estimates.serving_fits import serving_time_of
from assets.estimates.workloads import QUANTILES, Trace, beyond_benchmarks, mean_output_tokens
from pipelines.energy.intervals import combined_half_width_ln, interval, interval_shares
from pipelines.energy.lengths import exponential_median_and_mean_token, weighted_median_and_mean_token
from pipelines.energy.load import half_widths_ln, power_at_load_w
from pipelines.energy.lognormal import Z95
from pipelines.energy.oviedo2026 import joules_per_output_token, wh_per_million_output_tokens
from pipelines.energy.power import UtilisationPower, compute_utilisation, node_power_w
from pipelines.energy.serving_energy import (
    exponential_mean_share_above,
    exponential_mean_wh,
    exponential_quantiles_wh,
    histogram_mean_share_above,
    histogram_mean_wh,
    histogram_quantiles_wh,
    wh_per_accelerator_s,
)
from pipelines.energy.serving_time import METHOD, ServingTime

BOUNDARIES = ("gpu", "node", "facility")
METERED_IDLE = "h100-sxm"
"""The board whose idle power was metered (idle.gpu_share_of_tdp)."""
MEDIAN = list(QUANTILES).index("p50")


@dataclass(frozen=True)
class _Asked:
    """One workload on every fitted configuration: accelerator-seconds across its queries, before any power.

    `quantiles_s` (c, 5), the others (c,); the half-widths are of the 90 % interval in ln, from the fit.
    """

    workload: Workload | Trace
    quantiles_s: np.ndarray
    mean_s: np.ndarray
    mean_share_above: np.ndarray
    half_width_ln_at_median: np.ndarray
    half_width_ln_at_mean: np.ndarray

    @classmethod
    def of(cls, fits: pl.DataFrame, fit: ServingTime, workload: Workload | Trace) -> "_Asked":
        longest = fits["longest_output_tokens"].to_numpy()
        held_out = fits["half_width_ln"].to_numpy()
        # what held-out errors say of lengths like those benchmarked; further out, what the posterior says
        widths = (np.maximum(held_out, Z95 * fit.sd_ln(*lengths)[:, 0]) for lengths in _typical_lengths(workload))
        return cls(workload, *_across_queries(fit, workload, longest), *widths)

    def take(self, rows: np.ndarray) -> "_Asked":
        arrays = (
            self.quantiles_s, self.mean_s, self.mean_share_above, self.half_width_ln_at_median,
            self.half_width_ln_at_mean,
        )  # fmt: skip
        return _Asked(self.workload, *(array[rows] for array in arrays))


@dataclass(frozen=True)
class _Power:
    """Central power of an accelerator's share of what the boundary covers, W (c,), PUE, and their half-widths in ln."""

    w_per_accelerator: np.ndarray
    pue: float
    half_width_ln: np.ndarray | float
    pue_half_width_ln: float
    load_half_width_ln: np.ndarray | float = 0.0


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
        asked = _Asked.of(fitted, fit, workload)
        for boundary in boundaries:
            is_rated = fitted["tdp_w" if boundary == "gpu" else "node_power_max_w"].is_not_null()
            fits, rated = fitted.filter(is_rated), asked.take(is_rated.to_numpy())
            saturated = _power(fits, rated, boundary, assumed)
            for load in at_loads:
                yield _estimate(fits, rated, boundary, load, _at_load(fits, saturated, boundary, load, assumed))


def _estimate(fits: pl.DataFrame, asked: _Asked, boundary: str, load: float, power: _Power) -> pl.DataFrame:
    # below saturation a query takes up its server for longer: a share of the time nobody asks
    per_second = wh_per_accelerator_s(power.w_per_accelerator, power.pue) / load
    quantiles, mean = per_second * asked.quantiles_s, per_second[:, 0] * asked.mean_s
    mean_tokens = mean_output_tokens(asked.workload)
    return fits.with_columns(
        workload_id=pl.lit(asked.workload.workload_id),
        load=pl.lit(load),
        boundary=pl.lit(boundary),
        method=pl.lit(METHOD),
        energy_wh_per_query_mean=mean,
        **{f"energy_wh_per_query_{name}": quantiles[:, i] for i, name in enumerate(QUANTILES)},
        **_unknown(asked, power, quantiles[:, MEDIAN], mean),
        accelerator_s_per_query_mean=asked.mean_s / load,
        energy_j_per_output_token=joules_per_output_token(mean, mean_tokens),
        energy_wh_per_million_output_tokens=wh_per_million_output_tokens(mean, mean_tokens),
        power_w=power.w_per_accelerator * fits["n_accelerators"].to_numpy(),
        pue=pl.lit(power.pue),
        node_id=pl.lit(None, dtype=pl.String) if boundary == "gpu" else pl.col("node_id"),
        throughput_rule=pl.lit("serving-time"),
        n_benchmark_rows=pl.col("n_rows"),
        mean_share_extrapolated=asked.mean_share_above,
        evidence=_evidence(boundary, load),
        **beyond_benchmarks(fits, asked.workload),
    )


def _power(fits: pl.DataFrame, asked: _Asked, boundary: str, assumed: Assumptions) -> _Power:
    if boundary == "gpu":
        model = UtilisationPower(*(assumed.value(f"serving-time.gpu_power.{name}") for name in ("k0", "k1")))
        watts = model.share_of_tdp(_utilisation(fits, asked)) * fits["tdp_w"].to_numpy()
        return _Power(watts, 1.0, assumed.value("serving-time.gpu_power_half_width_ln"), 0.0)
    share = assumed.lognormal("serving-time.node_power_share")
    maximum = fits["node_power_max_w"].to_numpy() / fits["n_accelerators"].to_numpy()
    watts = node_power_w(maximum, share.median)
    if boundary == "node":
        return _Power(watts, 1.0, share.half_width_ln, 0.0)
    pue = assumed.lognormal("serving-time.pue")
    return _Power(watts, pue.median, share.half_width_ln, pue.half_width_ln)


def _at_load(fits: pl.DataFrame, saturated: _Power, boundary: str, load: float, assumed: Assumptions) -> _Power:
    """Power at a load, with idle power as published for the accelerator's server, else as assumed."""
    share = assumed.lognormal("idle.gpu_share_of_tdp" if boundary == "gpu" else "idle.node_share_of_max")
    if boundary == "gpu":
        idle, is_published = share.median * fits["tdp_w"].to_numpy(), np.zeros(fits.height, bool)
    else:
        published = (fits["node_power_idle_w"] / fits["n_accelerators"]).to_numpy()
        maximum = (fits["node_power_max_w"] / fits["n_accelerators"]).to_numpy()
        is_published = np.isfinite(published)
        idle = np.where(is_published, published, share.median * maximum)
    watts = saturated.w_per_accelerator
    power, of_idle = half_widths_ln(idle, watts, load, share, saturated.half_width_ln)
    return replace(
        saturated,
        w_per_accelerator=power_at_load_w(idle, watts, load),
        half_width_ln=power,
        load_half_width_ln=np.where(is_published, 0.0, of_idle),
    )


def _evidence(boundary: str, load: float) -> pl.Expr:
    """Below saturation an idle power that nobody published is assumed. That of H100 boards was metered."""
    is_known = (
        (pl.col("accelerator_id") == METERED_IDLE) if boundary == "gpu" else pl.col("node_power_idle_w").is_not_null()
    )
    return pl.when(is_known | (pl.lit(load) == 1)).then(pl.lit("benchmarked")).otherwise(pl.lit("assumed"))


def _utilisation(fits: pl.DataFrame, asked: _Asked) -> np.ndarray:
    """Compute utilisation over the workload: output tokens of all its queries over their serving time."""
    n_accelerators = fits["n_accelerators"].to_numpy()
    tokens_per_s = n_accelerators * mean_output_tokens(asked.workload) / asked.mean_s
    active, peak = fits["active_params_b"].to_numpy() * BILLION, fits["dense_tflop_per_s"].to_numpy() * TRILLION
    return compute_utilisation(tokens_per_s, active, n_accelerators, peak)


def _across_queries(
    fit: ServingTime, workload: Workload | Trace, longest: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Accelerator-seconds across queries: quantiles (c, 5), mean (c,), and the mean's share from longer outputs."""
    p, one = list(QUANTILES.values()), np.ones((len(longest), 1))
    if isinstance(workload, Trace):
        lengths = (workload.input_tokens, workload.output_tokens, workload.n_requests)
        cached = workload.cached_tokens
        return (
            histogram_quantiles_wh(fit, one, *lengths, p, cached),
            histogram_mean_wh(fit, one, *lengths, cached),
            histogram_mean_share_above(fit, *lengths, longest, cached),
        )
    lengths = (workload.input_tokens, workload.output_tokens_median)
    return (
        exponential_quantiles_wh(fit, one, *lengths, p),
        exponential_mean_wh(fit, one, *lengths),
        exponential_mean_share_above(fit, *lengths, longest),
    )


def _unknown(asked: _Asked, power: _Power, median: np.ndarray, mean: np.ndarray) -> dict[str, np.ndarray]:
    """The 90 % intervals of median and mean, and the share of each cause in the median's."""
    none = np.zeros(len(median))
    # the load is stated with the estimate: of it only idle power is unknown
    others = (none + power.half_width_ln, none + power.pue_half_width_ln, none + power.load_half_width_ln)
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


def _typical_lengths(workload: Workload | Trace) -> list[tuple[np.ndarray, np.ndarray]]:
    """Input and output length of the median query, and of the query that the mean output token is in."""
    if isinstance(workload, Trace):
        lengths = (workload.input_tokens, workload.output_tokens)
        return weighted_median_and_mean_token(*lengths, workload.weights)
    found = exponential_median_and_mean_token(workload.output_tokens_median)
    return [(np.array([workload.input_tokens]), np.array([tokens])) for tokens in found]
