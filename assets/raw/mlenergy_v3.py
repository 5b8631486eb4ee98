"""raw.mlenergy_v3: the ML.ENERGY Leaderboard v3, one row a measured configuration of a language model."""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import load_json, read_fields
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import raw_asset

EXACT = 1e-9
"""The publisher computes energy from power and throughput; a restated file that breaks it is not accepted."""


def _ratio_is_one(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    return (numerator / denominator - 1).abs() < EXACT


TABLE = Table(
    name="raw.mlenergy_v3",
    description="ML.ENERGY Leaderboard v3 (language models): GPU energy, power and throughput in steady state with "
    "vLLM on H100 and B200. Boundary gpu: all GPUs of the run summed, as NVML reports them. Output tokens, per group.",
    grain=KEY,
    identity=("task", "model_id", "gpu_model", "num_gpus", "max_num_seqs", "weight_precision"),
    columns=(
        *PROVENANCE,
        Column("task", pl.String, "Task whose prompts were served."),
        Column("model_id", pl.String, "Model as printed."),
        Column("nickname", pl.String, "Model's short name as printed."),
        Column("architecture", pl.String, "Architecture as printed.", nullable=True),
        Column("total_params_billions", pl.Float64, "Parameters, billions.", low=0.1, high=10_000),
        Column("activated_params_billions", pl.Float64, "Active parameters, billions.", low=0.1, high=10_000),
        Column("weight_precision", pl.String, "Precision of the weights; partly the publisher's guess."),
        Column("gpu_model", pl.String, "GPU as printed."),
        Column("num_gpus", pl.Int64, "GPUs of the run.", low=1, high=1024),
        Column("tensor_parallel", pl.Int64, "Tensor parallel degree.", low=1, high=1024),
        Column("expert_parallel", pl.Int64, "Expert parallel degree.", low=1, high=1024),
        Column("data_parallel", pl.Int64, "Data parallel degree.", low=1, high=1024),
        Column("max_num_seqs", pl.Int64, "Most requests in flight.", low=1, high=100_000),
        Column("avg_batch_size", pl.Float64, "Mean requests in flight.", low=0.01, high=100_000),
        Column("avg_output_len", pl.Float64, "Mean output tokens.", unit="token", low=1, high=1e6),
        Column("output_throughput_tokens_per_sec", pl.Float64, "Output tokens/s.", unit="1/s", low=0.1, high=1e6),
        Column("avg_power_watts", pl.Float64, "Mean power of all GPUs.", unit="W", low=20, high=1e6),
        Column("energy_per_token_joules", pl.Float64, "GPU energy per output token.", unit="J", low=1e-5, high=1e4),
        Column("energy_per_request_joules", pl.Float64, "GPU energy per request.", unit="J", low=1e-3, high=1e8),
        Column("median_itl_ms", pl.Float64, "Median time between tokens.", unit="ms", low=0.01, high=1e5),
        Column("p90_itl_ms", pl.Float64, "90th percentile of it.", unit="ms", low=0.01, high=1e5),
        Column("p95_itl_ms", pl.Float64, "95th percentile of it.", unit="ms", low=0.01, high=1e5),
        Column("p99_itl_ms", pl.Float64, "99th percentile of it.", unit="ms", low=0.01, high=1e5),
    ),
    min_rows=500,
    rules=(
        Rule(
            "Energy per token is power over throughput",
            _ratio_is_one(
                pl.col("energy_per_token_joules") * pl.col("output_throughput_tokens_per_sec"),
                pl.col("avg_power_watts"),
            ),
            check="contract",
            show="energy_per_token_joules",
        ),
        Rule(
            "Energy per request is energy per token times output tokens",
            _ratio_is_one(
                pl.col("energy_per_token_joules") * pl.col("avg_output_len"), pl.col("energy_per_request_joules")
            ),
            check="contract",
            show="energy_per_request_joules",
        ),
    ),
)
_PRINTED = {c.name: c.dtype for c in TABLE.columns[len(PROVENANCE) :] if c.name != "task"}
_OPTIONAL = frozenset({"architecture"})
_DOCUMENT_KEYS = {"task", "task_display_name", "configurations"}
_REMEDY = "If ML.ENERGY changed the format, edit assets/raw/mlenergy_v3.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All configurations of one task. Raises SourceError with the JSON pointer."""
    place = document.release
    printed = load_json(content, source.source_id, place)
    if not isinstance(printed, dict) or set(printed) != _DOCUMENT_KEYS:
        raise SourceError(source.source_id, f"{place}, /", f"is not an object of {sorted(_DOCUMENT_KEYS)}", _REMEDY)
    configurations, task = printed["configurations"], printed["task"]
    if not isinstance(configurations, list) or not configurations or not isinstance(task, str):
        raise SourceError(source.source_id, f"{place}, /configurations", "is not a list of configurations", _REMEDY)
    rows = []
    for i, configuration in enumerate(configurations):
        where = f"/configurations/{i}"
        fields = read_fields(
            source.source_id, f"{place}, {where}", configuration, _PRINTED, optional=_OPTIONAL, remedy=_REMEDY
        )
        rows.append({"locator": where, "task": task} | fields)
    return pl.DataFrame(rows, schema={"locator": pl.String, "task": pl.String} | _PRINTED)


mlenergy_v3 = raw_asset(TABLE, parse)
