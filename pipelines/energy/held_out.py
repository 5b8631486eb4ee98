"""What an estimator says of published figures that it did not see, and how far off it is (method 4, 5 and 7).

An error is ln(predicted / observed). Near-duplicate points are left out together, and so are groups whose members
share what is asked (models of one architecture or size): a twin that stays in would give the answer away.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.intervals import NOMINAL, half_width_ln, nested_coverage_of_groups
from pipelines.energy.serving_prior import QUICK, Deployments, fit_prior
from pipelines.energy.serving_time import Points, fit_serving_time
from pipelines.energy.throughput import fit_rule

TWIN_LN = 0.05
"""Points whose lengths both differ by less, in ln, are near-duplicates: 1000/1000 and 1024/1024."""
MOST_CHOICES = 20
"""Choices of a few points that are tried a configuration; of more, so many are picked evenly."""
SAME_SIZE = 1.04
"""Models whose sizes differ by less than this factor are of one size."""


@dataclass(frozen=True)
class Trials:
    """Refits: the configuration of each (t,), the points it is trained on and those it must predict, masks (t, p)."""

    configuration: np.ndarray
    train: np.ndarray
    test: np.ndarray

    @classmethod
    def of(cls, found: list[tuple[int, np.ndarray, np.ndarray]], n_points: int) -> "Trials":
        """Of (configuration, train, test); those with nothing to predict are dropped."""
        kept = [one for one in found if one[2].any()]
        shape = (len(kept), n_points)
        c, train, test = zip(*kept, strict=True) if kept else ((), (), ())
        return cls(np.array(c, dtype=int), np.array(train, bool).reshape(shape), np.array(test, bool).reshape(shape))


@dataclass(frozen=True)
class PointErrors:
    """Errors of predicted points: ln(predicted / observed tokens/s), and which configuration and point; each (r,)."""

    configuration: np.ndarray
    point: np.ndarray
    ln_error: np.ndarray

    def where(self, mask: np.ndarray) -> "PointErrors":
        """The rows for which `mask` (r,) is true."""
        return PointErrors(self.configuration[mask], self.point[mask], self.ln_error[mask])


def twins(points: Points) -> np.ndarray:
    """Which points of a configuration are near-duplicates of which, (c, p, p); a known point is its own twin."""
    ln = np.log(np.maximum(points.work[..., :2], 1))
    near = (np.abs(ln[:, :, None] - ln[:, None, :]) < TWIN_LN).all(-1)
    return near & points.is_known[:, :, None] & points.is_known[:, None, :]


def n_different_points(points: Points) -> np.ndarray:
    """Known points of each configuration with near-duplicates (and theirs in turn) counted once, (c,)."""
    known = points.is_known
    linked = twins(points)
    for _ in range(int(np.ceil(np.log2(max(known.shape[1], 2))))):  # each round doubles the length of the chains
        linked = linked.astype(np.float32) @ linked.astype(np.float32) > 0
    is_first = linked.argmax(-1) == np.arange(known.shape[1])
    return (is_first & known).sum(-1)


def one_left_out(points: Points, configurations: np.ndarray) -> Trials:
    """Each point left out with its twins and predicted alone."""
    near, known = twins(points), points.is_known
    own = np.eye(known.shape[1], dtype=bool)
    found = [(int(c), known[c] & ~near[c, p], own[p]) for c in configurations for p in np.flatnonzero(known[c])]
    return Trials.of(found, known.shape[1])


def few_points(points: Points, k: int, configurations: np.ndarray, most: int = MOST_CHOICES) -> Trials:
    """Trained on every choice of k points (of more than `most`, so many picked evenly from first to last), tested on
    all that are no twins of them."""
    near, known = twins(points), points.is_known
    found = []
    for c in configurations:
        choices = list(itertools.combinations(np.flatnonzero(known[c]), k))
        picked = np.linspace(0, len(choices) - 1, min(most, len(choices))).round().astype(int)
        for at in picked:
            train = np.zeros_like(known[c])
            train[list(choices[at])] = True
            found.append((int(c), train, known[c] & ~near[c][train].any(0)))
    return Trials.of(found, known.shape[1])


def split(points: Points, is_test: np.ndarray, configurations: np.ndarray) -> Trials:
    """Trained on the points outside `is_test` (c, p) that are no twins of one inside, tested on those inside."""
    near, known = twins(points), points.is_known
    found = []
    for c in configurations:
        test = known[c] & is_test[c]
        found.append((int(c), known[c] & ~near[c][test].any(0), test))
    return Trials.of(found, known.shape[1])


def serving_time_errors(
    points: Points, trials: Trials, prior_mean: np.ndarray, prior_covariance: np.ndarray
) -> PointErrors:
    """Errors of serving time refitted in every trial; prior of each configuration (c, 4) and (c, 4, 4) or (4, 4)."""
    c = trials.configuration
    covariance = prior_covariance[c] if prior_covariance.ndim == 3 else prior_covariance
    fitted = fit_serving_time(points.take(c).only(trials.train), prior_mean[c], covariance)
    t, p = np.nonzero(trials.test)
    ln_seconds = np.log((np.exp(fitted.theta[t]) * points.work[c[t], p]).sum(-1))
    return PointErrors(c[t], p, points.ln_accelerator_s[c[t], p] - ln_seconds)


def rule_errors(points: Points, trials: Trials) -> PointErrors:
    """Errors of the paper's capped log-linear rule in the same trials; no row where it has no rule."""
    l_in, l_out = points.work[..., 0], points.work[..., 1]
    tps = l_out / np.exp(points.ln_accelerator_s)
    found = []
    for c, train, test in zip(trials.configuration, trials.train, trials.test, strict=True):
        rule = fit_rule(l_in[c, train], l_out[c, train], tps[c, train])
        if rule is not None:
            predicted = rule.tokens_per_s(l_in[c, test], l_out[c, test])
            found.append((np.full(len(predicted), c), np.flatnonzero(test), ln_errors(predicted, tps[c, test])))
    columns = [np.concatenate(column) for column in zip(*found, strict=True)] if found else [np.zeros(0)] * 3
    return PointErrors(columns[0].astype(int), columns[1].astype(int), columns[2])


def among(errors: PointErrors, others: PointErrors) -> PointErrors:
    """The rows of `errors` whose configuration and point the `others` predict too."""
    known = set(zip(others.configuration.tolist(), others.point.tolist(), strict=True))
    pairs = zip(errors.configuration.tolist(), errors.point.tolist(), strict=True)
    return errors.where(np.array([pair in known for pair in pairs], dtype=bool))


def priors_without(
    points: Points,
    deployments: Deployments,
    groups: np.ndarray,
    wanted: np.ndarray,
    tolerance: float = QUICK,
) -> tuple[np.ndarray, np.ndarray]:
    """Prior mean (c, 4) and covariance (c, 4, 4) of each configuration, fitted without all of its group.

    Only the groups of the configurations `wanted` are held out; the others stay NaN.
    """
    n = len(groups)
    mean, covariance = np.full((n, 4), np.nan), np.full((n, 4, 4), np.nan)
    for name in np.unique(groups[wanted]):
        inside, outside = np.flatnonzero(groups == name), np.flatnonzero(groups != name)
        prior = fit_prior(points.take(outside), deployments.take(outside), tolerance=tolerance)
        mean[inside] = prior.mean(deployments.take(inside))
        covariance[inside] = prior.covariance
    return mean, covariance


def ln_errors(predicted: np.ndarray | float, observed: np.ndarray) -> np.ndarray:
    """ln(predicted / observed)."""
    return np.log(np.asarray(predicted) / np.asarray(observed))


def group_left_out_errors(
    observed: np.ndarray, groups: np.ndarray, predict: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Errors (r,) of what `predict(train, test)`, two masks, says of each group from the rows of the others.

    Raises EnergyInputError for fewer than two groups.
    """
    names = np.unique(groups)
    if len(names) < 2:
        raise EnergyInputError("a group can be left out only where there is another")
    ln = np.empty(len(observed))
    for name in names:
        out = groups == name
        ln[out] = ln_errors(predict(~out, out), observed[out])
    return ln


def size_groups(total_params: np.ndarray, active_params: np.ndarray) -> np.ndarray:
    """Models of nearly one size (SAME_SIZE) and kind, dense or mixture: variants of one architecture stay together."""
    sizes = np.unique(total_params)
    cluster = np.concatenate([[0], np.cumsum(sizes[1:] / sizes[:-1] > SAME_SIZE)])
    is_mixture = total_params > active_params * SAME_SIZE
    return 2 * cluster[np.searchsorted(sizes, total_params)] + is_mixture


@dataclass(frozen=True)
class Scores:
    """How far off predictions are; `error` is |predicted / observed - 1|."""

    n_rows: int
    error_p50: float
    error_mean: float
    error_p90: float
    share_within_2x: float
    bias_ln: float
    rmsle: float


def scores(errors: np.ndarray) -> Scores:
    """Raises EnergyInputError for no errors, or some that are not finite."""
    ln = np.asarray(errors, dtype=float)
    if ln.size == 0 or not np.isfinite(ln).all():
        raise EnergyInputError("scores need finite errors")
    error = np.abs(np.expm1(ln))
    return Scores(
        n_rows=len(ln),
        error_p50=float(np.median(error)),
        error_mean=float(error.mean()),
        error_p90=float(np.quantile(error, 0.9)),
        share_within_2x=float((np.abs(ln) <= np.log(2)).mean()),
        bias_ln=float(np.median(ln)),
        rmsle=float(np.sqrt(np.mean(ln**2))),
    )


@dataclass(frozen=True)
class WidthInUse:
    """What an interval of a given half-width covers, of rows and as the mean over groups; and what a width learnt from
    the errors of the other groups covers of each, None where that was not asked or there is a single group.
    `learnt_half_width` is what these errors ask for."""

    of_rows: float
    of_groups: float
    nested_of_groups: float | None
    learnt_half_width: float


def coverage_of_width(
    errors: np.ndarray, groups: np.ndarray, half_width: float, is_nested: bool = True, nominal: float = NOMINAL
) -> WidthInUse:
    """`is_nested` where the predictions did not see the group: else no width speaks of a new one.

    Raises EnergyInputError for no errors, or some that are not finite.
    """
    scores(errors)
    inside = (np.abs(errors) <= half_width).astype(float)
    names, group = np.unique(groups, return_inverse=True)
    of_groups = float((np.bincount(group, inside) / np.bincount(group)).mean())
    nested = nested_coverage_of_groups(errors, groups, nominal) if is_nested and len(names) > 1 else None
    return WidthInUse(float(inside.mean()), of_groups, nested, half_width_ln(errors, groups, nominal))
