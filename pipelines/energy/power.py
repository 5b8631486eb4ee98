"""Power as a share of what the hardware is rated for (method 5).

`gpu` boundary: two models of the share u of the boards' TDP, both learnt from metered runs. With the operating point
known (accelerators, requests at a time, model, precision, GPU) the log-linear one; from throughput alone, or on a GPU
that was never metered, u = k0 + k1 √(compute utilisation). `node` boundary: a constant share of the node's maximum,
fixed beforehand, because thirteen metered runs cannot identify more; but never less than the boards in it draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.lognormal import LogNormal

FULL = 1.0
POWER_RIDGE = 1.0
"""Weight, in rows, that pulls each standardised coefficient towards 0."""


def compute_utilisation(
    output_tokens_per_s: np.ndarray, active_params: np.ndarray, n_accelerators: np.ndarray, flop_per_s: np.ndarray
) -> np.ndarray:
    """TPS · 2 N_a / (n · F): the share of peak arithmetic that decoding takes. Prefill is not counted.

    Raises EnergyInputError for a figure that is not finite and positive.
    """
    tps, active, n, peak = _positive(
        ("output tokens/s", "active parameters", "accelerators", "FLOP/s"),
        (output_tokens_per_s, active_params, n_accelerators, flop_per_s),
    )
    return tps * 2 * active / (n * peak)


@dataclass(frozen=True)
class UtilisationPower:
    """u = k0 + k1 √(compute utilisation), at most 1."""

    k0: float
    k1: float

    @classmethod
    def fit(cls, utilisation: np.ndarray, share_of_tdp: np.ndarray) -> "UtilisationPower":
        """Least squares. Raises EnergyInputError for figures that are not positive, or fewer than two utilisations."""
        utilisation, share = _positive(("utilisation", "share of TDP"), (utilisation, share_of_tdp))
        if len(np.unique(utilisation)) < 2:
            raise EnergyInputError("power over utilisation needs two different utilisations")
        design = np.column_stack([np.ones(len(utilisation)), np.sqrt(utilisation)])
        k0, k1 = np.linalg.lstsq(design, share, rcond=None)[0]
        return cls(float(k0), float(k1))

    def share_of_tdp(self, utilisation: np.ndarray | float) -> np.ndarray:
        (utilisation,) = _positive(("utilisation",), (utilisation,))
        return np.minimum(self.k0 + self.k1 * np.sqrt(utilisation), FULL)


OPERATING_FEATURES = (
    "ln_n_accelerators", "ln_concurrency", "ln_active_params_b", "ln_total_over_active", "is_fp8", "is_fp4",
)  # fmt: skip


def operating_features(
    n_accelerators: np.ndarray,
    concurrency: np.ndarray,
    active_params: np.ndarray,
    total_params: np.ndarray,
    arithmetic: Sequence[str],
) -> np.ndarray:
    """Features of a run, shape (r, 6), in the order of OPERATING_FEATURES; the GPU is added by the model.

    ln N_t/N_a stands for the mixture of experts: it is 0 for a dense model and says how sparse a mixture is.
    """
    n, batch, active, total = _positive(
        ("accelerators", "concurrency", "active parameters", "total parameters"),
        (n_accelerators, concurrency, active_params, total_params),
    )
    kinds = np.asarray(arithmetic)
    flags = [(kinds == kind).astype(float) for kind in ("fp8", "fp4")]
    return np.column_stack([np.log(n), np.log(batch), np.log(active / 1e9), np.log(total / active), *flags])


@dataclass(frozen=True)
class OperatingPower:
    """ln u linear in the operating point; one constant a GPU, shrunk to their mean, which an unmetered GPU gets."""

    accelerators: tuple[str, ...]
    centre: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray

    @classmethod
    def fit(
        cls, features: np.ndarray, accelerators: Sequence[str], share_of_tdp: np.ndarray, ridge: float = POWER_RIDGE
    ) -> "OperatingPower":
        """Ridge regression of ln u on standardised features; a feature that never varies takes no part."""
        (share,) = _positive(("share of TDP",), (share_of_tdp,))
        names = tuple(sorted(set(accelerators)))
        columns = np.column_stack([features, _indicators(accelerators, names)])
        centre, scale = columns.mean(0), columns.std(0)
        scale = np.where(scale > 0, scale, 1.0)
        design = np.column_stack([np.ones(len(share)), (columns - centre) / scale])
        pull = ridge * np.diag([0.0] + [1.0] * columns.shape[1])
        found = np.linalg.solve(design.T @ design + pull, design.T @ np.log(share))
        return cls(names, centre, scale, found)

    def share_of_tdp(self, features: np.ndarray, accelerators: Sequence[str]) -> np.ndarray:
        """Predicted share of TDP, at most 1, shape (r,)."""
        indicators = _indicators(accelerators, self.accelerators)
        unmetered = indicators.sum(-1) == 0
        indicators[unmetered] = self.centre[len(self.centre) - len(self.accelerators) :]
        columns = (np.column_stack([features, indicators]) - self.centre) / self.scale
        return np.minimum(np.exp(self.coefficients[0] + columns @ self.coefficients[1:]), FULL)


@dataclass(frozen=True)
class CentralPower:
    """Central power at a boundary, W (c,), and the half-width in ln of its 90 % interval, (c,)."""

    w: np.ndarray
    half_width_ln: np.ndarray


def node_power(node_power_max_w: np.ndarray, share_of_max: LogNormal, boards: CentralPower) -> CentralPower:
    """Power of nodes at saturation: a constant share of their maximum. A node holds its boards: where these alone are
    estimated to draw more, their power is taken, with their interval.

    Raises EnergyInputError unless the powers are positive and the share lies in (0, 1].
    """
    maximum, of_boards = _positive(("node power", "power of the boards"), (node_power_max_w, boards.w))
    if not 0 < share_of_max.median <= 1:
        raise EnergyInputError(f"a share {share_of_max.median} of the maximum power must lie in (0, 1]")
    by_share = maximum * share_of_max.median
    is_of_boards = of_boards > by_share
    width = np.where(is_of_boards, boards.half_width_ln, share_of_max.half_width_ln)
    return CentralPower(np.where(is_of_boards, of_boards, by_share), width)


def share_of_rating(power_w: np.ndarray, n_accelerators: np.ndarray, rated_w_per_accelerator: np.ndarray) -> np.ndarray:
    """Power of a deployment over what its accelerators, or their parts of a node, are rated for."""
    return power_w / (n_accelerators * rated_w_per_accelerator)


def _indicators(accelerators: Sequence[str], names: tuple[str, ...]) -> np.ndarray:
    given = np.asarray(accelerators)
    return np.column_stack([(given == name).astype(float) for name in names])


def _positive(names: tuple[str, ...], values: tuple) -> list[np.ndarray]:
    arrays = [np.asarray(value, dtype=float) for value in values]
    for name, array in zip(names, arrays, strict=True):
        if not (np.isfinite(array) & (array > 0)).all():
            raise EnergyInputError(f"{name} must be finite and positive")
    return arrays
