"""raw.mlperf_inference: MLCommons' MLPerf Inference summaries, one row a printed result, power where it has it."""

import re

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import number
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import fits, load_json
from pipelines.tables.contract import Column, Table
from pipelines.wiring import raw_asset

TABLE = Table(
    name="raw.mlperf_inference",
    description="MLPerf Inference results, rounds v4.1 and v5.1: one row per printed result of any model. "
    "Performance of the whole system (Nodes x a# accelerators) in the printed unit; mean wall power of the whole "
    "system in the scored window where it was metered.",
    grain=KEY,
    identity=("ID", "UsedModel", "Scenario", "Category", "Suite"),
    columns=(
        *PROVENANCE,
        Column("ID", pl.String, "Result id of the round."),
        Column("Submitter", pl.String, "Who submitted."),
        Column("Availability", pl.String, "Whether the system can be had."),
        Column("Category", pl.String, "Division.", allowed=("closed", "open")),
        Column("Suite", pl.String, "Suite.", allowed=("datacenter", "edge", "datacenter,edge")),
        Column("System", pl.String, "System as printed."),
        Column("Platform", pl.String, "Platform as printed; tells pruned and power-capped variants."),
        Column("UsedModel", pl.String, "Model as printed, with the accuracy target."),
        Column("Scenario", pl.String, "Load and latency rules."),
        Column("TOKENS_PER_SAMPLE", pl.Float64, "Mean output tokens, from the Accuracy text.", low=1, nullable=True),
        Column("Nodes", pl.Int64, "Nodes of the system.", low=1, high=1000),
        Column("Processor", pl.String, "Host processor as printed.", nullable=True),
        Column("Accelerator", pl.String, "Accelerator as printed; empty: processors only.", nullable=True),
        Column("a#", pl.Int64, "Accelerators per node; empty: none.", low=1, high=1000, nullable=True),
        Column("Software", pl.String, "Software as printed.", nullable=True),
        Column("Notes", pl.String, "Notes as printed; the only place of a board's power limit.", nullable=True),
        Column("weight_data_types", pl.String, "Weight data type as printed; unreliable in v4.1."),
        Column("has_power", pl.Boolean, "Whether the run was metered."),
        Column("Performance_Result", pl.Float64, "The result, in Performance_Units.", low=0),
        Column("Performance_Units", pl.String, "Unit as printed."),
        Column("Power_Result", pl.Float64, "Mean wall power or energy, in Power_Units.", low=0, nullable=True),
        Column("Power_Units", pl.String, "Unit as printed.", nullable=True),
    ),
    min_rows=1000,
)
_TAKEN = [column.name for column in TABLE.columns[len(PROVENANCE) :] if column.name != "TOKENS_PER_SAMPLE"]
_OPTIONAL = {"Power_Result", "Power_Units"}
_LEFT_OUT = {
    "Model", "Accuracy", "host_processors_per_node", "host_processor_core_count", "Location", "operating_system",
    "compliance", "errors", "version", "inferred", "p#", "Details", "Code", "Unique ID (e.g. for Audit)", "ColorKey",
}  # fmt: skip
_KNOWN = set(_TAKEN) | _LEFT_OUT
_TOKENS_PER_SAMPLE = re.compile(r"TOKENS_PER_SAMPLE: ([0-9.]+)")
_REMEDY = "If MLCommons changed the format, edit assets/raw/mlperf_inference.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All results of a round. Raises SourceError with the JSON pointer."""
    results = load_json(content, source.source_id, f"round {document.release}")
    if not isinstance(results, list) or not results:
        raise SourceError(source.source_id, f"round {document.release}, /", "is not a list of results", _REMEDY)
    rows = [_row(source, document, i, result) for i, result in enumerate(results)]
    schema = {"locator": pl.String} | {c.name: c.dtype for c in TABLE.columns[len(PROVENANCE) :]}
    return pl.DataFrame(rows, schema=schema)


def _row(source: Source, document: Document, index: int, result: dict) -> dict:
    def error(key: str, problem: str) -> SourceError:
        return SourceError(source.source_id, f"round {document.release}, /{index}/{key}", problem, _REMEDY)

    if not isinstance(result, dict):
        raise error("", "is not an object")
    if unknown := set(result) - _KNOWN:
        raise error(min(unknown), "is a key not known before")
    if missing := _KNOWN - set(result) - _OPTIONAL:
        raise error(min(missing), "is missing")
    row = {"locator": f"/{index}"}
    for name in _TAKEN:
        value = result.get(name)
        if value is not None and value != "" and not fits(value, TABLE.schema[name]):
            raise error(name, f"{value!r} is not {TABLE.schema[name]}")
        row[name] = None if value == "" else int(value) if TABLE.schema[name] == pl.Int64 and value else value
    if row["Performance_Result"] is None or row["Performance_Result"] < 0:
        raise error("Performance_Result", f"{result['Performance_Result']!r} is not a non-negative number")
    if not isinstance(result["Accuracy"], str):
        raise error("Accuracy", f"{result['Accuracy']!r} is not text")
    tokens = _TOKENS_PER_SAMPLE.search(result["Accuracy"])
    place = f"round {document.release}, /{index}/Accuracy"
    return row | {"TOKENS_PER_SAMPLE": number(tokens[1], source.source_id, place) if tokens else None}


mlperf_inference = raw_asset(TABLE, parse)
