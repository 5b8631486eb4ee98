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
    """Energy after over before (median), how far P10 and P90 of the pairs lie from it in ln, and if it was metered.

    A side is 0 where the median over models lies beyond that quantile of the pairs.
    """

    energy_ratio: float
    below_ln: float
    above_ln: float
    is_measured: bool


@dataclass(frozen=True)
class Combined:
    """The product of steps: ratio, its spread to either side in ln, and the share of the change in ln that was
    metered."""

    energy_ratio: float
    below_ln: float
    above_ln: float
    share_measured: float

    @property
    def low(self) -> float:
        return self.energy_ratio * float(np.exp(-self.below_ln))

    @property
    def high(self) -> float:
        return self.energy_ratio * float(np.exp(self.above_ln))


def step_of(p50: float, p10: float, p90: float, is_measured: bool) -> Step:
    """A step from its quantiles. Raises EnergyInputError unless they are positive and P10 <= P90."""
    if not (p50 > 0 and 0 < p10 <= p90):
        raise EnergyInputError(f"energy ratios {p10}, {p50}, {p90} (P10, P50, P90) must be positive and ascend")
    return Step(p50, max(float(np.log(p50 / p10)), 0.0), max(float(np.log(p90 / p50)), 0.0), is_measured)


def combined(steps: Sequence[Step]) -> Combined:
    """Ratios multiply; spreads, taken as independent, add in squares on either side.

    Raises EnergyInputError for no step.

    Whether steps are independent is not known: FP4 exists on newer boards only, and a release may bring what another
    row calls speculative decoding.
    """
    if not steps:
        raise EnergyInputError("nothing to combine: no intervention was given")
    ln = np.log([step.energy_ratio for step in steps])
    metered = np.array([step.is_measured for step in steps])
    total = np.abs(ln).sum()
    share = float(np.abs(ln[metered]).sum() / total) if total > 0 else float(metered.mean())
    below, above = (np.hypot.reduce([getattr(step, side) for step in steps]) for side in ("below_ln", "above_ln"))
    return Combined(float(np.exp(ln.sum())), float(below), float(above), share)
