"""Carbon and water of energy used: location-based, from factors of a place.

What belongs here: the products, their units and their intervals. Embodied carbon, market-based accounting and marginal
factors are other quantities, and are in nothing here. Which factor a place has belongs to core.grids.
"""

from collections.abc import Collection

import numpy as np

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.units import WH_PER_KWH


def carbon_gco2e(facility_wh: np.ndarray | float, carbon_gco2e_per_kwh: np.ndarray | float) -> np.ndarray:
    """Energy of the facility (Wh) times what a kWh of the grid emits, g CO2-equivalent: all of it was bought."""
    return np.asarray(facility_wh, dtype=float) / WH_PER_KWH * carbon_gco2e_per_kwh


def on_site_water_ml(facility_wh: np.ndarray | float, pue: float, wue_l_per_kwh: float) -> np.ndarray:
    """E / PUE · WUE, mL: WUE counts per kWh of IT energy, so PUE is divided out first (1 L/kWh = 1 mL/Wh).

    Raises EnergyInputError for a PUE below 1.
    """
    if pue < 1:
        raise EnergyInputError(f"a PUE is total over IT energy and cannot be {pue}: give 1 or more")
    return np.asarray(facility_wh, dtype=float) / pue * wue_l_per_kwh


def grid_water_ml(facility_wh: np.ndarray | float, grid_water_l_per_kwh: np.ndarray | float) -> np.ndarray:
    """Water that power stations evaporate for the energy of the facility, mL (1 L/kWh = 1 mL/Wh)."""
    return np.asarray(facility_wh, dtype=float) * grid_water_l_per_kwh


def known_area(asked: str, areas: Collection[str], of: str) -> str:
    """`asked`, if it is one of `areas`. Raises EnergyInputError that lists those there are: no place is guessed."""
    if asked not in areas:
        raise EnergyInputError(f"{asked} has no {of}; there are {', '.join(sorted(areas))}")
    return asked
