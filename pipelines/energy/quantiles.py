"""Quantiles of one `Energy` by Newton's method, for whole tables at once (method 8).

The general root finder of `distribution` also serves pools and trimmed distributions; this one knows the density.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.energy.distribution import Energy, quantiles_wh
from pipelines.energy.errors import EnergyInputError
from pipelines.energy.normal import ndtr, ndtri

_STEPS, _TOLERANCE_LN, _LARGEST_STEP = 12, 1e-8, 2.0
_BATCH = 256
_SMALLEST_P = 1e-300


def newton_quantiles_wh(energy: Energy, probabilities: Sequence[float]) -> np.ndarray:
    """Quantiles in Wh, shape (..., probabilities), of every estimate of `energy`.

    Newton's method on Φ⁻¹(F(x)) = Φ⁻¹(p) in x = ln Wh: on this scale the distribution function is nearly a straight
    line. What has not converged is left to `distribution.quantiles_wh`.

    Raises EnergyInputError for a probability outside (0, 1) or a factor without spread (then the energy is an exact
    transform of the length, see `serving_energy`).
    """
    p = np.asarray(probabilities, dtype=float)
    if not ((p > 0) & (p < 1)).all():
        raise EnergyInputError(f"probabilities {p} must lie between 0 and 1")
    if not energy.factor.sigma > 0:
        raise EnergyInputError("the factor has no spread: quantiles are those of the energy at each length")
    wh = np.atleast_2d(energy.wh_at_lengths)
    flat = wh.reshape(-1, wh.shape[-1])
    parts = [_newton(flat[at : at + _BATCH], energy, p) for at in range(0, len(flat), _BATCH)]
    found = np.concatenate(parts).reshape((*wh.shape[:-1], len(p)))
    return found.reshape((*np.shape(energy.wh_at_lengths)[:-1], len(p)))


def evenly_thinned(energy: Energy, n_nodes: int) -> Energy:
    """The same distribution by `n_nodes` of its lengths, evenly spaced in probability; unchanged if it has no more.

    For the lengths of a trace: the spread of the factor smooths what is left out.
    """
    if energy.wh_at_lengths.shape[-1] <= n_nodes:
        return energy
    wh = np.atleast_2d(energy.wh_at_lengths)
    p = (np.arange(n_nodes) + 0.5) / n_nodes
    found = np.empty((len(wh), n_nodes))
    for row, values in enumerate(wh):
        order = np.argsort(values)
        at = np.searchsorted(np.cumsum(energy.weights[order]), p)
        found[row] = values[order[np.minimum(at, len(order) - 1)]]
    shape = (*energy.wh_at_lengths.shape[:-1], n_nodes)
    return Energy(found.reshape(shape), np.full(n_nodes, 1 / n_nodes), energy.factor)


def _newton(wh: np.ndarray, energy: Energy, p: np.ndarray) -> np.ndarray:
    mu, sigma, weights = energy.factor.mu, energy.factor.sigma, energy.weights
    centre = (np.log(wh) + mu) / sigma
    middle = centre @ weights
    spread = np.sqrt(1 + (centre - middle[:, None]) ** 2 @ weights)
    z = ndtri(p)
    x = middle[:, None] + spread[:, None] * z
    rows, columns = (index.ravel() for index in np.indices(x.shape))
    for _ in range(_STEPS):
        d = x[rows, columns][:, None] - centre[rows]
        share = np.clip(ndtr(d) @ weights, _SMALLEST_P, 1 - 1e-16)
        density = np.exp(-d * d / 2) @ weights
        at = ndtri(share)
        slope = density / np.exp(-at * at / 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.clip((z[columns] - at) / slope, -_LARGEST_STEP, _LARGEST_STEP)
        x[rows, columns] += step
        going = ~(np.abs(step) < _TOLERANCE_LN / sigma)
        rows, columns = rows[going], columns[going]
        if not rows.size:
            break
    found = np.exp(x * sigma)
    left = np.unique(rows)
    if left.size:
        found[left] = quantiles_wh(Energy(wh[left], weights, energy.factor), p)
    return found
