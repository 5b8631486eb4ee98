"""Energy by serving time: exact transforms against the sums and draws they stand for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.serving_energy import (
    exponential_mean_share_above,
    exponential_mean_wh,
    exponential_quantile_tokens,
    exponential_quantiles_wh,
    histogram_mean_wh,
    histogram_quantiles_wh,
    wh_per_accelerator_s,
)
from pipelines.energy.serving_time import ServingTime

THETA = np.log(np.array([[1e-4, 4e-4, 2e-7, 1e-9], [2e-4, 9e-4, 1e-7, 1e-9]]))
FIT = ServingTime(THETA, np.zeros((2, 4, 4)))
RATE = wh_per_accelerator_s(np.array([720.0, 360.0]), 1.25)


def test_energy_by_hand():
    # 720 W · 1.25 for a second is 900 J, 0.25 Wh; 1000 in and 500 out take 0.426 s
    assert RATE[:, 0].tolist() == pytest.approx([0.25, 0.125])
    found = exponential_quantiles_wh(FIT, RATE, 1000, 500, [0.5])
    assert found[0, 0] == pytest.approx(0.25 * 0.426)


def test_quantiles_of_the_length_by_hand():
    assert exponential_quantile_tokens(300, [0, 0.5, 0.75]).tolist() == pytest.approx([0, 300, 600])


def test_quantiles_and_mean_against_draws():
    draws = np.random.default_rng(2).exponential(5000 / np.log(2), 400_000)
    wh = RATE * FIT.accelerator_s(500, draws)
    p = [0.05, 0.25, 0.5, 0.75, 0.95]
    expected = np.quantile(wh, p, axis=1).T
    assert exponential_quantiles_wh(FIT, RATE, 500, 5000, p) == pytest.approx(expected, rel=0.02)
    assert exponential_mean_wh(FIT, RATE, 500, 5000) == pytest.approx(wh.mean(1), rel=0.02)
    share = (wh * (draws > 4096)).sum(1) / wh.sum(1)
    assert exponential_mean_share_above(FIT, 500, 5000, 4096) == pytest.approx(share, rel=0.01)


def test_all_of_the_mean_lies_above_no_tokens():
    assert exponential_mean_share_above(FIT, 500, 300, 0.0) == pytest.approx([1, 1])
    assert exponential_mean_share_above(FIT, 500, 300, np.array([1e9, 0.0])) == pytest.approx([0, 1])


def test_cached_tokens_make_it_cheaper():
    plain, cached = (exponential_mean_wh(FIT, RATE, 5000, 300, c) for c in (0, 4000))
    assert (cached < plain).all()
    assert (
        exponential_quantiles_wh(FIT, RATE, 5000, 300, [0.5], 4000)
        < exponential_quantiles_wh(FIT, RATE, 5000, 300, [0.5])
    ).all()


def test_trace_by_hand():
    l_in, l_out, count = np.array([1000.0, 1000.0]), np.array([500.0, 0.0]), np.array([1, 3])
    # 0.426 s once and 0.101 s three times
    assert histogram_mean_wh(FIT, RATE, l_in, l_out, count)[0] == pytest.approx(0.25 * (0.426 + 3 * 0.101) / 4)
    quantiles = histogram_quantiles_wh(FIT, RATE, l_in, l_out, count, [0.5, 0.75, 0.76])
    assert quantiles[0] == pytest.approx(0.25 * np.array([0.101, 0.101, 0.426]))


def test_quantiles_of_a_trace_are_those_of_its_queries_one_by_one():
    rng = np.random.default_rng(5)
    l_in, l_out, count = rng.integers(1, 9000, 40), rng.integers(1, 900, 40), rng.integers(0, 20, 40)
    each = RATE * FIT.accelerator_s(np.repeat(l_in, count), np.repeat(l_out, count))
    p = [0.05, 0.5, 0.95]
    expected = np.quantile(each, p, axis=1, method="inverted_cdf").T
    assert histogram_quantiles_wh(FIT, RATE, l_in, l_out, count, p) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(st.floats(10, 5000), st.floats(1, 3), st.floats(0, 1e6), st.floats(1, 1e5), st.floats(1.001, 2))
def test_energy_rises_with_power_pue_and_lengths(power, pue, l_in, median, more):
    def wh(power, pue, l_in, median):
        rate = wh_per_accelerator_s(np.array([power, power]), pue)
        return np.concatenate(
            [
                exponential_mean_wh(FIT, rate, l_in, median),
                exponential_quantiles_wh(FIT, rate, l_in, median, [0.5])[:, 0],
            ]
        )

    base = wh(power, pue, l_in, median)
    assert (wh(power * more, pue, l_in, median) > base).all()
    assert (wh(power, pue * more, l_in, median) > base).all()
    assert (wh(power, pue, l_in * more, median) >= base).all()
    assert (wh(power, pue, l_in, median * more) > base).all()


@pytest.mark.parametrize(("power", "pue"), [(0, 1.2), (-1, 1.2), (np.nan, 1.2), (700, 0.9), (700, np.nan)])
def test_impossible_power_or_pue_is_an_error(power, pue):
    with pytest.raises(EnergyInputError):
        wh_per_accelerator_s(power, pue)


@pytest.mark.parametrize("p", [-0.1, 1.0, np.nan])
def test_impossible_probabilities_are_errors(p):
    with pytest.raises(EnergyInputError, match="between 0 and 1"):
        exponential_quantiles_wh(FIT, RATE, 500, 300, [p])
    with pytest.raises(EnergyInputError, match="between 0 and 1"):
        histogram_quantiles_wh(FIT, RATE, [1], [1], [1], [p])


@pytest.mark.parametrize("median", [0, -5, np.nan, np.inf])
def test_impossible_medians_are_errors(median):
    for call in (exponential_mean_wh, lambda f, r, i, m: exponential_quantiles_wh(f, r, i, m, [0.5])):
        with pytest.raises(EnergyInputError, match="median"):
            call(FIT, RATE, 500, median)


@pytest.mark.parametrize("counts", [[0, 0], [-1, 2], [np.nan, 1]])
def test_a_trace_needs_queries(counts):
    with pytest.raises(EnergyInputError, match="counts"):
        histogram_mean_wh(FIT, RATE, [1, 2], [1, 2], counts)
