"""What is asked: the workloads of the estimates, and how far they reach beyond the benchmarks, as columns.

No table is made here. `traditional` and `test-time` are the paper's (assumptions.yaml), the others are the requests of
published traces (core.request_lengths). What a workload is, is in pipelines/energy/workloads.py.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.profile import workloads
from pipelines.energy.reach import Reach, share_columns
from pipelines.energy.workloads import EVIDENCE, TRACES, Asked, Trace


def traces(request_lengths: pl.DataFrame) -> Iterator[Trace]:
    """The trace workloads, in the order of TRACES."""
    for workload_id, (source_id, release) in TRACES.items():
        rows = request_lengths.filter(
            pl.col("source_id") == source_id, pl.col("source_release") == release, pl.col("output_tokens") > 0
        )
        names = ("input_tokens", "cached_tokens", "output_tokens", "n_requests")
        yield Trace(workload_id, *(rows[name].to_numpy().astype(float) for name in names))


def all_workloads(assumed: Assumptions, request_lengths: pl.DataFrame) -> list[Asked]:
    """The paper's workloads, then the traces."""
    return [*workloads(assumed), *traces(request_lengths)]


def beyond_benchmarks(configurations: pl.DataFrame, asked: Asked) -> dict[str, np.ndarray | pl.Series]:
    """How far a workload reaches beyond the benchmarked lengths of each configuration: columns of the estimates."""
    shares = asked.shares_beyond(Reach(*(configurations[name].to_numpy() for name in Reach.__dataclass_fields__)))
    evidence = [EVIDENCE[bool(beyond)] for beyond in shares.is_extrapolated]
    return share_columns(shares) | {"evidence": pl.Series(evidence)}
