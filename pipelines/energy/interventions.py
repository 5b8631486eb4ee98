"""What several interventions do to energy together.

What belongs here: ratios, their spreads and how they combine. Which interventions there are belongs to
`assets/estimates`, the paper's assumed gains to `oviedo2026`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.energy.errors import EnergyInputError


@dataclass(frozen=True)
class Step:
    """Energy after over before (median), its half-width in ln (P10 to P90 of the pairs), and whether it was metered."""

    energy_ratio: float
    half_width_ln: float
    is_measured: bool


@dataclass(frozen=True)
class Combined:
    """The product of steps: ratio, half-width in ln, and the share of the change in ln that was metered."""

    energy_ratio: float
    half_width_ln: float
    share_measured: float

    @property
    def low(self) -> float:
        return self.energy_ratio * float(np.exp(-self.half_width_ln))

    @property
    def high(self) -> float:
        return self.energy_ratio * float(np.exp(self.half_width_ln))


def step_of(p50: float, p10: float, p90: float, is_measured: bool) -> Step:
    """A step from its quantiles. Raises EnergyInputError unless they are positive and P10 <= P90."""
    if not (p50 > 0 and 0 < p10 <= p90):
        raise EnergyInputError(f"energy ratios {p10}, {p50}, {p90} (P10, P50, P90) must be positive and ascend")
    return Step(p50, float(np.log(p90 / p10) / 2), is_measured)


def combined(steps: Sequence[Step]) -> Combined:
    """Ratios multiply; spreads, taken as independent, add in squares. Raises EnergyInputError for no step.

    Whether steps are independent is not known: FP4 exists on newer boards only, and a release may bring what another
    row calls speculative decoding.
    """
    if not steps:
        raise EnergyInputError("nothing to combine: no intervention was given")
    ln = np.log([step.energy_ratio for step in steps])
    metered = np.array([step.is_measured for step in steps])
    total = np.abs(ln).sum()
    share = float(np.abs(ln[metered]).sum() / total) if total > 0 else float(metered.mean())
    spread = float(np.sqrt(np.sum(np.square([step.half_width_ln for step in steps]))))
    return Combined(float(np.exp(ln.sum())), spread, share)
