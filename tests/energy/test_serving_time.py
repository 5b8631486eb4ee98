"""Method serving-time: the terms by hand, cached tokens, fits to many, few and no points, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.serving_time import (
    NOISE_LN,
    Points,
    ServingTime,
    accelerator_s_of,
    fit_serving_time,
    largest_residuals_ln,
    output_tokens_per_s_of,
    quadratic_of_misfit,
    work,
)

THETA = np.log(np.array([[1e-4, 4e-4, 2e-7, 1e-9]]))
WIDE = np.diag([0.4, 0.4, 0.4, 0.9]) ** 2
KNOWN = ServingTime(THETA, np.zeros((1, 4, 4)))
LENGTHS = [(128, 128), (128, 2048), (2048, 128), (2048, 2048), (5000, 500), (500, 2000), (20000, 2000)]
tokens = st.floats(0, 1e6)
THREADED = settings(max_examples=60, deadline=None)


def points(theta, lengths=LENGTHS, n=8):
    """The points that θ predicts, published as tokens/s of n accelerators."""
    l_in, l_out = (np.array(column, dtype=float) for column in zip(*lengths, strict=True))
    tps = output_tokens_per_s_of(l_out, ServingTime(theta, np.zeros((1, 4, 4))).accelerator_s(l_in, l_out)[0], n)
    return Points.of(np.zeros(len(l_in), int), 1, l_in, l_out, tps, np.full(len(l_in), n))


def test_work_by_hand():
    # 10 in, 4 out: attention of decoding 4 · (10 + 2) = 48, of prefill 10² = 100
    assert work(10, 4).tolist() == [10, 4, 48, 100]


def test_a_cached_token_costs_its_attention_only():
    # 10 in, of which 6 cached: 4 are computed, and attend to positions 6 to 10: 10² - 6² = 64; decoding reads all 10
    assert work(10, 4, 6).tolist() == [4, 4, 48, 64]
    assert work(10, 4, 10).tolist() == [0, 4, 48, 0]


def test_prefill_in_two_parts_is_prefill_in_one():
    assert work(6, 0) + work(10, 0, 6) == pytest.approx(work(10, 0))


@pytest.mark.parametrize(
    ("l_in", "l_out", "cached", "what"),
    [(-1, 1, 0, "input"), (1, np.nan, 0, "output"), (np.inf, 1, 0, "input"), (5, 1, 6, "cached"), (5, 1, -1, "cached")],
)
def test_impossible_lengths_are_errors(l_in, l_out, cached, what):
    with pytest.raises(EnergyInputError, match=what):
        work(l_in, l_out, cached)


def test_accelerator_seconds_by_hand():
    # 8 accelerators give 2000 tokens/s: 500 tokens take 0.25 s of all eight
    assert accelerator_s_of(500, 2000, 8) == pytest.approx(2.0)
    # 1000 in, 500 out: 0.1 + 0.2 + 2e-7 · 500 · 1250 + 1e-9 · 1e6
    assert KNOWN.accelerator_s(1000, 500)[0] == pytest.approx(0.1 + 0.2 + 0.125 + 0.001)


def test_throughput_is_of_the_whole_deployment():
    assert output_tokens_per_s_of(500, 0.426, 8) == pytest.approx(8 * 500 / 0.426)


def test_time_is_linear_in_the_work():
    x = work(np.array([1000, 10, 500]), np.array([500, 900, 20]), np.array([0, 5, 400]))
    each = KNOWN.accelerator_s_of_work(x[:, None, :])
    assert each[:, 0] == pytest.approx(KNOWN.accelerator_s([1000, 10, 500], [500, 900, 20], [0, 5, 400])[0])
    assert KNOWN.accelerator_s_of_work(x.mean(0)) == pytest.approx(each.mean(0))


def test_largest_residual_by_hand():
    # predicted twice as fast as printed at one point, 10 % slower at another
    table = points(THETA)
    ln = table.ln_accelerator_s.copy()
    ln[0, :2] += np.log([2, 0.9])
    assert largest_residuals_ln(Points(table.work, ln, table.is_known), THETA) == pytest.approx([np.log(2)])
    ln[0, 0] -= np.log(2)
    assert largest_residuals_ln(Points(table.work, ln, table.is_known), THETA) == pytest.approx([np.log(0.9)])


def test_lengths_of_zero_and_a_million_are_defined():
    assert KNOWN.accelerator_s(0, 0)[0] == 0
    assert KNOWN.accelerator_s(1000, 0)[0] == pytest.approx(0.101)
    assert np.isfinite(KNOWN.accelerator_s(1e6, 1e6)).all()
    assert (ServingTime(THETA, WIDE[None]).sd_ln_of_work(work(0, 0)) == 0).all()


def test_polynomial_is_the_same_quadratic():
    k0, k1, k2 = KNOWN.polynomial(1000, 400)[0]
    for length in (0.0, 7.0, 3000.0):
        expected = KNOWN.accelerator_s(1000, length, 400)[0, 0]
        assert k0 + k1 * length + k2 * length**2 == pytest.approx(expected)


def test_spread_of_one_term_is_that_of_its_theta():
    # 1000 tokens in, none out, no attention of prefill: only the first term, with sd 0.4
    fit = ServingTime(np.array([[0.0, 0.0, 0.0, -60.0]]), WIDE[None])
    assert fit.sd_ln_of_work(work(1000, 0)) == pytest.approx([0.4])


def test_spread_of_several_terms_by_hand():
    # shares 1/4 prefill and 3/4 decode, sd 0.4 each and correlated by half: 0.16 · (1/16 + 9/16 + 2 · 3/16 · 1/2)
    covariance = np.diag([0.16, 0.16, 0.16, 0.16])
    covariance[0, 1] = covariance[1, 0] = 0.08
    fit = ServingTime(np.zeros((1, 4)), covariance[None])
    assert fit.sd_ln_of_work(np.array([1.0, 3, 0, 0])) ** 2 == pytest.approx([0.16 * 13 / 16])


@THREADED
@given(tokens, tokens, st.floats(0, 1), st.floats(0, 1e5))
def test_more_tokens_take_more_time_and_cached_ones_less(l_in, l_out, part, more):
    cached = part * l_in
    base = KNOWN.accelerator_s(l_in, l_out, cached)[0, 0]
    slack = 1 + 1e-12
    assert base <= KNOWN.accelerator_s(l_in + more, l_out, cached)[0, 0] * slack
    assert base <= KNOWN.accelerator_s(l_in, l_out + more, cached)[0, 0] * slack
    assert base <= KNOWN.accelerator_s(l_in, l_out)[0, 0] * slack


def test_exact_points_give_theta_back_under_a_vague_prior():
    fit = fit_serving_time(points(THETA), THETA + 0.5, np.eye(4) * 1e4)
    assert fit.theta == pytest.approx(THETA, abs=1e-3)


def test_no_points_give_the_prior():
    none = points(THETA).only(np.zeros((1, len(LENGTHS)), dtype=bool))
    fit = fit_serving_time(none, THETA + 0.3, WIDE)
    assert fit.theta == pytest.approx(THETA + 0.3)
    assert fit.covariance[0] == pytest.approx(WIDE)


def test_one_prefill_point_by_hand():
    """One term alone, one point: the posterior is the weighted mean of prior and point, were it not for Student's t."""
    one = Points(np.array([[[1.0, 0, 0, 0]]]), np.array([[0.01]]), np.array([[True]]))
    fit = fit_serving_time(one, np.zeros((1, 4)), np.eye(4) * NOISE_LN**2)
    # prior and point equally sure: half way, with the weight (4 + 1)/(4 + r²) = 1.25 of small residuals: 5/9
    assert fit.theta[0, 0] == pytest.approx(0.01 * 5 / 9, rel=1e-2)
    assert fit.theta[0, 1:] == pytest.approx([0, 0, 0])


def test_more_points_narrow_the_posterior():
    few = fit_serving_time(points(THETA, LENGTHS[:2]), THETA, WIDE)
    many = fit_serving_time(points(THETA), THETA, WIDE)
    assert (np.diagonal(many.covariance[0]) <= np.diagonal(few.covariance[0]) + 1e-12).all()


def test_twice_the_same_point_and_one_length_alone_are_no_error():
    fit = fit_serving_time(points(THETA, [(1000, 1000), (1000, 1000), (1024, 1024)]), THETA + 0.2, WIDE)
    assert fit.accelerator_s(1000, 1000)[0] == pytest.approx(KNOWN.accelerator_s(1000, 1000)[0], rel=0.01)
    assert np.isfinite(fit.covariance).all()


def test_one_wild_point_hardly_moves_the_rest():
    wild = points(THETA)
    ln = wild.ln_accelerator_s.copy()
    ln[0, 0] += np.log(3)
    fit = fit_serving_time(Points(wild.work, ln, wild.is_known), THETA, WIDE)
    l_in, l_out = (np.array(column) for column in zip(*LENGTHS[1:], strict=True))
    assert fit.accelerator_s(l_in, l_out)[0] == pytest.approx(KNOWN.accelerator_s(l_in, l_out)[0], rel=0.05)


def test_many_configurations_at_once_equal_one_by_one():
    shifted = THETA + np.array([[0.3, -0.2, 0.1, 0.4]])
    both = [points(THETA), points(shifted, LENGTHS[:3], n=2)]
    width = len(LENGTHS)

    def padded(one):
        pad = width - one.is_known.shape[1]
        return (
            np.pad(one.work, ((0, 0), (0, pad), (0, 0)), constant_values=1),
            np.pad(one.ln_accelerator_s, ((0, 0), (0, pad))),
            np.pad(one.is_known, ((0, 0), (0, pad))),
        )

    together = Points(*(np.concatenate(parts) for parts in zip(*map(padded, both), strict=True)))
    fit = fit_serving_time(together, np.repeat(THETA + 0.1, 2, axis=0), WIDE)
    for index, one in enumerate(both):
        alone = fit_serving_time(one, THETA + 0.1, WIDE)
        assert fit.take(np.array([index])).theta == pytest.approx(alone.theta, abs=1e-6)


def test_points_are_sorted_to_their_configurations():
    found = Points.of([1, 0, 1], 3, [10, 20, 30], [1, 2, 3], [5, 5, 5], [1, 1, 1])
    assert found.is_known.sum(1).tolist() == [1, 2, 0]
    assert found.work[1, :, 0].tolist() == [10, 30]
    assert found.take(np.array([1])).is_known.tolist() == [[True, True]]


@pytest.mark.parametrize("tps", [0.0, -5.0, np.nan, np.inf])
def test_impossible_throughput_is_an_error(tps):
    with pytest.raises(EnergyInputError, match="output tokens/s"):
        Points.of([0], 1, [100], [100], [tps], [8])


@pytest.mark.parametrize(("column", "what"), [(0, "input"), (1, "output"), (3, "accelerators")])
def test_a_benchmarked_point_needs_lengths_and_accelerators(column, what):
    row = [[100.0], [100.0], [5.0], [8.0]]
    row[column] = [0.0]
    with pytest.raises(EnergyInputError, match=what):
        Points.of([0], 1, *row)


def test_the_misfit_near_its_least_by_hand():
    # one term: ln s = θ + ln x exactly, so the misfit near no residual is 5/4 · (θ - θ̂)² / 2 / 0.08²
    only_decode = np.log(np.array([[1e-30, 4e-4, 1e-30, 1e-30]]))
    curvature, pull = quadratic_of_misfit(points(only_decode, [(1, 1000)]), only_decode)
    expected = np.zeros((4, 4))
    expected[1, 1] = 1.25 / NOISE_LN**2
    assert curvature[0] == pytest.approx(expected, abs=1e-9)
    assert pull[0] == pytest.approx(expected @ only_decode[0], abs=1e-9)
