"""raw.mlperf_inference: MLCommons' MLPerf Inference summaries, one row a printed result, power where it has it.

Rounds v4.1 and v5.1 are one summary each (layout `summary`). Of v4.0 there are the tables of the repository
cm4mlperf-results (layout `cm`): other keys for the same things, no weight data type, and power on a row of its own,
next to the row of the same run that has its performance.
"""

import re

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import number
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import fits, load_json
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import raw_asset

TABLE = Table(
    name="raw.mlperf_inference",
    description="MLPerf Inference results, rounds v4.1 and v5.1 of any model, v4.0 of language models in the closed "
    "division: one row per printed result. Performance of the whole system (Nodes x a# accelerators) in the printed "
    "unit; mean wall power of the whole system in the scored window where it was metered. v4.0 prints power on a row "
    "of its own, with the Platform, UsedModel and Scenario of the row that has the performance.",
    grain=KEY,
    identity=("ID", "UsedModel", "Scenario", "Category", "Suite"),
    columns=(
        *PROVENANCE,
        Column("ID", pl.String, "Result id of the round; in v4.0 the uid of the printed row."),
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
        Column("weight_data_types", pl.String, "As printed; unreliable in v4.1, absent in v4.0.", nullable=True),
        Column("has_power", pl.Boolean, "Whether the run was metered."),
        Column(
            "Performance_Result",
            pl.Float64,
            "The result, in Performance_Units; empty on the rows of v4.0 that print power.",
            low=0,
            nullable=True,
        ),
        Column("Performance_Units", pl.String, "Unit as printed; wrong on some rows.", nullable=True),
        Column("Power_Result", pl.Float64, "Mean wall power or energy, in Power_Units.", low=0, nullable=True),
        Column("Power_Units", pl.String, "Unit as printed.", nullable=True),
    ),
    min_rows=1000,
    rules=(
        Rule(
            "A row prints a performance, a power, or both",
            pl.col("Performance_Result").is_not_null() | pl.col("Power_Result").is_not_null(),
            check="contract",
            show="ID",
        ),
        Rule(
            "A performance and a power stand with their units",
            (pl.col("Performance_Result").is_null() == pl.col("Performance_Units").is_null())
            & (pl.col("Power_Result").is_null() == pl.col("Power_Units").is_null()),
            check="contract",
            show="ID",
        ),
    ),
)
_TAKEN = [column.name for column in TABLE.columns[len(PROVENANCE) :] if column.name != "TOKENS_PER_SAMPLE"]
_OPTIONAL = {"Power_Result", "Power_Units"}
_NEVER_EMPTY_IN_A_SUMMARY = ("weight_data_types", "Performance_Units")
_LEFT_OUT = {
    "Model", "Accuracy", "host_processors_per_node", "host_processor_core_count", "Location", "operating_system",
    "compliance", "errors", "version", "inferred", "p#", "Details", "Code", "Unique ID (e.g. for Audit)", "ColorKey",
}  # fmt: skip
_KNOWN = set(_TAKEN) | _LEFT_OUT
_CM_NAME = {
    "ID": "uid", "Submitter": "Organization", "Availability": "Availability", "Category": "Division",
    "Suite": "SystemType", "System": "SystemName", "Platform": "Platform", "UsedModel": "Model", "Scenario": "Scenario",
    "Nodes": "number_of_nodes", "Processor": "host_processor_model_name", "Accelerator": "accelerator_model_name",
    "a#": "accelerators_per_node", "Software": "framework", "Notes": "notes", "has_power": "has_power",
    "Performance_Result": "Result", "Performance_Units": "Units", "Power_Result": "Result_Power",
}  # fmt: skip
"""What cm4mlperf-results calls our columns, which are named as the summaries of v4.1 and v5.1 have them."""
_CM_POWER, _CM_POWER_UNITS = "Result_Power", "Watts"
_CM_LEFT_OUT = {
    "MlperfModel", "Accuracy", "Accuracy_div_100", "Location", "Result_Units", "compliance", "errors", "git_url",
    "host_processor_core_count", "host_processors_per_node", "inferred", "operating_system", "url", "version",
}  # fmt: skip
_CM_KNOWN = set(_CM_NAME.values()) | _CM_LEFT_OUT
_CM_NONE = "N/A"
_TOKENS_PER_SAMPLE = re.compile(r"TOKENS_PER_SAMPLE: ([0-9.]+)")
_REMEDY = "If MLCommons changed the format, edit assets/raw/mlperf_inference.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All results of a document. Raises SourceError with the JSON pointer."""
    results = load_json(content, source.source_id, f"round {document.release}")
    if not isinstance(results, list) or not results:
        raise SourceError(source.source_id, f"round {document.release}, /", "is not a list of results", _REMEDY)
    read = _row_of_cm if document.layout == "cm" else _row_of_summary
    rows = [{"locator": f"/{i}"} | read(_Result(source, document, i, result)) for i, result in enumerate(results)]
    schema = {"locator": pl.String} | {c.name: c.dtype for c in TABLE.columns[len(PROVENANCE) :]}
    return pl.DataFrame(rows, schema=schema)


class _Result:
    """One printed result, and how to complain about one of its keys."""

    def __init__(self, source: Source, document: Document, index: int, printed: object) -> None:
        self.source_id = source.source_id
        self.at = f"round {document.release}, /{index}"
        if not isinstance(printed, dict):
            raise self.error("", "is not an object")
        self.printed = printed

    def error(self, key: str, problem: str) -> SourceError:
        return SourceError(self.source_id, f"{self.at}/{key}", problem, _REMEDY)

    def must_have(self, known: set[str], optional: set[str]) -> None:
        if unknown := set(self.printed) - known:
            raise self.error(min(unknown), "is a key not known before")
        if missing := known - set(self.printed) - optional:
            raise self.error(min(missing), "is missing")

    def value(self, key: str, column: str) -> object:
        """What stands under `key`, of the type of `column`; null where it is empty or absent."""
        value = self.printed.get(key)
        if value is None or value == "":
            return None
        if not fits(value, TABLE.schema[column]):
            raise self.error(key, f"{value!r} is not {TABLE.schema[column]}")
        return int(value) if TABLE.schema[column] == pl.Int64 else value

    def non_negative(self, key: str, column: str) -> object:
        value = self.value(key, column)
        if value is None or value < 0:
            raise self.error(key, f"{self.printed.get(key)!r} is not a non-negative number")
        return value


def _row_of_summary(result: _Result) -> dict:
    result.must_have(_KNOWN, _OPTIONAL)
    row = {name: result.value(name, name) for name in _TAKEN}
    result.non_negative("Performance_Result", "Performance_Result")
    for name in _NEVER_EMPTY_IN_A_SUMMARY:
        if row[name] is None:
            raise result.error(name, "is empty")
    accuracy = result.printed["Accuracy"]
    if not isinstance(accuracy, str):
        raise result.error("Accuracy", f"{accuracy!r} is not text")
    tokens = _TOKENS_PER_SAMPLE.search(accuracy)
    place = f"{result.at}/Accuracy"
    return row | {"TOKENS_PER_SAMPLE": number(tokens[1], result.source_id, place) if tokens else None}


def _row_of_cm(result: _Result) -> dict:
    """A row of v4.0: performance, or the power of the same run."""
    result.must_have(_CM_KNOWN, {_CM_POWER})
    printed = result.printed
    if printed["Result_Units"] != printed["Units"]:
        raise result.error("Result_Units", f"{printed['Result_Units']!r} is not the unit under Units")
    without = {"Accelerator", "a#"} if _has_no_accelerator(printed) else set()
    row = {name: None if name in without else result.value(key, name) for name, key in _CM_NAME.items()}
    row |= {"Power_Units": None, "weight_data_types": None, "TOKENS_PER_SAMPLE": None}
    if _CM_POWER not in printed:
        result.non_negative("Result", "Performance_Result")
        return row
    result.non_negative(_CM_POWER, "Power_Result")
    if row["Performance_Result"] is not None:
        raise result.error("Result", f"{printed['Result']!r} stands on a row of power")
    if row["Performance_Units"] != _CM_POWER_UNITS:
        raise result.error("Units", f"{printed['Units']!r} is not {_CM_POWER_UNITS}")
    return row | {"Performance_Units": None, "Power_Units": _CM_POWER_UNITS}


def _has_no_accelerator(printed: dict) -> bool:
    """v4.0 prints N/A accelerators of which a node has 0 or N/A, where the other rounds leave both empty."""
    per_node = printed["accelerators_per_node"]
    is_zero = fits(per_node, pl.Int64) and per_node == 0
    return printed["accelerator_model_name"] == _CM_NONE and (per_node == _CM_NONE or is_zero)


mlperf_inference = raw_asset(TABLE, parse)
