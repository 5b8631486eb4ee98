"""Quantiles without sampling: closed forms, the claimed accuracy, trimming and gains as stated steps."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from pipelines.energy.distribution import Energy, Pool, Scaled, quantiles_wh
from pipelines.energy.lengths import exponential
from pipelines.energy.lognormal import LogNormal

FACTOR = LogNormal.from_p5_p95(0.4, 0.9) * LogNormal.from_p5_p95(1.05, 1.6)
PROBABILITIES = [0.05, 0.25, 0.5, 0.75, 0.95]


def test_one_length_gives_the_log_normal_itself():
    energy = Energy(np.array([2.0]), np.array([1.0]), FACTOR)
    expected = 2 * np.exp(FACTOR.mu + FACTOR.sigma * ndtri(PROBABILITIES))
    assert quantiles_wh(energy, PROBABILITIES) == pytest.approx(expected, rel=1e-9)
    assert energy.mean_wh == pytest.approx(2 * FACTOR.mean)


def test_96_nodes_are_within_the_claimed_error_of_adaptive_integration():
    scale, exponent = 300 / np.log(2), 0.8

    def cdf(ln_wh):
        def integrand(t):
            ln_g = exponent * np.log(t * scale) - 7
            return ndtr((ln_wh - FACTOR.mu - ln_g) / FACTOR.sigma) * np.exp(-t)

        return quad(integrand, 0, 60, epsabs=1e-12, epsrel=1e-12, limit=500)[0]

    lengths = exponential(300)
    ours = quantiles_wh(Energy(lengths.tokens**exponent * np.exp(-7), lengths.weights, FACTOR), PROBABILITIES)
    exact = [np.exp(brentq(lambda x, p=p: cdf(x) - p, -15, 5, xtol=1e-12)) for p in PROBABILITIES]
    assert ours == pytest.approx(exact, rel=2e-5)


def test_rounding_lengths_to_whole_tokens_hardly_changes_quartiles():
    lengths = exponential(300, n_nodes=4001)
    whole = np.maximum(np.round(lengths.tokens), 1)
    drawn = quantiles_wh(Energy(whole**0.8, lengths.weights, FACTOR), [0.25, 0.5, 0.75])
    limit = quantiles_wh(Energy(lengths.tokens**0.8, lengths.weights, FACTOR), [0.25, 0.5, 0.75])
    assert drawn == pytest.approx(limit, rel=2e-4)


def test_many_energies_at_once_equal_one_by_one():
    lengths = exponential(5000)
    wh = np.stack([lengths.tokens * 1e-3, lengths.tokens**1.2 * 1e-5])
    together = quantiles_wh(Energy(wh, lengths.weights, FACTOR), PROBABILITIES)
    for row, expected in zip(wh, together, strict=True):
        assert quantiles_wh(Energy(row, lengths.weights, FACTOR), PROBABILITIES) == pytest.approx(expected, rel=1e-9)


def test_trimming_keeps_what_lies_between_the_given_quantiles():
    lengths = exponential(300)
    energy = Energy(lengths.tokens * 1e-3, lengths.weights, FACTOR)
    trimmed = Pool((energy,), keep=(0.14, 0.86))
    # the median stays, the quartiles of the trimmed pool are the 32 % and 68 % points of the whole
    assert quantiles_wh(trimmed, [0.25, 0.5, 0.75]) == pytest.approx(quantiles_wh(energy, [0.32, 0.5, 0.68]), rel=1e-8)


def test_pool_of_two_against_draws():
    generator = np.random.default_rng(1)
    lengths = exponential(300)
    energies = tuple(Energy(lengths.tokens * k, lengths.weights, FACTOR) for k in (1e-3, 4e-3))
    draws = []
    for k in (1e-3, 4e-3):
        length = generator.exponential(300 / np.log(2), 1_000_000)
        sample = k * length * np.exp(generator.normal(FACTOR.mu, FACTOR.sigma, length.size))
        low, high = np.quantile(sample, [0.14, 0.86])
        draws.append(sample[(sample >= low) & (sample <= high)])
    expected = np.quantile(np.concatenate(draws), [0.25, 0.5, 0.75])
    assert quantiles_wh(Pool(energies, (0.14, 0.86)), [0.25, 0.5, 0.75]) == pytest.approx(expected, rel=4e-3)


def test_a_gain_on_an_untrimmed_energy_is_one_more_log_normal_factor():
    lengths = exponential(300)
    gain = LogNormal.from_p5_p95(1.5, 10)
    plain = Energy(lengths.tokens * 1e-3, lengths.weights, FACTOR)
    merged = Energy(plain.wh_at_lengths, plain.weights, FACTOR * gain.inverse)
    ours = quantiles_wh(Scaled(plain, gain.inverse), PROBABILITIES)
    assert ours == pytest.approx(quantiles_wh(merged, PROBABILITIES), rel=1e-6)


@pytest.mark.parametrize("p", [0, 1, -0.1, 1.5])
def test_impossible_probabilities_are_errors(p):
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantiles_wh(Energy(np.array([1.0]), np.array([1.0]), FACTOR), [p])
