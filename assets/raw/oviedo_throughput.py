"""raw.oviedo_throughput: the throughput file that Oviedo et al. typed in from elsewhere, one row a printed row."""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import csv_records, number, utf8, whole_number
from pipelines.sources.errors import SourceError
from pipelines.tables.contract import Column, Table
from pipelines.wiring import raw_asset

TABLE = Table(
    name="raw.oviedo_throughput",
    description="Throughput inputs of Oviedo et al. (arXiv:2509.20241): output tokens/s of one 8-GPU node as stated "
    "by the authors, with a rated node power that their own code does not use. Cells as printed.",
    grain=KEY,
    identity=("Model", "Hardware", "Quantization", "Input Length", "Output Length", "Source"),
    columns=(
        *PROVENANCE,
        Column("Model", pl.String, "Model as printed."),
        Column("Total Parameter Count (B)", pl.String, "Parameters in billions, as printed."),
        Column("Active Parameter Count (B)", pl.String, "Active parameters in billions; NA for dense models."),
        Column("Type (Dense / MoE)", pl.String, "Dense or mixture of experts.", allowed=("Dense", "MoE")),
        Column("Hardware", pl.String, "GPU as printed; '2x' means two nodes, halved by hand."),
        Column("Scaled Power", pl.String, "Whether the authors scaled the power."),
        Column("TP Size", pl.Int64, "GPUs the throughput is stated for.", low=1, high=72),
        Column("Quantization", pl.String, "Precision as printed.", allowed=("FP8", "FP16")),
        Column("Tokens per Second (TPS)", pl.Float64, "Output tokens/s of the node.", unit="1/s", low=1, high=1e6),
        Column("Input Length", pl.String, "Input tokens, or Variable."),
        Column("Output Length", pl.Float64, "Output tokens (a mean where the input is Variable).", low=1, high=1e6),
        Column("Batch Size", pl.String, "Batch size, or Dynamic."),
        Column("Power for Node (kW)", pl.Float64, "Rated node power, kW; not what the code uses.", unit="kW", low=1),
        Column("Source", pl.String, "Where the authors took the figure from."),
        Column("Comments", pl.String, "Their comment.", nullable=True),
        Column("Confidence level", pl.String, "Their confidence.", allowed=("High", "Medium")),
    ),
    min_rows=20,
)
PRINTED = [column.name for column in TABLE.columns[len(PROVENANCE) :]]
_NUMERIC = [name for name in PRINTED if TABLE.schema[name] in (pl.Float64, pl.Int64)]


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """The printed rows. Raises SourceError naming line and column."""
    text = utf8(content, source.source_id, document.place)
    records = csv_records(text, source.source_id)
    _, header = next(records, (1, []))
    if header != PRINTED:
        different = [name for name in header if name not in PRINTED] + [name for name in PRINTED if name not in header]
        problem = f"columns differ from the known ones: {different or 'order'}"
        raise SourceError(source.source_id, "line 1", problem, "If meant, edit assets/raw/oviedo_throughput.py.")
    rows = [_row(source, line, cells) for line, cells in records if cells]
    schema = {"locator": pl.String} | {name: TABLE.schema[name] for name in PRINTED}
    return pl.DataFrame(rows, schema=schema)


def _row(source: Source, line: int, cells: list[str]) -> dict:
    if len(cells) != len(PRINTED):
        problem = f"has {len(cells)} cells, the header {len(PRINTED)}"
        raise SourceError(source.source_id, f"line {line}", problem, "The last accepted figures are served.")
    row: dict = {name: cell or None for name, cell in zip(PRINTED, cells, strict=True)}
    for name in _NUMERIC:
        read = whole_number if TABLE.schema[name] == pl.Int64 else number
        row[name] = read(row[name] or "", source.source_id, f"line {line}, column {name}")
    if row["Input Length"] != "Variable":
        whole_number(row["Input Length"] or "", source.source_id, f"line {line}, column Input Length")
    return {"locator": f"line {line}"} | row


oviedo_throughput = raw_asset(TABLE, parse)
