"""What an exported package holds: tables, fields and sources as the published file describes them, and its rows.

Here rows are chosen and written. How the package is described to machines is in package_metadata.py, to people in
package_pages.py. No table is named but the two that describe the others, `sources` and `columns`, `releases`, which
says what the file is, and the history of estimates: the rest is taken as it lies there.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

MAY_BE_PASSED_ON = "allowed"
"""The one state of `sources.redistribution` that lets figures into a package; unclear is not a yes."""
NAMES_A_SOURCE = re.compile(r"(^|_)source_ids?(_|$)|(^|_)source$")
"""Columns that say whose figure a row is: source_id, source_ids, source_id_a, tdp_source."""
OWN_WORDS = ("sources",)
"""Tables that name sources and hold no figure of theirs: what we say of them ourselves stays."""
NO_SOURCES = "cast([] as varchar[])"
HISTORY, ESTIMATE = "energy_per_query_history", "estimate_id"
TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "number",
    "FLOAT": "number",
    "BIGINT": "integer",
    "INTEGER": "integer",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}
"""Types of DuckDB, and their names in a Data Package."""
SOURCE_COLUMNS = (
    "source_id", "source_title", "publisher", "homepage", "licence", "licence_url", "redistribution",
    "redistribution_reason", "credit",
)  # fmt: skip


class ExportError(Exception):
    """Why there is no package, in one line that says what to do."""


@dataclass(frozen=True)
class Field:
    """A column as the table `columns` describes it."""

    name: str
    type: str
    meaning: str
    unit: str | None
    low: float | None
    high: float | None
    allowed: tuple[str, ...] | None
    may_be_empty: bool
    is_grain: bool

    @property
    def description(self) -> str:
        return f"{self.meaning} Unit: {self.unit}." if self.unit else self.meaning


@dataclass(frozen=True)
class Source:
    """A source as the table `sources` describes it, field by field in the order of SOURCE_COLUMNS."""

    source_id: str
    title: str
    publisher: str
    homepage: str
    licence: str
    licence_url: str
    redistribution: str
    reason: str
    credit: str

    @property
    def may_be_passed_on(self) -> bool:
        return self.redistribution == MAY_BE_PASSED_ON


@dataclass(frozen=True)
class PackedTable:
    """A table as it lies in the package. A row that names two sources counts for both in the counts by source."""

    name: str
    description: str
    fields: tuple[Field, ...]
    path: str
    size_bytes: int
    sha256: str
    n_rows: int
    n_left_out: int
    rows_by_source: dict[str, int]
    left_out_by_source: dict[str, int]

    @property
    def key(self) -> list[str]:
        """Its grain, where no part of that may be empty: a key must not be."""
        grain = [field for field in self.fields if field.is_grain]
        return [] if any(field.may_be_empty for field in grain) else [field.name for field in grain]


@dataclass(frozen=True)
class Package:
    """All that its files say."""

    version: str
    created_at_utc: str
    tables: tuple[PackedTable, ...]
    sources: tuple[Source, ...]

    @property
    def included(self) -> list[Source]:
        """The sources that have rows in it, other than those that we say of them ourselves."""
        return [source for source in self.sources if self.n_rows_of(source)]

    @property
    def n_rows(self) -> int:
        return sum(table.n_rows for table in self.tables)

    @property
    def n_left_out(self) -> int:
        return sum(table.n_left_out for table in self.tables)

    def n_rows_of(self, source: Source) -> int:
        """Rows of the package that name `source`."""
        return sum(table.rows_by_source.get(source.source_id, 0) for table in self.tables)

    def n_left_out_of(self, source: Source) -> int:
        """Rows left out that name `source`."""
        return sum(table.left_out_by_source.get(source.source_id, 0) for table in self.tables)


def pack(book: duckdb.DuckDBPyConnection, folder: Path) -> Package:
    """Write the tables of `book` below `folder`, without the rows that may not be passed on."""
    sources = _sources(book)
    fields = _fields(book)
    described = _rows(
        book,
        "select table_name, comment from duckdb_tables() where schema_name = 'main' and not internal order by all",
    )
    tables = tuple(
        _packed(book, name, comment or "", fields.get(name, {}), fields.get(HISTORY, {}), sources, folder)
        for name, comment in described
    )
    version, created_at_utc = _version(book, tables)
    return Package(version, created_at_utc, tables, sources)


def _packed(
    book: duckdb.DuckDBPyConnection,
    name: str,
    description: str,
    dictionary: dict[str, Field],
    fields_of_history: dict[str, Field],
    sources: Sequence[Source],
    folder: Path,
) -> PackedTable:
    """Write one table, ordered by its grain (then by all else, should the grain not tell rows apart)."""
    fields = tuple(_field(name, column, dictionary) for column in _column_names(book, name))
    named = _named_sources(name, fields)
    forbidden = _list(source.source_id for source in sources if not source.may_be_passed_on)
    left_out = f"list_has_any({named}, {forbidden})"
    if ESTIMATE in dictionary and named == NO_SOURCES:
        # of an estimate, but without its source: the history of estimates says whose figures it rests on
        estimates = _named_sources(
            HISTORY, [_field(HISTORY, c, fields_of_history) for c in _column_names(book, HISTORY)]
        )
        left_out = f"{ESTIMATE} in (select {ESTIMATE} from main.{HISTORY} where list_has_any({estimates}, {forbidden}))"
    order = ", ".join(
        f"{_identifier(field.name)} nulls last" for field in sorted(fields, key=lambda field: not field.is_grain)
    )
    path = folder / "data" / f"{name}.parquet"
    path.parent.mkdir(exist_ok=True)
    book.execute(
        f"copy (select * from main.{_identifier(name)} where not {left_out} order by {order}) to {_text(str(path))} "
        "(format parquet, compression zstd)"
    ).fetchall()
    ((n_rows, n_left_out),) = _rows(
        book,
        f"select count(*) filter (not {left_out}), count(*) filter ({left_out}) from main.{_identifier(name)}",
    )
    known = {source.source_id for source in sources}
    return PackedTable(
        name=name,
        description=description,
        fields=fields,
        path=f"data/{name}.parquet",
        size_bytes=path.stat().st_size,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        n_rows=n_rows,
        n_left_out=n_left_out,
        rows_by_source=_counts(book, name, named, f"not {left_out}", known),
        left_out_by_source=_counts(
            book, name, named, left_out, {source.source_id for source in sources if not source.may_be_passed_on}
        ),
    )


def _named_sources(name: str, fields: Sequence[Field]) -> str:
    """SQL: the sources that a row names, each once; several in one cell have a comma between them."""
    columns = [field.name for field in fields if field.type == "string" and NAMES_A_SOURCE.search(field.name)]
    if name in OWN_WORDS or not columns:
        return NO_SOURCES
    cells = ", ".join(f"string_split_regex(coalesce({_identifier(column)}, ''), '[,;] *')" for column in columns)
    return f"list_distinct(flatten([{cells}]))"


def _counts(
    book: duckdb.DuckDBPyConnection, name: str, named: str, condition: str, of_sources: set[str]
) -> dict[str, int]:
    """How many rows that meet `condition` name each of the sources."""
    counted = _rows(
        book,
        f"select source_id, count(*) from (select unnest({named}) as source_id from main.{_identifier(name)} "
        f"where {condition}) group by source_id order by source_id",
    )
    return {source_id: n for source_id, n in counted if source_id in of_sources}


def _column_names(book: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str]]:
    """Names and types of the columns of a table, in order."""
    return _rows(
        book,
        "select column_name, data_type from duckdb_columns() where schema_name = 'main' and not internal and "
        f"table_name = {_text(name)} order by column_index",
    )


def _field(table: str, column: tuple[str, str], dictionary: dict[str, Field]) -> Field:
    name, data_type = column
    if name not in dictionary:
        raise ExportError(f"{table}.{name} is not in the table columns; publish the file anew with joulebook refresh")
    if data_type not in TYPES:
        raise ExportError(
            f"{table}.{name} has the type {data_type}; add its name in a Data Package to TYPES in "
            "pipelines/reader/package.py"
        )
    described = dictionary[name]
    return Field(**{**described.__dict__, "type": TYPES[data_type]})


def _fields(book: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Field]]:
    """The data dictionary: fields by table and column."""
    rows = _rows(
        book,
        "select table_name, column_name, data_type, meaning, unit, plausible_low, plausible_high, allowed_values, "
        "may_be_empty, is_grain from main.columns order by table_name, position",
    )
    fields: dict[str, dict[str, Field]] = {}
    for table, name, data_type, meaning, unit, low, high, allowed, may_be_empty, is_grain in rows:
        values = None if allowed is None else tuple(allowed.split("; "))
        field = Field(name, data_type, meaning, unit, low, high, values, may_be_empty, is_grain)
        fields.setdefault(table, {})[name] = field
    return fields


def _sources(book: duckdb.DuckDBPyConnection) -> tuple[Source, ...]:
    rows = _rows(book, f"select distinct {', '.join(SOURCE_COLUMNS)} from main.sources order by all")
    return tuple(Source(*row) for row in rows)


def _version(book: duckdb.DuckDBPyConnection, tables: Sequence[PackedTable]) -> tuple[str, str]:
    """The newest release of the file and when it was made; else the hash of what is packed and of the newest figures.

    Never the clock: the same file gives the same package.
    """
    releases = next((table for table in tables if table.name == "releases"), None)
    if releases is None:
        content = "".join(f"{table.name} {table.sha256}\n" for table in tables)
        ((newest,),) = _rows(book, "select max(accepted_at_utc) from main.sources")
        if newest is None:
            raise ExportError("no source of the file was ever accepted; run joulebook refresh first")
        return hashlib.sha256(content.encode()).hexdigest()[:16], newest
    at = next((field.name for field in releases.fields if field.name.endswith("_at_utc")), None)
    if at is None or "release_id" not in {field.name for field in releases.fields}:
        raise ExportError("the table releases has no release_id, or no column that ends with _at_utc")
    order = "release_number" if any(field.name == "release_number" for field in releases.fields) else _identifier(at)
    newest_first = f"order by {order} desc, release_id limit 1"
    found = _rows(book, f"select release_id, {_identifier(at)} from main.releases {newest_first}")
    if not found:
        raise ExportError("the table releases has no row; publish a release with joulebook refresh")
    return found[0]


def _rows(book: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return book.execute(query).fetchall()


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _list(values: Sequence[str]) -> str:
    return f"cast([{', '.join(_text(value) for value in values)}] as varchar[])"
