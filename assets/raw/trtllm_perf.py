"""raw.trtllm_perf: NVIDIA's TensorRT-LLM performance tables, one row a printed value.

Layouts A (v0.5 to v0.9), B (v0.10, v0.11), C (v0.21), D (v1.0) and E (main). Blank cell: not run. The page's
first-token latencies, commands, variables, request counts and sample output are tables or numbers too, but lie
outside the throughput section and are not read.
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
    identity=("model", "gpu", "precision", "parallelism", "batch_size", "isl", "osl"),
    columns=(
        *PROVENANCE,
        Column("model", pl.String, "Model as printed in the heading, precision left out."),
        Column("gpu", pl.String, "GPU as printed."),
        Column("precision", pl.String, "Precision as printed.", allowed=("FP4", "FP8", "FP16")),
        Column("parallelism", pl.String, "Parallelism as printed: TP, PP, DEP and their degrees."),
        Column("tp", pl.Int64, "Tensor parallel degree.", low=1, high=72, nullable=True),
        Column("pp", pl.Int64, "Pipeline parallel degree.", low=1, high=72, nullable=True),
        Column("dep", pl.Int64, "Attention data parallel with expert parallel degree.", low=1, high=72, nullable=True),
        Column("group_gpus", pl.Int64, "GPUs of one serving group: the product of the degrees.", low=1, high=72),
        Column("isl", pl.Int64, "Input sequence length, tokens.", low=1, high=1_000_000),
        Column("osl", pl.Int64, "Output sequence length, tokens.", low=1, high=1_000_000),
        Column("batch_size", pl.Int64, "Batch size; printed in layout A only.", low=1, high=100_000, nullable=True),
        Column("page_number", pl.Int64, "Position of the page among those of the catalogue, oldest first.", low=1),
        Column("metric", pl.String, "The metric as the page states it."),
        Column("basis", pl.String, "What the value is divided by.", allowed=("per_group", "per_gpu")),
        Column("throughput", pl.Float64, "Output tokens/s on that basis, as printed.", unit="1/s", low=1, high=1e6),
    ),
    min_rows=100,
)

SECTIONS = ("Throughput Measurements", "High Throughput", "Peak Throughput")
SECTION_ENDS = ("Reproducing Benchmarked Results", "Low Latency")
METRICS = {
    "B": ("presents token throughput in tokens/second", "per_group"),
    "C": ("Total Output Throughput (tokens/sec)", "per_group"),
    "D": ("Total Output Throughput (tokens/sec)", "per_group"),
    "E": ("Output Throughput per GPU (tokens/sec/GPU)", "per_gpu"),
}
_LOOK = "Look at the page: if NVIDIA changed the layout, assets/raw/trtllm_perf.py must learn it."
_PRECISION_LAST = re.compile(r"(?P<model>.+) (?P<precision>FP\d+)")
_GPU_HEADER = re.compile(r"(?P<gpu>[^*<]+)<br/>(?P<parallelism>[A-Z0-9,]+) \((?P<precision>FP\d+)\)")
_COUNT_HEADER = re.compile(r"\*\*(?P<n>[0-9]{1,4}) GPUs\*\*<br/>(?P<parallelism>[A-Z0-9,]+) \((?P<precision>FP\d+)\)")
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
    if document.layout not in READERS:
        raise page.error("assets/sources.yaml", f"layout {document.layout!r} is unknown")
    stated = _stated_metric(page, document.layout, text)
    constant = {"page_number": source.documents.index(document) + 1, "batch_size": None} | stated
    rows = [constant | row for row in _rows(page, document.layout, text)]
    if not rows:
        raise page.error("throughput section", "has no throughput table")
    names = [column.name for column in TABLE.columns[len(PROVENANCE) - 1 :]]
    return pl.DataFrame(rows, schema={name: TABLE.schema[name] for name in names})


def _stated_metric(page: _Page, layout: str, text: str) -> dict:
    """Metric and basis as the page states them; layout A states them in each table's header instead."""
    if layout == "A":
        return {}
    metric, basis = METRICS[layout]
    sentence = metric if layout == "B" else f"The reported metric is `{metric}`."
    if sentence not in text:
        raise page.error("throughput section", f"the page no longer says that it reports {metric!r}")
    return {"metric": metric, "basis": basis}


def _rows(page: _Page, layout: str, text: str) -> Iterator[dict]:
    read = READERS[layout]
    inside, heading, caption = False, "", ""
    for block in blocks(text):
        if isinstance(block, Heading):
            inside = (inside or block.text in SECTIONS) and not block.text.startswith(SECTION_ENDS)
            heading, caption = block.text, ""
        elif isinstance(block, Paragraph):
            if inside and "|" in block.text:
                raise page.error(f"line {block.line}, {heading}", "is a table whose rule does not match its header")
            caption = block.text
        elif inside and isinstance(block, MarkdownTable):
            yield from read(page, heading, caption, block)
            caption = ""
    if inside:
        ends = " or ".join(SECTION_ENDS)
        raise page.error("throughput section", f"is not followed by {ends}: the page may be truncated")


def _whole_row(page: _Page, heading: str, table: MarkdownTable, row: TableRow) -> str:
    """The place of a row that has as many cells as its header."""
    place = f"line {row.line}, {heading}"
    if row.printed != table.header.printed:
        raise page.error(place, f"the row has {row.printed} cells, its header {table.header.printed}")
    return place


def _values(
    page: _Page, heading: str, table: MarkdownTable, columns: dict[int, _Column], rows: list[TableRow]
) -> Iterator[dict]:
    """The printed values of rows keyed by their lengths (layouts C to E)."""
    for row in rows:
        place = _whole_row(page, heading, table, row)
        lengths = _lengths(page, place, row.cells[0])
        for i, column in columns.items():
            if row.cells[i]:  # blank: not run
                where = f"{place}, row {row.cells[0]}, column {column.place}"
                yield _value(page, where, column, lengths, row.cells[i])


def _lengths(page: _Page, place: str, cell: str) -> tuple[int, int]:
    lengths = _LENGTHS.fullmatch(cell)
    if not lengths:
        raise page.error(place, f"{cell!r} is not an input/output length")
    return int(lengths[1]), int(lengths[2])


def _value(page: _Page, where: str, column: _Column, lengths: tuple[int, int], cell: str) -> dict:
    return {
        "locator": where,
        "model": column.model,
        "gpu": column.gpu,
        "precision": column.precision,
        "isl": lengths[0],
        "osl": lengths[1],
        "throughput": number(cell, page.source_id, f"release {page.release}, {where}"),
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


_HEADER_A = ("Model", "Batch Size", "TP (1)", "Input Length", "Output Length")
_METRIC_A = {"Throughput (out tok/s)": "per_group", "Throughput (out tok/s/GPU)": "per_gpu"}
_HEADING_A = re.compile(r"(?P<gpu>\S+) GPUs \((?P<precision>FP\d+)\)(<sup>.*</sup>)?")


def _read_a(page: _Page, heading: str, _caption: str, table: MarkdownTable) -> Iterator[dict]:
    """Layout A: one table a GPU, GPU and precision in the heading, blank separator rows."""
    place = f"line {table.header.line}, {heading}"
    named, header = _HEADING_A.fullmatch(heading), table.header.cells
    if not named or header[:-1] != _HEADER_A or header[-1] not in _METRIC_A:
        raise page.error(place, f"is not a table of models, lengths and throughput, but of {list(header)}")
    metric = {"metric": header[-1], "basis": _METRIC_A[header[-1]]}
    for row in table.rows:
        where = f"{_whole_row(page, heading, table, row)}, {row.cells[0]}"
        if not any(row.cells):
            continue
        counts = [
            whole_number(cell, page.source_id, f"release {page.release}, {where}, column {name}")
            for cell, name in zip(row.cells[1:5], _HEADER_A[1:], strict=True)
        ]
        column = _Column(row.cells[0], named["gpu"], named["precision"], f"TP{counts[1]}", heading)
        value = _value(page, f"{where} {counts[2]}/{counts[3]}", column, (counts[2], counts[3]), row.cells[5])
        yield value | metric | {"batch_size": counts[0]}


def _read_b(page: _Page, heading: str, _caption: str, table: MarkdownTable) -> Iterator[dict]:
    """Layout B: one wide table, three header rows in its body; model and lengths are blank when as above."""
    place = f"line {table.header.line}, {heading}"
    gpus, precisions, labels = (row.cells for row in table.rows[:3]) if len(table.rows) > 3 else ((), (), ())
    if any(table.header.cells) or gpus[2:3] != ("**GPU**",) or precisions[2:3] != ("**Precision**",):
        raise page.error(place, "has no rows of GPUs and precisions below an empty header")
    if labels[:3] != ("**Model**", "**Input/Output Lengths**", "**TP**"):
        raise page.error(place, f"the columns are labelled {list(labels[:3])}")
    model, lengths = "", ""
    for row in table.rows[3:]:
        where = _whole_row(page, heading, table, row)
        model, lengths = row.cells[0] or model, row.cells[1] or lengths
        pair = _lengths(page, where, lengths)
        tp = whole_number(row.cells[2], page.source_id, f"release {page.release}, {where}, column TP")
        for i in range(3, len(row.cells)):
            if row.cells[i]:
                label = f"{gpus[i]} {precisions[i]}"
                column = _Column(model, gpus[i], precisions[i], f"TP{tp}", label)
                place = f"{where}, {model} row {lengths} TP{tp}, column {label}"
                yield _value(page, place, column, pair, row.cells[i])


def _read_c(page: _Page, heading: str, _caption: str, table: MarkdownTable) -> Iterator[dict]:
    columns, rows = _columns_c(page, heading, table)
    return _values(page, heading, table, columns, rows)


def _read_de(page: _Page, heading: str, caption: str, table: MarkdownTable) -> Iterator[dict]:
    columns = _columns_de(page, heading, caption, table)
    return _values(page, heading, table, columns, list(table.rows))


READERS: dict[str, Callable[[_Page, str, str, MarkdownTable], Iterator[dict]]] = {
    "A": _read_a,
    "B": _read_b,
    "C": _read_c,
    "D": _read_de,
    "E": _read_de,
}


def _columns_c(page: _Page, heading: str, table: MarkdownTable) -> tuple[dict[int, _Column], list[TableRow]]:
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


def _columns_de(page: _Page, heading: str, caption: str, table: MarkdownTable) -> dict[int, _Column]:
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
    return columns


trtllm_perf = raw_asset(TABLE, parse)
