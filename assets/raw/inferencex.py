"""raw.inferencex: SemiAnalysis InferenceX serving benchmarks, one row a configuration and concurrency.

The captures may not be redistributed: they are fetched, never kept in the repository, and exports leave them out.
"""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import load_json, read_fields
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import raw_asset

IDENTITY = 1e-6
"""Published figures are printed to some seven digits."""

_DEGREE = {"low": 0, "high": 1024}
_RATE = {"unit": "1/s", "low": 1e-3, "high": 1e6, "nullable": True}
TABLE = Table(
    name="raw.inferencex",
    description="InferenceX: serving throughput swept over concurrency. Per GPU, input + output in tput_per_gpu; on "
    "disaggregated rows input per prefill GPU and output per decode GPU. Latencies are left out. Board power where "
    "measured.",
    grain=KEY,
    identity=(
        "hardware",
        "framework",
        "model",
        "precision",
        "spec_method",
        "disagg",
        "is_multinode",
        "prefill_tp",
        "prefill_ep",
        "prefill_dp_attention",
        "prefill_num_workers",
        "decode_tp",
        "decode_ep",
        "decode_dp_attention",
        "decode_num_workers",
        "num_prefill_gpu",
        "num_decode_gpu",
        "isl",
        "osl",
        "conc",
    ),
    columns=(
        *PROVENANCE,
        Column("hardware", pl.String, "Accelerator as printed."),
        Column("framework", pl.String, "Serving software as printed."),
        Column("model", pl.String, "Model as printed."),
        Column("precision", pl.String, "Precision as printed."),
        Column("spec_method", pl.String, "Speculative decoding."),
        Column("disagg", pl.Boolean, "Whether prefill and decode have pools of their own."),
        Column("is_multinode", pl.Boolean, "Whether several nodes serve."),
        *(
            Column(f"{pool}_{name}", pl.Boolean if name == "dp_attention" else pl.Int64, f"{pool} pool: {name}.")
            for pool in ("prefill", "decode")
            for name in ("tp", "ep", "dp_attention", "num_workers")
        ),
        Column("num_prefill_gpu", pl.Int64, "GPUs of the prefill pool; the one pool where not disagg.", **_DEGREE),
        Column("num_decode_gpu", pl.Int64, "GPUs of the decode pool; the same pool where not disagg.", **_DEGREE),
        Column("isl", pl.Int64, "Input tokens.", low=1, high=1_000_000),
        Column("osl", pl.Int64, "Output tokens.", low=1, high=1_000_000),
        Column("conc", pl.Int64, "Clients at a time.", low=1, high=1_000_000),
        Column("date", pl.String, "Day of the run."),
        Column("tput_per_gpu", pl.Float64, "Input and output tokens/s per GPU.", unit="1/s", low=1e-3, high=1e6),
        Column("input_tput_per_gpu", pl.Float64, "Input tokens/s per (prefill) GPU.", **_RATE),
        Column("output_tput_per_gpu", pl.Float64, "Output tokens/s per (decode) GPU.", **_RATE),
        Column("avg_power_w", pl.Float64, "Mean board power per GPU.", unit="W", low=20, high=3000, nullable=True),
        Column("joules_per_output_token", pl.Float64, "As printed.", unit="J", low=1e-4, high=1e4, nullable=True),
    ),
    min_rows=0,
    rules=(
        Rule(
            "Where one pool serves, total throughput is input and output together",
            pl.col("disagg")
            | (
                ((pl.col("input_tput_per_gpu") + pl.col("output_tput_per_gpu")) / pl.col("tput_per_gpu") - 1).abs()
                < IDENTITY
            ),
            show="tput_per_gpu",
        ),
    ),
)
_METRICS = ("tput_per_gpu", "input_tput_per_gpu", "output_tput_per_gpu", "avg_power_w", "joules_per_output_token")
_PRINTED = {c.name: c.dtype for c in TABLE.columns[len(PROVENANCE) :] if c.name not in _METRICS}
_LEFT_OUT = frozenset({"image", "metrics", "workers", "run_url"})
_REMEDY = "If InferenceX changed the format, edit assets/raw/inferencex.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All benchmark rows. Raises SourceError with the JSON pointer."""
    printed = load_json(content, source.source_id, document.release)
    if not isinstance(printed, list) or not printed:
        raise SourceError(source.source_id, f"{document.release}, /", "is not a list of benchmarks", _REMEDY)
    rows = [_row(source, document, i, benchmark) for i, benchmark in enumerate(printed)]
    schema = {"locator": pl.String} | {c.name: c.dtype for c in TABLE.columns[len(PROVENANCE) :]}
    return pl.DataFrame(rows, schema=schema)


def _row(source: Source, document: Document, index: int, benchmark: object) -> dict:
    place = f"{document.release}, /{index}"
    row = read_fields(source.source_id, place, benchmark, _PRINTED, left_out=_LEFT_OUT, remedy=_REMEDY)
    metrics = benchmark.get("metrics")
    if not isinstance(metrics, dict):
        raise SourceError(source.source_id, f"{place}/metrics", "is not an object", _REMEDY)
    # metrics that were not measured are absent; new ones (latency percentiles) come and go, so only ours are read
    ours = {name: metrics[name] for name in _METRICS if name in metrics}
    schema = dict.fromkeys(_METRICS, pl.Float64)
    optional = frozenset(_METRICS[1:])
    fields = read_fields(source.source_id, f"{place}/metrics", ours, schema, optional=optional, remedy=_REMEDY)
    return {"locator": f"/{index}"} | row | fields


inferencex = raw_asset(TABLE, parse)
