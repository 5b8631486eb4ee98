"""The profile oviedo2026 put together from assumptions and fitted rules, for the tables that rest on it.

No table is made here, and no formula either: formulas are in pipelines/energy.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.throughput_rules import PAPER_MODELS, PAPER_SOURCE, paper_node_power_w
from pipelines.energy.distribution import Energy, Pool
from pipelines.energy.lengths import OutputLengths, exponential
from pipelines.energy.lognormal import ONE
from pipelines.energy.oviedo2026 import Factors, energy_per_query, frontier_blend
from pipelines.energy.throughput import ThroughputRule

WORKLOADS = ("traditional", "test-time")
INTERVENTIONS = ("model", "serving", "hardware")


@dataclass(frozen=True)
class Workload:
    """What is asked: fixed input tokens, exponential output tokens."""

    workload_id: str
    input_tokens: float
    output_tokens_median: float
    lengths: OutputLengths


def workload(assumed: Assumptions, workload_id: str) -> Workload:
    """A workload of assumptions.yaml."""
    input_tokens = assumed.value(f"workload.{workload_id}.input_tokens")
    median = assumed.value(f"workload.{workload_id}.output_tokens_median")
    return Workload(workload_id, input_tokens, median, exponential(median))


def workloads(assumed: Assumptions) -> Iterator[Workload]:
    """All workloads, in order."""
    return (workload(assumed, workload_id) for workload_id in WORKLOADS)


def factors(assumed: Assumptions, boundary: str) -> Factors:
    """Power utilisation, and PUE where the boundary is the facility: the one place where PUE enters."""
    pue = assumed.lognormal("oviedo2026.pue") if boundary == "facility" else ONE
    return Factors(assumed.lognormal("oviedo2026.power_utilisation"), pue)


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
            factors(assumed, "facility"),
            asked.input_tokens,
            asked.lengths,
            input_tokens_per_output_token,
        )
    return {model: energies[model] for model in PAPER_MODELS}


def paper_blend(rules: pl.DataFrame, assumed: Assumptions, asked: Workload, **options: object) -> tuple[str, Pool]:
    """The >200B blend of a workload: its models as text, and the twice-trimmed pool."""
    names, pool = frontier_blend(paper_energies(rules, assumed, asked, **options))
    return ", ".join(names), pool
