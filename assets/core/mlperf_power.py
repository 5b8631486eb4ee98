"""core.mlperf_power: MLPerf LLM runs whose wall power was metered, and the energy per output token they give."""

from assets import columns as c
from assets.core.published_throughput import IDENTITY
from pipelines.tables.contract import Table
from pipelines.wiring import sql_asset

TABLE = Table(
    name="core.mlperf_power",
    description="MLPerf LLM runs with wall power: mean power of the whole system in the scored window (boundary node, "
    "no PUE) over its output tokens/s. Derived from MLPerf results, not verified by MLCommons. MaxQ systems are "
    "power-capped: never pair their watts with other runs' tokens/s.",
    grain=("source_id", "source_release", "locator"),
    columns=(
        *IDENTITY,
        c.model_id,
        c.accelerator_id,
        c.n_accelerators,
        c.precision,
        c.framework,
        c.scenario,
        c.system,
        c.output_tokens_per_s,
        c.power_w,
        c.power_boundary.but(allowed=("node",)),
        c.is_measured,
        c.energy_j_per_output_token,
        c.n_source_rows,
        c.caveat,
    ),
    published=True,
)

mlperf_power = sql_asset(TABLE)
