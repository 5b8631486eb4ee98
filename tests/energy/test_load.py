"""Energy below saturation, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.load import PowerAtLoad, power_at_load_w, share_of_idle
from pipelines.energy.lognormal import LogNormal
from pipelines.energy.power import CentralPower


def test_power_by_hand():
    # idle 300 W, saturated 900 W: half way at half load
    assert power_at_load_w(300, 900, 0.5) == pytest.approx(600)
    assert power_at_load_w([100, 0], [200, 50], 1) == pytest.approx([200, 50])


def energy_factor(idle: float, saturated: float, load: float) -> float:
    """Energy of a query over that at saturation: so many queries bear that power."""
    return float(power_at_load_w(idle, saturated, load)) / (load * saturated)


def test_energy_by_hand():
    # at half load 600 of 900 W for half the queries
    assert energy_factor(300, 900, 0.5) == pytest.approx(4 / 3)
    assert energy_factor(300, 900, 1) == 1
    assert energy_factor(0, 900, 0.1) == pytest.approx(1)


def test_half_widths_by_hand():
    # of 600 W at half load 150 W are idle power that queries do not explain: a quarter
    assert share_of_idle(300, 900, 0.5) == pytest.approx(0.25)
    # rated 1200 W: idle 300 W, from 150 W parked to 600 W held; the other board draws 400 W at most, held or not
    idle = LogNormal.from_p5_p95(0.125, 0.5)
    saturated, rated = CentralPower(np.array([900.0, 400.0]), np.array([0.4, 0.4])), np.array([1200.0, 1200.0])
    half = PowerAtLoad.of(saturated, rated, idle, 0.5)
    assert half.w == pytest.approx([600, 350])
    assert half.half_width_ln == pytest.approx([0.4 * 450 / 600, 0.4 * 200 / 350])
    assert half.idle_half_width_ln == pytest.approx([np.log(750 / 600), np.log(350 / 275)])
    full = PowerAtLoad.of(saturated, rated, idle, 1)
    assert (full.w, full.half_width_ln, full.idle_half_width_ln) == (
        pytest.approx(saturated.w), pytest.approx(saturated.half_width_ln), pytest.approx([0, 0]),
    )  # fmt: skip


@given(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0, 1))
def test_less_load_never_costs_less_a_query(a, b, idle):
    low, high = sorted((a, b))
    assert energy_factor(idle, 1, low) >= energy_factor(idle, 1, high) - 1e-12


@given(st.floats(0.05, 1), st.floats(0.01, 0.99))
def test_the_share_of_idle_is_its_derivative(load, idle):
    step = 1e-6
    slope = (
        np.log(energy_factor(idle * np.exp(step), 1, load) / energy_factor(idle * np.exp(-step), 1, load)) / step / 2
    )
    if idle * np.exp(step) < 1:
        assert share_of_idle(idle, 1, load) == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize(
    ("idle", "saturated", "load", "says"),
    [(300, 900, 0, "load"), (300, 900, 1.1, "load"), (950, 900, 0.5, "idle"), (-1, 900, 0.5, "idle")],
)
def test_impossible_figures_are_errors(idle, saturated, load, says):
    with pytest.raises(EnergyInputError, match=says):
        power_at_load_w(idle, saturated, load)
