"""Fleets, by hand."""

import numpy as np
import pytest

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.fleet import accelerators_needed, energy_gwh_per_day, peak_kw
from pipelines.energy.lognormal import LogNormal


def test_energy_by_hand():
    # a billion queries of 0.5 Wh with 1.3 overhead: 0.65 GWh
    assert energy_gwh_per_day(0.5, 1e9, 1.3) == pytest.approx(0.65)
    assert energy_gwh_per_day([0.5, 5], [9e8, 1e8]) == pytest.approx([0.45, 0.5])
    halved = LogNormal(np.log(2), 0.0)
    assert energy_gwh_per_day(0.5, 1e9, 1.3, halved) == pytest.approx(0.325)


def test_mean_of_the_inverse_gain_is_not_the_inverse_of_the_mean():
    gain = LogNormal.from_p5_p95(1.5, 3.5)
    assert energy_gwh_per_day(1, 1e9, 1, gain) == pytest.approx(np.exp(-gain.mu + gain.sigma**2 / 2))


def test_accelerators_by_hand():
    # 86.4 million queries a day are 1000 a second; 2 accelerator-seconds each, at half load
    assert accelerators_needed(86.4e6, 2, 0.5) == pytest.approx(4000)


def test_peak_by_hand():
    assert peak_kw(4000, 800, 1.25) == pytest.approx(4000)


@pytest.mark.parametrize("load", [0, -0.5, 1.01])
def test_an_impossible_load_is_an_error(load):
    with pytest.raises(EnergyInputError, match="load"):
        accelerators_needed(1, 1, load)
