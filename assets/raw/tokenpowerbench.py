"""raw.tokenpowerbench: runs of TokenPowerBench with metered GPUs, one row a record of one batch size.

One document of many files, a run of the publisher's script each, with a record for each batch size. The limit of
output tokens stands in the file's name alone, which the script makes of engine, model, batch sizes, limit and time.
"""

import re
from dataclasses import dataclass

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.bundles import unpack
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import load_json, read_fields
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import raw_asset

EXACT = 1e-9
"""The publisher computes energies from powers; a restated file that breaks it is not accepted."""
_ZERO = "0 where the counters could not be read, which is not a measurement"
_BOARDS = [f"gpu{i}_power_watts" for i in range(4)]
_BOARD = "Mean power of GPU {}, used or idle; empty where it was not metered."


def _equal(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return (a - b).abs() <= EXACT * pl.max_horizontal(a.abs(), b.abs())


_NAME = (
    Column("file_name", pl.String, "Name of the file: engine, model, batch sizes, limit of output tokens, time."),
    Column("record", pl.Int64, "Place of the record in the file, from 0.", low=0, high=1000),
    Column("max_output_tokens", pl.Int64, "Limit of output tokens, as named.", unit="token", low=1, high=1_000_000),
    Column("saved_at", pl.String, "When the file was saved, from the name; no time zone."),
)
_RECORD = (
    Column("model", pl.String, "Model as printed."),
    Column("engine", pl.String, "Serving software as printed.", allowed=("vllm", "deepspeed")),
    Column("batch_size", pl.Int64, "Prompts handed over together.", low=1, high=100_000),
    Column("duration", pl.Float64, "Time of inference; power was metered from two seconds before.", unit="s", low=1e-3),
    Column("total_output_tokens", pl.Int64, "Output tokens of all responses.", unit="token", low=1, high=10**10),
    Column("responses", pl.Int64, "Responses.", low=1, high=10**9),
    Column(
        "gpu_avg_power",
        pl.Float64,
        "Mean power of all metered boards, idle ones too, diluted by idle seconds around a short run.",
        unit="W",
        low=1,
        high=1e5,
    ),
    *(
        Column(board, pl.Float64, _BOARD.format(i), unit="W", low=1, high=2000, nullable=i > 0)
        for i, board in enumerate(_BOARDS)
    ),
    Column("cpu_avg_power", pl.Float64, f"Mean power of the CPUs; {_ZERO}.", unit="W", low=0, high=1e5),
    Column("dram_avg_power", pl.Float64, f"Mean power of the memory; {_ZERO}.", unit="W", low=0, high=1e5),
    Column(
        "total_avg_power",
        pl.Float64,
        f"Mean power of the whole server, as its board controller reads it, not the sum of the parts; {_ZERO}.",
        unit="W",
        low=0,
        high=1e6,
    ),
    Column("gpu_energy", pl.Float64, "Energy of all metered boards.", unit="J", low=1e-3, high=1e12),
    Column("cpu_energy", pl.Float64, f"Energy of the CPUs; {_ZERO}.", unit="J", low=0, high=1e12),
    Column("dram_energy", pl.Float64, f"Energy of the memory; {_ZERO}.", unit="J", low=0, high=1e12),
    Column(
        "total_energy",
        pl.Float64,
        "Energy of the whole server where it was read, else of GPUs and CPUs.",
        unit="J",
        low=1e-3,
        high=1e12,
    ),
    Column(
        "energy_per_token",
        pl.Float64,
        "total_energy per output token: of the server or of GPUs and CPUs.",
        unit="J",
        low=1e-6,
        high=1e5,
    ),
    Column("gpu_energy_per_token", pl.Float64, "gpu_energy per output token.", unit="J", low=1e-6, high=1e5),
    Column(
        "total_energy_per_token", pl.Float64, f"Of the server, per output token; {_ZERO}.", unit="J", low=0, high=1e5
    ),
    Column(
        "gpu_energy_per_response",
        pl.Float64,
        "As printed: gpu_energy over the number of CPU samples, not over the responses.",
        unit="J",
        low=0,
        high=1e9,
    ),
    Column("gpu_memory_total_mb", pl.Float64, "Memory of one board, MB.", unit="MB", low=1000, high=1e7, nullable=True),
)
TABLE = Table(
    name="raw.tokenpowerbench",
    description="TokenPowerBench (arXiv:2512.03024): power and energy of short runs of Llama 3.1 and 3.2 (1B to 8B) on "
    "one server. Boundary gpu: all metered boards, idle ones too. Output tokens of the whole run. Figures that the "
    "publisher repeats as text or in other units are left out.",
    grain=KEY,
    identity=("file_name", "record"),
    columns=(*PROVENANCE, *_NAME, *_RECORD),
    min_rows=150,
    rules=(
        Rule(
            "GPU power is the sum of the metered boards",
            _equal(pl.sum_horizontal(_BOARDS), pl.col("gpu_avg_power")),
            check="contract",
            show="gpu_avg_power",
        ),
        Rule(
            "Energy of GPUs, CPUs and memory is their power times the duration",
            _equal(pl.col("gpu_energy"), pl.col("gpu_avg_power") * pl.col("duration"))
            & _equal(pl.col("cpu_energy"), pl.col("cpu_avg_power") * pl.col("duration"))
            & _equal(pl.col("dram_energy"), pl.col("dram_avg_power") * pl.col("duration")),
            check="contract",
            show="gpu_energy",
        ),
        Rule(
            "Total energy is that of the server where it was read, else of GPUs and CPUs",
            _equal(
                pl.col("total_energy"),
                pl.when(pl.col("total_avg_power") > 0)
                .then(pl.col("total_avg_power") * pl.col("duration"))
                .otherwise(pl.col("gpu_energy") + pl.col("cpu_energy")),
            ),
            check="contract",
            show="total_energy",
        ),
        Rule(
            "Energy per token is energy over output tokens",
            _equal(pl.col("energy_per_token") * pl.col("total_output_tokens"), pl.col("total_energy"))
            & _equal(pl.col("gpu_energy_per_token") * pl.col("total_output_tokens"), pl.col("gpu_energy"))
            & _equal(
                pl.col("total_energy_per_token") * pl.col("total_output_tokens"),
                pl.col("total_avg_power") * pl.col("duration"),
            ),
            check="contract",
            show="energy_per_token",
        ),
        Rule(
            "A server that was read draws at least what its GPUs, CPUs and memory draw",
            (pl.col("total_avg_power") == 0)
            | (pl.col("total_avg_power") >= pl.sum_horizontal("gpu_avg_power", "cpu_avg_power", "dram_avg_power")),
            show="total_avg_power",
        ),
        Rule(
            # counted by tokenizing the text again: one run has 33.5 tokens a response where 32 were allowed
            "Output tokens of a response are within a tenth of their limit",
            pl.col("total_output_tokens") <= 1.1 * pl.col("max_output_tokens") * pl.col("responses"),
            show="total_output_tokens",
        ),
    ),
)
_PRINTED = {column.name: column.dtype for column in (*_NAME, *_RECORD)}
_READ = {column.name: column.dtype for column in _RECORD}
_OPTIONAL = frozenset(column.name for column in _RECORD if column.nullable)
_PARTS = ("gpu", "cpu", "dram", "total")
_REPEATED = frozenset(
    {f"{part}_{what}_formatted" for part in _PARTS for what in ("power", "energy")}
    | {f"{part}_energy_per_{what}_formatted" for part in _PARTS for what in ("second", "response")}
    | {f"{part}_energy_per_second" for part in _PARTS}
    | {f"{part}_energy_per_token_mj" for part in _PARTS}
    | {f"{part}_energy_per_token" for part in ("cpu", "dram")}
    | {f"{part}_energy_per_response" for part in ("cpu", "dram", "total")}
    | {f"package-{i}{part}_power_watts" for i in (0, 1) for part in ("", "-dram")}
    | {"psys_power_watts", "dram_domains", "cpu_domain_power", "formatted_output"}
    | {"gpu_memory_after_load_mb", "gpu_peak_memory_mb"}
)
"""What is not read: figures printed again as text or in other units, parts of the CPU power, memory in use."""
_WITHOUT_RECORD = frozenset({"vllm_models--Llama-3.2-3B_32-64_200_20250529_035453.json"})
"""Files that are published as an empty object: a run that saved nothing. Any other file without a record is refused."""
_FILE_NAME = re.compile(
    r"(?P<engine>vllm|deepspeed)_models--(?P<model>[A-Za-z0-9.-]+)_(?P<batch_sizes>[0-9]{1,6}(?:-[0-9]{1,6})*)"
    r"_(?P<max_output_tokens>[0-9]{1,6})_(?P<time>[0-9]{8}_[0-9]{6})\.json"
)
_REMEDY = "If the publisher changed its files, edit assets/raw/tokenpowerbench.py."


@dataclass(frozen=True)
class _Run:
    """What the name of a file says of it."""

    file_name: str
    engine: str
    model: str
    batch_sizes: tuple[int, ...]
    max_output_tokens: int
    time: str


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """The records of each file. Raises SourceError with the file's name and, within it, the JSON pointer."""
    rows = []
    for file_name, text in unpack(content, source.source_id, document.release).items():
        rows += _rows(source, _run(source, file_name), load_json(text.encode(), source.source_id, file_name))
    return pl.DataFrame(rows, schema={"locator": pl.String} | _PRINTED)


def _run(source: Source, file_name: str) -> _Run:
    found = _FILE_NAME.fullmatch(file_name)
    if found is None:
        problem = "is no name of engine, model, batch sizes, limit of output tokens and time"
        raise SourceError(source.source_id, file_name, problem, _REMEDY)
    batch_sizes = tuple(int(size) for size in found["batch_sizes"].split("-"))
    return _Run(file_name, found["engine"], found["model"], batch_sizes, int(found["max_output_tokens"]), found["time"])


def _rows(source: Source, run: _Run, printed: object) -> list[dict]:
    """The records of one run: one for each batch size of the name, in that order."""
    if printed == {} and run.file_name in _WITHOUT_RECORD:
        return []
    if not isinstance(printed, dict) or list(printed) != [run.model]:
        raise SourceError(source.source_id, f"{run.file_name}, /", f"is not an object of {run.model} alone", _REMEDY)
    records = printed[run.model]
    if not isinstance(records, list) or len(records) != len(run.batch_sizes):
        problem = f"is not a list of records, one for each batch size of {run.batch_sizes}"
        raise SourceError(source.source_id, f"{run.file_name}, /{run.model}", problem, _REMEDY)
    return [_row(source, run, i, record) for i, record in enumerate(records)]


def _row(source: Source, run: _Run, i: int, record: object) -> dict:
    place = f"{run.file_name}, /{run.model}/{i}"
    row = read_fields(source.source_id, place, record, _READ, optional=_OPTIONAL, left_out=_REPEATED, remedy=_REMEDY)
    named = {"engine": run.engine, "model": run.model, "batch_size": run.batch_sizes[i]}
    for name, value in named.items():
        if row[name] != value:
            problem = f"is {row[name]!r}, the file's name says {value!r}"
            raise SourceError(source.source_id, f"{place}/{name}", problem, _REMEDY)
    told = {"file_name": run.file_name, "record": i, "max_output_tokens": run.max_output_tokens}
    return {"locator": place, "saved_at": run.time} | told | row


tokenpowerbench = raw_asset(TABLE, parse)
