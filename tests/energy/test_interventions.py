"""Interventions together, by hand."""

import numpy as np
import pytest

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.interventions import combined, step_of


def test_ratios_multiply_and_spreads_add_in_squares():
    half, quarter = step_of(0.5, 0.5 / np.exp(0.3), 0.5 * np.exp(0.3), True), step_of(0.25, 0.25, 0.25, False)
    both = combined([half, quarter])
    assert both.energy_ratio == pytest.approx(0.125)
    assert (both.below_ln, both.above_ln) == (pytest.approx(0.3), pytest.approx(0.3))
    assert both.share_measured == pytest.approx(1 / 3)  # ln 2 of ln 8 was metered
    assert both.low == pytest.approx(0.125 * np.exp(-0.3))
    assert both.high == pytest.approx(0.125 * np.exp(0.3))


def test_each_side_has_its_own_spread():
    # from the median 1.13 of metered FP8 down to 0.19 and up to 2.18: never to what no pair shows
    skewed = combined([step_of(1.13, 0.19, 2.18, True)])
    assert (skewed.low, skewed.high) == (pytest.approx(0.19), pytest.approx(2.18))
    twice = combined([step_of(0.5, 0.3, 0.6, True), step_of(0.5, 0.5, 0.8, True)])
    assert twice.low == pytest.approx(0.25 * 0.3 / 0.5)
    assert twice.high == pytest.approx(0.25 * np.exp(np.hypot(np.log(0.6 / 0.5), np.log(0.8 / 0.5))))


def test_a_median_over_models_beyond_the_pairs_has_no_spread_on_that_side():
    outside = combined([step_of(0.5, 0.6, 0.9, True)])
    assert (outside.low, outside.high) == (pytest.approx(0.5), pytest.approx(0.9))


def test_a_step_that_costs_more_counts_as_change():
    worse = combined([step_of(2, 2, 2, True), step_of(0.5, 0.5, 0.5, False)])
    assert worse.energy_ratio == pytest.approx(1)
    assert worse.share_measured == pytest.approx(0.5)


def test_no_change_is_measured_where_its_steps_were():
    assert combined([step_of(1, 1, 1, True), step_of(1, 1, 1, False)]).share_measured == pytest.approx(0.5)


@pytest.mark.parametrize("quantiles", [(0, 0.1, 0.2), (0.5, 0, 0.2), (0.5, 0.3, 0.2)])
def test_impossible_ratios_are_errors(quantiles):
    with pytest.raises(EnergyInputError, match="positive"):
        step_of(*quantiles, True)


def test_nothing_is_not_combined():
    with pytest.raises(EnergyInputError, match="nothing"):
        combined([])
