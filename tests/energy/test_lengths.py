"""Lengths of queries as distributions: means and shares, by hand."""

import numpy as np
import pytest

from pipelines.energy.lengths import exponential, exponential_mean_tokens, weighted_share


def test_the_mean_of_an_exponential_by_hand():
    # 2^(-L / 300) = e^(-L / scale), so the scale, which is the mean, is 300 / 0.693
    assert exponential_mean_tokens(300) == pytest.approx(432.8085)
    lengths = exponential(300)
    assert lengths.tokens @ lengths.weights == pytest.approx(exponential_mean_tokens(300), rel=1e-5)


def test_shares_below_and_up_to():
    values, weights = np.array([30.0, 10.0, 20.0]), np.array([0.5, 0.2, 0.3])
    assert weighted_share(values, weights, np.array([10, 20, 31]), "below") == pytest.approx([0, 0.2, 1])
    assert weighted_share(values, weights, np.array([10, 20, 31]), "up to") == pytest.approx([0.2, 0.5, 1])
