"""estimates.blends: the paper's ">200B" blend, for each workload and version of its constants."""

import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.profile import WORKLOADS, paper_blend, workloads
from pipelines.energy.distribution import quantiles_wh
from pipelines.energy.oviedo2026 import METHOD, pooled_mean_wh
from pipelines.tables.contract import Coverage, Table
from pipelines.wiring import model_asset

BLEND = ">200B"
PROFILES = ("v2", "arxiv-v1")
_TRIMMED = "Energy of one query of the twice-trimmed pool (each model's P14 to P86), as the paper takes its quartiles"

TABLE = Table(
    name="estimates.blends",
    description="The three models with the largest medians pooled with equal weight, each trimmed to P5-P95 and again "
    "to P10-P90 before quartiles are taken (a stated step of the paper); boundary facility.",
    grain=("blend_id", "profile", "workload_id", "method"),
    columns=(
        c.text("blend_id", "The blend."),
        c.profile,
        c.workload_id,
        c.boundary,
        c.method,
        c.text("members", "The models pooled, largest median first."),
        c.energy_quantile("p25", f"{_TRIMMED}: lower quartile."),
        c.energy_quantile("p50", f"{_TRIMMED}: median."),
        c.energy_quantile("p75", f"{_TRIMMED}: upper quartile."),
        c.energy_quantile("mean", "Mean energy of one query of the untrimmed pool."),
    ),
    coverage=(Coverage("workload_id", WORKLOADS), Coverage("profile", PROFILES)),
    published=True,
)


def blends_of(throughput_rules: pl.DataFrame, assumptions: pl.DataFrame) -> pl.DataFrame:
    """One row a profile and workload."""
    assumed = Assumptions(assumptions)
    rows = []
    for profile in PROFILES:
        for asked in workloads(assumed):
            members, pool = paper_blend(throughput_rules, assumed, asked, profile=profile)
            p25, p50, p75 = quantiles_wh(pool, [0.25, 0.5, 0.75])
            rows.append(
                {
                    "blend_id": BLEND,
                    "profile": profile,
                    "workload_id": asked.workload_id,
                    "boundary": "facility",
                    "method": METHOD,
                    "members": members,
                    "energy_wh_per_query_p25": p25,
                    "energy_wh_per_query_p50": p50,
                    "energy_wh_per_query_p75": p75,
                    "energy_wh_per_query_mean": pooled_mean_wh(pool),
                }
            )
    return pl.DataFrame(rows, schema=TABLE.schema)


blends = model_asset(
    TABLE, blends_of, {"throughput_rules": "estimates.throughput_rules", "assumptions": "core.assumptions"}
)
