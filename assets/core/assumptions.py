"""core.assumptions: every modelling constant, dated and sourced. assets/assumptions.yaml."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import polars as pl
import yaml

from assets import columns as c
from pipelines.energy.lognormal import LogNormal
from pipelines.sources.errors import SourceError
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import reference_asset

LOG_NORMAL, FIXED = "log-normal", "fixed"
_MEDIAN_TOLERANCE = 0.01

TABLE = Table(
    name="core.assumptions",
    description="Modelling constants: value, range, unit, source and from when they hold. Estimates repeat none.",
    grain=("assumption_id", "valid_from"),
    columns=(
        c.text("assumption_id", "What is assumed."),
        Column("value", pl.Float64, "The central value, in `unit`."),
        Column("low", pl.Float64, "P5 of a log-normal.", nullable=True),
        Column("high", pl.Float64, "P95 of a log-normal.", nullable=True),
        c.text("unit", "Unit of value, low and high."),
        c.text("distribution", "How value, low and high are meant.", (LOG_NORMAL, FIXED)),
        c.source_text,
        c.text("valid_from", "The day from which it holds."),
    ),
    rules=(
        Rule(
            "A log-normal has low and high, and its value is their geometric mean",
            (pl.col("distribution") == FIXED)
            | (
                pl.col("low").is_not_null()
                & pl.col("high").is_not_null()
                & (pl.col("low") < pl.col("high"))
                & ((pl.col("low") * pl.col("high")).sqrt() / pl.col("value") - 1).abs().le(_MEDIAN_TOLERANCE)
            ).fill_null(False),
            check="contract",
        ),
    ),
    published=True,
)
_FIELDS = {"id": "assumption_id"}
_REQUIRED = {"assumption_id", "value", "unit", "distribution", "source", "valid_from"}


def parse(content: bytes, path: str) -> pl.DataFrame:
    """The entries of assumptions.yaml. Raises SourceError naming the entry and field."""
    try:
        entries = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise SourceError(path, "whole file", f"is not YAML: {error}", "Mend it.") from error
    return pl.DataFrame([_row(path, i, entry) for i, entry in enumerate(entries or [])], schema=TABLE.schema)


def _row(path: str, index: int, entry: object) -> dict:
    place = f"entry {index + 1} ({entry.get('id') if isinstance(entry, dict) else entry})"
    if not isinstance(entry, dict):
        raise SourceError(path, place, "is not a mapping", "Edit that entry.")
    row = {_FIELDS.get(key, key): value for key, value in entry.items()}
    wrong = (set(row) - set(TABLE.schema)) or (_REQUIRED - set(row))
    if wrong:
        raise SourceError(path, place, f"field {min(wrong)!r} is unknown or missing", "Edit that entry.")
    for name in ("value", "low", "high"):
        value = row.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise SourceError(path, place, f"{name} {value!r} is not a number", "Edit that entry.")
        row[name] = None if value is None else float(value)
    if not isinstance(row["valid_from"], date):
        raise SourceError(path, place, f"valid_from {row['valid_from']!r} is not a date", "Write it as 2026-06-09.")
    return row | {"valid_from": row["valid_from"].isoformat()}


@dataclass(frozen=True)
class Assumptions:
    """The assumptions in force on a day, by id. Asking for an unknown one is an error that says where to add it.

    `on`: the day as ISO text; entries that hold from a later day are not in force yet.
    """

    frame: pl.DataFrame
    on: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())

    def value(self, assumption_id: str) -> float:
        return float(self._row(assumption_id)["value"])

    def lognormal(self, assumption_id: str) -> LogNormal:
        row = self._row(assumption_id)
        if row["distribution"] != LOG_NORMAL:
            raise SourceError("assumptions.yaml", assumption_id, "is not log-normal", "Give it low and high.")
        return LogNormal.from_p5_p95(row["low"], row["high"])

    def in_force(self) -> pl.DataFrame:
        """The entry of each assumption that holds on the day."""
        begun = self.frame.filter(pl.col("valid_from") <= self.on).sort("assumption_id", "valid_from")
        return begun.unique("assumption_id", keep="last", maintain_order=True)

    def _row(self, assumption_id: str) -> dict:
        in_force = (pl.col("assumption_id") == assumption_id) & (pl.col("valid_from") <= self.on)
        found = self.frame.filter(in_force).sort("valid_from")
        if found.is_empty():
            raise SourceError("assumptions.yaml", assumption_id, "does not exist", "Add it with value and source.")
        return found.row(-1, named=True)


assumptions = reference_asset(TABLE, "assumptions.yaml", parse)
