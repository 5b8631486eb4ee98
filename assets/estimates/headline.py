"""estimates.headline: the paper's own throughputs under both methods, all else as the paper has it."""

import numpy as np
import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.profile import WORKLOADS, paper_energies, workloads
from assets.estimates.serving_fits import serving_time_of
from assets.estimates.throughput_rules import PAPER_MODELS, PAPER_SOURCE, paper_node_power_w
from pipelines.energy.distribution import Energy
from pipelines.energy.oviedo2026 import METHOD as OVIEDO
from pipelines.energy.oviedo2026 import Factors
from pipelines.energy.quantiles import newton_quantiles_wh
from pipelines.energy.serving_energy import energy_wh
from pipelines.energy.serving_time import METHOD as SERVING
from pipelines.energy.workloads import Workload
from pipelines.tables.contract import Coverage, Table
from pipelines.wiring import model_asset

QUARTILES = {"p25": 0.25, "p50": 0.50, "p75": 0.75}
_POOLED = "Energy of one query, facility; lengths, power and PUE pooled as in the paper, only the throughput differs"

TABLE = Table(
    name="estimates.headline",
    description="What the rule for throughput alone does to the paper's figures: its models with its power, its power "
    "utilisation, its PUE and its benchmark rows, by its log-linear rule and by serving time. Boundary facility.",
    grain=("model_id", "workload_id", "method"),
    columns=(
        c.model_id,
        c.workload_id,
        c.boundary,
        c.method,
        *(c.energy_quantile(name, f"{_POOLED}: {name}.") for name in QUARTILES),
        c.quantity("ratio_to_oviedo2026", "dimensionless", "The median over that of the paper's rule.", 0.01, 100),
    ),
    coverage=(
        Coverage("workload_id", WORKLOADS),
        Coverage("method", (OVIEDO, SERVING)),
        Coverage("model_id", ("llama-3.1-405b", "llama-3.1-70b", "mixtral-8x22b")),
    ),
    published=True,
)


def headline_of(throughput_rules: pl.DataFrame, serving_fits: pl.DataFrame, assumptions: pl.DataFrame) -> pl.DataFrame:
    """Quartiles of every model of the paper that both methods can fit."""
    assumed = Assumptions(assumptions)
    rows = []
    for asked in workloads(assumed):
        by_rule = paper_energies(throughput_rules, assumed, asked)
        by_fit = _serving_energies(serving_fits, assumed, asked)
        for model in (model for model in PAPER_MODELS if model in by_fit):
            old, new = (newton_quantiles_wh(e[model], list(QUARTILES.values())).ravel() for e in (by_rule, by_fit))
            for method, found in ((OVIEDO, old), (SERVING, new)):
                quartiles = {f"energy_wh_per_query_{name}": found[i] for i, name in enumerate(QUARTILES)}
                row = {"model_id": model, "workload_id": asked.workload_id, "boundary": "facility", "method": method}
                rows.append(row | quartiles | {"ratio_to_oviedo2026": found[1] / old[1]})
    return pl.DataFrame(rows, schema=TABLE.schema)


def _serving_energies(fits: pl.DataFrame, assumed: Assumptions, asked: Workload) -> dict[str, Energy]:
    """Energy by the fit to the paper's rows: of a model's configurations that with most lengths."""
    own = fits.filter((pl.col("source_id") == PAPER_SOURCE) & pl.col("no_fit_because").is_null())
    own = own.sort("n_length_pairs", "n_rows", descending=True).unique("model_id", keep="first", maintain_order=True)
    accelerator_s = serving_time_of(own).accelerator_s(asked.input_tokens, asked.lengths.tokens)
    power_w = np.array([paper_node_power_w(assumed, model) for model in own["model_id"]])
    wh = energy_wh(accelerator_s.T, power_w / own["n_accelerators"].to_numpy())
    factor = Factors.of(assumed, "facility").product
    return {model: Energy(wh[:, i], asked.lengths.weights, factor) for i, model in enumerate(own["model_id"])}


headline = model_asset(
    TABLE,
    headline_of,
    {
        "throughput_rules": "estimates.throughput_rules",
        "serving_fits": "estimates.serving_fits",
        "assumptions": "core.assumptions",
    },
)
