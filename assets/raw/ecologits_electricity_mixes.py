"""raw.ecologits_electricity_mixes: EcoLogits' impacts of one kWh of grid electricity, one row a country."""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import csv_records, number, utf8
from pipelines.sources.errors import SourceError
from pipelines.tables.contract import Column, Coverage, Table
from pipelines.wiring import raw_asset

TABLE = Table(
    name="raw.ecologits_electricity_mixes",
    description="EcoLogits: life-cycle impacts of one kWh consumed from the grid. The file names no units; they are "
    "those of its documentation. Water is off-site, that of the grid; a data centre's own WUE is not in it.",
    grain=KEY,
    identity=("name",),
    columns=(
        *PROVENANCE,
        Column("name", pl.String, "ISO3 code of the country; WOR is the world."),
        Column("adpe", pl.Float64, "Abiotic resources, kg of antimony eq.", unit="kg/kWh", low=1e-12, high=1e-3),
        Column("pe", pl.Float64, "Primary energy; hydro and wind partly uncounted.", unit="MJ/kWh", low=0, high=100),
        Column("gwp", pl.Float64, "Carbon, kg of CO2 eq, not grams.", unit="kg/kWh", low=1e-3, high=3),
        Column("wue", pl.Float64, "Off-site water of the grid, not the data centre's.", unit="L/kWh", low=0, high=500),
    ),
    min_rows=40,
    coverage=(Coverage("name", ("USA", "WOR")),),
)
PRINTED = [column.name for column in TABLE.columns[len(PROVENANCE) :]]
_REMEDY = "If EcoLogits changed the file, edit assets/raw/ecologits_electricity_mixes.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All printed rows. Raises SourceError naming line and column."""
    records = csv_records(utf8(content, source.source_id, document.place), source.source_id)
    _, header = next(records, (1, []))
    if header != PRINTED:
        raise SourceError(source.source_id, "line 1", f"columns are {header}, expected {PRINTED}", _REMEDY)
    rows = [_row(source, line, cells) for line, cells in records if cells]
    return pl.DataFrame(rows, schema={"locator": pl.String} | {name: TABLE.schema[name] for name in PRINTED})


def _row(source: Source, line: int, cells: list[str]) -> dict:
    if len(cells) != len(PRINTED) or not cells[0]:
        raise SourceError(source.source_id, f"line {line}", f"{cells} is not a code and four figures", _REMEDY)
    row: dict = {"locator": f"line {line}", "name": cells[0]}
    for name, cell in zip(PRINTED[1:], cells[1:], strict=True):
        row[name] = number(cell, source.source_id, f"line {line}, column {name}")
    return row


ecologits_electricity_mixes = raw_asset(TABLE, parse)
