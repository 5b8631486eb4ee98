"""Lengths of queries as distributions: medians, means by token and shares, by hand."""

import numpy as np
import pytest

from pipelines.energy.lengths import (
    exponential,
    exponential_median_and_mean_token,
    weighted_median_and_mean_token,
    weighted_share,
)


def test_the_mean_token_of_an_exponential_is_in_a_query_twice_the_mean():
    median, of_token = exponential_median_and_mean_token(300)
    lengths = exponential(300)
    assert median == 300
    assert of_token == pytest.approx(lengths.tokens**2 @ lengths.weights / lengths.mean, rel=1e-4)


def test_the_median_request_and_the_mean_token_of_a_trace():
    inputs, outputs = np.array([5.0, 7.0, 9.0]), np.array([10.0, 40.0, 20.0])
    (l_in, l_out), (token_in, token_out) = weighted_median_and_mean_token(inputs, outputs, np.array([0.4, 0.25, 0.35]))
    assert (l_in.tolist(), l_out.tolist()) == ([9.0], [20.0])  # 40 % have 10, 75 % at most 20
    tokens = np.array([4.0, 10.0, 7.0]) / 21
    assert (token_in[0], token_out[0]) == (pytest.approx(inputs @ tokens), pytest.approx(outputs @ tokens))


def test_shares_below_and_up_to():
    values, weights = np.array([30.0, 10.0, 20.0]), np.array([0.5, 0.2, 0.3])
    assert weighted_share(values, weights, np.array([10, 20, 31]), "below") == pytest.approx([0, 0.2, 1])
    assert weighted_share(values, weights, np.array([10, 20, 31]), "up to") == pytest.approx([0.2, 0.5, 1])
