"""raw.gsf_cloud_regions: PUE, WUE and grid carbon of cloud regions by year, one row a printed region.

Its figures may not be redistributed: they are fetched, never kept in the repository.
"""

import re

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import csv_records, number, utf8, whole_number
from pipelines.sources.errors import SourceError
from pipelines.tables.contract import Column, Table
from pipelines.wiring import raw_asset


def _share(name: str, meaning: str) -> Column:
    return Column(name, pl.Float64, meaning, low=0, high=1, nullable=True)


def _carbon(name: str, meaning: str) -> Column:
    """Five methods that differ by up to tenfold: each keeps its own name."""
    meaning += " A printed 0 may mean that it is not known."
    return Column(name, pl.Float64, meaning, unit="g/kWh", low=0, high=2000, nullable=True)


def _empty(name: str) -> Column:
    return Column(name, pl.Float64, "Empty so far; its unit is not published.", low=0, high=1e15, nullable=True)


TABLE = Table(
    name="raw.gsf_cloud_regions",
    description="Green Software Foundation, Real-Time Cloud: PUE, WUE per kWh of IT energy (on-site) and grid carbon "
    "of AWS, Azure and Google regions by year. Cells as printed. Some regions stand twice, at two locations.",
    grain=KEY,
    # the publisher's key has northeurope twice, and the order of the rows changes between revisions
    identity=("year", "cloud-provider", "cloud-region", "location"),
    columns=(
        *PROVENANCE,
        Column("year", pl.Int64, "Year that the figures are of.", low=2000, high=2100),
        Column("cloud-provider", pl.String, "Provider as printed."),
        Column("cloud-region", pl.String, "The provider's name of the region."),
        Column("cfe-region", pl.String, "Region in Google's carbon-free-energy data.", nullable=True),
        Column("em-zone-id", pl.String, "Zone in Electricity Maps.", nullable=True),
        Column("wt-region-id", pl.String, "Region in WattTime.", nullable=True),
        Column("location", pl.String, "Where it lies, as printed."),
        Column("geolocation", pl.String, "Latitude and longitude, degrees, as printed.", nullable=True),
        _share("provider-cfe-hourly", "Share of carbon-free energy matched by the hour, as the provider says."),
        _share("provider-cfe-annual", "Share of carbon-free energy matched by the year, as the provider says."),
        Column("power-usage-effectiveness", pl.Float64, "PUE of that year.", low=1, high=5, nullable=True),
        Column(
            "water-usage-effectiveness",
            pl.Float64,
            "On-site water per kWh of IT energy.",
            unit="L/kWh",
            low=0,
            high=50,
            nullable=True,
        ),
        _carbon("provider-carbon-intensity-market-annual", "Market-based, by the provider, yearly."),
        _carbon(
            "provider-carbon-intensity-average-consumption-hourly", "By the provider, average consumption by the hour."
        ),
        _carbon("grid-carbon-intensity-average-consumption-annual", "Grid, average of what is consumed, yearly."),
        _carbon("grid-carbon-intensity-marginal-consumption-annual", "Grid, marginal consumption, yearly."),
        _carbon("grid-carbon-intensity-average-production-annual", "Grid, average of what is produced, yearly."),
        _carbon("grid-carbon-intensity", "Of an earlier format: the marginal figure, rounded."),
        _empty("total-ICT-energy-consumption-annual"),
        _empty("total-water-input"),
        _empty("renewable-energy-consumption"),
        _empty("renewable-energy-consumption-goe"),
        _empty("renewable-energy-consumption-ppa"),
        _empty("renewable-energy-consumption-onsite"),
    ),
    min_rows=0,
)
PRINTED = [column.name for column in TABLE.columns[len(PROVENANCE) :]]
_NULLABLE = {column.name for column in TABLE.columns if column.nullable}
_READ = {pl.Int64: whole_number, pl.Float64: number}
_GEOLOCATION = re.compile(r"-?\d{1,2}(\.\d+)?, ?-?\d{1,3}(\.\d+)? ?", re.ASCII)
_REMEDY = "If the publisher changed the file, edit assets/raw/gsf_cloud_regions.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All printed rows. Raises SourceError naming line and column."""
    records = csv_records(utf8(content, source.source_id, document.place), source.source_id)
    _, header = next(records, (1, []))
    if header != PRINTED:
        different = [name for name in header if name not in PRINTED] + [name for name in PRINTED if name not in header]
        problem = f"columns differ from the known ones: {different or 'order'}"
        raise SourceError(source.source_id, "line 1", problem, _REMEDY)
    rows = [_row(source, line, cells) for line, cells in records if cells]
    return pl.DataFrame(rows, schema={"locator": pl.String} | {name: TABLE.schema[name] for name in PRINTED})


def _row(source: Source, line: int, cells: list[str]) -> dict:
    if len(cells) != len(PRINTED):
        problem = f"has {len(cells)} cells, the header {len(PRINTED)}"
        raise SourceError(source.source_id, f"line {line}", problem, _REMEDY)
    row: dict = {"locator": f"line {line}"}
    for name, cell in zip(PRINTED, cells, strict=True):
        row[name] = _cell(source, f"line {line}, column {name}", name, cell)
    return row


def _cell(source: Source, place: str, name: str, cell: str) -> object:
    if cell == "" and name in _NULLABLE:
        return None
    if cell == "":
        raise SourceError(source.source_id, place, "is empty", _REMEDY)
    if name == "geolocation" and not _GEOLOCATION.fullmatch(cell):
        raise SourceError(source.source_id, place, f"{cell!r} is not a latitude and a longitude", _REMEDY)
    read = _READ.get(TABLE.schema[name])
    return read(cell, source.source_id, place) if read else cell


gsf_cloud_regions = raw_asset(TABLE, parse)
