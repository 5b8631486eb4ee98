"""Energy of a query where a deployment runs below saturation: power that does not fall with the queries is shared by
fewer of them.

What belongs here: power and energy as functions of the load. Which loads are published, and what is known of the power
that remains without queries, belongs to assumptions.yaml.
"""

from dataclasses import dataclass

import numpy as np

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.lognormal import LogNormal
from pipelines.energy.power import CentralPower


def power_at_load_w(power_idle_w: np.ndarray | float, power_saturated_w: np.ndarray | float, load: float) -> np.ndarray:
    """P(λ) = P_idle + (P_sat - P_idle) λ, W; boundary of the arguments.

    Raises EnergyInputError unless 0 < λ <= 1 and 0 <= P_idle <= P_sat.
    """
    if not 0 < load <= 1:
        raise EnergyInputError(f"a load must lie in (0, 1], not {load}: at none there is no query to bear the energy")
    idle, saturated = np.asarray(power_idle_w, dtype=float), np.asarray(power_saturated_w, dtype=float)
    if not ((idle >= 0) & (idle <= saturated)).all():
        raise EnergyInputError("idle power must lie between 0 and the power at saturation")
    return idle + (saturated - idle) * load


def share_of_idle(power_idle_w: np.ndarray | float, power_saturated_w: np.ndarray | float, load: float) -> np.ndarray:
    """Share of P(λ) that scales with idle power, P_idle (1 - λ) / P(λ): d ln E / d ln P_idle. The rest scales with the
    power at saturation."""
    idle = np.asarray(power_idle_w, dtype=float)
    return idle * (1 - load) / power_at_load_w(idle, power_saturated_w, load)


@dataclass(frozen=True)
class PowerAtLoad:
    """Central power at a load, W (c,), and the half-widths in ln of its 90 % interval, (c,): from not knowing the power
    at saturation (first order in ln), and from not knowing idle power (the wider side of its two ends)."""

    load: float
    w: np.ndarray
    half_width_ln: np.ndarray
    idle_half_width_ln: np.ndarray

    @classmethod
    def of(cls, saturated: CentralPower, rated_w: np.ndarray, idle_share: LogNormal, load: float) -> "PowerAtLoad":
        """`idle_share` is idle power over `rated_w` (c,): from parked to held at small batches."""
        idle, parked, held = (
            np.minimum(share * rated_w, saturated.w) for share in (idle_share.median, idle_share.p5, idle_share.p95)
        )
        central, low, high = (power_at_load_w(w, saturated.w, load) for w in (idle, parked, held))
        # its ends lie a factor of several apart: a slope at the centre would fall short of them
        of_idle = np.maximum(np.log(high / central), np.log(central / low))
        width = (1 - share_of_idle(idle, saturated.w, load)) * saturated.half_width_ln
        return cls(load, central, width, of_idle)
