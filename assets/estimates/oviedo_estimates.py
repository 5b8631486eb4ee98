"""The rows of estimates.energy_per_query by method oviedo2026, the paper's rule. No table is made here."""

from collections.abc import Iterator

import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.throughput_rules import PAPER_SOURCE, rule_of
from assets.estimates.workloads import beyond_benchmarks
from pipelines.energy.oviedo2026 import BOUNDARIES, METHOD, Factors, QueryEnergy
from pipelines.energy.workloads import Asked

NOT_OF_THIS_METHOD = (
    "energy_wh_per_query_p50_lo90", "energy_wh_per_query_p50_hi90", "energy_wh_per_query_mean_lo90",
    "energy_wh_per_query_mean_hi90", "interval_share_fit", "interval_share_power", "interval_share_pue",
    "interval_share_load", "mean_share_extrapolated",
)  # fmt: skip


def oviedo_estimates(
    throughput_rules: pl.DataFrame, workloads: list[Asked], assumed: Assumptions
) -> Iterator[pl.DataFrame]:
    """The estimates of every configuration that has a rule and a node power, a frame a workload and boundary."""
    usable = throughput_rules.filter(pl.col("no_estimate_because").is_null())
    n_accelerators, power_w = (usable[name].to_numpy() for name in ("n_accelerators", "node_power_max_w"))
    for asked in workloads:
        energy = QueryEnergy.of(rule_of(usable), n_accelerators, power_w, asked)
        for boundary in BOUNDARIES:
            yield usable.with_columns(
                *(pl.lit(None, dtype=pl.Float64).alias(name) for name in NOT_OF_THIS_METHOD),
                workload_id=pl.lit(asked.workload_id),
                load=pl.lit(assumed.value("load.published_benchmarks")),
                boundary=pl.lit(boundary),
                method=pl.lit(METHOD),
                throughput_rule=pl.col("rule"),
                n_benchmark_rows=pl.col("n_rows"),
                # the paper's node is its own, not one of core.nodes
                node_id=pl.when(pl.col("source_id") != PAPER_SOURCE).then("node_id"),
                **energy.columns(Factors.of(assumed, boundary)),
                **beyond_benchmarks(usable, asked),
            )
