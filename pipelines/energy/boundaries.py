"""From what accelerators take to what the building takes, by published shares.

What belongs here: arithmetic between boundaries. The shares and whose they are belong to assets/reference.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.energy.errors import EnergyInputError


def rungs_of_shares(full_wh: float, shares: Sequence[float]) -> np.ndarray:
    """Energy within each boundary, Wh, from the innermost to the full one: cumulated shares of `full_wh`.

    Args:
        shares: what each boundary adds, innermost first, in any unit; they are divided by their sum, as published ones
            sum to 101 by rounding.

    Raises EnergyInputError for no share, or one that is not positive.
    """
    parts = np.asarray(shares, dtype=float)
    if parts.size == 0 or not (parts > 0).all():
        raise EnergyInputError(f"shares {list(shares)} must be positive, and at least one")
    return full_wh * np.cumsum(parts) / parts.sum()
