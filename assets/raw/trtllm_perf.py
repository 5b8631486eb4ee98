"""raw.trtllm_perf: NVIDIA's TensorRT-LLM performance tables, one row a printed value.

Layouts C (v0.21), D (v1.0) and E (main). Blank cell: not run. The page's commands, variables, request counts and
sample output are tables or numbers too, but lie outside the throughput section and are not read.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import number, utf8, whole_number
from pipelines.sources.errors import SourceError
from pipelines.sources.markdown import Heading, MarkdownTable, Paragraph, TableRow, blocks
from pipelines.tables.contract import Column, Table
from pipelines.wiring import raw_asset

TABLE = Table(
    name="raw.trtllm_perf",
    description="NVIDIA TensorRT-LLM performance overview: one row per printed throughput value, saturated load, "
    "fixed input and output length, no power. Output tokens/s, per group of GPUs or per GPU by release.",
    grain=KEY,
    columns=(
        *PROVENANCE,
        Column("model", pl.String, "Model as printed in the heading, precision left out."),
        Column("gpu", pl.String, "GPU as printed."),
        Column("precision", pl.String, "Precision as printed.", allowed=("FP4", "FP8")),
        Column("parallelism", pl.String, "Parallelism as printed: TP, PP, DEP and their degrees."),
        Column("tp", pl.Int64, "Tensor parallel degree.", low=1, high=72, nullable=True),
        Column("pp", pl.Int64, "Pipeline parallel degree.", low=1, high=72, nullable=True),
        Column("dep", pl.Int64, "Attention data parallel with expert parallel degree.", low=1, high=72, nullable=True),
        Column("group_gpus", pl.Int64, "GPUs of one serving group: the product of the degrees.", low=1, high=72),
        Column("isl", pl.Int64, "Input sequence length, tokens.", low=1, high=1_000_000),
        Column("osl", pl.Int64, "Output sequence length, tokens.", low=1, high=1_000_000),
        Column("metric", pl.String, "The metric as the page states it."),
        Column("basis", pl.String, "What the value is divided by.", allowed=("per_group", "per_gpu")),
        Column("throughput", pl.Float64, "Output tokens/s on that basis, as printed.", unit="1/s", low=1, high=1e6),
    ),
    min_rows=100,
)

SECTION, SECTION_END = "Throughput Measurements", "Reproducing Benchmarked Results"
METRICS = {
    "C": ("Total Output Throughput (tokens/sec)", "per_group"),
    "D": ("Total Output Throughput (tokens/sec)", "per_group"),
    "E": ("Output Throughput per GPU (tokens/sec/GPU)", "per_gpu"),
}
_LOOK = "Look at the page: if NVIDIA changed the layout, assets/raw/trtllm_perf.py must learn it."
_PRECISION_LAST = re.compile(r"(?P<model>.+) (?P<precision>FP\d+)")
_GPU_HEADER = re.compile(r"(?P<gpu>[^*<]+)<br/>(?P<parallelism>[A-Z0-9,]+) \((?P<precision>FP\d+)\)")
_COUNT_HEADER = re.compile(r"\*\*(?P<n>\d+) GPUs\*\*<br/>(?P<parallelism>[A-Z0-9,]+) \((?P<precision>FP\d+)\)")
_DEGREE = re.compile(r"(TP|PP|DEP)([0-9]{1,4})")
_LENGTHS = re.compile(r"([0-9]{1,9})\s*[,/]\s*([0-9]{1,9})")


@dataclass(frozen=True)
class _Column:
    """What a table's column stands for."""

    model: str
    gpu: str
    precision: str
    parallelism: str
    place: str


@dataclass(frozen=True)
class _Page:
    """What errors name: the source and its release."""

    source_id: str
    release: str

    def error(self, place: str, problem: str) -> SourceError:
        return SourceError(self.source_id, f"release {self.release}, {place}", problem, _LOOK)


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """Every printed value of the page's throughput section. Raises SourceError with heading, line and column."""
    page = _Page(source.source_id, document.release)
    text = utf8(content, source.source_id, document.place)
    if document.layout not in METRICS:
        raise page.error("assets/sources.yaml", f"layout {document.layout!r} is unknown")
    metric, basis = METRICS[document.layout]
    if f"The reported metric is `{metric}`." not in text:
        raise page.error(f"section {SECTION}", f"the page no longer says that it reports {metric!r}")
    rows = [row | {"metric": metric, "basis": basis} for row in _rows(page, document.layout, text)]
    if not rows:
        raise page.error(f"section {SECTION}", "has no throughput table")
    names = [column.name for column in TABLE.columns[len(PROVENANCE) - 1 :]]
    return pl.DataFrame(rows, schema={name: TABLE.schema[name] for name in names})


def _rows(page: _Page, layout: str, text: str) -> Iterator[dict]:
    read: Callable = _columns_c if layout == "C" else _columns_de
    inside, heading, caption = False, "", ""
    for block in blocks(text):
        if isinstance(block, Heading):
            inside = (inside or block.text == SECTION) and block.text != SECTION_END
            heading, caption = block.text, ""
        elif isinstance(block, Paragraph):
            if inside and "|" in block.text:
                raise page.error(f"line {block.line}, {heading}", "is a table whose rule does not match its header")
            caption = block.text
        elif inside and isinstance(block, MarkdownTable):
            columns, lengths_rows = read(page, heading, caption, block)
            for row in lengths_rows:
                yield from _values(page, heading, block, columns, row)
            caption = ""
    if inside:
        raise page.error(f"section {SECTION}", f"is not followed by {SECTION_END!r}: the page may be truncated")


def _values(
    page: _Page, heading: str, table: MarkdownTable, columns: dict[int, _Column], row: TableRow
) -> Iterator[dict]:
    place = f"line {row.line}, {heading}"
    if row.printed != table.header.printed:
        raise page.error(place, f"the row has {row.printed} cells, its header {table.header.printed}")
    lengths = _LENGTHS.fullmatch(row.cells[0])
    if not lengths:
        raise page.error(place, f"{row.cells[0]!r} is not an input/output length")
    for i, column in columns.items():
        if not row.cells[i]:
            continue  # not run
        where = f"{place}, row {row.cells[0]}, column {column.place}"
        yield {
            "locator": where,
            "model": column.model,
            "gpu": column.gpu,
            "precision": column.precision,
            "isl": int(lengths[1]),
            "osl": int(lengths[2]),
            "throughput": number(row.cells[i], page.source_id, f"release {page.release}, {where}"),
            **_degrees(page, column.place, column.parallelism),
        }


def _degrees(page: _Page, place: str, parallelism: str) -> dict:
    degrees = {}
    for part in parallelism.split(","):
        match = _DEGREE.fullmatch(part)
        if not match or match[1].lower() in degrees:
            raise page.error(f"column {place}", f"{part!r} is not a parallelism such as TP4, PP2 or DEP8")
        degrees[match[1].lower()] = int(match[2])
    return {
        "parallelism": parallelism,
        **{kind: degrees.get(kind) for kind in ("tp", "pp", "dep")},
        "group_gpus": math.prod(degrees.values()),
    }


def _columns_c(
    page: _Page, heading: str, _caption: str, table: MarkdownTable
) -> tuple[dict[int, _Column], list[TableRow]]:
    """Layout C: precision in the heading, GPUs in the header, TP sizes in the first row, two label columns."""
    place = f"line {table.header.line}, {heading}"
    named = _PRECISION_LAST.fullmatch(heading)
    gpus = table.header.cells
    if not named or len(gpus) < 3 or gpus[0] or gpus[1] not in ("GPU:", "GPU"):
        raise page.error(place, "is not a table of model, precision and GPUs")
    if len(table.rows) < 4 or table.rows[0].cells[1] != "TP Size":
        raise page.error(place, "has no row of TP sizes below its header")
    columns = {}
    for i in range(2, len(gpus)):
        if not gpus[i]:
            raise page.error(place, f"column {i + 1} has no GPU name")
        tp = whole_number(
            table.rows[0].cells[i], page.source_id, f"release {page.release}, {place}, TP size of {gpus[i]}"
        )
        columns[i] = _Column(named["model"], gpus[i], named["precision"], f"TP{tp}", gpus[i])
    label, blank = table.rows[1], table.rows[2]
    if any(label.cells[1:]) or any(blank.cells) or not label.cells[0]:
        raise page.error(f"line {label.line}, {heading}", "expected the label of the lengths and a blank row")
    lengths_rows = list(table.rows[3:])
    if any(row.cells[1] for row in lengths_rows):
        raise page.error(place, "the second column is no longer blank")
    return columns, lengths_rows


def _columns_de(
    page: _Page, heading: str, caption: str, table: MarkdownTable
) -> tuple[dict[int, _Column], list[TableRow]]:
    """Layouts D and E: GPU, parallelism and precision in each header cell.

    Tables of one GPU print GPU counts instead; the GPU is named in the line above (D) or after the dash of the
    heading (E).
    """
    place = f"line {table.header.line}, {heading}"
    cells = table.header.cells
    if cells[0] != "Sequence Length (ISL/OSL)":
        raise page.error(place, f"the first column is {cells[0]!r}, expected 'Sequence Length (ISL/OSL)'")
    model, _, gpu_of_heading = heading.partition(" - ")
    columns = {}
    for i, cell in enumerate(cells[1:], start=1):
        if match := _GPU_HEADER.fullmatch(cell):
            gpu = match["gpu"].strip()
        elif match := _COUNT_HEADER.fullmatch(cell):
            gpu = gpu_of_heading or caption
            degrees = _degrees(page, cell, match["parallelism"])
            if not gpu or int(match["n"]) != degrees["group_gpus"]:
                raise page.error(place, f"column {cell!r}: GPU not named, or count and parallelism disagree")
        else:
            raise page.error(place, f"column {cell!r} is not GPU, parallelism and precision")
        columns[i] = _Column(model, gpu, match["precision"], match["parallelism"], cell.replace("<br/>", " "))
    return columns, list(table.rows)


trtllm_perf = raw_asset(TABLE, parse)
