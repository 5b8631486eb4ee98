"""The distribution of a query's energy without sampling (method 8).

Energy is g(L) times independent log-normal factors, L the output length. The factors multiply to one log-normal,
so the distribution function is one integral over L, and a quantile is a root of it. Trimming, pooling and dividing
by a further factor are stated steps of their own, never a hidden default.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.energy.lognormal import LogNormal
from pipelines.energy.normal import ndtr

MAX_STEPS = 200
LN_TOLERANCE = 1e-11
P_TOLERANCE = 1e-12
BISECT_EVERY = 8
FACTOR_NODES = 161
FACTOR_REACH_SIGMAS = 6.0


@dataclass(frozen=True)
class Energy:
    """Energy of one query: `wh_at_lengths` (..., n) in Wh before the uncertain factors, `weights` (n,), and `factor`.

    `factor` is the product of the uncertain factors (power utilisation, PUE). Leading axes are independent
    estimates: a whole table is one Energy, and its quantiles come in one go.
    """

    wh_at_lengths: np.ndarray
    weights: np.ndarray
    factor: LogNormal

    def cdf(self, ln_wh: np.ndarray) -> np.ndarray:
        """P(ln energy <= ln_wh), shape (..., q): q points for each estimate."""
        ln_g = np.log(self.wh_at_lengths)[..., None, :]
        z = (np.asarray(ln_wh)[..., None] - self.factor.mu - ln_g) / self.factor.sigma
        return ndtr(z) @ self.weights

    @property
    def mean_wh(self) -> np.ndarray:
        """Mean energy, Wh, shape (...)."""
        return self.wh_at_lengths @ self.weights * self.factor.mean

    @property
    def ln_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """ln Wh between which all but a negligible share of the distribution lies, shape (...)."""
        ln = np.log(self.wh_at_lengths) + self.factor.mu
        return ln.min(-1) - 10 * self.factor.sigma, ln.max(-1) + 10 * self.factor.sigma


@dataclass(frozen=True)
class Pool:
    """Several energies pooled with equal weight, each kept between its own quantiles `keep` (0, 1: untrimmed)."""

    members: tuple[Energy, ...]
    keep: tuple[float, float] = (0.0, 1.0)

    def cdf(self, ln_wh: np.ndarray) -> np.ndarray:
        low, high = self.keep
        parts = [np.clip((member.cdf(ln_wh) - low) / (high - low), 0.0, 1.0) for member in self.members]
        return np.mean(parts, axis=0)

    @property
    def ln_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        bounds = [member.ln_bounds for member in self.members]
        return np.min([low for low, _ in bounds], axis=0), np.max([high for _, high in bounds], axis=0)


@dataclass(frozen=True)
class Scaled:
    """A distribution times an independent log-normal factor (1/gain for an intervention)."""

    base: "Distribution"
    factor: LogNormal

    def cdf(self, ln_wh: np.ndarray) -> np.ndarray:
        """Trapezoid over the factor: the trimmed base has kinks, on which Gauss rules lose their order."""
        z = np.linspace(-FACTOR_REACH_SIGMAS, FACTOR_REACH_SIGMAS, FACTOR_NODES)
        weights = np.exp(-z * z / 2)
        weights /= weights.sum()
        shifted = np.asarray(ln_wh)[..., None] - self.factor.mu - self.factor.sigma * z
        return (self.base.cdf(shifted) * weights).sum(-1)

    @property
    def ln_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        low, high = self.base.ln_bounds
        reach = FACTOR_REACH_SIGMAS * self.factor.sigma
        return low + self.factor.mu - reach, high + self.factor.mu + reach


Distribution = Energy | Pool | Scaled


def quantiles_wh(distribution: Distribution, probabilities: Sequence[float]) -> np.ndarray:
    """Quantiles in Wh, shape (..., probabilities), to a relative 1e-11.

    Raises ValueError for a probability outside (0, 1).
    """
    p = np.asarray(probabilities, dtype=float)
    if ((p <= 0) | (p >= 1)).any():
        raise ValueError(f"probabilities {p} must lie between 0 and 1")
    low, high = (np.asarray(bound)[..., None] for bound in distribution.ln_bounds)
    return np.exp(_roots(distribution.cdf, p, low, high))


def _roots(cdf: Callable[[np.ndarray], np.ndarray], p: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Points where a non-decreasing `cdf` reaches each p: the Illinois variant of false position.

    Halving the value of an end that stays twice keeps the secant from creeping along one side; a bisection now and
    then helps over flat stretches (between pooled, trimmed members).
    """
    p = np.broadcast_to(p, np.broadcast_shapes(p.shape, low.shape))
    a, b = np.broadcast_to(low, p.shape), np.broadcast_to(high, p.shape)
    fa, fb = -p, 1.0 - p
    x, was_left = (a + b) / 2, np.full(p.shape, None)
    for step in range(MAX_STEPS):
        middle = step % BISECT_EVERY == BISECT_EVERY - 1
        x = (a + b) / 2 if middle else np.clip((a * fb - b * fa) / (fb - fa), a, b)
        fx = cdf(x) - p
        if np.all((np.abs(fx) < P_TOLERANCE) | (b - a < LN_TOLERANCE * (1 + np.abs(b)))):
            break
        left = fx < 0
        stays_b, stays_a = left & (was_left == True), ~left & (was_left == False)  # noqa: E712  (None at first)
        a, fa = np.where(left, x, a), np.where(left, fx, np.where(stays_a, fa / 2, fa))
        b, fb = np.where(left, b, x), np.where(left, np.where(stays_b, fb / 2, fb), fx)
        was_left = left
    return x
