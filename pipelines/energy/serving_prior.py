"""The prior of `serving_time`: what specifications alone say about θ, and how far to trust it (method 4).

    θ ~ N(θ0 + B z, S)
    θ0 = (ln(2 N_a/F), ln(2 N_a/F), ln(KV/W · (1 + weights/free)), ln(2 N_a/F) - ln 6e4)
    z  = (1, ln N_a[billions], ln N_t/N_a, ln n, is FP4, is FP16, ln W/3.35 TB/s)

N_a active and N_t total parameters; F peak dense FLOP/s and W bytes/s of one accelerator; KV bytes of cache per token
of context; free = n · memory - weights, what the cache may fill: the batch is so large that reading the weights once
a step costs weights/free of reading the cache. All four are accelerator-seconds: the number of accelerators cancels
in perfect scaling, and B corrects for imperfect.

B and S are fitted to published tables by `fit_prior`, on purpose and dated: they are part of the version of the method.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.precision import precision_named
from pipelines.energy.serving_time import N_TERMS, Points, fit_serving_time, quadratic_of_misfit

FEATURES = (
    "one",
    "ln_active_params_b",
    "ln_total_over_active",
    "ln_n_accelerators",
    "is_fp4",
    "is_fp16",
    "ln_bandwidth",
)
N_FEATURES = len(FEATURES)
REFERENCE_BANDWIDTH_BYTES_PER_S = 3.35e12
PREFILL_ATTENTION_TOKENS = 6e4
"""Context at which attention of prefill is taken to cost as much as its matrix products, before B corrects it."""
_FLOP_PER_PARAMETER = 2.0
_BILLION = 1e9
PRECISE, QUICK = 1e-7, 2e-4
"""Tolerances of a fit on purpose, and of the many fits of a backtest."""
_EM_ROUNDS, _STEPS_EACH, _INNER_STEPS = 60, 5, 60
_DEPTH, _COLLINEAR, _FURTHEST = 6, 1e-10, 1.0
RIDGE = 10.0
"""Weight, in configurations, that pulls each coefficient of B (the constants apart) towards 0, the physics."""
MIN_POINTS_FOR_SPREAD = 5
"""Fewer lengths cannot tell the four terms apart: such a table bears on B, but its θ lies too near the prior to say how
far configurations differ from it."""
SPREAD_FLOOR, SPREAD_WEIGHT = 0.05, 2.0
"""S is drawn towards 0.05² by the weight of two configurations: no term may become certain."""


@dataclass(frozen=True)
class Deployments:
    """Specifications of `c` deployments, each an array (c,); `precision` a name a deployment.

    Args:
        flop_per_s: peak dense rate of one accelerator at the precision.
        bandwidth_bytes_per_s, memory_bytes: of one accelerator.
        kv_bytes_per_token: see `kv_cache`.

    Raises EnergyInputError for a figure that is not finite and positive (an accelerator without an FP8 rate cannot
    serve in FP8), an unknown precision, fewer total than active parameters, or weights that do not fit in the memory.
    """

    active_params: np.ndarray
    total_params: np.ndarray
    n_accelerators: np.ndarray
    precision: Sequence[str]
    flop_per_s: np.ndarray
    bandwidth_bytes_per_s: np.ndarray
    memory_bytes: np.ndarray
    kv_bytes_per_token: np.ndarray

    def __post_init__(self) -> None:
        names = ("active_params", "total_params", "n_accelerators", "flop_per_s", "bandwidth_bytes_per_s")
        for name in (*names, "memory_bytes", "kv_bytes_per_token"):
            value = np.atleast_1d(np.asarray(getattr(self, name), dtype=float))
            bad = ~(np.isfinite(value) & (value > 0))
            if bad.any():
                raise EnergyInputError(f"{name} of deployment {int(np.argmax(bad))} must be finite and positive")
            object.__setattr__(self, name, value)
        if (self.total_params < self.active_params).any():
            raise EnergyInputError("a model cannot use more parameters than it has: active exceeds total")
        full = self.free_bytes <= 0
        if full.any():
            at = int(np.argmax(full))
            raise EnergyInputError(
                f"weights of deployment {at}, {self.weight_bytes[at]:.3g} bytes, do not fit in its memory"
            )

    @property
    def weight_bytes(self) -> np.ndarray:
        return self.total_params * np.array([precision_named(name).weight_bytes for name in self.precision])

    @property
    def free_bytes(self) -> np.ndarray:
        """Memory left for the cache."""
        return self.n_accelerators * self.memory_bytes - self.weight_bytes

    @property
    def theta_of_physics(self) -> np.ndarray:
        """θ0, shape (c, 4)."""
        token = np.log(_FLOP_PER_PARAMETER * self.active_params / self.flop_per_s)
        cache = self.kv_bytes_per_token / self.bandwidth_bytes_per_s * (1 + self.weight_bytes / self.free_bytes)
        return np.stack([token, token, np.log(cache), token - np.log(PREFILL_ATTENTION_TOKENS)], axis=-1)

    @property
    def features(self) -> np.ndarray:
        """z, shape (c, 7)."""
        arithmetic = [precision_named(name).arithmetic for name in self.precision]
        return np.stack(
            [
                np.ones(len(self.active_params)),
                np.log(self.active_params / _BILLION),
                np.log(self.total_params / self.active_params),
                np.log(self.n_accelerators),
                np.array([float(name == "fp4") for name in arithmetic]),
                np.array([float(name == "fp16") for name in arithmetic]),
                np.log(self.bandwidth_bytes_per_s / REFERENCE_BANDWIDTH_BYTES_PER_S),
            ],
            axis=-1,
        )

    def take(self, deployments: np.ndarray) -> "Deployments":
        arrays = {name: getattr(self, name)[deployments] for name in self.__dataclass_fields__ if name != "precision"}
        return Deployments(precision=[self.precision[int(i)] for i in deployments], **arrays)


@dataclass(frozen=True)
class Prior:
    """N(θ0 + B z, S): `coefficients` B (4, 7), rows as TERMS, columns as FEATURES; `covariance` S (4, 4)."""

    coefficients: np.ndarray
    covariance: np.ndarray

    def __post_init__(self) -> None:
        b, s = np.asarray(self.coefficients, dtype=float), np.asarray(self.covariance, dtype=float)
        if b.shape != (N_TERMS, N_FEATURES) or s.shape != (N_TERMS, N_TERMS):
            raise EnergyInputError(f"a prior is B ({N_TERMS}, {N_FEATURES}) and S ({N_TERMS}, {N_TERMS})")
        if not np.isfinite(b).all() or not np.allclose(s, s.T) or not (np.linalg.eigvalsh(s) > 0).all():
            raise EnergyInputError("B must be finite and S symmetric and positive definite")
        object.__setattr__(self, "coefficients", b)
        object.__setattr__(self, "covariance", s)

    def mean(self, deployments: Deployments) -> np.ndarray:
        """Prior mean of θ, shape (c, 4)."""
        return deployments.theta_of_physics + deployments.features @ self.coefficients.T


def fit_prior(points: Points, deployments: Deployments, ridge: float = RIDGE, tolerance: float = PRECISE) -> Prior:
    """(B, S) of all configurations by expectation-maximisation, θ of each by Laplace's approximation.

    A step moves every θ to its maximum a posteriori under the current prior, then B by ridge regression of θ - θ0 on
    z, and S to the mean of squares about it plus the posterior covariances, over configurations with
    MIN_POINTS_FOR_SPREAD points or more. Between two moves of θ the misfits are held quadratic and the steps, which
    alone would take thousands, are accelerated (`_fixed_point`). It begins from physics alone: a prior that has seen
    what is held out would leak it.

    Args:
        tolerance: steps that move B and S by less have arrived. QUICK moves predictions within the printed lengths by
            less than their errors; attention in prefill, which short inputs do not tell, by more.

    Raises EnergyInputError where no configuration has enough points.
    """
    wide = points.is_known.sum(-1) >= MIN_POINTS_FOR_SPREAD
    if not wide.any():
        raise EnergyInputError(f"no configuration has {MIN_POINTS_FOR_SPREAD} points, the spread cannot be learnt")
    theta0, z = deployments.theta_of_physics, deployments.features
    x, theta = _packed(np.zeros((N_TERMS, N_FEATURES)), np.eye(N_TERMS)), None
    for _ in range(_EM_ROUNDS):
        b, s = _unpacked(x)
        theta = fit_serving_time(points, theta0 + z @ b.T, s, theta, _STEPS_EACH).theta
        step = _EmStep(*quadratic_of_misfit(points, theta), theta0, z, wide, ridge)
        before, x = x, _fixed_point(step, x, tolerance)
        if np.abs(x - before).max() < 10 * tolerance:
            break
    return Prior(*_unpacked(x))


class _EmStep:
    """One step of expectation-maximisation for misfits ½ θᵀHθ - hᵀθ, on (B, S) as one vector."""

    def __init__(
        self,
        curvature: np.ndarray,
        pull: np.ndarray,
        theta0: np.ndarray,
        z: np.ndarray,
        wide: np.ndarray,
        ridge: float,
    ) -> None:
        self.curvature, self.pull, self.theta0, self.z, self.wide = curvature, pull, theta0, z, wide
        shrink = ridge * np.diag([0.0] + [1.0] * (N_FEATURES - 1))
        self.regression = np.linalg.solve(z.T @ z + shrink, z.T)
        self.floor = SPREAD_WEIGHT * SPREAD_FLOOR**2 * np.eye(N_TERMS)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        b, s = _unpacked(x)
        precision = np.linalg.inv(s)
        covariance = np.linalg.inv(self.curvature + precision)
        theta = (covariance @ (self.pull + (self.theta0 + self.z @ b.T) @ precision)[..., None])[..., 0]
        b = (self.regression @ (theta - self.theta0)).T
        away = (theta - self.theta0 - self.z @ b.T)[self.wide]
        squares = away.T @ away + covariance[self.wide].sum(0) + self.floor
        return _packed(b, squares / (self.wide.sum() + SPREAD_WEIGHT))


def _fixed_point(step: Callable[[np.ndarray], np.ndarray], x: np.ndarray, tolerance: float) -> np.ndarray:
    """x = step(x) by Anderson's acceleration: the combination of the last steps that would have moved least.

    Never further from a plain step than _FURTHEST, whose S is sound whatever x was.
    """
    places, moves = [], []
    for _ in range(_INNER_STEPS):
        new = step(x)
        move = new - x
        if np.abs(move).max() < tolerance:
            return new
        places, moves = [*places[-_DEPTH:], x], [*moves[-_DEPTH:], move]
        if len(moves) > 1:
            turns, ways = np.diff(moves, axis=0), np.diff(places, axis=0)
            weights = np.linalg.lstsq(turns.T, move, rcond=_COLLINEAR)[0]
            further = -weights @ (ways + turns)
            new = new + further * min(1.0, _FURTHEST / max(np.abs(further).max(), _FURTHEST))
        x = new
    return x


_LOWER = np.tril_indices(N_TERMS)
_DIAGONAL = np.diag_indices(N_TERMS)


def _packed(b: np.ndarray, s: np.ndarray) -> np.ndarray:
    """B and the Cholesky factor of S, its diagonal in ln, as one vector: any vector is a prior."""
    factor = np.linalg.cholesky(s)
    factor[_DIAGONAL] = np.log(factor[_DIAGONAL])
    return np.concatenate([b.ravel(), factor[_LOWER]])


def _unpacked(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    factor = np.zeros((N_TERMS, N_TERMS))
    factor[_LOWER] = x[N_TERMS * N_FEATURES :]
    factor[_DIAGONAL] = np.exp(factor[_DIAGONAL])
    return x[: N_TERMS * N_FEATURES].reshape(N_TERMS, N_FEATURES), factor @ factor.T
