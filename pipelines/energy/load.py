"""Energy of a query where a deployment runs below saturation: idle power is shared by fewer queries.

What belongs here: power and energy as functions of the load. Which loads are published belongs to assumptions.yaml,
idle power to core.nodes and assumptions.yaml.
"""

import numpy as np

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.lognormal import LogNormal


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


def energy_factor(power_idle_w: np.ndarray | float, power_saturated_w: np.ndarray | float, load: float) -> np.ndarray:
    """Energy per query at load λ over that at saturation: P(λ) / (λ P_sat), as λ TPS queries bear P(λ)."""
    return power_at_load_w(power_idle_w, power_saturated_w, load) / (load * np.asarray(power_saturated_w, dtype=float))


def share_of_idle(power_idle_w: np.ndarray | float, power_saturated_w: np.ndarray | float, load: float) -> np.ndarray:
    """Share of P(λ) that scales with idle power, P_idle (1 - λ) / P(λ): d ln E / d ln P_idle. The rest scales with the
    power at saturation."""
    idle = np.asarray(power_idle_w, dtype=float)
    return idle * (1 - load) / power_at_load_w(idle, power_saturated_w, load)


def half_widths_ln(
    power_idle_w: np.ndarray | float,
    power_saturated_w: np.ndarray | float,
    load: float,
    idle: LogNormal,
    saturated_half_width_ln: np.ndarray | float,
) -> tuple[np.ndarray, np.ndarray]:
    """Half-widths in ln of energy from not knowing the power at saturation, and from not knowing idle power (first
    order in ln; idle power as `idle` spreads)."""
    of_idle = share_of_idle(power_idle_w, power_saturated_w, load)
    return (1 - of_idle) * saturated_half_width_ln, of_idle * idle.half_width_ln
