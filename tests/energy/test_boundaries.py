"""From accelerators to the building, by hand."""

import pytest

from pipelines.energy.boundaries import rungs_of_shares
from pipelines.energy.errors import EnergyInputError


def test_rungs_by_hand():
    assert rungs_of_shares(2.0, [50, 30, 20]) == pytest.approx([1.0, 1.6, 2.0])


def test_shares_that_sum_to_101_are_divided_by_it():
    assert rungs_of_shares(0.24, [58, 25, 10, 8])[-1] == pytest.approx(0.24)
    assert rungs_of_shares(0.24, [58, 25, 10, 8])[0] == pytest.approx(0.24 * 58 / 101)


@pytest.mark.parametrize("shares", [[], [50, 0], [50, -1]])
def test_impossible_shares_are_errors(shares):
    with pytest.raises(EnergyInputError, match="positive"):
        rungs_of_shares(1.0, shares)
