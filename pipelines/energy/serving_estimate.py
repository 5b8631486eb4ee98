"""An estimate by method serving-time put together: time of queries, power at a boundary and load, PUE, intervals.

What belongs here: how the formulas of this folder are joined, for any number of configurations at once. Which
configurations and workloads there are, and in which table they lie, belongs to the callers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.energy.assumed import BEYOND, ServingConstants
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
from pipelines.energy.power import CentralPower, compute_utilisation, node_power
from pipelines.energy.reach import Reach, Shares, share_columns
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
from pipelines.energy.serving_time import N_TERMS, TERMS, ServingTime, output_tokens_per_s_of, work
from pipelines.energy.units import BILLION, TRILLION
from pipelines.energy.workloads import EVIDENCE, MEDIAN, QUANTILES, Asked, Trace, Workload

CAUSES = ("fit", "power", "pue", "load")
BOUNDARIES = ("gpu", "node", "facility")
MOST = 0.5
"""A mean is beyond the benchmarked lengths where more than this share of it comes from longer ones."""
PAIRS = tuple((TERMS[j], TERMS[i]) for i in range(N_TERMS) for j in range(i + 1))
"""Pairs of terms whose covariance is kept."""

Column = Callable[[str], np.ndarray]
"""A column of fits by its name; numbers with NaN where empty."""


def posterior_of(column: Column) -> ServingTime:
    """The posteriors from columns ln_<term> and cov_<term>_<term>."""
    theta = np.stack([column(f"ln_{term}") for term in TERMS], axis=-1)
    covariance = np.empty((len(theta), N_TERMS, N_TERMS))
    for a, b in PAIRS:
        i, j = TERMS.index(a), TERMS.index(b)
        covariance[:, i, j] = covariance[:, j, i] = column(f"cov_{a}_{b}")
    return ServingTime(theta, covariance)


@dataclass(frozen=True)
class Configurations:
    """Fitted configurations, arrays (c,); powers are NaN where none is published."""

    fit: ServingTime
    reach: Reach
    half_width_ln: np.ndarray
    n_accelerators: np.ndarray
    active_params: np.ndarray
    flop_per_s: np.ndarray
    tdp_w: np.ndarray
    node_power_max_w: np.ndarray

    @classmethod
    def of(cls, column: Column) -> "Configurations":
        return cls(
            posterior_of(column),
            Reach(*(column(name) for name in Reach.__dataclass_fields__)),
            column("half_width_ln"),
            column("n_accelerators"),
            column("active_params_b") * BILLION,
            column("dense_tflop_per_s") * TRILLION,
            column("tdp_w"),
            column("node_power_max_w"),
        )

    def is_rated(self, boundary: str) -> np.ndarray:
        """Whether the power within the boundary is known."""
        return np.isfinite(self.tdp_w if boundary == "gpu" else self.node_power_max_w)

    def take(self, rows: np.ndarray) -> "Configurations":
        taken = (getattr(self, name) for name in list(self.__dataclass_fields__)[2:])
        reach = Reach(*(getattr(self.reach, name)[rows] for name in Reach.__dataclass_fields__))
        return Configurations(self.fit.take(rows), reach, *(array[rows] for array in taken))


@dataclass(frozen=True)
class _Queries:
    """A workload as the fits see it: work (4 terms) and lengths of its queries, (c,) or (1,) where common to all fits.

    `mean_shares` (c,): of the mean, from outputs or inputs longer than any benchmarked, from shorter outputs, and from
    any query with such an output, or an input outside or cached in part (`beyond`).
    """

    quantile_work: np.ndarray
    mean_work: np.ndarray
    median_lengths: dict[str, np.ndarray]
    mean_shares: dict[str, np.ndarray]


@dataclass(frozen=True)
class QueryTime:
    """One workload on every configuration: accelerator-seconds across its queries, before any power.

    `median_work` and `mean_work` (c, 4) are x of the query with the median energy and the mean of x, `quantiles_s`
    (5, c), the others (c,); the half-widths are of the 90 % interval in ln, from the fit.
    """

    asked: Asked
    median_work: np.ndarray
    mean_work: np.ndarray
    quantiles_s: np.ndarray
    mean_s: np.ndarray
    mean_share_beyond: np.ndarray
    half_width_ln_at_median: np.ndarray
    half_width_ln_at_mean: np.ndarray

    @classmethod
    def of(cls, found: Configurations, asked: Asked, constants: ServingConstants) -> "QueryTime":
        queries = (_of_trace if isinstance(asked, Trace) else _of_exponential)(found.fit, asked, found.reach)
        seconds = (found.fit.accelerator_s_of_work(x) for x in (queries.quantile_work, queries.mean_work))
        median_work, mean_work = (
            np.broadcast_to(x, found.fit.theta.shape) for x in (queries.quantile_work[MEDIAN], queries.mean_work)
        )
        widths = _half_widths_ln(found, queries, constants)
        return cls(asked, median_work, mean_work, *seconds, queries.mean_shares["beyond"], *widths)

    def take(self, rows: np.ndarray) -> "QueryTime":
        works = (self.median_work[rows], self.mean_work[rows])
        others = (self.mean_s, self.mean_share_beyond, self.half_width_ln_at_median, self.half_width_ln_at_mean)
        return QueryTime(self.asked, *works, self.quantiles_s[:, rows], *(array[rows] for array in others))


@dataclass(frozen=True)
class ServingEstimate:
    """Energy of the queries of a workload at one boundary and load, in Wh: `quantiles_wh` (5, c), the others (c,).

    `median_half_widths_ln` and `mean_half_widths_ln` are (causes, c), in the order of CAUSES.
    """

    asked: Asked
    boundary: str
    power: PowerAtLoad
    pue: LogNormal
    quantiles_wh: np.ndarray
    mean_wh: np.ndarray
    mean_s: np.ndarray
    median_half_widths_ln: np.ndarray
    mean_half_widths_ln: np.ndarray
    mean_share_beyond: np.ndarray
    shares: Shares
    evidence: list[str]

    @property
    def median_wh(self) -> np.ndarray:
        return self.quantiles_wh[MEDIAN]

    @property
    def median_interval_wh(self) -> tuple[np.ndarray, np.ndarray]:
        return interval(self.median_wh, combined_half_width_ln(self.median_half_widths_ln))

    @property
    def mean_interval_wh(self) -> tuple[np.ndarray, np.ndarray]:
        return interval(self.mean_wh, combined_half_width_ln(self.mean_half_widths_ln))

    @property
    def causes(self) -> np.ndarray:
        """Share of each cause in the median's interval, (causes, c)."""
        return interval_shares(self.median_half_widths_ln)

    def columns(self) -> dict[str, np.ndarray]:
        """The figures by their names in energy_per_query, each (c,)."""
        both = {"p50": self.median_interval_wh, "mean": self.mean_interval_wh}
        mean_tokens = self.asked.output_tokens_mean
        return {
            **{f"energy_wh_per_query_{name}": self.quantiles_wh[i] for i, name in enumerate(QUANTILES)},
            "energy_wh_per_query_mean": self.mean_wh,
            **{f"energy_wh_per_query_{name}_lo90": low for name, (low, _) in both.items()},
            **{f"energy_wh_per_query_{name}_hi90": high for name, (_, high) in both.items()},
            **{f"interval_share_{cause}": self.causes[i] for i, cause in enumerate(CAUSES)},
            "accelerator_s_per_query_mean": self.mean_s,
            "energy_j_per_output_token": joules_per_output_token(self.mean_wh, mean_tokens),
            "energy_wh_per_million_output_tokens": wh_per_million_output_tokens(self.mean_wh, mean_tokens),
            "power_w": self.power.w,
            "pue": np.full(len(self.mean_wh), self.pue.median),
            "mean_share_extrapolated": self.mean_share_beyond,
            **share_columns(self.shares),
        }


def saturated_power(found: Configurations, time: QueryTime, boundary: str, constants: ServingConstants) -> CentralPower:
    """Of the whole deployment, without PUE."""
    share = constants.gpu_power.share_of_tdp(_utilisation(found, time))
    width = np.full(len(found.n_accelerators), constants.gpu_power_half_width_ln)
    boards = CentralPower(share * found.tdp_w * found.n_accelerators, width)
    if boundary == "gpu":
        return boards
    return node_power(found.node_power_max_w, constants.node_power_share, boards)


def power_at(
    found: Configurations, saturated: CentralPower, boundary: str, load: float, constants: ServingConstants
) -> PowerAtLoad:
    """Power at a load. A published idle power of a server is that of a parked one, so no server's is taken."""
    if boundary == "gpu":
        return PowerAtLoad.of(saturated, found.tdp_w * found.n_accelerators, constants.gpu_idle, load)
    return PowerAtLoad.of(saturated, found.node_power_max_w, constants.node_idle, load)


def estimate_at(
    found: Configurations, time: QueryTime, boundary: str, power: PowerAtLoad, constants: ServingConstants
) -> ServingEstimate:
    """The estimate of every configuration, whose power within the boundary is `power`."""
    pue = constants.pue if boundary == "facility" else ONE
    w_per_accelerator = power.w / found.n_accelerators
    # below saturation a query takes up its server for longer: its share of the time in which nobody asks
    seconds = (time.quantiles_s / power.load, time.mean_s / power.load)
    quantiles, mean = (energy_wh(s, w_per_accelerator, pue.median) for s in seconds)
    # the load is stated with the estimate: of it only idle power is unknown
    others = (power.half_width_ln, np.full(len(mean), pue.half_width_ln), power.idle_half_width_ln)
    shares = time.asked.shares_beyond(found.reach)
    return ServingEstimate(
        time.asked,
        boundary,
        power,
        pue,
        quantiles,
        mean,
        seconds[1],
        np.stack([time.half_width_ln_at_median, *others]),
        np.stack([time.half_width_ln_at_mean, *others]),
        time.mean_share_beyond,
        shares,
        _evidence(shares, power.load),
    )


def _evidence(shares: Shares, load: float) -> list[str]:
    """Below saturation nobody knows whether a deployment parks or keeps its batches small."""
    return ["assumed" if load < 1 else EVIDENCE[bool(beyond)] for beyond in shares.is_extrapolated]


def _utilisation(found: Configurations, time: QueryTime) -> np.ndarray:
    """Compute utilisation over the workload: output tokens of all its queries over their serving time."""
    tokens_per_s = output_tokens_per_s_of(time.asked.output_tokens_mean, time.mean_s, found.n_accelerators)
    return compute_utilisation(tokens_per_s, found.active_params, found.n_accelerators, found.flop_per_s)


def _of_trace(fit: ServingTime, asked: Trace, reach: Reach) -> _Queries:
    x = work(asked.input_tokens, asked.output_tokens, asked.cached_tokens)
    at = histogram_quantile_requests(fit, x, asked.n_requests, list(QUANTILES.values()))
    longer, shorter = reach.is_output_longer(asked.output_tokens), reach.is_output_shorter(asked.output_tokens)
    meant = {
        "output": longer,
        "input": reach.is_input_longer(asked.input_tokens),
        "short-output": shorter,
        "beyond": longer | shorter | reach.is_input_outside(asked.input_tokens) | (asked.cached_tokens > 0),
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
            "short-output": 1 - exponential_mean_share_above(fit, *lengths, reach.shortest_output_tokens),
            "beyond": exponential_mean_share_beyond(fit, reach, *lengths),
        },
    )


def _half_widths_ln(found: Configurations, queries: _Queries, constants: ServingConstants) -> Iterator[np.ndarray]:
    """Of the fit at the median and at the mean: the widest of held-out errors within the benchmarks, those beyond
    their lengths where the query lies there, and the posterior."""
    lengths, reach, beyond = queries.median_lengths, found.reach, constants.beyond_half_width_ln
    at_median = {
        "output": lengths["output"] > reach.longest_output_tokens,
        "input": lengths["input"] > reach.longest_input_tokens,
        "short-output": lengths["output"] < reach.shortest_output_tokens,
    }
    at_mean = {side: queries.mean_shares[side] > MOST for side in BEYOND}
    for x, is_beyond in ((queries.quantile_work[MEDIAN], at_median), (queries.mean_work, at_mean)):
        further = (np.where(is_beyond[side], beyond[side], 0.0) for side in BEYOND)
        yield widest_half_width_ln(found.half_width_ln, *further, normal_half_width_ln(found.fit.sd_ln_of_work(x)))
