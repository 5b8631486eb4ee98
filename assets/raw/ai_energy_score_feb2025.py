"""raw.ai_energy_score_feb2025: the AI Energy Score board of February 2025, one row a model and task."""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import csv_records, number, utf8, whole_number
from pipelines.sources.errors import SourceError
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import raw_asset

TABLE = Table(
    name="raw.ai_energy_score_feb2025",
    description="AI Energy Score board of February 2025, a copy: energy of the GPU (H100, one request at a time) for "
    "1,000 queries, by task (source_release). Boundary: gpu, measured. Cells as printed.",
    grain=KEY,
    identity=("model",),
    columns=(
        *PROVENANCE,
        Column("model", pl.String, "Model as printed, with its organisation."),
        Column(
            "total_gpu_energy",
            pl.Float64,
            "Energy of the GPU for 1,000 queries. The unit is in no file: kWh, by the board.",
            unit="kWh",
            low=1e-7,
            high=1000,
        ),
        Column("energy_score", pl.Int64, "Stars within task and class; five is the least energy.", low=1, high=5),
        Column(
            "class",
            pl.String,
            "Size of the model: A one consumer GPU, B one cloud GPU, C several; printed for text_generation alone.",
            allowed=("A", "B", "C"),
            nullable=True,
        ),
    ),
    min_rows=0,
    rules=(
        Rule(
            "Text generation has classes, and no other task",
            pl.col("class").is_not_null() == (pl.col("source_release") == "text_generation"),
            check="contract",
            show="source_release",
        ),
    ),
)
_PRINTED = [column.name for column in TABLE.columns[len(PROVENANCE) :]]
_COLUMNS_OF_LAYOUT = {"task": _PRINTED[:-1], "task-with-class": _PRINTED}
_READ = {pl.Int64: whole_number, pl.Float64: number}
_REMEDY = "If the copy changed its form, edit assets/raw/ai_energy_score_feb2025.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All models of one task. Raises SourceError naming task, line and column."""
    task, columns = document.release, _COLUMNS_OF_LAYOUT[document.layout]
    records = csv_records(utf8(content, source.source_id, document.place), source.source_id)
    _, header = next(records, (1, []))
    if header != columns:
        problem = f"columns are {header}, expected {columns}"
        raise SourceError(source.source_id, f"{task}, line 1", problem, _REMEDY)
    rows = [_row(source, task, line, columns, cells) for line, cells in records if cells]
    return pl.DataFrame(rows, schema={"locator": pl.String} | {name: TABLE.schema[name] for name in _PRINTED})


def _row(source: Source, task: str, line: int, columns: list[str], cells: list[str]) -> dict:
    place = f"{task}, line {line}"
    if len(cells) != len(columns):
        problem = f"has {len(cells)} cells, the header {len(columns)}"
        raise SourceError(source.source_id, place, problem, _REMEDY)
    row: dict = dict.fromkeys(_PRINTED) | {"locator": f"line {line}"}
    for name, cell in zip(columns, cells, strict=True):
        read = _READ.get(TABLE.schema[name])
        if not cell.strip():
            raise SourceError(source.source_id, f"{place}, column {name}", "is empty", _REMEDY)
        row[name] = read(cell, source.source_id, f"{place}, column {name}") if read else cell
    return row


ai_energy_score_feb2025 = raw_asset(TABLE, parse)
