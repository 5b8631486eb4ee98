"""Known upstream errors as data: which rows of a raw table an entry of corrections.yaml concerns, and its guard.

The entries stand in `assets/corrections.yaml`; joining them to rows is SQL.
"""

from collections.abc import Mapping
from typing import Literal

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipelines.sources.errors import SourceError


class Correction(BaseModel):
    """One entry. `expect` rows must match, else upstream changed and the entry is not applied."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    table: str
    match: dict[str, str | float]
    action: Literal["override", "exclude", "flag"]
    column: str | None = None
    value: str | float | None = None
    expect: int = Field(ge=1)
    reason: str
    evidence: str

    @model_validator(mode="after")
    def _override_names_its_column(self) -> "Correction":
        if (self.action == "override") != (self.column is not None):
            raise ValueError("an override names a column, and nothing else does")
        return self


def load_corrections(content: bytes, path: str) -> list[Correction]:
    """The entries of a corrections file. Raises SourceError naming the entry and the field."""
    try:
        entries = yaml.safe_load(content) or []
    except yaml.YAMLError as error:
        raise SourceError(path, "whole file", f"is not YAML: {error}", "Mend it.") from error
    corrections = []
    for i, entry in enumerate(entries, start=1):
        try:
            corrections.append(Correction(**entry))
        except (ValidationError, TypeError) as error:
            raise SourceError(path, f"entry {i}", f"is not a correction: {error}", "Edit that entry.") from error
    return corrections


def corrected_rows(corrections: list[Correction], tables: Mapping[str, pl.DataFrame], path: str) -> list[dict]:
    """One dict a row concerned; an entry whose guard fails gives one dict with no row and `is_applied` false."""
    rows: list[dict] = []
    for correction in corrections:
        if correction.table not in tables:
            raise SourceError(path, correction.id, f"names the unknown table {correction.table}", "Edit that entry.")
        frame = tables[correction.table]
        if frame.is_empty():
            continue  # a source that is absent here has nothing to correct
        named = {*correction.match, *([correction.column] if correction.column else [])}
        if unknown := named - set(frame.columns):
            raise SourceError(path, correction.id, f"names unknown columns {sorted(unknown)}", "Edit that entry.")
        try:
            found = frame.filter(*[pl.col(name) == value for name, value in correction.match.items()])
        except pl.exceptions.PolarsError as error:
            raise SourceError(path, correction.id, f"cannot be matched: {error}", "Edit that entry.") from error
        common = {
            "correction_id": correction.id,
            "table_name": correction.table,
            "action": correction.action,
            "column_name": correction.column,
            "new_value": None if correction.value is None else str(correction.value),
            "reason": correction.reason,
            "evidence": correction.evidence,
            "expected_rows": correction.expect,
            "found_rows": found.height,
            "is_applied": found.height == correction.expect,
        }
        if found.height != correction.expect:
            place = {"source_id": None, "source_release": None, "locator": None, "old_value": None}
            rows.append(common | place)
            continue
        for row in found.iter_rows(named=True):
            old = None if correction.column is None else row[correction.column]
            place = {name: row[name] for name in ("source_id", "source_release", "locator")}
            rows.append(common | place | {"old_value": None if old is None else str(old)})
    _refuse_doubled(rows, path)
    return rows


def _refuse_doubled(rows: list[dict], path: str) -> None:
    """Raises SourceError where two entries exclude one row, or override one cell: both would be joined to it."""
    first: dict[tuple, str] = {}
    for row in rows:
        cell = tuple(row[name] for name in ("source_id", "source_release", "locator", "action", "column_name"))
        if row["locator"] is None or row["action"] == "flag":
            continue
        if (earlier := first.setdefault(cell, row["correction_id"])) != row["correction_id"]:
            problem = f"and {earlier} both {row['action']} {row['locator']} of release {row['source_release']}"
            raise SourceError(path, row["correction_id"], problem, "Let one entry do.")
