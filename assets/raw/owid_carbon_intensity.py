"""raw.owid_carbon_intensity: Our World in Data's carbon intensity of electricity, one row an entity and year."""

import re

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import csv_records, number, utf8, whole_number
from pipelines.sources.errors import SourceError
from pipelines.tables.contract import Column, Coverage, Table
from pipelines.wiring import raw_asset

VALUE = "Carbon intensity of electricity"
REGION = "World region according to OWID"
UNITS = ("gCO2e/kWh", "gCO2/kWh")
"""Units that editions have printed in the name of the column: grams per kWh all of them."""

TABLE = Table(
    name="raw.owid_carbon_intensity",
    description="Our World in Data, from Ember: life-cycle carbon of the electricity produced, per kWh; countries and "
    "aggregates by year. Not comparable with factors of combustion alone.",
    grain=KEY,
    identity=("Entity", "Year"),
    columns=(
        *PROVENANCE,
        Column("Entity", pl.String, "Country or aggregate."),
        Column("Code", pl.String, "ISO3, or OWID's own (OWID_*); Ember's aggregates have none.", nullable=True),
        Column("Year", pl.Int64, "Year.", low=1900, high=2100),
        Column(VALUE, pl.Float64, "As printed; its column's name also bears the unit.", unit="g/kWh", low=0, high=2000),
        Column("unit", pl.String, "Unit as the name of the printed column says it.", allowed=UNITS),
        Column(REGION, pl.String, "Continent; empty for aggregates and where the edition has none.", nullable=True),
    ),
    min_rows=3000,
    coverage=(Coverage("Code", ("OWID_WRL", "USA")),),
)
_KEY_COLUMNS = ["Entity", "Code", "Year"]
_SCHEMA = {"locator": pl.String} | {column.name: column.dtype for column in TABLE.columns[len(PROVENANCE) :]}
_HEADING = re.compile(r"(?:Carbon|Lifecycle carbon) intensity of electricity (?:- (\S+)|\((\S+)\))")
_REMEDY = "If Our World in Data changed the file, edit assets/raw/owid_carbon_intensity.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All printed rows. Raises SourceError naming line and column."""
    records = csv_records(utf8(content, source.source_id, document.place), source.source_id)
    _, header = next(records, (1, []))
    unit = _unit(source, header)
    rows = [_row(source, line, header, cells, unit) for line, cells in records if cells]
    return pl.DataFrame(rows, schema=_SCHEMA)


def _unit(source: Source, header: list[str]) -> str:
    """The unit that the fourth column's name bears. Editions differ in it, and in whether a region follows."""
    if header[:3] != _KEY_COLUMNS or header[4:] not in ([], [REGION]) or len(header) < 4:
        problem = f"columns are {header}, expected {_KEY_COLUMNS}, the figure with its unit, and {REGION!r} or no more"
        raise SourceError(source.source_id, "line 1", problem, _REMEDY)
    found = _HEADING.fullmatch(header[3])
    unit = (found[1] or found[2]) if found else None
    if unit not in UNITS:
        problem = f"column {header[3]!r} is not {VALUE!r} in one of {', '.join(UNITS)}"
        raise SourceError(source.source_id, "line 1", problem, _REMEDY)
    return unit


def _row(source: Source, line: int, header: list[str], cells: list[str], unit: str) -> dict:
    if len(cells) != len(header) or not cells[0]:
        problem = f"{cells} is not an entity with {len(header) - 1} cells after it"
        raise SourceError(source.source_id, f"line {line}", problem, _REMEDY)
    entity, code, year, value = cells[:4]
    return {
        "locator": f"line {line}",
        "Entity": entity,
        "Code": code or None,
        "Year": whole_number(year, source.source_id, f"line {line}, column Year"),
        VALUE: number(value, source.source_id, f"line {line}, column {header[3]}"),
        "unit": unit,
        REGION: (cells[4] or None) if len(cells) == 5 else None,
    }


owid_carbon_intensity = raw_asset(TABLE, parse)
