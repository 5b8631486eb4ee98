"""estimates.measured_interventions: what each intervention did to energy, over the pairs that show it."""

import polars as pl

from assets import columns as c
from assets.estimates.intervention_pairs import compared_at, intervention, state_from, state_to
from pipelines.tables.contract import Coverage, Rule, Table
from pipelines.wiring import sql_asset

PATHWAYS = ("model", "serving", "hardware", "hardware and model", "hardware, model and serving")
pathway = c.text("pathway", "Which of the three pathways of Oviedo et al. it belongs to.", PATHWAYS)

TABLE = Table(
    name="estimates.measured_interventions",
    description="Energy per output token after an intervention over before, as the pairs of intervention_pairs show "
    "it. Median over models, of each model's median pair; P10 and P90 over all pairs. Speculative decoding and "
    "disaggregation are there once inferencex was taken.",
    grain=("intervention", "state_from", "state_to", "compared_at", "boundary", "evidence"),
    columns=(
        intervention,
        pathway,
        state_from,
        state_to,
        compared_at,
        c.boundary.but(allowed=("gpu", "node")),
        c.evidence.but(allowed=("measured", "benchmarked")),
        c.text("source_ids", "The sources of the pairs."),
        c.count("n_pairs", "Pairs.", 1),
        c.count("n_models", "Models they are of.", 1),
        c.quantity("energy_ratio_p50", "dimensionless", "Median over models.", 1e-3, 1e3),
        c.quantity("energy_ratio_p10", "dimensionless", "A tenth of the pairs lies below.", 1e-3, 1e3),
        c.quantity("energy_ratio_p90", "dimensionless", "Nine tenths of the pairs lie below.", 1e-3, 1e3),
        c.quantity(
            "throughput_ratio_p50", "dimensionless", "Median ratio of output tokens/s per accelerator.", 1e-3, 1e3
        ),
    ),
    rules=(
        Rule(
            "A tenth of the pairs lies no higher than nine tenths of them",
            pl.col("energy_ratio_p10") <= pl.col("energy_ratio_p90"),
            check="contract",
        ),
        Rule(
            "There are no fewer pairs than models",
            pl.col("n_pairs") >= pl.col("n_models"),
            check="contract",
        ),
    ),
    coverage=(Coverage("pathway", PATHWAYS),),
    published=True,
)

measured_interventions = sql_asset(TABLE)
