"""raw.epoch_ml_hardware: Epoch AI's Machine Learning Hardware, one row an accelerator, rated specifications."""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import csv_records, number, utf8
from pipelines.sources.errors import SourceError
from pipelines.tables.contract import Column, Table
from pipelines.wiring import raw_asset

TABLE = Table(
    name="raw.epoch_ml_hardware",
    description="Epoch AI, Machine Learning Hardware (CC-BY-4.0): rated specifications of accelerators, bytes and "
    "FLOP/s in full. Boundary: the accelerator board.",
    grain=KEY,
    identity=("Hardware name",),
    columns=(
        *PROVENANCE,
        Column("Hardware name", pl.String, "Name as printed."),
        Column("Manufacturer", pl.String, "Maker as printed.", nullable=True),
        Column("Type", pl.String, "Kind as printed.", nullable=True),
        Column("Release date", pl.String, "Release date as printed.", nullable=True),
        Column("TDP (W)", pl.Float64, "Rated thermal design power.", unit="W", low=5, high=30000, nullable=True),
        Column("Memory (bytes)", pl.Float64, "Memory.", unit="byte", low=1e6, nullable=True),
        Column("Memory bandwidth (byte/s)", pl.Float64, "Bandwidth.", unit="byte/s", low=1e9, nullable=True),
        Column("Tensor-FP16/BF16 performance (FLOP/s)", pl.Float64, "Tensor FP16.", unit="1/s", low=1e9, nullable=True),
        Column("FP8 performance (FLOP/s)", pl.Float64, "FP8.", unit="1/s", low=1e9, nullable=True),
        Column("FP4 performance (FLOP/s)", pl.Float64, "FP4.", unit="1/s", low=1e9, nullable=True),
        Column("Last modified", pl.String, "When the publisher last edited the row.", nullable=True),
    ),
    min_rows=150,
)
_TAKEN = [column.name for column in TABLE.columns[len(PROVENANCE) :]]
_LEFT_OUT = {
    "Notes", "Release price (USD)", "Intranode bandwidth (byte/s)", "Internode bandwidth (bit/s)",
    "FP64 (double precision) performance (FLOP/s)", "FP32 (single precision) performance (FLOP/s)",
    "TF32 (TensorFloat-32) performance (FLOP/s)", "FP16 (half precision) performance (FLOP/s)",
    "INT16 performance (OP/s)", "INT8 performance (OP/s)", "INT4 performance (OP/s)", "Foundry", "Die Size (mm^2)",
    "Base clock (MHz)", "Boost clock (MHz)", "Memory clock (MHz)", "Memory bus (bit)", "Tensor cores",
    "Process size (nm)", "Transistors (millions)", "Link to datasheet", "Source for the price", "ML models",
    "Max performance", "Energy efficiency", "Total processing performance (bit-OP/s)", "Price-performance", "ML OP/s",
}  # fmt: skip
_REMEDY = "If Epoch changed the file, edit assets/raw/epoch_ml_hardware.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All rows; quoted cells may span lines, so a record is found by its number and name. Raises SourceError."""
    text = utf8(content, source.source_id, document.place)
    records = csv_records(text, source.source_id)
    _, header = next(records, (1, []))
    known = set(_TAKEN) | _LEFT_OUT
    if sorted(header) != sorted(known):
        problem = f"columns differ from the known ones: {sorted(set(header) ^ known) or 'one is repeated'}"
        raise SourceError(source.source_id, "line 1", problem, _REMEDY)
    rows = [_row(source, record, header, cells) for record, (_, cells) in enumerate(records, start=1)]
    schema = {"locator": pl.String} | {name: TABLE.schema[name] for name in _TAKEN}
    return pl.DataFrame(rows, schema=schema)


def _row(source: Source, record: int, header: list[str], cells: list[str]) -> dict:
    if len(cells) != len(header):
        problem = f"has {len(cells)} cells, the header {len(header)}"
        raise SourceError(source.source_id, f"record {record}", problem, "The last accepted figures are served.")
    printed = dict(zip(header, cells, strict=True))
    name = printed["Hardware name"]
    if not name:
        raise SourceError(source.source_id, f"record {record}, column Hardware name", "is empty", _REMEDY)
    locator = f"record {record}, {name}"
    row: dict = {"locator": locator}
    for column in _TAKEN:
        cell = printed[column] or None
        if cell and TABLE.schema[column] == pl.Float64:
            cell = number(cell, source.source_id, f"{locator}, column {column}")
        row[column] = cell
    return row


epoch_ml_hardware = raw_asset(TABLE, parse)
