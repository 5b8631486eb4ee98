"""core.corrections: which published rows are known to be wrong, and what is done. assets/corrections.yaml."""

import polars as pl

from assets import columns as c
from pipelines.sources.catalogue import REPOSITORY
from pipelines.tables.contract import Column, Rule, Table
from pipelines.tables.corrections import corrected_rows, load_corrections
from pipelines.wiring import model_asset

PATH = "assets/corrections.yaml"
OVERRIDDEN = ("raw.mlperf_inference Performance_Units", "raw.epoch_ml_hardware Memory (bytes)")
"""Where sql/core reads the corrected value. An override of anything else would be shown and not done."""

TABLE = Table(
    name="core.corrections",
    description="Known upstream errors, one row per published row concerned; an entry whose guard fails (upstream "
    "changed) is one row without a place, and is not applied.",
    grain=("correction_id", "source_release", "locator"),
    columns=(
        c.text("correction_id", "The entry of assets/corrections.yaml."),
        c.text("table_name", "The raw table."),
        c.source_id.optional(),
        c.source_release.optional(),
        c.locator.optional(),
        c.text("action", "What is done.", ("override", "exclude", "flag")),
        c.text("column_name", "The column that is overridden.").optional(),
        c.text("old_value", "The value as printed.").optional(),
        c.text("new_value", "The value used instead; empty: none.").optional(),
        c.text("reason", "What is wrong."),
        c.text("evidence", "How we know."),
        c.count("expected_rows", "How many rows the entry is meant for.", 1),
        c.count("found_rows", "How many rows it matched.", 0),
        Column("is_applied", pl.Boolean, "Whether it was applied."),
    ),
    rules=(
        Rule("Each correction still finds the error that it corrects", pl.col("is_applied"), show="found_rows"),
        Rule(
            "An override names a column that the SQL of core takes from here",
            (pl.col("action") != "override")
            | pl.concat_str("table_name", pl.lit(" "), "column_name").is_in(list(OVERRIDDEN)),
            check="contract",
            show="column_name",
        ),
        Rule(
            "A flag is on a row that has a caveat to show",
            (pl.col("action") != "flag") | (pl.col("table_name") != "raw.epoch_ml_hardware"),
            check="contract",
            show="table_name",
        ),
    ),
    published=True,
)


CORRECTED = (
    "oviedo_throughput",
    "trtllm_perf",
    "mlperf_inference",
    "epoch_ml_hardware",
    "mlenergy_v3",
    "inferencex",
    "deepseek_inference_system",
)


def corrections_of(**raw: pl.DataFrame) -> pl.DataFrame:
    """The rows of the raw tables that an entry concerns."""
    entries = load_corrections((REPOSITORY / PATH).read_bytes(), PATH)
    tables = {f"raw.{name}": frame for name, frame in raw.items()}
    return pl.DataFrame(corrected_rows(entries, tables, PATH), schema=TABLE.schema)


corrections = model_asset(TABLE, corrections_of, {name: f"raw.{name}" for name in CORRECTED})
