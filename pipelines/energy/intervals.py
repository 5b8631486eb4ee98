"""Intervals learnt from held-out errors, and whether they cover (method 7).

A group (a model size, a family) speaks with one voice however many rows it has: rows of one group err together. Only
errors of predictions that did not see the group may come in; those of the fit itself cover far too little.
"""

import numpy as np

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.lognormal import Z95

NOMINAL = 0.90


def half_width_ln(ln_errors: np.ndarray, groups: np.ndarray, coverage: float = NOMINAL) -> float:
    """Half-width in ln of the interval that covers `coverage` of the errors, each group weighing the same.

    The smallest |error| such that the errors up to it carry the weight `coverage`.

    Raises EnergyInputError for no errors, errors that are not finite, or a coverage outside (0, 1).
    """
    errors, groups = _checked(ln_errors, groups)
    if not 0 < coverage < 1:
        raise EnergyInputError(f"a coverage of {coverage} must lie between 0 and 1")
    _, group, counts = np.unique(groups, return_inverse=True, return_counts=True)
    weights = 1 / counts[group] / len(counts)
    size = np.abs(errors)
    order = np.argsort(size, kind="stable")
    at = np.searchsorted(np.cumsum(weights[order]), coverage - 1e-12)
    return float(size[order][min(at, len(order) - 1)])


def normal_half_width_ln(sd_ln: np.ndarray) -> np.ndarray:
    """Of the 90 % interval of a normal distribution in ln."""
    return Z95 * np.asarray(sd_ln)


def widest_half_width_ln(*half_widths_ln: np.ndarray | float) -> np.ndarray:
    """One cause judged in several ways (held-out errors, the residual of a row, the posterior): the widest holds. They
    are not added, being of the same error; a signed residual counts by its size."""
    return np.maximum.reduce(np.broadcast_arrays(*(np.abs(width) for width in half_widths_ln)))


def combined_half_width_ln(half_widths_ln: np.ndarray) -> np.ndarray:
    """Independent causes (fit, power, PUE) add in squares: (causes, ...) gives (...)."""
    return np.sqrt(np.square(np.asarray(half_widths_ln, dtype=float)).sum(0))


def interval(central: np.ndarray | float, half_width: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Low and high end: central over and times exp(half-width in ln)."""
    factor = np.exp(half_width)
    return np.asarray(central) / factor, np.asarray(central) * factor


def nested_coverage_of_groups(ln_errors: np.ndarray, groups: np.ndarray, coverage: float = NOMINAL) -> float:
    """Mean over groups of the share of a group's errors that the width learnt from the other groups covers.

    With few groups the figure itself is 3 to 5 points wrong. Raises EnergyInputError for fewer than two groups.
    """
    errors, groups = _checked(ln_errors, groups)
    names = np.unique(groups)
    if len(names) < 2:
        raise EnergyInputError("coverage of a group needs the errors of another")
    shares = []
    for name in names:
        own = groups == name
        width = half_width_ln(errors[~own], groups[~own], coverage)
        shares.append((np.abs(errors[own]) <= width).mean())
    return float(np.mean(shares))


def _checked(ln_errors: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    errors, groups = np.asarray(ln_errors, dtype=float), np.asarray(groups)
    if errors.size == 0 or errors.shape != groups.shape or not np.isfinite(errors).all():
        raise EnergyInputError("an interval needs finite errors, each with its group")
    return errors, groups


def interval_shares(half_widths_ln: np.ndarray) -> np.ndarray:
    """Share of each cause in a combined interval, in squares of ln: shape as given (causes, ...), adding up to 1.

    Raises EnergyInputError where no cause has any width.
    """
    squares = np.square(np.asarray(half_widths_ln, dtype=float))
    total = squares.sum(0)
    if not (total > 0).all():
        raise EnergyInputError("an interval without any width has no causes")
    return squares / total
