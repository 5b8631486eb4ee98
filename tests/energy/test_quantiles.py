"""Newton's quantiles equal the general ones and adaptive integration, at short and at very long outputs."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from pipelines.energy.distribution import Energy, quantiles_wh
from pipelines.energy.errors import EnergyInputError
from pipelines.energy.lengths import exponential
from pipelines.energy.lognormal import ONE, LogNormal
from pipelines.energy.quantiles import newton_quantiles_wh

FACTOR = LogNormal.from_p5_p95(0.4, 0.9) * LogNormal.from_p5_p95(1.05, 1.6)
P = [0.05, 0.25, 0.5, 0.75, 0.95]
K = (0.05, 7e-4, 2e-7)


@pytest.mark.parametrize("median", [300, 5000, 50_000])
def test_within_a_ten_thousandth_of_adaptive_integration(median):
    scale = median / np.log(2)

    def cdf(ln_wh):
        def integrand(t):
            ln_g = np.log(K[0] + K[1] * t * scale + K[2] * (t * scale) ** 2)
            return ndtr((ln_wh - FACTOR.mu - ln_g) / FACTOR.sigma) * np.exp(-t)

        return sum(quad(integrand, *ends, epsabs=1e-12, epsrel=1e-10, limit=400)[0] for ends in ((0, 1), (1, 60)))

    lengths = exponential(median)
    wh = K[0] + K[1] * lengths.tokens + K[2] * lengths.tokens**2
    exact = [np.exp(brentq(lambda x, p=p: cdf(x) - p, -30, 30, xtol=1e-13)) for p in P]
    assert newton_quantiles_wh(Energy(wh, lengths.weights, FACTOR), P) == pytest.approx(exact, rel=1e-4)


def test_one_length_gives_the_log_normal_itself():
    found = newton_quantiles_wh(Energy(np.array([2.0]), np.array([1.0]), FACTOR), P)
    assert found == pytest.approx(2 * np.exp(FACTOR.mu + FACTOR.sigma * ndtri(P)), rel=1e-9)


def test_equals_the_general_root_finder_over_a_whole_table():
    lengths, rng = exponential(5000), np.random.default_rng(1)
    k = np.exp(rng.normal([-3, -7, -15], 1.5, (300, 3)))
    wh = k[:, :1] + k[:, 1:2] * lengths.tokens + k[:, 2:] * lengths.tokens**2
    energy = Energy(wh.reshape(2, 150, -1), lengths.weights, FACTOR)
    assert newton_quantiles_wh(energy, P) == pytest.approx(quantiles_wh(energy, P), rel=1e-7)


def test_two_far_apart_lengths_and_a_narrow_factor():
    # a bimodal distribution: flat stretches where Newton's steps would run away
    energy = Energy(np.array([1.0, 1000.0]), np.array([0.5, 0.5]), LogNormal(0.0, 0.05))
    found = newton_quantiles_wh(energy, [0.25, 0.75, 0.999])
    expected = [1.0, 1000.0, 1000 * np.exp(0.05 * ndtri(0.998))]
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("p", [0, 1, -0.1, np.nan])
def test_impossible_probabilities_are_errors(p):
    with pytest.raises(EnergyInputError, match="between 0 and 1"):
        newton_quantiles_wh(Energy(np.array([1.0]), np.array([1.0]), FACTOR), [p])


def test_a_certain_factor_has_no_spread_to_integrate():
    with pytest.raises(EnergyInputError, match="no spread"):
        newton_quantiles_wh(Energy(np.array([1.0]), np.array([1.0]), ONE), P)
