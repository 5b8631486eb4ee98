"""core.serving_measurements: published serving throughput in our ids and units, one meaning a column."""

import polars as pl

from assets import columns as c
from assets.core.published_throughput import FIGURES, IDENTITY
from pipelines.tables.contract import Coverage, Rule, Table
from pipelines.wiring import sql_asset

MAX_TOKENS_PER_S_PER_ACCELERATOR = 150_000
"""The largest published figure is 56,528 (GPT-OSS 20B, GB200); queries/s called tokens/s, or a total called output,
would not be caught by this alone, but a factor of ten would."""

TABLE = Table(
    name="core.serving_measurements",
    description="Published LLM serving throughput: output tokens/s of the whole deployment, its accelerators, lengths, "
    "precision and software, and the wall power of the run where it was metered. Energy derived from MLPerf rows is "
    "derived, not verified by MLCommons.",
    grain=("source_id", "source_release", "locator"),
    columns=(*IDENTITY, c.model_id, c.accelerator_id, c.precision, c.framework, *FIGURES),
    min_rows=500,
    rules=(
        Rule(
            "Power and its boundary stand together",
            pl.col("power_w").is_null() == pl.col("power_boundary").is_null(),
            check="contract",
        ),
        Rule(
            f"At most {MAX_TOKENS_PER_S_PER_ACCELERATOR} output tokens/s per accelerator",
            pl.col("output_tokens_per_s")
            <= MAX_TOKENS_PER_S_PER_ACCELERATOR * pl.max_horizontal("n_accelerators", pl.lit(1)),
        ),
    ),
    coverage=(Coverage("source_id", ("mlperf_inference", "oviedo_throughput", "trtllm_perf")),),
    published=True,
)

serving_measurements = sql_asset(TABLE)
