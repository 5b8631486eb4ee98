"""raw.azure_llm_2023: token counts of requests to two Azure services, one hour of 2023, one row a request."""

import re

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import csv_records, utf8, whole_number
from pipelines.sources.errors import SourceError
from pipelines.tables.contract import Column, Table
from pipelines.wiring import raw_asset

TABLE = Table(
    name="raw.azure_llm_2023",
    description="Azure LLM inference traces 2023 (code and conversation): input and output tokens of each request, one "
    "hour, model not named.",
    grain=KEY,
    columns=(
        *PROVENANCE,
        Column("TIMESTAMP", pl.String, "When it came; no time zone."),
        Column("ContextTokens", pl.Int64, "Input tokens.", low=0, high=1_000_000),
        Column("GeneratedTokens", pl.Int64, "Output tokens.", low=0, high=1_000_000),
    ),
    min_rows=1000,
)
_HEADER = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{7}")
_REMEDY = "If the publisher changed the file, edit assets/raw/azure_llm_2023.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All requests. Raises SourceError naming line and column."""
    records = csv_records(utf8(content, source.source_id, document.place), source.source_id)
    _, header = next(records, (1, []))
    if header != _HEADER:
        problem = f"columns are {header}, expected {_HEADER}"
        raise SourceError(source.source_id, f"{document.release}, line 1", problem, _REMEDY)
    rows = [_row(source, document, line, cells) for line, cells in records]
    return pl.DataFrame(
        rows, schema={"locator": pl.String} | {name: TABLE.schema[name] for name in _HEADER}, orient="row"
    )


def _row(source: Source, document: Document, line: int, cells: list[str]) -> tuple:
    place = f"{document.release}, line {line}"
    if len(cells) != len(_HEADER) or not _TIMESTAMP.fullmatch(cells[0]):
        raise SourceError(source.source_id, place, f"{cells} is not a time and two counts", _REMEDY)
    counts = [
        whole_number(cell, source.source_id, f"{place}, column {name}")
        for name, cell in zip(_HEADER[1:], cells[1:], strict=True)
    ]
    return (f"line {line}", cells[0], *counts)


azure_llm_2023 = raw_asset(TABLE, parse)
