"""estimates.input_lengths: the paper's sensitivity of the blend to input length, L_eff = L_out + L_in / 30."""

from dataclasses import replace

import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.profile import WORKLOADS, paper_blend, workloads
from pipelines.energy.distribution import quantiles_wh
from pipelines.energy.oviedo2026 import METHOD
from pipelines.tables.contract import Coverage, Table
from pipelines.wiring import model_asset

INPUT_TOKENS = (500, 1000, 5000)
"""The lengths the paper shows (supplementary sensitivity)."""

TABLE = Table(
    name="estimates.input_lengths",
    description="The >200B blend at longer inputs, input tokens priced at a thirtieth of an output token beside their "
    "effect on throughput; twice-trimmed pool, boundary facility.",
    grain=("input_tokens", "workload_id", "method"),
    columns=(
        c.input_tokens,
        c.workload_id,
        c.boundary,
        c.method,
        c.energy_quantile("p25", "Energy of one query of the blend: lower quartile."),
        c.energy_quantile("p50", "Energy of one query of the blend: median."),
        c.energy_quantile("p75", "Energy of one query of the blend: upper quartile."),
    ),
    coverage=(Coverage("workload_id", WORKLOADS),),
    published=True,
)


def input_lengths_of(throughput_rules: pl.DataFrame, assumptions: pl.DataFrame) -> pl.DataFrame:
    """One row an input length and workload."""
    assumed = Assumptions(assumptions)
    per_output_token = assumed.value("oviedo2026.input_tokens_per_output_token")
    rows = []
    for asked in workloads(assumed):
        for n in INPUT_TOKENS:
            longer = replace(asked, input_tokens=float(n))
            _, pool = paper_blend(throughput_rules, assumed, longer, input_tokens_per_output_token=per_output_token)
            p25, p50, p75 = quantiles_wh(pool, [0.25, 0.5, 0.75])
            rows.append(
                {
                    "input_tokens": float(n),
                    "workload_id": asked.workload_id,
                    "boundary": "facility",
                    "method": METHOD,
                    "energy_wh_per_query_p25": p25,
                    "energy_wh_per_query_p50": p50,
                    "energy_wh_per_query_p75": p75,
                }
            )
    return pl.DataFrame(rows, schema=TABLE.schema)


input_lengths = model_asset(
    TABLE, input_lengths_of, {"throughput_rules": "estimates.throughput_rules", "assumptions": "core.assumptions"}
)
