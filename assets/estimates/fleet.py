"""estimates.fleet: the paper's fleet of one billion queries a day, with and without long queries and interventions."""

import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.profile import paper_blend, workload
from pipelines.energy.oviedo2026 import METHOD, fleet_gwh_per_day, pooled_mean_wh
from pipelines.tables.contract import Column, Coverage, Table
from pipelines.wiring import model_asset

MIXES = ("all traditional", "10 % long", "all long")

TABLE = Table(
    name="estimates.fleet",
    description="Energy of a fleet in GWh a day: queries times the mean of the untrimmed >200B pool times the paper's "
    "overhead for orchestration and backup; boundary facility.",
    grain=("mix", "with_interventions", "method"),
    columns=(
        c.text("mix", "Which queries.", MIXES),
        Column("with_interventions", pl.Boolean, "Whether each query's energy is divided by the serving gain."),
        c.boundary,
        c.method,
        c.quantity("queries_per_day", "1/day", "Queries a day.", 1, 1e13),
        c.quantity("long_share", "dimensionless", "Share of long queries.", 0, 1),
        c.quantity("energy_gwh_per_day", "GWh/day", "Energy of the fleet.", 1e-6, 1e5),
    ),
    coverage=(Coverage("mix", MIXES),),
    published=True,
)


def fleet_of(throughput_rules: pl.DataFrame, assumptions: pl.DataFrame) -> pl.DataFrame:
    """One row a mix, without and with interventions."""
    assumed = Assumptions(assumptions)
    queries = assumed.value("oviedo2026.fleet.queries_per_day")
    shares = dict(zip(MIXES, (0.0, assumed.value("oviedo2026.fleet.long_share"), 1.0), strict=True))
    rows = []
    for improved in (False, True):
        short, long = (
            _gwh(throughput_rules, assumed, name, queries, improved) for name in ("traditional", "test-time")
        )
        rows += [
            {
                "mix": mix,
                "with_interventions": improved,
                "boundary": "facility",
                "method": METHOD,
                "queries_per_day": queries,
                "long_share": share,
                "energy_gwh_per_day": (1 - share) * short + share * long,
            }
            for mix, share in shares.items()
        ]
    return pl.DataFrame(rows, schema=TABLE.schema)


def _gwh(rules: pl.DataFrame, assumed: Assumptions, workload_id: str, queries: float, improved: bool) -> float:
    _, pool = paper_blend(rules, assumed, workload(assumed, workload_id))
    gain = assumed.lognormal(f"oviedo2026.fleet.serving_gain.{workload_id}") if improved else None
    return fleet_gwh_per_day(pooled_mean_wh(pool), queries, assumed.value("oviedo2026.fleet.overhead"), gain)


fleet = model_asset(
    TABLE, fleet_of, {"throughput_rules": "estimates.throughput_rules", "assumptions": "core.assumptions"}
)
