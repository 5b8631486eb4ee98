"""Energy of one query by method `serving-time`, across queries of different lengths, at central power and PUE.

    E = PUE · P/n · (s · n)

P/n is the power of what the boundary covers over the accelerators of the deployment. s · n grows with the output
length, so a quantile of the energy is the energy at that quantile of the length; and it is linear in the work of a
query, so the mean is that of the mean work. Nothing is sampled and nothing integrated.

Work has shape (..., c, 4), or (..., 1, 4) where it is that of all configurations.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.lengths import exponential_mean_tokens
from pipelines.energy.reach import Reach
from pipelines.energy.serving_time import ServingTime, work
from pipelines.energy.units import JOULES_PER_WH


def energy_wh(accelerator_s: np.ndarray, power_w_per_accelerator: np.ndarray | float, pue: float = 1.0) -> np.ndarray:
    """E = PUE · P/n · (s · n), Wh, at the boundary of the power, or of the facility with a PUE; shape (..., c).

    Raises EnergyInputError for a power that is not finite and positive, or a PUE below 1.
    """
    power = np.asarray(power_w_per_accelerator, dtype=float)
    if not (np.isfinite(power) & (power > 0)).all():
        raise EnergyInputError("power of an accelerator must be finite and positive, W")
    if not (np.isfinite(pue) and pue >= 1):
        raise EnergyInputError(f"a PUE of {pue} is impossible: a facility uses at least what its equipment does")
    return pue * power * accelerator_s / JOULES_PER_WH


def exponential_quantile_work(
    input_tokens: float, median_output_tokens: float, probabilities: Sequence[float], cached_tokens: float = 0.0
) -> np.ndarray:
    """Work at quantiles across queries with exponential output lengths, shape (probabilities, 1, 4)."""
    lengths = exponential_quantile_tokens(median_output_tokens, probabilities)
    return work(input_tokens, lengths, cached_tokens)[:, None, :]


def exponential_quantile_tokens(median_output_tokens: float, probabilities: Sequence[float]) -> np.ndarray:
    """Quantiles of an exponential length with this median: -median · log2(1 - p).

    Raises EnergyInputError for a probability outside [0, 1) or a median that is not positive.
    """
    p = np.asarray(probabilities, dtype=float)
    if not ((p >= 0) & (p < 1)).all():
        raise EnergyInputError(f"probabilities {p} must lie between 0 and 1")
    _require_median(median_output_tokens)
    return -median_output_tokens * np.log2(1 - p)


def exponential_mean_work(input_tokens: float, median_output_tokens: float, cached_tokens: float = 0.0) -> np.ndarray:
    """Mean work across the same queries, shape (1, 4), with E[L] = m = median / ln 2 and E[L²] = 2 m²."""
    _require_median(median_output_tokens)
    m = exponential_mean_tokens(median_output_tokens)
    prefill, decode, _, prefill_attention = work(input_tokens, m, cached_tokens)
    return np.array([[prefill, decode, m * input_tokens + m * m, prefill_attention]])


def exponential_mean_share_above(
    fit: ServingTime,
    input_tokens: float,
    median_output_tokens: float,
    longest_output_tokens: np.ndarray | float,
    cached_tokens: float = 0.0,
) -> np.ndarray:
    """Share of the mean that comes from outputs longer than any benchmarked: it rests on extrapolation. Shape (c,).

    ∫ from T of (k0 + k1 L + k2 L²) e^(-L/m)/m dL = e^(-T/m) (k0 + k1 (T + m) + k2 (T² + 2mT + 2m²)), m = E[L].
    """
    _require_median(median_output_tokens)
    m, k = exponential_mean_tokens(median_output_tokens), fit.polynomial(input_tokens, cached_tokens)
    t = np.broadcast_to(np.asarray(longest_output_tokens, dtype=float), len(k))
    above = np.exp(-t / m) * (k[:, 0] + k[:, 1] * (t + m) + k[:, 2] * (t * t + 2 * m * t + 2 * m * m))
    return above / (k @ np.array([1.0, m, 2 * m * m]))


def exponential_mean_share_beyond(
    fit: ServingTime, reach: Reach, input_tokens: float, median_output_tokens: float, cached_tokens: float = 0.0
) -> np.ndarray:
    """Share of the mean from outputs longer or shorter than any benchmarked, or all where the input lies outside. Shape
    (c,)."""
    longer, at_least_shortest = (
        exponential_mean_share_above(fit, input_tokens, median_output_tokens, tokens, cached_tokens)
        for tokens in (reach.longest_output_tokens, reach.shortest_output_tokens)
    )
    return np.where(reach.is_input_outside(input_tokens)[:, 0], 1.0, longer + (1 - at_least_shortest))


def histogram_quantile_requests(
    fit: ServingTime, x: np.ndarray, n_queries: np.ndarray, probabilities: Sequence[float]
) -> np.ndarray:
    """Which request is at each quantile of the energy across a trace: indices (probabilities, c).

    It is the one with the smallest energy that at least the share p of the queries does not exceed: the energy decides,
    and with it what the request has in input, output and cache. Work x (r, 4) of requests, each with how many queries
    were such.
    """
    p = np.asarray(probabilities, dtype=float)
    if not ((p > 0) & (p < 1)).all():
        raise EnergyInputError(f"probabilities {p} must lie between 0 and 1")
    order = np.argsort(np.exp(fit.theta) @ x.T, axis=-1, kind="stable")
    cumulative = np.cumsum(_weights(n_queries)[order], axis=-1)
    found = np.empty((len(p), len(order)), dtype=int)
    for row, (ranks, shares) in enumerate(zip(order, cumulative, strict=True)):
        found[:, row] = ranks[np.minimum(np.searchsorted(shares, p - 1e-12), len(ranks) - 1)]
    return found


def histogram_mean_work(x: np.ndarray, n_queries: np.ndarray) -> np.ndarray:
    """Mean work across the queries of a trace, shape (1, 4)."""
    return _weights(n_queries)[None] @ x


def histogram_mean_share(fit: ServingTime, x: np.ndarray, n_queries: np.ndarray, is_meant: np.ndarray) -> np.ndarray:
    """Share of a trace's mean that comes from the requests for which `is_meant` (c, r) is true. Shape (c,).

    The work of those requests is summed before it is priced: s · n is linear in it.
    """
    weighted = _weights(n_queries)[:, None] * x
    return fit.accelerator_s_of_work(is_meant.astype(float) @ weighted) / fit.accelerator_s_of_work(weighted.sum(0))


def _weights(n_queries: np.ndarray) -> np.ndarray:
    counts = np.asarray(n_queries, dtype=float)
    if not (np.isfinite(counts) & (counts >= 0)).all() or counts.sum() <= 0:
        raise EnergyInputError("counts of queries must be finite, none negative and not all zero")
    return counts / counts.sum()


def _require_median(median_output_tokens: float) -> None:
    if not (np.isfinite(median_output_tokens) and median_output_tokens > 0):
        raise EnergyInputError(f"a median output of {median_output_tokens} tokens: must be finite and positive")
