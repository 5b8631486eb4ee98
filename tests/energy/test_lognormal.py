"""Log-normal factors: P5 and P95 come back, products and inverses are exact."""

import math

import numpy as np
import pytest

from pipelines.energy.lognormal import ONE, Z95, LogNormal


def test_p5_and_p95_are_those_given_at_the_papers_rounded_point():
    factor = LogNormal.from_p5_p95(0.4, 0.9)
    assert math.exp(factor.mu - Z95 * factor.sigma) == pytest.approx(0.4, rel=1e-12)
    assert math.exp(factor.mu + Z95 * factor.sigma) == pytest.approx(0.9, rel=1e-12)
    assert factor.median == pytest.approx(0.6, rel=1e-12)


def test_mean_and_product_against_draws():
    a, b = LogNormal.from_p5_p95(0.4, 0.9), LogNormal.from_p5_p95(1.05, 1.6)
    generator = np.random.default_rng(20260609)
    draws = np.exp(generator.normal(a.mu, a.sigma, 2_000_000)) * np.exp(generator.normal(b.mu, b.sigma, 2_000_000))
    assert (a * b).mean == pytest.approx(draws.mean(), rel=2e-3)
    assert (a * b).quantile(0.9) == pytest.approx(np.quantile(draws, 0.9), rel=2e-3)


def test_inverse_and_one():
    gain = LogNormal.from_p5_p95(1.5, 10)
    assert (gain * gain.inverse).median == pytest.approx(1)
    assert (gain * ONE) == gain
    assert gain.inverse.mean == pytest.approx(math.exp(-gain.mu + gain.sigma**2 / 2))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (2, 1)])
def test_impossible_ranges_are_errors(low, high):
    with pytest.raises(ValueError, match="P5"):
        LogNormal.from_p5_p95(low, high)


def test_the_half_width_is_half_of_what_lies_between_p5_and_p95():
    assert LogNormal.from_p5_p95(0.5, 2.0).half_width_ln == pytest.approx(np.log(2))
