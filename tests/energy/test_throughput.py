"""The paper's throughput rule: coefficients of method 1, cap, two rows, and when there is no rule."""

import numpy as np
import pytest

from pipelines.energy.throughput import MIN_LENGTH_SPREAD, fit_rule


def arrays(*rows):
    return tuple(np.array(column, dtype=float) for column in zip(*rows, strict=True))


def test_three_points_are_fitted_exactly_by_hand():
    # TPS = 1000 · (L_in/100)^-0.5 · (L_out/100)^0.25
    rule = fit_rule(*arrays((100, 100, 1000), (400, 100, 500), (100, 1600, 2000)))
    assert (rule.b1, rule.b2) == (pytest.approx(-0.5), pytest.approx(0.25))
    assert rule.tokens_per_s(100, np.array([100.0]))[0] == pytest.approx(1000)
    assert rule.rule == "log-linear"


def test_prediction_is_capped_at_the_largest_observed_value():
    rule = fit_rule(*arrays((100, 100, 1000), (400, 100, 500), (100, 1600, 2000)))
    assert rule.tokens_per_s(100, np.array([1e6]))[0] == 2000


def test_two_rows_give_the_largest_value_at_every_length():
    rule = fit_rule(*arrays((500, 2000, 5200), (5000, 500, 720)))
    assert rule.rule == "constant"
    assert rule.tokens_per_s(500, np.array([1.0, 1e5])).tolist() == pytest.approx([5200, 5200])


def test_one_row_gives_no_rule():
    assert fit_rule(*arrays((500, 2000, 5200))) is None


def test_lengths_that_are_nearly_the_same_give_no_rule():
    # 1000/1000 and 1024/1024 beside one long output: the slope on the input would be noise
    assert fit_rule(*arrays((1000, 1000, 1627), (1024, 1024, 1620), (1024, 8192, 1218))) is None


def test_a_spread_just_above_the_bound_is_fitted():
    wide = np.exp(3 * MIN_LENGTH_SPREAD)
    assert fit_rule(*arrays((1000, 1000, 100), (1000 * wide, 1000, 90), (1000, 8000, 70))) is not None


def test_many_rules_at_once_equal_one_by_one():
    rows = [arrays((100, 100, 1000), (400, 100, 500), (100, 1600, 2000)), arrays((500, 2000, 52), (5000, 500, 7))]
    single = [fit_rule(*row) for row in rows]
    stacked = type(single[0])(
        *(np.array([[getattr(rule, name)] for rule in single]) for name in ("b0", "b1", "b2", "cap_tokens_per_s"))
    )
    lengths = np.array([10.0, 300.0, 9000.0])
    expected = [rule.tokens_per_s(500, lengths) for rule in single]
    assert np.allclose(stacked.tokens_per_s(500, lengths), expected, rtol=1e-14)
