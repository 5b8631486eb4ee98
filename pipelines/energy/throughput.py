"""The paper's throughput rule: log-linear in the lengths, capped at the largest observed value.

Its weakness is known (method 3): it misses left-out published points by 38 % in the median.
"""

from dataclasses import dataclass

import numpy as np

MIN_ROWS_LOG_LINEAR = 3
MIN_ROWS_CONSTANT = 2
MIN_LENGTH_SPREAD = 0.05
"""Rows must differ by this much (standard deviation of ln length) in the direction in which they differ least. Pages
print 1000/1000 beside 1024/1024: a slope through these two is noise (exponents up to 5.7). TensorRT-LLM
configurations lie at 0.01 or above 0.36; the authors' own DeepSeek-R1, whose three rows are nearly in line, at 0.09."""


@dataclass(frozen=True)
class ThroughputRule:
    """TPS(L_in, L_out) = min(cap, exp(b0 + b1 ln L_in + b2 ln L_out)), output tokens/s of the whole deployment.

    A constant rule has b1 = b2 = 0 and exp(b0) = cap. The coefficients may be arrays of shape (rules, 1), to
    evaluate many rules on the same lengths at once.
    """

    b0: float | np.ndarray
    b1: float | np.ndarray
    b2: float | np.ndarray
    cap_tokens_per_s: float | np.ndarray
    rule: str = "log-linear"
    n_rows: int = 0

    def tokens_per_s(self, input_tokens: np.ndarray | float, output_tokens: np.ndarray) -> np.ndarray:
        """Predicted output tokens/s; shapes broadcast."""
        ln_tps = self.b0 + self.b1 * np.log(input_tokens) + self.b2 * np.log(output_tokens)
        return np.minimum(self.cap_tokens_per_s, np.exp(ln_tps))


def fit_rule(
    input_tokens: np.ndarray, output_tokens: np.ndarray, output_tokens_per_s: np.ndarray
) -> ThroughputRule | None:
    """The paper's rule for one configuration (method 1, from the authors' code).

    Three rows or more: ordinary least squares of ln TPS on ln L_in and ln L_out, capped at the largest observed
    TPS. Two rows: that largest TPS, constant. Fewer rows, or (ours, not the paper's) lengths too much alike to tell the
    coefficients apart: None.

    Args: three arrays of shape (rows,); tokens, tokens, and output tokens/s of the whole deployment.
    """
    n, cap = len(output_tokens_per_s), float(np.max(output_tokens_per_s, initial=0.0))
    if n < MIN_ROWS_CONSTANT:
        return None
    if n < MIN_ROWS_LOG_LINEAR:
        return ThroughputRule(float(np.log(cap)), 0.0, 0.0, cap, "constant", n)
    design = np.column_stack([np.ones(n), np.log(input_tokens), np.log(output_tokens)])
    lengths = design[:, 1:] - design[:, 1:].mean(axis=0)
    if np.linalg.svd(lengths, compute_uv=False)[-1] / np.sqrt(n) < MIN_LENGTH_SPREAD:
        return None
    coefficients, *_ = np.linalg.lstsq(design, np.log(output_tokens_per_s), rcond=None)
    b0, b1, b2 = (float(value) for value in coefficients)
    return ThroughputRule(b0, b1, b2, cap, "log-linear", n)
