"""How far a workload reaches beyond what was benchmarked: there an estimate is a prediction."""

from dataclasses import dataclass

import numpy as np

from pipelines.energy.lengths import exponential_share_above, weighted_share

EXTRAPOLATED = 0.1
"""An estimate is called extrapolated where more than this share of the queries has longer outputs than any benchmarked,
an input outside, or part of its input from a prefix cache, which no benchmark has."""
MOST_SHORTER = 0.5
"""It is also where more than this share has shorter outputs than any benchmarked: the median query is one of these."""


@dataclass(frozen=True)
class Reach:
    """Shortest and longest benchmarked lengths of `c` configurations, tokens, each (c,)."""

    shortest_input_tokens: np.ndarray
    longest_input_tokens: np.ndarray
    shortest_output_tokens: np.ndarray
    longest_output_tokens: np.ndarray

    def is_output_longer(self, output_tokens: np.ndarray) -> np.ndarray:
        """Whether outputs (r,) are longer than any benchmarked, (c, r)."""
        return np.asarray(output_tokens) > self.longest_output_tokens[:, None]

    def is_output_shorter(self, output_tokens: np.ndarray) -> np.ndarray:
        """Whether outputs (r,) are shorter than any benchmarked, (c, r)."""
        return np.asarray(output_tokens) < self.shortest_output_tokens[:, None]

    def is_input_longer(self, input_tokens: np.ndarray | float) -> np.ndarray:
        """Whether inputs (r,) are longer than any benchmarked, (c, r); of one input (c, 1)."""
        return np.asarray(input_tokens) > self.longest_input_tokens[:, None]

    def is_input_outside(self, input_tokens: np.ndarray | float) -> np.ndarray:
        """Whether inputs (r,) are shorter or longer than any benchmarked, (c, r); of one input (c, 1)."""
        return (np.asarray(input_tokens) < self.shortest_input_tokens[:, None]) | self.is_input_longer(input_tokens)


@dataclass(frozen=True)
class Shares:
    """Shares of a workload's queries, each (c,): outputs longer or shorter than any benchmarked, inputs outside, inputs
    that are cached in part."""

    longer: np.ndarray
    shorter: np.ndarray
    input_outside: np.ndarray
    cached: np.ndarray

    @property
    def is_extrapolated(self) -> np.ndarray:
        """Short outputs bear little of a workload's energy: they count once the median query is one of them."""
        further = np.maximum.reduce([self.longer, self.input_outside, self.cached])
        return (further > EXTRAPOLATED) | (self.shorter > MOST_SHORTER)


def shares_of_exponential(reach: Reach, input_tokens: float, median_output_tokens: float) -> Shares:
    """Of queries with one input length and exponential outputs."""
    longer, at_least_shortest = (
        exponential_share_above(median_output_tokens, tokens)
        for tokens in (reach.longest_output_tokens, reach.shortest_output_tokens)
    )
    outside = reach.is_input_outside(input_tokens)[:, 0].astype(float)
    return Shares(longer, 1 - at_least_shortest, outside, np.zeros_like(outside))


def shares_of_requests(
    reach: Reach, input_tokens: np.ndarray, cached_tokens: np.ndarray, output_tokens: np.ndarray, weights: np.ndarray
) -> Shares:
    """Of the requests of a trace: lengths (r,), `weights` (r,) summing to 1."""
    longer = 1 - weighted_share(output_tokens, weights, reach.longest_output_tokens, "up to")
    shorter = weighted_share(output_tokens, weights, reach.shortest_output_tokens, "below")
    below = weighted_share(input_tokens, weights, reach.shortest_input_tokens, "below")
    above = 1 - weighted_share(input_tokens, weights, reach.longest_input_tokens, "up to")
    cached = np.full(len(longer), weights[cached_tokens > 0].sum())
    return Shares(longer, shorter, np.clip(below + above, 0, 1), np.clip(cached, 0, 1))


def share_columns(shares: Shares) -> dict[str, np.ndarray]:
    """The shares by their names in energy_per_query."""
    return {
        "share_longer_than_benchmarked": shares.longer,
        "share_shorter_than_benchmarked": shares.shorter,
        "share_input_outside_benchmarked": shares.input_outside,
        "share_with_cached_input": shares.cached,
        "is_extrapolated": shares.is_extrapolated,
    }
