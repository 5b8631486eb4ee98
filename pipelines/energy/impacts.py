"""Carbon and water of energy used: location-based, from factors of a place.

What belongs here: the products, their units and their intervals. Embodied carbon, market-based accounting and marginal
factors are other quantities, and are in nothing here. Which factor a place has belongs to core.grids.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from pipelines.energy.assumed import Assumed
from pipelines.energy.errors import EnergyInputError
from pipelines.energy.intervals import combined_half_width_ln, interval
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


@dataclass(frozen=True)
class ImpactFactors:
    """What does not depend on the place, and how far factors of a place are known, half-widths in ln."""

    wue_l_per_kwh: float
    wue_half_width_ln: float
    carbon_half_width_ln: float
    grid_water_half_width_ln: float

    @classmethod
    def of(cls, assumed: Assumed) -> "ImpactFactors":
        wue = assumed.lognormal("impacts.wue_l_per_kwh")
        widths = (assumed.value(f"impacts.{what}_half_width_ln") for what in ("carbon", "grid_water"))
        return cls(wue.median, wue.half_width_ln, *widths)


@dataclass(frozen=True)
class Place:
    """The factors of an area; None: not published."""

    area_id: str
    carbon_gco2e_per_kwh: float
    grid_water_l_per_kwh: float | None
    factors: ImpactFactors

    @property
    def wue_l_per_kwh(self) -> float:
        return self.factors.wue_l_per_kwh

    def with_carbon(self, energy_half_width_ln: float) -> float:
        """Half-width of the carbon of an energy, in ln."""
        return float(combined_half_width_ln([energy_half_width_ln, self.factors.carbon_half_width_ln]))


IMPACTS = ("carbon_gco2e", "on_site_water_ml", "grid_water_ml")


def impacts_with_intervals(
    facility_wh: np.ndarray,
    half_width_ln: np.ndarray,
    share_of_pue: np.ndarray,
    pue: float,
    carbon_gco2e_per_kwh: np.ndarray,
    grid_water_l_per_kwh: np.ndarray,
    factors: ImpactFactors,
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """IMPACTS of an energy of the facility, each central, low and high; arrays (r,), NaN where no factor is known.

    Args:
        half_width_ln: of the 90 % interval of the energy; `share_of_pue` of it, in squares, is from the PUE.
    """
    # WUE counts per kWh of IT energy, so water on site does not depend on the PUE, nor on how well it is known
    known_without_pue = half_width_ln * np.sqrt(1 - share_of_pue)
    central_and_widths = (
        (carbon_gco2e(facility_wh, carbon_gco2e_per_kwh), half_width_ln, factors.carbon_half_width_ln),
        (on_site_water_ml(facility_wh, pue, factors.wue_l_per_kwh), known_without_pue, factors.wue_half_width_ln),
        (grid_water_ml(facility_wh, grid_water_l_per_kwh), half_width_ln, factors.grid_water_half_width_ln),
    )
    found = {}
    for name, (central, of_energy, of_factor) in zip(IMPACTS, central_and_widths, strict=True):
        width = combined_half_width_ln(np.stack([of_energy, np.full(np.shape(of_energy), of_factor)]))
        found[name] = (central, *interval(central, width))
    return found


def known_area(asked: str, areas: Collection[str], of: str) -> str:
    """`asked`, if it is one of `areas`. Raises EnergyInputError that lists those there are: no place is guessed."""
    if asked not in areas:
        raise EnergyInputError(f"{asked} has no {of}; there are {', '.join(sorted(areas))}")
    return asked
