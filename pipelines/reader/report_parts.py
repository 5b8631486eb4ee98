"""What the report is made of: columns, tables, figures, sections; and what all modules of figures use.

Every column of a data table is one of the published table, unless it says that it is derived.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from pipelines.reader.names import readable

SHORT, LONG = "traditional", "test-time"
WORKLOADS = {SHORT: "Typical (500 tokens in, 300 out)", LONG: "Test-time (500 in, 5000 out)"}
WH = "energy_wh_per_query_p50"


@dataclass(frozen=True)
class Column:
    """A column of a data table: what it is called in the published table and to a person, and how its ids read."""

    name: str
    label: str
    reads: Callable[[str], str] | None = None
    is_derived: bool = False


@dataclass(frozen=True)
class DataTable:
    """Rows of one published table."""

    of: str
    columns: tuple[Column, ...]
    rows: list[dict]


@dataclass(frozen=True)
class Figure:
    """`spec` is None where there is nothing to draw: `caption` then says why."""

    figure_id: str
    title: str
    caption: str
    summary: str
    spec: dict | None
    table: DataTable


@dataclass(frozen=True)
class Section:
    section_id: str
    title: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Report:
    """All of it. `facts` stand above: label, number and unit, what it is of."""

    release: dict
    made_on: date
    facts: list[tuple[str, str, str]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)


def figure_of(
    figure_id: str,
    title: Callable[[], str],
    caption: str,
    table: DataTable,
    chart: Callable[[], dict] | None,
    nothing: str,
) -> Figure:
    """A figure; where its table is empty, the words `nothing` in place of a chart."""
    if not table.rows:
        return Figure(figure_id, nothing, "There is nothing to draw.", nothing, None, table)
    said = title()
    made = None if chart is None else chart()
    return Figure(figure_id, said, caption, f"Chart: {said} {caption}", made, table)


def span(values: Iterable[float | None]) -> tuple[float, float]:
    known = [value for value in values if value is not None]
    return min(known), max(known)


def unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def hardware(row: dict) -> str:
    return f"{row['n_accelerators']} x {readable(row['accelerator_id'])}, {row['precision'].upper()}"


def where(row: dict) -> str:
    return f"{readable(row['source_id'])} {row['source_release']}"
