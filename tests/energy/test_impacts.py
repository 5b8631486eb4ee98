"""Carbon and water, by hand and by dimension."""

import pint
import pytest

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.impacts import carbon_gco2e, grid_water_ml, known_area, on_site_water_ml


def test_carbon_by_hand():
    # 2 Wh at 400 g/kWh
    assert carbon_gco2e(2, 400) == pytest.approx(0.8)
    assert carbon_gco2e([1, 2], [100, 50]) == pytest.approx([0.1, 0.1])


def test_water_on_site_divides_pue_out():
    # 1.2 Wh of the facility are 1 Wh of IT
    assert on_site_water_ml(1.2, 1.2, 0.27) == pytest.approx(0.27)


def test_grid_water_by_hand():
    assert grid_water_ml(2, 3.1) == pytest.approx(6.2)


def test_units():
    u = pint.UnitRegistry()
    wh, per_kwh = 2 * u.Wh, 400 * u.g / u.kWh
    assert carbon_gco2e(2, 400) == pytest.approx((wh * per_kwh).to("g").magnitude)
    assert grid_water_ml(2, 3.1) == pytest.approx((wh * 3.1 * u.L / u.kWh).to("mL").magnitude)
    assert on_site_water_ml(2, 1.25, 0.3) == pytest.approx((wh / 1.25 * 0.3 * u.L / u.kWh).to("mL").magnitude)


def test_a_pue_below_one_is_an_error():
    with pytest.raises(EnergyInputError, match=r"PUE.*0\.9"):
        on_site_water_ml(1, 0.9, 0.3)


def test_an_unknown_area_lists_those_there_are():
    assert known_area("SWE", ["USA", "SWE"], "carbon factor") == "SWE"
    with pytest.raises(EnergyInputError, match="Atlantis has no carbon factor; there are SWE, USA"):
        known_area("Atlantis", ["USA", "SWE"], "carbon factor")
