"""Energy of one query by method `serving-time`, across queries of different lengths, at central power and PUE.

    E = PUE · P/n · (s · n)

P/n is the power of what the boundary covers over the accelerators of the deployment. s · n grows with the output
length, so a quantile of the energy is the energy at that quantile of the length; and it is a quadratic of the length,
so the mean follows from the first two moments. Nothing is sampled and nothing integrated.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.serving_time import ServingTime
from pipelines.energy.units import JOULES_PER_WH


def wh_per_accelerator_s(power_w_per_accelerator: np.ndarray | float, pue: float = 1.0) -> np.ndarray:
    """Wh of one accelerator-second at the boundary of the power, or of the facility with a PUE; shape (c, 1).

    Raises EnergyInputError for a power that is not finite and positive, or a PUE below 1.
    """
    power = np.atleast_1d(np.asarray(power_w_per_accelerator, dtype=float))
    if not (np.isfinite(power) & (power > 0)).all():
        raise EnergyInputError("power of an accelerator must be finite and positive, W")
    if not (np.isfinite(pue) and pue >= 1):
        raise EnergyInputError(f"a PUE of {pue} is impossible: a facility uses at least what its equipment does")
    return (pue * power / JOULES_PER_WH)[:, None]


def exponential_quantiles_wh(
    fit: ServingTime,
    wh_per_second: np.ndarray,
    input_tokens: float,
    median_output_tokens: float,
    probabilities: Sequence[float],
    cached_tokens: float = 0.0,
) -> np.ndarray:
    """Quantiles across queries with exponential output lengths, Wh, shape (c, probabilities)."""
    lengths = exponential_quantile_tokens(median_output_tokens, probabilities)
    return wh_per_second * fit.accelerator_s(input_tokens, lengths, cached_tokens)


def exponential_quantile_tokens(median_output_tokens: float, probabilities: Sequence[float]) -> np.ndarray:
    """Quantiles of an exponential length with this median: -median · log2(1 - p).

    Raises EnergyInputError for a probability outside [0, 1) or a median that is not positive.
    """
    p = np.asarray(probabilities, dtype=float)
    if not ((p >= 0) & (p < 1)).all():
        raise EnergyInputError(f"probabilities {p} must lie between 0 and 1")
    _require_median(median_output_tokens)
    return -median_output_tokens * np.log2(1 - p)


def exponential_mean_wh(
    fit: ServingTime,
    wh_per_second: np.ndarray,
    input_tokens: float,
    median_output_tokens: float,
    cached_tokens: float = 0.0,
) -> np.ndarray:
    """Mean across queries, Wh, shape (c,): k0 + k1 E[L] + k2 E[L²] with E[L] = median / ln 2, E[L²] = 2 E[L]²."""
    _require_median(median_output_tokens)
    scale = median_output_tokens / np.log(2)
    moments = np.array([1.0, scale, 2 * scale**2])
    return wh_per_second[:, 0] * (fit.polynomial(input_tokens, cached_tokens) @ moments)


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
    m, k = median_output_tokens / np.log(2), fit.polynomial(input_tokens, cached_tokens)
    t = np.broadcast_to(np.asarray(longest_output_tokens, dtype=float), len(k))
    above = np.exp(-t / m) * (k[:, 0] + k[:, 1] * (t + m) + k[:, 2] * (t * t + 2 * m * t + 2 * m * m))
    return above / (k @ np.array([1.0, m, 2 * m * m]))


def histogram_mean_wh(
    fit: ServingTime,
    wh_per_second: np.ndarray,
    input_tokens: np.ndarray,
    output_tokens: np.ndarray,
    n_queries: np.ndarray,
    cached_tokens: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Mean across the queries of a trace, Wh, shape (c,): pairs of lengths (r,), each with how many queries had it."""
    weights = _weights(n_queries)
    return wh_per_second[:, 0] * (fit.accelerator_s(input_tokens, output_tokens, cached_tokens) @ weights)


def histogram_quantiles_wh(
    fit: ServingTime,
    wh_per_second: np.ndarray,
    input_tokens: np.ndarray,
    output_tokens: np.ndarray,
    n_queries: np.ndarray,
    probabilities: Sequence[float],
    cached_tokens: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Quantiles across the queries of a trace, Wh, shape (c, probabilities): the smallest energy that at least the
    share p of the queries does not exceed."""
    p = np.asarray(probabilities, dtype=float)
    if not ((p > 0) & (p < 1)).all():
        raise EnergyInputError(f"probabilities {p} must lie between 0 and 1")
    weights = _weights(n_queries)
    wh = wh_per_second * fit.accelerator_s(input_tokens, output_tokens, cached_tokens)
    order = np.argsort(wh, axis=-1)
    cumulative = np.cumsum(weights[order], axis=-1)
    found = np.empty((len(wh), len(p)))
    for row, (values, ranks, shares) in enumerate(zip(wh, order, cumulative, strict=True)):
        at = np.minimum(np.searchsorted(shares, p - 1e-12), len(ranks) - 1)
        found[row] = values[ranks[at]]
    return found


def histogram_mean_share_above(
    fit: ServingTime,
    input_tokens: np.ndarray,
    output_tokens: np.ndarray,
    n_queries: np.ndarray,
    longest_output_tokens: np.ndarray,
    cached_tokens: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Share of a trace's mean that comes from outputs longer than `longest_output_tokens` (c,). Shape (c,)."""
    seconds = fit.accelerator_s(input_tokens, output_tokens, cached_tokens) * _weights(n_queries)
    is_above = np.asarray(output_tokens)[None, :] > np.asarray(longest_output_tokens)[:, None]
    return (seconds * is_above).sum(-1) / seconds.sum(-1)


def _weights(n_queries: np.ndarray) -> np.ndarray:
    counts = np.asarray(n_queries, dtype=float)
    if not (np.isfinite(counts) & (counts >= 0)).all() or counts.sum() <= 0:
        raise EnergyInputError("counts of queries must be finite, none negative and not all zero")
    return counts / counts.sum()


def _require_median(median_output_tokens: float) -> None:
    if not (np.isfinite(median_output_tokens) and median_output_tokens > 0):
        raise EnergyInputError(f"a median output of {median_output_tokens} tokens: must be finite and positive")
