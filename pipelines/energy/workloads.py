"""What is asked: lengths of queries with their weights, and how far they reach beyond what was benchmarked."""

from dataclasses import dataclass

import numpy as np

from pipelines.energy.assumed import Assumed
from pipelines.energy.lengths import OutputLengths, exponential, exponential_mean_tokens
from pipelines.energy.reach import Reach, Shares, shares_of_exponential, shares_of_requests

EXPONENTIAL = ("traditional", "test-time")
TRACES = {
    "azure-conv-2023": ("azure_llm_2023", "conv"),
    "azure-code-2023": ("azure_llm_2023", "code"),
    "mooncake-conversation": ("mooncake_traces", "conversation"),
}
"""workload_id: source and release of the trace."""
QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p95": 0.95}
MEDIAN = list(QUANTILES).index("p50")
EVIDENCE = {False: "benchmarked", True: "predicted"}
"""By whether the estimate is extrapolated."""


@dataclass(frozen=True)
class Workload:
    """Fixed input tokens, exponential output tokens."""

    workload_id: str
    input_tokens: float
    output_tokens_median: float
    lengths: OutputLengths

    @classmethod
    def of(cls, assumed: Assumed, workload_id: str) -> "Workload":
        """A workload of assumptions.yaml."""
        input_tokens = assumed.value(f"workload.{workload_id}.input_tokens")
        median = assumed.value(f"workload.{workload_id}.output_tokens_median")
        return cls(workload_id, input_tokens, median, exponential(median))

    @property
    def output_tokens_mean(self) -> float:
        return exponential_mean_tokens(self.output_tokens_median)

    def shares_beyond(self, reach: Reach) -> Shares:
        return shares_of_exponential(reach, self.input_tokens, self.output_tokens_median)


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

    @classmethod
    def of_one_query(cls, input_tokens: float, output_tokens: float, cached_tokens: float) -> "Trace":
        """Queries that are all alike."""
        lengths = (np.array([float(tokens)]) for tokens in (input_tokens, cached_tokens, output_tokens))
        return cls("one query", *lengths, np.ones(1))

    @property
    def weights(self) -> np.ndarray:
        return self.n_requests / self.n_requests.sum()

    @property
    def output_tokens_mean(self) -> float:
        return float(self.output_tokens @ self.weights)

    def shares_beyond(self, reach: Reach) -> Shares:
        return shares_of_requests(reach, self.input_tokens, self.cached_tokens, self.output_tokens, self.weights)


Asked = Workload | Trace


def lengths_of(asked: Asked) -> tuple[np.ndarray | float, OutputLengths]:
    """Input lengths, and output lengths with their weights, for a rule that takes logarithms of lengths: an empty
    prompt counts as one token."""
    if isinstance(asked, Trace):
        return np.maximum(asked.input_tokens, 1.0), OutputLengths(asked.output_tokens, asked.weights)
    return asked.input_tokens, asked.lengths
