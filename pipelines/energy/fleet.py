"""What many queries take: energy, accelerators and peak power of a fleet.

What belongs here: sums over queries, whichever method made the energy of one. Which fleets there are belongs to
assets/reference/fleets.csv.
"""

import numpy as np

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.lognormal import LogNormal
from pipelines.energy.units import SECONDS_PER_DAY, W_PER_KW, WH_PER_GWH


def energy_gwh_per_day(
    mean_wh_per_query: np.ndarray | float,
    queries_per_day: np.ndarray | float,
    overhead: float = 1.0,
    gain: LogNormal | None = None,
) -> np.ndarray:
    """GWh/day = queries · mean · overhead; with `gain`, each query's energy divided by an independent gain.

    Args:
        mean_wh_per_query: mean, not median, energy of a query; (parts,) or one.
        overhead: what the fleet spends beyond its queries; Oviedo et al. take 1.10 · 1.076 · 1.12 for "orchestration,
            backup, etc.". An estimate at a load below 1 holds its idle power already: 1.
    """
    improved = gain.inverse.mean if gain else 1.0
    return np.asarray(mean_wh_per_query, dtype=float) * queries_per_day * overhead * improved / WH_PER_GWH


def accelerators_needed(
    queries_per_day: np.ndarray | float, accelerator_s_per_query: np.ndarray | float, load: float
) -> np.ndarray:
    """Accelerators that serve so many queries, spread evenly over the day, at `load` of saturation.

    Args:
        accelerator_s_per_query: mean accelerator-seconds of a query at saturation.
        load: mean load; a day whose peak is twice its mean needs 0.5 or less.

    Raises EnergyInputError unless 0 < load <= 1.
    """
    if not 0 < load <= 1:
        raise EnergyInputError(f"a mean load must lie in (0, 1], not {load}")
    return np.asarray(queries_per_day, dtype=float) / SECONDS_PER_DAY * accelerator_s_per_query / load


def peak_kw(n_accelerators: np.ndarray | float, saturated_w_each: np.ndarray | float, pue: float = 1.0) -> np.ndarray:
    """Power when all accelerators are saturated at once, kW; boundary of `saturated_w_each`, or facility with a PUE."""
    return np.asarray(n_accelerators, dtype=float) * saturated_w_each * pue / W_PER_KW
