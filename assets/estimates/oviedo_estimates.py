"""The rows of estimates.energy_per_query by method oviedo2026, the paper's rule. No table is made here."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.throughput_rules import PAPER_SOURCE, rule_of
from assets.estimates.workloads import beyond_benchmarks
from pipelines.energy.distribution import Energy
from pipelines.energy.oviedo2026 import (
    BOUNDARIES,
    METHOD,
    MOST_NODES,
    Factors,
    accelerator_s_per_query,
    energy_per_query,
    joules_per_output_token,
    wh_per_million_output_tokens,
)
from pipelines.energy.quantiles import evenly_thinned, newton_quantiles_wh
from pipelines.energy.workloads import QUANTILES, Asked, lengths_of

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
    power_w = usable["node_power_max_w"].to_numpy()[:, None]
    for asked in workloads:
        input_tokens, lengths = lengths_of(asked)
        energy = energy_per_query(rule_of(usable), power_w, Factors.of(assumed, "node"), input_tokens, lengths)
        thinned = evenly_thinned(energy, MOST_NODES)
        n_accelerators = usable["n_accelerators"].to_numpy()
        accelerator_s = accelerator_s_per_query(rule_of(usable), n_accelerators, input_tokens, lengths)
        rules = usable.with_columns(accelerator_s_per_query_mean=accelerator_s)
        for boundary in BOUNDARIES:
            factor = Factors.of(assumed, boundary)
            made = (replace(one, factor=factor.product) for one in (energy, thinned))
            yield _estimate(rules, asked, *made, assumed, boundary)


def _estimate(
    rules: pl.DataFrame,
    asked: Asked,
    energy: Energy,
    thinned: Energy,
    assumed: Assumptions,
    boundary: str,
) -> pl.DataFrame:
    factor, mean_tokens = Factors.of(assumed, boundary), asked.output_tokens_mean
    quantiles = newton_quantiles_wh(thinned, list(QUANTILES.values()))
    return rules.with_columns(
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in NOT_OF_THIS_METHOD),
        workload_id=pl.lit(asked.workload_id),
        load=pl.lit(assumed.value("load.published_benchmarks")),
        boundary=pl.lit(boundary),
        method=pl.lit(METHOD),
        energy_wh_per_query_mean=energy.mean_wh,
        **{f"energy_wh_per_query_{name}": quantiles[:, i] for i, name in enumerate(QUANTILES)},
        energy_j_per_output_token=joules_per_output_token(energy.mean_wh, mean_tokens),
        energy_wh_per_million_output_tokens=wh_per_million_output_tokens(energy.mean_wh, mean_tokens),
        power_w=pl.col("node_power_max_w") * factor.power_utilisation.median,
        pue=pl.lit(factor.pue.median),
        throughput_rule=pl.col("rule"),
        n_benchmark_rows=pl.col("n_rows"),
        # the paper's node is its own, not one of core.nodes
        node_id=pl.when(pl.col("source_id") != PAPER_SOURCE).then("node_id"),
        **beyond_benchmarks(rules, asked),
    )
