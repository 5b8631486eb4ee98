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
from pipelines.energy.lengths import exponential_mean_tokens
from pipelines.energy.reach import Reach, shares_of_exponential, shares_of_requests

TRACES = {
    "azure-conv-2023": ("azure_llm_2023", "conv"),
    "azure-code-2023": ("azure_llm_2023", "code"),
    "mooncake-conversation": ("mooncake_traces", "conversation"),
}
"""workload_id: source and release of the trace."""
QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p95": 0.95}
EVIDENCE = {False: "benchmarked", True: "predicted"}
"""By whether the estimate is extrapolated."""


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
    return asked.output_tokens_mean if isinstance(asked, Trace) else exponential_mean_tokens(asked.output_tokens_median)


def reach_of(configurations: pl.DataFrame) -> Reach:
    """The benchmarked lengths of each configuration."""
    return Reach(*(configurations[name].to_numpy() for name in Reach.__dataclass_fields__))


def beyond_benchmarks(configurations: pl.DataFrame, asked: Workload | Trace) -> dict[str, np.ndarray | pl.Series]:
    """How far a workload reaches beyond the benchmarked lengths of each configuration: columns of the estimates."""
    reach = reach_of(configurations)
    if isinstance(asked, Trace):
        shares = shares_of_requests(reach, asked.input_tokens, asked.output_tokens, asked.weights)
    else:
        shares = shares_of_exponential(reach, asked.input_tokens, asked.output_tokens_median)
    return {
        "share_longer_than_benchmarked": shares.longer,
        "share_shorter_than_benchmarked": shares.shorter,
        "share_input_outside_benchmarked": shares.input_outside,
        "is_extrapolated": shares.is_extrapolated,
        "evidence": pl.Series([EVIDENCE[bool(beyond)] for beyond in shares.is_extrapolated]),
    }
