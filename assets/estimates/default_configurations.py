"""estimates.default_configurations: which configuration answers for a model when no hardware is named."""

import polars as pl

from assets import columns as c
from assets.estimates.throughput_rules import CONFIGURATION
from pipelines.tables.contract import Coverage, Rule, Table
from pipelines.wiring import sql_asset

CHOSEN_AS = ("newest on eight H100", "most benchmarked")

TABLE = Table(
    name="estimates.default_configurations",
    description="The configuration that answers for a model when none is named: the newest on eight H100 boards, else "
    "the one benchmarked at the most pairs of lengths (near-duplicates count once); of equally many first on H100, "
    "then FP8 weights, then more accelerators, then the newest release. Join it to energy_per_query on all its columns "
    "but chosen_as.",
    grain=("model_id",),
    columns=(*CONFIGURATION, c.text("chosen_as", "Why this one.", CHOSEN_AS)),
    rules=(
        Rule(
            "What is called eight H100 is eight H100",
            (pl.col("chosen_as") == "newest on eight H100")
            == ((pl.col("accelerator_id") == "h100-sxm") & (pl.col("n_accelerators") == 8)),
            check="contract",
            show="chosen_as",
        ),
    ),
    coverage=(Coverage("model_id", ("deepseek-r1", "llama-3.1-405b", "llama-3.1-70b", "mixtral-8x22b")),),
    published=True,
)

default_configurations = sql_asset(TABLE)
