"""The profile oviedo2026 put together from assumptions and fitted rules, for the tables that rest on it.

No table is made here, and no formula either: formulas are in pipelines/energy.
"""

from collections.abc import Iterator

import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.throughput_rules import PAPER_MODELS, PAPER_SOURCE, paper_node_power_w
from pipelines.energy.distribution import Energy, Pool
from pipelines.energy.oviedo2026 import Factors, energy_per_query, frontier_blend
from pipelines.energy.throughput import ThroughputRule
from pipelines.energy.workloads import EXPONENTIAL, Workload

WORKLOADS = EXPONENTIAL
INTERVENTIONS = ("model", "serving", "hardware")


def workloads(assumed: Assumptions) -> Iterator[Workload]:
    """All workloads, in order."""
    return (Workload.of(assumed, workload_id) for workload_id in WORKLOADS)


def paper_energies(
    rules: pl.DataFrame,
    assumed: Assumptions,
    asked: Workload,
    profile: str = "v2",
    input_tokens_per_output_token: float | None = None,
) -> dict[str, Energy]:
    """Energy per query of the paper's five models at the facility, by model id."""
    energies = {}
    for row in rules.filter(pl.col("source_id") == PAPER_SOURCE).iter_rows(named=True):
        rule = ThroughputRule(row["b0"], row["b1"], row["b2"], row["cap_output_tokens_per_s"])
        power_w = paper_node_power_w(assumed, row["model_id"], profile)
        energies[row["model_id"]] = energy_per_query(
            rule,
            power_w,
            Factors.of(assumed, "facility"),
            asked.input_tokens,
            asked.lengths,
            input_tokens_per_output_token,
        )
    return {model: energies[model] for model in PAPER_MODELS}


def paper_blend(rules: pl.DataFrame, assumed: Assumptions, asked: Workload, **options: object) -> tuple[str, Pool]:
    """The >200B blend of a workload: its models as text, and the twice-trimmed pool."""
    names, pool = frontier_blend(paper_energies(rules, assumed, asked, **options))
    return ", ".join(names), pool
