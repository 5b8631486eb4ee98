"""Energy by serving time: exact transforms against the sums and draws they stand for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.reach import Reach
from pipelines.energy.serving_energy import (
    energy_wh,
    exponential_mean_share_above,
    exponential_mean_share_beyond,
    exponential_mean_work,
    exponential_quantile_tokens,
    exponential_quantile_work,
    histogram_mean_share,
    histogram_mean_work,
    histogram_quantile_requests,
)
from pipelines.energy.serving_time import ServingTime, work

THETA = np.log(np.array([[1e-4, 4e-4, 2e-7, 1e-9], [2e-4, 9e-4, 1e-7, 1e-9]]))
FIT = ServingTime(THETA, np.zeros((2, 4, 4)))
POWER_W = np.array([720.0, 360.0])


def quantiles_s(fit, l_in, l_out, count, p, cached=0.0):
    x = work(l_in, l_out, cached)
    return fit.accelerator_s_of_work(x[histogram_quantile_requests(fit, x, count, p)])


def test_energy_by_hand():
    # 720 W · 1.25 for a second is 900 J, 0.25 Wh; 1000 in and 500 out take 0.426 s
    assert energy_wh(np.ones(2), POWER_W, 1.25).tolist() == pytest.approx([0.25, 0.125])
    seconds = FIT.accelerator_s_of_work(exponential_quantile_work(1000, 500, [0.5]))
    assert seconds.shape == (1, 2)
    assert energy_wh(seconds, POWER_W, 1.25)[0, 0] == pytest.approx(0.25 * 0.426)


def test_quantiles_of_the_length_by_hand():
    assert exponential_quantile_tokens(300, [0, 0.5, 0.75]).tolist() == pytest.approx([0, 300, 600])


def test_mean_work_of_exponential_outputs_by_hand():
    # median ln 2 · 100, so a mean of 100 and a mean square of 20000; 50 in, of which 30 cached
    found = exponential_mean_work(50, 100 * np.log(2), 30)
    assert found[0] == pytest.approx([20, 100, 100 * 50 + 20_000 / 2, 50**2 - 30**2])


def test_quantiles_and_mean_against_draws():
    draws = np.random.default_rng(2).exponential(5000 / np.log(2), 400_000)
    seconds = FIT.accelerator_s(500, draws)
    p = [0.05, 0.25, 0.5, 0.75, 0.95]
    expected = np.quantile(seconds, p, axis=1)
    assert FIT.accelerator_s_of_work(exponential_quantile_work(500, 5000, p)) == pytest.approx(expected, rel=0.02)
    mean = FIT.accelerator_s_of_work(exponential_mean_work(500, 5000))
    assert mean == pytest.approx(seconds.mean(1), rel=0.02)
    share = (seconds * (draws > 4096)).sum(1) / seconds.sum(1)
    assert exponential_mean_share_above(FIT, 500, 5000, 4096) == pytest.approx(share, rel=0.01)


def test_all_of_the_mean_lies_above_no_tokens():
    assert exponential_mean_share_above(FIT, 500, 300, 0.0) == pytest.approx([1, 1])
    assert exponential_mean_share_above(FIT, 500, 300, np.array([1e9, 0.0])) == pytest.approx([0, 1])


def test_all_of_the_mean_is_beyond_where_the_input_is():
    ends = (np.array([500.0, 600.0]), np.array([9e3, 9e3]), np.array([1.0, 1.0]), np.array([4096.0, 1e9]))
    found = exponential_mean_share_beyond(FIT, Reach(*ends), 500, 5000)
    assert found == pytest.approx([exponential_mean_share_above(FIT, 500, 5000, 4096)[0], 1])


def test_outputs_shorter_than_any_benchmarked_are_beyond_too():
    ends = (np.array([500.0, 500.0]), np.array([9e3, 9e3]), np.array([128.0, 128.0]), np.array([4096.0, 4096.0]))
    l_out = np.linspace(0, 2e4, 200_001)
    x = work(np.full_like(l_out, 500.0), l_out)
    energy = (np.exp(THETA) @ x.T) * np.exp(-l_out * np.log(2) / 300)
    outside = (l_out < 128) | (l_out > 4096)
    expected = (energy * outside).sum(-1) / energy.sum(-1)
    assert exponential_mean_share_beyond(FIT, Reach(*ends), 500, 300) == pytest.approx(expected, rel=1e-3)


def test_cached_tokens_make_it_cheaper():
    plain, cached = (FIT.accelerator_s_of_work(exponential_mean_work(5000, 300, c)) for c in (0, 4000))
    assert (cached < plain).all()
    plain, cached = (FIT.accelerator_s_of_work(exponential_quantile_work(5000, 300, [0.5], c)) for c in (0, 4000))
    assert (cached < plain).all()


def test_trace_by_hand():
    l_in, l_out, count = np.array([1000.0, 1000.0]), np.array([500.0, 0.0]), np.array([1, 3])
    # 0.426 s once and 0.101 s three times
    x = work(l_in, l_out)
    mean = FIT.accelerator_s_of_work(histogram_mean_work(x, count))
    assert mean[0] == pytest.approx((0.426 + 3 * 0.101) / 4)
    quantiles = quantiles_s(FIT, l_in, l_out, count, [0.5, 0.75, 0.76])
    assert quantiles[:, 0] == pytest.approx([0.101, 0.101, 0.426])
    share = histogram_mean_share(FIT, x, count, np.array([[True, False], [False, False]]))
    assert share == pytest.approx([0.426 / (0.426 + 3 * 0.101), 0])


def test_the_median_request_is_that_of_the_energy_not_of_the_output():
    # equal outputs, inputs of 100, 9000 and 4000: the middle energy is the third's; with the second cached, its own
    l_in, l_out, each = np.array([100.0, 9000.0, 4000.0]), np.full(3, 50.0), np.ones(3)
    for cached, expected in ((0.0, 2), (np.array([0.0, 8900.0, 0.0]), 1)):
        x = work(l_in, l_out, cached)
        assert histogram_quantile_requests(FIT, x, each, [0.5]).tolist() == [[expected, expected]]


def test_quantiles_of_a_trace_are_those_of_its_queries_one_by_one():
    rng = np.random.default_rng(5)
    l_in, l_out, count = rng.integers(1, 9000, 40), rng.integers(1, 900, 40), rng.integers(0, 20, 40)
    each = FIT.accelerator_s(np.repeat(l_in, count), np.repeat(l_out, count))
    p = [0.05, 0.5, 0.95]
    expected = np.quantile(each, p, axis=1, method="inverted_cdf")
    assert quantiles_s(FIT, l_in, l_out, count, p) == pytest.approx(expected)


def test_the_order_of_a_trace_does_not_matter():
    # hundreds of requests with the same output and very different inputs and caches, on a fit of unlike terms
    rng = np.random.default_rng(6)
    l_in, l_out, count = rng.integers(1, 20_000, 900), rng.choice([7, 90, 91], 900), rng.integers(1, 4, 900)
    cached = (l_in * rng.uniform(0, 1, 900)).astype(int)
    fit = ServingTime(THETA, np.stack([np.diag([0.01, 0.02, 0.1, 0.9]), np.diag([0.4, 0.02, 0.1, 0.9])]))

    def widths(order):
        x, n = work(l_in[order], l_out[order], cached[order]), count[order]
        at_median = x[histogram_quantile_requests(fit, x, n, [0.5])[0]]
        return [*fit.sd_ln_of_work(at_median), *fit.sd_ln_of_work(histogram_mean_work(x, n))]

    expected = widths(np.arange(900))
    for seed in range(5):
        assert widths(np.random.default_rng(seed).permutation(900)) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.floats(10, 5000), st.floats(1, 3), st.floats(0, 1e6), st.floats(1, 1e5), st.floats(1.001, 2))
def test_energy_rises_with_power_pue_and_lengths(power, pue, l_in, median, more):
    def wh(power, pue, l_in, median):
        works = np.stack([exponential_mean_work(l_in, median), exponential_quantile_work(l_in, median, [0.5])[0]])
        return energy_wh(FIT.accelerator_s_of_work(works), np.array([power, power]), pue)

    base = wh(power, pue, l_in, median)
    assert (wh(power * more, pue, l_in, median) > base).all()
    assert (wh(power, pue * more, l_in, median) > base).all()
    assert (wh(power, pue, l_in * more, median) >= base).all()
    assert (wh(power, pue, l_in, median * more) > base).all()


@pytest.mark.parametrize(("power", "pue"), [(0, 1.2), (-1, 1.2), (np.nan, 1.2), (700, 0.9), (700, np.nan)])
def test_impossible_power_or_pue_is_an_error(power, pue):
    with pytest.raises(EnergyInputError):
        energy_wh(np.ones(1), power, pue)


@pytest.mark.parametrize("p", [-0.1, 1.0, np.nan])
def test_impossible_probabilities_are_errors(p):
    with pytest.raises(EnergyInputError, match="between 0 and 1"):
        exponential_quantile_work(500, 300, [p])
    with pytest.raises(EnergyInputError, match="between 0 and 1"):
        histogram_quantile_requests(FIT, work([1], [1]), [1], [p])


@pytest.mark.parametrize("median", [0, -5, np.nan, np.inf])
def test_impossible_medians_are_errors(median):
    for call in (exponential_mean_work, lambda i, m: exponential_quantile_work(i, m, [0.5])):
        with pytest.raises(EnergyInputError, match="median"):
            call(500, median)


@pytest.mark.parametrize("counts", [[0, 0], [-1, 2], [np.nan, 1]])
def test_a_trace_needs_queries(counts):
    with pytest.raises(EnergyInputError, match="counts"):
        histogram_mean_work(work([1, 2], [1, 2]), counts)
