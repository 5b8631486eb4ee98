"""What is asked: the workloads of the estimates, as lengths with weights.

No table is made here. `traditional` and `test-time` are the paper's (assumptions.yaml), the others are the requests of
published traces (core.request_lengths).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.profile import Workload, workloads
from pipelines.energy.lengths import exponential_share_above, weighted_share

TRACES = {
    "azure-conv-2023": ("azure_llm_2023", "conv"),
    "azure-code-2023": ("azure_llm_2023", "code"),
    "mooncake-conversation": ("mooncake_traces", "conversation"),
}
"""workload_id: source and release of the trace."""
QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p95": 0.95}
EXTRAPOLATED = 0.1
"""An estimate is called extrapolated where more than this share of the queries has longer outputs than any benchmarked,
or an input outside."""


@dataclass(frozen=True)
class Trace:
    """Requests of a trace: arrays (r,) of lengths, and how many requests had just these.

    Requests without output are left out: they failed, and no throughput speaks of them.
    """

    workload_id: str
    input_tokens: np.ndarray
    cached_tokens: np.ndarray
    output_tokens: np.ndarray
    n_requests: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        return self.n_requests / self.n_requests.sum()

    @property
    def output_tokens_mean(self) -> float:
        return float(self.output_tokens @ self.weights)

    def share_of_outputs_above(self, tokens: np.ndarray) -> np.ndarray:
        """Share of requests with more output than each of `tokens` (c,)."""
        return 1 - weighted_share(self.output_tokens, self.weights, tokens, "up to")

    def share_of_inputs_outside(self, shortest: np.ndarray, longest: np.ndarray) -> np.ndarray:
        """Share of requests whose input is shorter or longer than what was benchmarked, shape (c,)."""
        below = weighted_share(self.input_tokens, self.weights, shortest, "below")
        return below + 1 - weighted_share(self.input_tokens, self.weights, longest, "up to")


def traces(request_lengths: pl.DataFrame) -> Iterator[Trace]:
    """The trace workloads, in the order of TRACES."""
    for workload_id, (source_id, release) in TRACES.items():
        rows = request_lengths.filter(
            pl.col("source_id") == source_id, pl.col("source_release") == release, pl.col("output_tokens") > 0
        )
        names = ("input_tokens", "cached_tokens", "output_tokens", "n_requests")
        yield Trace(workload_id, *(rows[name].to_numpy().astype(float) for name in names))


def all_workloads(assumed: Assumptions, request_lengths: pl.DataFrame) -> list[Workload | Trace]:
    """The paper's workloads, then the traces."""
    return [*workloads(assumed), *traces(request_lengths)]


def mean_output_tokens(asked: Workload | Trace) -> float:
    return asked.output_tokens_mean if isinstance(asked, Trace) else asked.lengths.mean


def share_of_outputs_above(asked: Workload | Trace, tokens: np.ndarray) -> np.ndarray:
    """Share of queries with more output than each of `tokens` (c,)."""
    if isinstance(asked, Trace):
        return asked.share_of_outputs_above(tokens)
    return exponential_share_above(asked.output_tokens_median, tokens)


def share_of_inputs_outside(asked: Workload | Trace, shortest: np.ndarray, longest: np.ndarray) -> np.ndarray:
    """Share of queries whose input is shorter or longer than what was benchmarked, shape (c,)."""
    if isinstance(asked, Trace):
        return asked.share_of_inputs_outside(shortest, longest)
    return ((asked.input_tokens < shortest) | (asked.input_tokens > longest)).astype(float)


def beyond_benchmarks(configurations: pl.DataFrame, asked: Workload | Trace) -> dict[str, np.ndarray]:
    """How far a workload reaches beyond the benchmarked lengths of each configuration: columns of the estimates."""
    ends = ("shortest_input_tokens", "longest_input_tokens", "shortest_output_tokens", "longest_output_tokens")
    shortest_in, longest_in, shortest_out, longest_out = (configurations[name].to_numpy() for name in ends)
    longer, shorter = share_of_outputs_above(asked, longest_out), 1 - share_of_outputs_above(asked, shortest_out)
    outside = share_of_inputs_outside(asked, shortest_in, longest_in)
    return {
        "share_longer_than_benchmarked": longer,
        "share_shorter_than_benchmarked": np.clip(shorter, 0, 1),
        "share_input_outside_benchmarked": np.clip(outside, 0, 1),
        # outputs shorter than any benchmarked are near enough to those that were: they are counted, not flagged
        "is_extrapolated": np.maximum(longer, outside) > EXTRAPOLATED,
    }
