"""raw.ai_energy_score_corinac: a copy of the AI Energy Score board whose columns say Wh and hold kWh, a row a model."""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import csv_records, number, utf8
from pipelines.sources.errors import SourceError
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import raw_asset

_UNIT = "The column says Wh and holds kWh: a thousand times too small as labelled"
_CARBON = "Computed by the copy from that, at 417 g/kWh: a thousand times too small"


def _figure(name: str, meaning: str, unit: str) -> Column:
    return Column(name, pl.Float64, meaning, unit=unit, low=0, high=1000)


TABLE = Table(
    name="raw.ai_energy_score_corinac",
    description="A copy of the AI Energy Score board, reworded and with its unit mistaken: energy of the GPU (H100, "
    "one request at a time). Boundary: gpu. Cells and units as printed; every Wh and every gram stands for a thousand.",
    grain=KEY,
    identity=("model_name", "model_type"),
    columns=(
        *PROVENANCE,
        Column("model_name", pl.String, "Model as the copy rewords it, blanks at the end kept; 22 rows repeat a name."),
        Column("developer", pl.String, "Who made the model, as printed."),
        Column(
            "model_type",
            pl.String,
            "What it was asked for. A model may stand as Text and again as Reasoning, which takes far more.",
            allowed=("Speech", "Image", "Text", "Reasoning"),
        ),
        _figure("wh_per_query", f"Energy of the GPU for a query. {_UNIT}.", "Wh"),
        _figure("wh_per_100_queries", f"The same for 100 queries. {_UNIT}.", "Wh"),
        _figure("co2_g_per_query", f"Carbon of a query. {_CARBON}.", "g"),
        _figure("co2_g_per_100_queries", f"Carbon of 100 queries. {_CARBON}.", "g"),
        _figure("led_10W_seconds", "How long a lamp of 10 W burns on wh_per_query as labelled.", "s"),
        _figure("wh_per_1000_queries", f"The same for 1,000 queries. {_UNIT}.", "Wh"),
        _figure("co2_g_per_1000_queries", f"Carbon of 1,000 queries. {_CARBON}.", "g"),
    ),
    min_rows=0,
    rules=(
        Rule(
            "Energy of 100 and of 1,000 queries is that of one times as many, as rounded",
            ((pl.col("wh_per_100_queries") - 100 * pl.col("wh_per_query")).abs() <= 1.01e-6)
            & ((pl.col("wh_per_1000_queries") - 1000 * pl.col("wh_per_query")).abs() <= 1.01e-5),
            check="contract",
            show="wh_per_1000_queries",
        ),
        Rule(
            "Carbon is energy at 417 g/kWh, as rounded",
            ((pl.col("co2_g_per_query") - 0.417 * pl.col("wh_per_query")).abs() <= 0.71e-8)
            & ((pl.col("co2_g_per_100_queries") - 0.417 * pl.col("wh_per_100_queries")).abs() <= 0.71e-6)
            & ((pl.col("co2_g_per_1000_queries") - 0.417 * pl.col("wh_per_1000_queries")).abs() <= 0.71e-5),
            check="contract",
            show="co2_g_per_1000_queries",
        ),
    ),
)
_PRINTED = [column.name for column in TABLE.columns[len(PROVENANCE) :]]
_REMEDY = "If the copy changed its form, edit assets/raw/ai_energy_score_corinac.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """The printed rows. Raises SourceError naming line and column."""
    records = csv_records(utf8(content, source.source_id, document.place), source.source_id)
    _, header = next(records, (1, []))
    if header != _PRINTED:
        raise SourceError(source.source_id, "line 1", f"columns are {header}, expected {_PRINTED}", _REMEDY)
    rows = [_row(source, line, cells) for line, cells in records if cells]
    return pl.DataFrame(rows, schema={"locator": pl.String} | {name: TABLE.schema[name] for name in _PRINTED})


def _row(source: Source, line: int, cells: list[str]) -> dict:
    if len(cells) != len(_PRINTED):
        problem = f"has {len(cells)} cells, the header {len(_PRINTED)}"
        raise SourceError(source.source_id, f"line {line}", problem, _REMEDY)
    row: dict = {"locator": f"line {line}"}
    for name, cell in zip(_PRINTED, cells, strict=True):
        place = f"line {line}, column {name}"
        if not cell.strip():
            raise SourceError(source.source_id, place, "is empty", _REMEDY)
        row[name] = number(cell, source.source_id, place) if TABLE.schema[name] == pl.Float64 else cell
    return row


ai_energy_score_corinac = raw_asset(TABLE, parse)
