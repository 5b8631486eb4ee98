"""Intervals from held-out errors: weights of groups by hand, and coverage where it is known."""

import numpy as np
import pytest

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.intervals import (
    combined_half_width_ln,
    half_width_ln,
    interval,
    nested_coverage_of_groups,
    normal_half_width_ln,
    widest_half_width_ln,
)


def test_each_group_weighs_the_same_by_hand():
    # group a: 1, 2, 3, 4 with 1/8 each; group b: -5 with 1/2. Half of the weight lies up to 4, all of it up to 5
    errors, groups = np.array([1, 2, -3, 4, -5.0]), np.array(list("aaaab"))
    assert half_width_ln(errors, groups, 0.5) == 4
    assert half_width_ln(errors, groups, 0.51) == 5
    assert half_width_ln(errors, groups, 0.2) == 2


def test_independent_causes_add_in_squares():
    assert combined_half_width_ln([0.3, 0.4]) == pytest.approx(0.5)
    assert combined_half_width_ln([[0.3, 0.6], [0.4, 0.8]]) == pytest.approx([0.5, 1.0])


def test_interval_by_hand():
    low, high = interval(0.3, np.log(2))
    assert (low, high) == (pytest.approx(0.15), pytest.approx(0.6))


def test_coverage_by_hand():
    # b judged by a's width 1: none of its two inside; a judged by b's width 3: all
    assert nested_coverage_of_groups(np.array([1.0, 1.0, 2.0, 3.0]), np.array(list("aabb")), 0.9) == 0.5


def test_the_widest_of_several_ways_holds():
    assert widest_half_width_ln(np.array([0.3, 0.3]), np.array([-0.8, 0.1]), 0.2).tolist() == [0.8, 0.3]
    assert normal_half_width_ln(np.array([0.2])) == pytest.approx([0.329])  # 1.645 standard deviations


def test_groups_that_err_alike_are_covered_as_often_as_promised():
    rng = np.random.default_rng(7)
    found = nested_coverage_of_groups(rng.normal(0, 0.2, 6000), np.repeat(np.arange(60), 100), 0.9)
    assert found == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(
    ("errors", "groups"), [([], []), ([np.nan], ["a"]), ([1.0, 2.0], ["a"]), ([np.inf, 1.0], ["a", "b"])]
)
def test_no_errors_no_interval(errors, groups):
    with pytest.raises(EnergyInputError):
        half_width_ln(errors, groups)


def test_one_group_says_nothing_of_another():
    with pytest.raises(EnergyInputError, match="another"):
        nested_coverage_of_groups([1.0, 2.0], ["a", "a"])


@pytest.mark.parametrize("coverage", [0, 1, 1.5])
def test_impossible_coverage_is_an_error(coverage):
    with pytest.raises(EnergyInputError, match="coverage"):
        half_width_ln([1.0], ["a"], coverage)
