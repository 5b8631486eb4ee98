"""Method `serving-time` (method 4): the accelerator-seconds that one query takes up at saturation.

    s · n = Σ_j exp(θ_j) x_j,    x = (L_in, L_out, L_out (L_in + L_out/2), L_in²)

s = L_out / TPS is the deployment-seconds a query takes up, n the accelerators that TPS was measured on. The terms are
prefill, decode (weights read), attention of decoding over the growing context (KV cache read), attention of prefill.
θ of a configuration is the maximum a posteriori under the prior of `serving_prior`; noise is Student-t(4) in ln.

With a cached prefix of C of the L_in input tokens (C <= L_in) the terms follow by counting the same work:
- prefill: only L_in - C tokens are computed, so x_1 = L_in - C;
- decode: x_2 = L_out as before;
- attention of decoding: the k-th output token reads the cache of L_in + k tokens whether they were computed or cached,
  so x_3 = L_out (L_in + L_out/2) as before;
- attention of prefill: the token at position p attends to p tokens. Without a cache the positions sum to L_in²/2, and
  exp(θ_4) is per L_in²; with one only positions C to L_in are computed, which sum to (L_in² - C²)/2, so
  x_4 = L_in² - C² = (L_in - C)(L_in + C): new tokens times (total + cached).
A cached token thus costs its attention only. Benchmarks have no cached tokens: this part is derived, not fitted.
"""

from dataclasses import dataclass

import numpy as np

from pipelines.energy.errors import EnergyInputError

METHOD = "serving-time"
TERMS = ("prefill", "decode", "decode_attention", "prefill_attention")
N_TERMS = len(TERMS)
NOISE_LN = 0.08
"""Scale of the residuals in ln (method 4)."""
STUDENT_T_DEGREES = 4.0
MAX_STEPS = 100
_MAX_HALVINGS, _STEP_TOLERANCE = 12, 1e-7
_FURTHEST_LN = 60.0


def work(
    input_tokens: np.ndarray | float, output_tokens: np.ndarray | float, cached_tokens: np.ndarray | float = 0.0
) -> np.ndarray:
    """x of the query, shape (..., 4); shapes of the arguments broadcast.

    Lengths of zero are defined (a query without output costs its prefill), as is any large one: far beyond the longest
    benchmarked length this is extrapolation.

    Raises EnergyInputError for a length that is negative or not finite, or more cached than input tokens.
    """
    arguments = (np.asarray(a, dtype=float) for a in (input_tokens, output_tokens, cached_tokens))
    l_in, l_out, cached = np.broadcast_arrays(*arguments)
    for name, tokens in (("input", l_in), ("output", l_out), ("cached", cached)):
        if not (np.isfinite(tokens) & (tokens >= 0)).all():
            raise EnergyInputError(f"{name} tokens must be finite and not negative")
    if (cached > l_in).any():
        raise EnergyInputError("cached tokens are part of the input tokens: there cannot be more of them")
    return np.stack([l_in - cached, l_out, l_out * (l_in + l_out / 2), (l_in - cached) * (l_in + cached)], axis=-1)


@dataclass(frozen=True)
class Points:
    """Benchmarked points of `c` configurations, padded to the longest: `work` (c, p, 4), `ln_accelerator_s` (c, p).

    `is_known` (c, p) is false where there is only padding. A configuration may have no point: its fit is its prior.
    """

    work: np.ndarray
    ln_accelerator_s: np.ndarray
    is_known: np.ndarray

    @classmethod
    def of(
        cls,
        configuration: np.ndarray,
        n_configurations: int,
        input_tokens: np.ndarray,
        output_tokens: np.ndarray,
        output_tokens_per_s: np.ndarray,
        n_accelerators: np.ndarray,
    ) -> "Points":
        """From rows: `configuration` (r,) is the index of each row's configuration, tokens/s are of the deployment.

        Raises EnergyInputError for a throughput, length or count that is not finite and positive.
        """
        named = {
            "input tokens": input_tokens,
            "output tokens": output_tokens,
            "output tokens/s": output_tokens_per_s,
            "accelerators": n_accelerators,
        }
        for name, value in named.items():
            values = np.asarray(value, dtype=float)
            if not (np.isfinite(values) & (values > 0)).all():
                raise EnergyInputError(f"{name} of a benchmarked point must be finite and positive")
        configuration = np.asarray(configuration, dtype=int)
        order = np.argsort(configuration, kind="stable")
        counts = np.bincount(configuration, minlength=n_configurations)
        place = np.arange(len(configuration)) - np.repeat(np.cumsum(counts) - counts, counts)
        shape = (n_configurations, int(counts.max(initial=0)))
        at = (configuration[order], place)
        x, y, known = np.ones((*shape, N_TERMS)), np.zeros(shape), np.zeros(shape, dtype=bool)
        x[at] = work(input_tokens, output_tokens)[order]
        y[at] = np.log(accelerator_s_of(output_tokens, output_tokens_per_s, n_accelerators))[order]
        known[at] = True
        return cls(x, y, known)

    def only(self, mask: np.ndarray) -> "Points":
        """The same with the points outside `mask` (c, p) left out."""
        return Points(self.work, self.ln_accelerator_s, self.is_known & mask)

    def take(self, configurations: np.ndarray) -> "Points":
        """The configurations with these indices; one may come more than once."""
        return Points(*(a[configurations] for a in (self.work, self.ln_accelerator_s, self.is_known)))


def accelerator_s_of(
    output_tokens: np.ndarray, output_tokens_per_s: np.ndarray, n_accelerators: np.ndarray
) -> np.ndarray:
    """s · n = n · L_out / TPS, accelerator-seconds per query of a benchmarked point."""
    return np.asarray(n_accelerators) * np.asarray(output_tokens) / np.asarray(output_tokens_per_s)


def output_tokens_per_s_of(
    output_tokens: np.ndarray, accelerator_s: np.ndarray, n_accelerators: np.ndarray
) -> np.ndarray:
    """TPS = n · L_out / (s · n) of the deployment; of a workload, from the means across its queries."""
    return np.asarray(n_accelerators) * np.asarray(output_tokens) / np.asarray(accelerator_s)


@dataclass(frozen=True)
class ServingTime:
    """Posterior of θ for `c` configurations: `theta` (c, 4) and `covariance` (c, 4, 4), by Laplace's approximation."""

    theta: np.ndarray
    covariance: np.ndarray

    def accelerator_s(
        self,
        input_tokens: np.ndarray | float,
        output_tokens: np.ndarray | float,
        cached_tokens: np.ndarray | float = 0.0,
    ) -> np.ndarray:
        """s · n, accelerator-seconds per query; lengths of shape (q,) or (c, q) give (c, q)."""
        x = work(input_tokens, output_tokens, cached_tokens)
        if x.ndim == 2:  # (q, 4): lengths common to all configurations, as those of a trace
            return np.exp(self.theta) @ x.T
        return (np.exp(self.theta)[..., None, :] * x).sum(-1)

    def accelerator_s_of_work(self, x: np.ndarray) -> np.ndarray:
        """s · n of the work x: (4,) common to all configurations or (c, 4) gives (c,), with axes before these kept.

        s · n is linear in x, so that of the mean work of many queries is their mean.
        """
        return (np.exp(self.theta) * x).sum(-1)

    def sd_ln_of_work(self, x: np.ndarray) -> np.ndarray:
        """Posterior standard deviation of ln(s · n) of the work x, to first order; shapes as above."""
        terms = np.exp(self.theta) * x
        share = terms / np.maximum(terms.sum(-1, keepdims=True), np.finfo(float).tiny)
        return np.sqrt(np.einsum("...cj,cjk,...ck->...c", share, self.covariance, share))

    def polynomial(self, input_tokens: float, cached_tokens: float = 0.0) -> np.ndarray:
        """s · n as a polynomial of L_out at a fixed input: (k0, k1, k2) with s · n = k0 + k1 L_out + k2 L_out²,
        shape (c, 3), none negative."""
        x = work(input_tokens, 0.0, cached_tokens)
        a, b, c, e = np.moveaxis(np.exp(self.theta), -1, 0)
        return np.stack([a * x[0] + e * x[3], b + c * input_tokens, c / 2], axis=-1)

    def take(self, configurations: np.ndarray) -> "ServingTime":
        return ServingTime(self.theta[configurations], self.covariance[configurations])


def fit_serving_time(
    points: Points,
    prior_mean: np.ndarray,
    prior_covariance: np.ndarray,
    start: np.ndarray | None = None,
    max_steps: int = MAX_STEPS,
) -> ServingTime:
    """Maximum a posteriori of θ for every configuration at once, by damped Gauss-Newton with Student-t weights.

    Minimises Σ (ν+1)/2 · ln(1 + r²/(ν σ²)) + ½ (θ - m)ᵀ S⁻¹ (θ - m), r = ln s·n observed less predicted. Collinear or
    too few points are no error: what they leave open comes from the prior.

    Args:
        prior_mean: m, shape (c, 4).
        prior_covariance: S, shape (4, 4), or (c, 4, 4).
        start: where to begin, shape (c, 4); the prior mean where not given.
    """
    precision = np.broadcast_to(np.linalg.inv(prior_covariance), (len(prior_mean), N_TERMS, N_TERMS))
    theta = np.array(prior_mean if start is None else start, dtype=float)
    going = np.arange(len(theta))
    for _ in range(max_steps):
        moved, theta[going] = _step(points.take(going), theta[going], prior_mean[going], precision[going])
        going = going[moved > _STEP_TOLERANCE]
        if not going.size:
            break
    _, _, curvature = _normal_equations(points, theta, prior_mean, precision)
    return ServingTime(theta, np.linalg.inv(curvature))


def _step(points: Points, theta: np.ndarray, mean: np.ndarray, precision: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One damped Gauss-Newton step: how far each θ moved (0: it could not improve), and the new θ."""
    loss, gradient, curvature = _normal_equations(points, theta, mean, precision)
    step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
    size = np.ones(len(theta))
    for _ in range(_MAX_HALVINGS):
        new = np.clip(theta + size[:, None] * step, -_FURTHEST_LN, _FURTHEST_LN)
        worse = _loss(points, new, mean, precision) > loss
        if not worse.any():
            break
        size[worse] /= 2
    new[worse] = theta[worse]
    return np.abs(new - theta).max(-1), new


def _residuals(points: Points, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """ln observed less predicted (c, p), zero in the padding; and the shares of the terms (c, p, 4)."""
    terms = np.exp(theta)[:, None, :] * points.work
    total = terms.sum(-1)
    residual = np.where(points.is_known, points.ln_accelerator_s - np.log(total), 0.0)
    return residual, terms / total[..., None]


def largest_residuals_ln(points: Points, theta: np.ndarray) -> np.ndarray:
    """ln of predicted over printed throughput where each fit is furthest off, shape (c,): 0.1 is 10 % too fast."""
    residual, _ = _residuals(points, theta)
    return residual[np.arange(len(residual)), np.abs(residual).argmax(-1)]


def _loss(points: Points, theta: np.ndarray, mean: np.ndarray, precision: np.ndarray) -> np.ndarray:
    residual, _ = _residuals(points, theta)
    return _loss_of(residual, theta - mean, precision)


def _loss_of(residual: np.ndarray, away: np.ndarray, precision: np.ndarray) -> np.ndarray:
    nu = STUDENT_T_DEGREES
    misfit = (nu + 1) / 2 * np.log1p((residual / NOISE_LN) ** 2 / nu).sum(-1)
    return misfit + ((precision @ away[..., None])[..., 0] * away).sum(-1) / 2


def quadratic_of_misfit(points: Points, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """H (c, 4, 4) and h (c, 4): near `theta` the misfit to the points is ½ θᵀHθ - hᵀθ and a constant (Gauss-Newton)."""
    no_prior = np.zeros((len(theta), N_TERMS, N_TERMS))
    _, gradient, curvature = _normal_equations(points, theta, theta, no_prior)
    return curvature, (curvature @ theta[..., None])[..., 0] + gradient


def _normal_equations(
    points: Points, theta: np.ndarray, mean: np.ndarray, precision: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loss (c,), its falling gradient (c, 4) and curvature (c, 4, 4) with the weights of Student's t."""
    residual, share = _residuals(points, theta)
    away = theta - mean
    weight = (STUDENT_T_DEGREES + 1) / (STUDENT_T_DEGREES + (residual / NOISE_LN) ** 2) / NOISE_LN**2
    weighted = share.swapaxes(-1, -2) * np.where(points.is_known, weight, 0.0)[:, None, :]
    gradient = (weighted @ residual[..., None] - precision @ away[..., None])[..., 0]
    return _loss_of(residual, away, precision), gradient, weighted @ share + precision
