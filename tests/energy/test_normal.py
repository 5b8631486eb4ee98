"""The normal distribution: few points by the standard library, tables by SciPy, both the same to the last digits."""

import numpy as np
import pytest
from scipy import special

from pipelines.energy.normal import FEW, ndtr, ndtri


@pytest.mark.parametrize("size", [1, FEW, FEW + 1])
def test_distribution_function(size):
    z = np.linspace(-12, 9, size)
    assert ndtr(z) == pytest.approx(special.ndtr(z), rel=1e-13)


@pytest.mark.parametrize("size", [1, 999, FEW + 1])
def test_its_inverse(size):
    p = np.linspace(1e-12, 1 - 1e-12, size)
    assert ndtri(p) == pytest.approx(special.ndtri(p), rel=1e-11, abs=1e-13)


def test_far_tails():
    p = np.array([1e-300, 1e-16, 1 - 1e-16])
    assert ndtri(p) == pytest.approx(special.ndtri(p), rel=1e-9)


def test_shapes_are_kept():
    assert ndtr(np.zeros((2, 3))).shape == (2, 3)
    assert ndtri(np.full((2, 1, 3), 0.5)).shape == (2, 1, 3)
    assert ndtr(0.0) == 0.5
