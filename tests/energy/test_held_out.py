"""Held-out predictions: twins, trials, errors and scores by hand."""

import numpy as np
import pytest

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.held_out import (
    PointErrors,
    Trials,
    among,
    coverage_of_width,
    few_points,
    group_left_out_errors,
    ln_errors,
    n_different_points,
    one_left_out,
    priors_without,
    rule_errors,
    scores,
    serving_time_errors,
    size_groups,
    split,
    twins,
)
from pipelines.energy.serving_prior import PRECISE, fit_prior
from pipelines.energy.serving_time import Points
from tests.energy.test_serving_prior import many

FIRST = np.array([0])


def points(*tables):
    """Configurations of one accelerator, each a list of (input tokens, output tokens, output tokens/s)."""
    rows = [(c, *row) for c, table in enumerate(tables) for row in table]
    c, l_in, l_out, tps = np.array(rows, dtype=float).T
    return Points.of(c.astype(int), len(tables), l_in, l_out, tps, np.ones(len(rows)))


FOUR = [(1000, 1000, 100.0), (1024, 1024, 99.0), (128, 2048, 300.0), (2048, 128, 50.0)]


def test_near_duplicates_by_hand():
    # ln 1.024 = 0.024 in both lengths; 5 % longer in one length alone is another point
    near = twins(points([*FOUR, (1000, 1060, 100.0)], FOUR[:2]))
    expected = np.eye(5, dtype=bool)
    expected[0, 1] = expected[1, 0] = True
    expected[1, 4] = expected[4, 1] = True  # 1024/1024 lies between: 0.024 and 0.034
    assert (near[0] == expected).all()
    assert near[1, :2, :2].all()
    assert not near[1, 2:].any()  # padding is no point


def test_near_duplicates_count_once():
    # a chain: 1000 is near 1040, and 1040 near 1080, which is not near 1000
    chain = [(1000, 100, 1.0), (1080, 100, 1.0), (1040, 100, 1.0), (5000, 100, 1.0)]
    assert n_different_points(points(FOUR, chain, FOUR[2:])).tolist() == [3, 2, 2]


def test_one_point_left_out_goes_with_its_twin():
    trials = one_left_out(points(FOUR), FIRST)
    assert trials.configuration.tolist() == [0, 0, 0, 0]
    assert trials.train.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]]
    assert (trials.test == np.eye(4)).all()


def test_few_points_by_hand():
    table = points(FOUR)
    one = few_points(table, 1, FIRST)
    assert (one.train == np.eye(4)).all()
    assert one.test.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]]
    none = few_points(table, 0, FIRST)
    assert (none.train.tolist(), none.test.tolist()) == ([[False] * 4], [[True] * 4])
    # six pairs; the twins together with either other point leave one to predict
    assert few_points(table, 2, FIRST).test.sum(-1).tolist() == [2, 1, 1, 1, 1, 2]


def test_choices_are_picked_evenly_from_first_to_last():
    six = points([(100 * 2**i, 100, 50.0) for i in range(6)])
    five = few_points(six, 2, FIRST, most=5)  # of 15 pairs: numbers 0, 4, 7, 10 and 14
    assert [np.flatnonzero(row).tolist() for row in five.train] == [[0, 1], [0, 5], [1, 4], [2, 4], [4, 5]]
    assert len(few_points(six, 2, FIRST, most=14).train) == 14
    assert len(few_points(six, 2, FIRST, most=20).train) == 15


def test_a_trial_with_nothing_to_predict_is_dropped():
    assert len(few_points(points(FOUR[:2]), 1, FIRST).configuration) == 0
    assert Trials.of([], 3).train.shape == (0, 3)


def test_split_leaves_twins_of_the_tested_out_of_the_training():
    table = points(FOUR, FOUR[2:])
    is_test = table.work[..., 1] == 1000
    trials = split(table, is_test, np.array([0, 1]))
    assert trials.configuration.tolist() == [0]  # the other has no such point
    assert trials.test.tolist() == [[1, 0, 0, 0]]
    assert trials.train.tolist() == [[0, 0, 1, 1]]


def made_up_table(theta, n=5):
    lengths = [(128, 128), (128, 4096), (2048, 128), (2048, 2048), (500, 1000)][:n]
    work = [(i, o, o * (i + o / 2), i * i) for i, o in lengths]
    return [(i, o, o / (np.exp(theta) @ x)) for (i, o), x in zip(lengths, work, strict=True)]


def test_errors_of_serving_time_by_hand():
    theta = np.array([-9.0, -8.0, -18.0, -20.0])
    table = points(made_up_table(theta))
    exact = serving_time_errors(table, one_left_out(table, FIRST), theta[None], np.eye(4))
    assert exact.ln_error == pytest.approx(np.zeros(5), abs=1e-9)
    assert exact.point.tolist() == [0, 1, 2, 3, 4]
    # from no points the prior speaks alone: twice the time at every length is half the tokens/s
    slower = theta + np.log(2)
    for covariance in (np.eye(4), np.eye(4)[None]):
        found = serving_time_errors(table, few_points(table, 0, FIRST), slower[None], covariance)
        assert found.ln_error == pytest.approx(np.full(5, -np.log(2)))


def test_errors_of_the_papers_rule_by_hand():
    # two points: the larger throughput, constant; 400 said of 100 observed
    table = points([(100, 100, 200.0), (400, 100, 400.0), (100, 800, 100.0)])
    trials = Trials(np.array([0, 0]), np.array([[1, 1, 0], [1, 0, 0]], bool), np.array([[0, 0, 1], [0, 1, 1]], bool))
    found = rule_errors(table, trials)
    assert found.ln_error == pytest.approx([np.log(4)])  # one point has no rule
    assert (found.configuration.tolist(), found.point.tolist()) == ([0], [2])
    assert len(rule_errors(table, few_points(table, 0, FIRST)).ln_error) == 0


def test_rows_that_others_predict_too():
    errors = PointErrors(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([0.1, 0.2, 0.3]))
    others = PointErrors(np.array([1, 0]), np.array([1, 0]), np.zeros(2))
    assert among(errors, others).ln_error.tolist() == [0.1, 0.3]
    assert errors.where(errors.point == 1).ln_error.tolist() == [0.2, 0.3]


def test_a_prior_without_a_group_is_that_of_the_others():
    table, deployments, _ = many(24)
    groups = np.array(["a", "b", "c", "d"] * 6)
    mean, covariance = priors_without(table, deployments, groups, np.array([0, 4, 1]), tolerance=PRECISE)
    others = np.flatnonzero(groups != "a")
    prior = fit_prior(table.take(others), deployments.take(others))
    inside = groups == "a"
    assert mean[inside] == pytest.approx(prior.mean(deployments)[inside], abs=1e-9)
    assert covariance[0] == pytest.approx(prior.covariance, abs=1e-9)
    assert np.isnan(mean[~np.isin(groups, ["a", "b"])]).all()  # not asked for
    # what the group itself printed has no part in it
    faster = Points(table.work, table.ln_accelerator_s - inside[:, None], table.is_known)
    again, _ = priors_without(faster, deployments, groups, FIRST, tolerance=PRECISE)
    assert again[inside] == pytest.approx(mean[inside], abs=1e-9)


def test_groups_left_out_by_hand():
    # the mean of the others: 4 for the ones, 1 for the fours
    observed, groups = np.array([1.0, 1.0, 4.0]), np.array(list("aab"))
    found = group_left_out_errors(observed, groups, lambda train, test: np.full(test.sum(), observed[train].mean()))
    assert found == pytest.approx(np.log([4, 4, 1 / 4]))
    with pytest.raises(EnergyInputError, match="another"):
        group_left_out_errors(observed, np.array(list("aaa")), lambda train, test: observed[test])


def test_errors_are_of_the_prediction_over_the_observed():
    assert ln_errors(1.0, np.array([0.5, 2.0])) == pytest.approx(np.log([2, 0.5]))


def test_sizes_by_hand():
    # 70 and 70.6 are one size, 72 is within 4 % of the next smaller; a mixture of the same size is another kind
    total = np.array([8.0, 70.0, 70.6, 72.0, 70.0, 405.0])
    active = np.array([8.0, 70.0, 70.6, 72.0, 12.0, 405.0])
    groups = size_groups(total, active)
    assert len(set(groups)) == 4
    assert groups[1] == groups[2] == groups[3] != groups[4]


def test_scores_by_hand():
    # predicted over observed 2, 1/2, 1.1, 1: errors 1, 0.5, 0.1, 0
    found = scores(np.log([2, 0.5, 1.1, 1]))
    assert (found.n_rows, found.share_within_2x) == (4, 1)
    assert (found.error_p50, found.error_mean) == pytest.approx((0.3, 0.4))
    assert found.error_p90 == pytest.approx(0.5 + 0.7 * 0.5)
    assert found.bias_ln == pytest.approx(np.log(1.1) / 2)
    assert found.rmsle == pytest.approx(np.sqrt((2 * np.log(2) ** 2 + np.log(1.1) ** 2) / 4))
    assert scores(np.log([2.01, 0.49, 1, 1])).share_within_2x == 0.5


@pytest.mark.parametrize("errors", [[], [0.1, np.nan], [np.inf]])
def test_no_errors_no_scores(errors):
    with pytest.raises(EnergyInputError, match="finite"):
        scores(errors)


def test_coverage_of_a_width_by_hand():
    # width 1: of a one of two, of b one of one
    errors, groups = np.array([0.5, -2.0, 1.0]), np.array(list("aab"))
    found = coverage_of_width(errors, groups, 1.0)
    assert (found.of_rows, found.of_groups) == pytest.approx((2 / 3, 3 / 4))
    # nested: b's width of 1 covers half of a, a's width of 2 all of b
    assert found.nested_of_groups == pytest.approx(3 / 4)
    assert found.learnt_half_width == 2  # up to 1 the errors weigh 1/4 + 1/2
    assert coverage_of_width(errors, np.array(list("aaa")), 1.0).nested_of_groups is None
    assert coverage_of_width(errors, groups, 1.0, is_nested=False).nested_of_groups is None
