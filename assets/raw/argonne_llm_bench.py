"""raw.argonne_llm_bench: LLM-Inference-Bench, batch latency and throughput, one row a printed row of its two tables.

`All_results.csv` (release all-results) is all of it; `Fig_16_a_b/power_results.csv` (fig-16-power) prints 48 of these
rows again with the mean power of one GPU. The file is blocks with blank lines between them.
"""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import csv_records, number, utf8, whole_number
from pipelines.sources.errors import SourceError
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import raw_asset

EXACT = 1e-9
ROUNDED = 1e-5
"""llama.cpp rows print six decimals."""
_TOKENS_PER_REQUEST = 2 * pl.col("Input Output Length")
_IS_LLAMA_CPP = pl.col("Framework") == "llama.cpp"


def _is(printed: pl.Expr, expected: pl.Expr, tolerance: float) -> pl.Expr:
    return (printed / expected - 1).abs() < tolerance


TABLE = Table(
    name="raw.argonne_llm_bench",
    description="LLM-Inference-Bench (arXiv:2411.00136): latency and throughput of one batch at equal input and output "
    "length, with the mean power of the one GPU on 48 rows that are printed twice (boundary gpu). Throughput counts "
    "input and output tokens of the whole group of GPUs. llama.cpp rows serve one request, whatever batch they print.",
    grain=KEY,
    identity=("Hardware", "Num of Hardware", "Framework", "Model", "Input Output Length", "Batch Size"),
    columns=(
        *PROVENANCE,
        Column("Hardware", pl.String, "Accelerator as printed."),
        Column("Num of Hardware", pl.Int64, "Accelerators of the group.", low=1, high=1024),
        Column("Framework", pl.String, "Serving software as printed."),
        Column("Model", pl.String, "Model as printed."),
        Column(
            "Input Output Length", pl.Int64, "Input tokens, and as many output.", unit="token", low=1, high=1_000_000
        ),
        Column(
            "Batch Size",
            pl.Int64,
            "Requests of the batch; of llama.cpp, prompt tokens read at once.",
            low=1,
            high=100_000,
        ),
        Column("Latency", pl.Float64, "Time of the batch.", unit="s", low=1e-4, high=1e6),
        Column("Throughput", pl.Float64, "Input and output tokens/s of the group.", unit="1/s", low=1e-3, high=1e7),
        Column(
            "avg_power",
            pl.Float64,
            "Mean power of the one GPU, in mW; only in fig-16-power.",
            unit="mW",
            low=20_000,
            high=2e6,
            nullable=True,
        ),
    ),
    min_rows=4000,
    rules=(
        Rule(
            "Throughput is input and output tokens of the batch over its latency, but for llama.cpp",
            _IS_LLAMA_CPP
            | _is(pl.col("Throughput"), _TOKENS_PER_REQUEST * pl.col("Batch Size") / pl.col("Latency"), EXACT),
            check="contract",
            show="Throughput",
        ),
        Rule(
            "Throughput of llama.cpp is input and output tokens of one request over its latency",
            ~_IS_LLAMA_CPP | _is(pl.col("Throughput"), _TOKENS_PER_REQUEST / pl.col("Latency"), ROUNDED),
            check="contract",
            show="Throughput",
        ),
    ),
)
_PRINTED = [column.name for column in TABLE.columns[len(PROVENANCE) :]]
_HEADERS = {"results": [name for name in _PRINTED if name != "avg_power"], "power": _PRINTED}
_READ = {pl.Int64: whole_number, pl.Float64: number}
_REMEDY = "If the publisher changed the file, edit assets/raw/argonne_llm_bench.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All printed rows. Raises SourceError naming line and column."""
    records = csv_records(utf8(content, source.source_id, document.place), source.source_id)
    _, header = next(records, (1, []))
    if header != _HEADERS[document.layout]:
        problem = f"columns are {header}, expected {_HEADERS[document.layout]}"
        raise SourceError(source.source_id, f"{document.release}, line 1", problem, _REMEDY)
    rows = [_row(source, document, header, line, cells) for line, cells in records if cells]
    return pl.DataFrame(rows, schema={"locator": pl.String} | {name: TABLE.schema[name] for name in _PRINTED})


def _row(source: Source, document: Document, header: list[str], line: int, cells: list[str]) -> dict:
    place = f"{document.release}, line {line}"
    if len(cells) != len(header):
        raise SourceError(source.source_id, place, f"has {len(cells)} cells, the header {len(header)}", _REMEDY)
    row: dict = {"locator": f"line {line}", "avg_power": None}
    for name, cell in zip(header, cells, strict=True):
        read = _READ.get(TABLE.schema[name])
        row[name] = read(cell, source.source_id, f"{place}, column {name}") if read else cell or None
    return row


argonne_llm_bench = raw_asset(TABLE, parse)
