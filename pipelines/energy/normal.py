"""The normal distribution function and its inverse, to double precision.

Few points are done by the standard library: importing SciPy takes longer than answering a question from the published
file. Whole tables go through SciPy. Both are exact to the last digits.
"""

import math
from statistics import NormalDist

import numpy as np

FEW = 10_000
_STANDARD = NormalDist()


def ndtr(z: np.ndarray) -> np.ndarray:
    """P(Z <= z), shape of `z`."""
    z = np.asarray(z, dtype=float)
    if z.size > FEW:
        from scipy.special import ndtr as of_table  # noqa: PLC0415  (see above)

        return of_table(z)
    half = -z.ravel() / math.sqrt(2)
    return np.array([math.erfc(one) / 2 for one in half.tolist()]).reshape(z.shape)


def ndtri(p: np.ndarray) -> np.ndarray:
    """z with P(Z <= z) = p, for p between 0 and 1; shape of `p`."""
    p = np.asarray(p, dtype=float)
    if p.size > FEW:
        from scipy.special import ndtri as of_table  # noqa: PLC0415  (see above)

        return of_table(p)
    return np.array([_STANDARD.inv_cdf(one) for one in p.ravel().tolist()]).reshape(p.shape)
