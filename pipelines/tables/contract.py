"""Column, Rule and Table: one declaration from which come the Dagster schema, the checks and the dictionary.

No table is declared here, and nothing here reads a file.
"""

from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

CheckName = Literal["contract", "coverage", "plausibility"]


class TableError(Exception):
    """A frame that does not have the shape its table promises. Names table and column."""


@dataclass(frozen=True)
class Column:
    """A column and its promise.

    Attributes:
        name: `<quantity>_<unit>[_per_<thing>]` in core, estimates and published; the publisher's own in raw.
        dtype: Polars type; values are never coerced to it.
        meaning: one line a stranger understands, boundary and basis included.
        unit: as Pint reads it ("W", "Wh", "1/s"), None for text and counts.
        low, high: plausible range, both ends included.
        allowed: the values it may take, for text from a closed vocabulary.
        nullable: whether it may be empty.
    """

    name: str
    dtype: type[pl.DataType]
    meaning: str
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] | None = None
    nullable: bool = False

    def optional(self) -> "Column":
        """The same column where a table may leave it empty."""
        return replace(self, nullable=True)

    def but(self, **changes: object) -> "Column":
        """The same column with a narrower promise in one table."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Rule:
    """A sentence that must be true of every row. `holds` is a Boolean expression; null counts as true.

    `show` is the column whose value says most about a failing row.
    """

    sentence: str
    holds: pl.Expr
    check: CheckName = "plausibility"
    show: str | None = None


@dataclass(frozen=True)
class Coverage:
    """Values that a column must contain: what must not go missing without a sound."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table: name (`layer.table`), meaning, grain, columns in order, and what its rows must satisfy."""

    name: str
    description: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    min_rows: int = 1
    rules: tuple[Rule, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    published: bool = False
    identity: tuple[str, ...] = ()
    """Raw tables: the publisher's own key, by which revisions are compared; not the place in the file."""

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise TableError(f"{self.name}: a column is declared twice")
        if missing := set(self.grain) - set(names):
            raise TableError(f"{self.name}: grain names unknown columns {sorted(missing)}")

    @property
    def layer(self) -> str:
        return self.name.split(".")[0]

    @property
    def short_name(self) -> str:
        return self.name.split(".")[1]

    @property
    def schema(self) -> dict[str, type[pl.DataType]]:
        return {column.name: column.dtype for column in self.columns}

    @property
    def checks(self) -> tuple[CheckName, ...]:
        """The checks this table has, at most three."""
        names: list[CheckName] = ["contract"]
        if self.coverage or any(rule.check == "coverage" for rule in self.rules):
            names.append("coverage")
        if any(rule.check == "plausibility" for rule in self.rules):
            names.append("plausibility")
        return tuple(names)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with this table's columns, by name, in order, sorted by grain.

        Raises TableError for a missing, additional or differently typed column, or for NaN (which is not null).
        """
        missing = [name for name in self.schema if name not in frame.columns]
        extra = [name for name in frame.columns if name not in self.schema]
        if missing or extra:
            raise TableError(f"{self.name}: missing columns {missing}, unknown columns {extra}")
        frame = frame.select(self.schema.keys())
        for name, dtype in self.schema.items():
            if frame.schema[name] != dtype:
                raise TableError(f"{self.name}.{name}: is {frame.schema[name]}, expected {dtype}")
            if dtype == pl.Float64 and frame[name].is_nan().any():
                raise TableError(f"{self.name}.{name}: has NaN; a value that is not known is null")
        return frame.sort(self.grain, nulls_last=True)
