"""How far workloads reach beyond benchmarked lengths, by hand."""

import numpy as np
import pytest

from pipelines.energy.reach import EXTRAPOLATED, Reach, shares_of_exponential, shares_of_requests

LENGTHS = np.array([10.0, 20.0, 30.0, 40.0])
COLD = np.zeros(4)
WEIGHTS = np.array([0.1, 0.2, 0.3, 0.4])


def reach(inputs, outputs):
    return Reach(*(np.array([end], dtype=float) for end in (*inputs, *outputs)))


def test_requests_by_hand():
    # a length that was benchmarked is neither shorter, longer nor outside
    found = shares_of_requests(reach((20, 30), (20, 30)), LENGTHS, COLD, LENGTHS, WEIGHTS)
    assert (found.longer, found.shorter, found.input_outside) == (
        pytest.approx([0.4]), pytest.approx([0.1]), pytest.approx([0.5]),
    )  # fmt: skip
    everything = shares_of_requests(reach((1, 99), (1, 99)), LENGTHS, COLD, LENGTHS, WEIGHTS)
    assert (everything.longer, everything.shorter, everything.input_outside) == (
        pytest.approx([0]), pytest.approx([0]), pytest.approx([0]),
    )  # fmt: skip


def test_exponential_outputs_by_hand():
    # 2^-2 of the queries are longer than twice the median, 1 - 2^-1 shorter than the median
    found = shares_of_exponential(reach((500, 500), (300, 600)), 500, 300)
    assert (found.longer, found.shorter) == (pytest.approx([0.25]), pytest.approx([0.5]))
    assert found.input_outside == [0]
    assert shares_of_exponential(reach((600, 900), (1, 600)), 500, 300).input_outside == [1]


@pytest.mark.parametrize(
    ("inputs", "outputs", "expected"),
    [((1, 99), (1, 99), False), ((1, 99), (1, 30), True), ((20, 99), (1, 99), False), ((1, 30), (1, 99), True)],
)
def test_more_than_a_tenth_beyond_is_extrapolated(inputs, outputs, expected):
    found = shares_of_requests(reach(inputs, outputs), LENGTHS, COLD, LENGTHS, WEIGHTS)
    assert EXTRAPOLATED == 0.1
    assert found.is_extrapolated == [expected]  # just a tenth has inputs below 20


@pytest.mark.parametrize(("shortest", "expected"), [(30, False), (31, True)])
def test_short_outputs_are_flagged_where_they_are_most(shortest, expected):
    # three tenths are below 30, six tenths below 31
    found = shares_of_requests(reach((1, 99), (shortest, 99)), LENGTHS, COLD, LENGTHS, WEIGHTS)
    assert found.is_extrapolated == [expected]


@pytest.mark.parametrize(("cached", "share", "expected"), [([5, 0, 0, 0], 0.1, False), ([0, 1, 0, 0], 0.2, True)])
def test_cached_input_is_flagged_for_no_benchmark_has_any(cached, share, expected):
    found = shares_of_requests(reach((1, 99), (1, 99)), LENGTHS, np.array(cached), LENGTHS, WEIGHTS)
    assert (found.cached, found.is_extrapolated) == (pytest.approx([share]), [expected])


def test_which_requests_lie_beyond():
    found = reach((20, 30), (20, 30))
    assert found.is_output_longer(LENGTHS).tolist() == [[False, False, False, True]]
    assert found.is_output_shorter(LENGTHS).tolist() == [[True, False, False, False]]
    assert found.is_input_longer(LENGTHS).tolist() == [[False, False, False, True]]
    assert found.is_input_outside(LENGTHS).tolist() == [[True, False, False, True]]
