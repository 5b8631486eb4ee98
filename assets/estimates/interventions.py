"""estimates.interventions: the blend divided by each of the paper's three gains, and the gains combined."""

import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.profile import INTERVENTIONS, WORKLOADS, paper_blend, workloads
from pipelines.energy.distribution import quantiles_wh
from pipelines.energy.lognormal import LogNormal
from pipelines.energy.oviedo2026 import METHOD, combined_gain, with_intervention
from pipelines.tables.contract import Coverage, Rule, Table
from pipelines.wiring import model_asset

COMBINED = "combined"
_POOL = "Energy of one query of the twice-trimmed blend divided by the gain"

TABLE = Table(
    name="estimates.interventions",
    description="What better models, serving platforms, and hardware with datacenters would do to the >200B blend: its "
    "energy divided by an independent log-normal gain; boundary facility. The gains are the paper's ranges.",
    grain=("intervention", "workload_id", "method"),
    columns=(
        c.text("intervention", "What is improved.", (*INTERVENTIONS, COMBINED)),
        c.workload_id,
        c.boundary,
        c.method,
        c.quantity("gain_p10", "dimensionless", "Gain, 10 % lie below.", 1, 100),
        c.quantity("gain_p50", "dimensionless", "Gain, median.", 1, 100),
        c.energy_quantile("p25", f"{_POOL}: lower quartile."),
        c.energy_quantile("p50", f"{_POOL}: median."),
        c.energy_quantile("p75", f"{_POOL}: upper quartile."),
        c.quantity("change_of_median", "dimensionless", "Median with the gain over median without, less one.", -1, 0),
    ),
    rules=(
        Rule(
            "An intervention lowers the median",
            pl.col("change_of_median") < 0,
            check="contract",
        ),
    ),
    coverage=(Coverage("intervention", (*INTERVENTIONS, COMBINED)), Coverage("workload_id", WORKLOADS)),
    published=True,
)


def gains(assumed: Assumptions) -> dict[str, LogNormal]:
    """The gains by intervention, and all of them together."""
    single = {name: assumed.lognormal(f"oviedo2026.intervention.{name}") for name in INTERVENTIONS}
    return single | {COMBINED: combined_gain(list(single.values()))}


def interventions_of(throughput_rules: pl.DataFrame, assumptions: pl.DataFrame) -> pl.DataFrame:
    """One row an intervention and workload."""
    assumed = Assumptions(assumptions)
    rows = []
    for asked in workloads(assumed):
        _, blend = paper_blend(throughput_rules, assumed, asked)
        median = quantiles_wh(blend, [0.5])[0]
        for name, gain in gains(assumed).items():
            p25, p50, p75 = quantiles_wh(with_intervention(blend, gain), [0.25, 0.5, 0.75])
            rows.append(
                {
                    "intervention": name,
                    "workload_id": asked.workload_id,
                    "boundary": "facility",
                    "method": METHOD,
                    "gain_p10": gain.quantile(0.1),
                    "gain_p50": gain.median,
                    "energy_wh_per_query_p25": p25,
                    "energy_wh_per_query_p50": p50,
                    "energy_wh_per_query_p75": p75,
                    "change_of_median": p50 / median - 1,
                }
            )
    return pl.DataFrame(rows, schema=TABLE.schema)


interventions = model_asset(
    TABLE, interventions_of, {"throughput_rules": "estimates.throughput_rules", "assumptions": "core.assumptions"}
)
