"""raw.codecarbon_energy_mix: CodeCarbon's electricity mix and carbon intensity of countries, one row a country."""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import load_json, read_fields
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.wiring import raw_asset

ROUNDING_TWH = 1e-6
"""The publisher adds the printed figures; only the last bits of a float differ."""


def _twh(name: str, meaning: str) -> Column:
    return Column(name, pl.Float64, meaning, unit="TWh", low=0, high=50_000)


def _is_sum(total: str, *parts: str) -> pl.Expr:
    return (pl.col(total) - pl.sum_horizontal(parts)).abs() < ROUNDING_TWH


TABLE = Table(
    name="raw.codecarbon_energy_mix",
    description="CodeCarbon, global_energy_mix.json: electricity produced in a country in its newest year, by kind, "
    "and its carbon intensity. Years differ from country to country.",
    grain=KEY,
    identity=("iso_code", "year"),
    columns=(
        *PROVENANCE,
        Column("iso_code", pl.String, "ISO3 code of the country."),
        Column("country_name", pl.String, "Country as printed."),
        Column("year", pl.Int64, "Year of the figures.", low=1990, high=2100),
        Column("carbon_intensity", pl.Float64, "Of electricity; 0 where all is hydro.", unit="g/kWh", low=0, high=2000),
        _twh("biofuel_TWh", "From biofuel."),
        _twh("coal_TWh", "From coal."),
        _twh("fossil_TWh", "From coal, gas and oil."),
        _twh("gas_TWh", "From gas."),
        _twh("hydroelectricity_TWh", "From water."),
        _twh("low_carbon_TWh", "Renewable and nuclear."),
        _twh("nuclear_TWh", "Nuclear."),
        _twh("oil_TWh", "From oil."),
        _twh("other_renewable_TWh", "Other renewables by another count, not in the sum."),
        _twh("other_renewable_exc_biofuel_TWh", "Other renewables without biofuel."),
        Column(
            "per_capita_Wh", pl.Float64, "Per head and year; named Wh, printed in kWh.", unit="kWh", low=0, high=1e6
        ),
        _twh("renewables_TWh", "Renewable."),
        _twh("solar_TWh", "From the sun."),
        _twh("total_TWh", "All of it."),
        _twh("wind_TWh", "From wind."),
    ),
    min_rows=200,
    rules=(
        Rule(
            "Fossil electricity is coal, gas and oil",
            _is_sum("fossil_TWh", "coal_TWh", "gas_TWh", "oil_TWh"),
            check="contract",
            show="fossil_TWh",
        ),
        Rule(
            "Renewable electricity is hydro, sun, wind, biofuel and others",
            _is_sum(
                "renewables_TWh",
                "hydroelectricity_TWh",
                "solar_TWh",
                "wind_TWh",
                "biofuel_TWh",
                "other_renewable_exc_biofuel_TWh",
            ),
            check="contract",
            show="renewables_TWh",
        ),
        Rule(
            "All electricity is fossil, renewable and nuclear",
            _is_sum("low_carbon_TWh", "renewables_TWh", "nuclear_TWh")
            & _is_sum("total_TWh", "fossil_TWh", "low_carbon_TWh"),
            check="contract",
            show="total_TWh",
        ),
    ),
    coverage=(Coverage("iso_code", ("USA",)),),
)
_PRINTED = {column.name: column.dtype for column in TABLE.columns[len(PROVENANCE) :]}
_REMEDY = "If CodeCarbon changed the file, edit assets/raw/codecarbon_energy_mix.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All countries. Raises SourceError with the JSON pointer."""
    printed = load_json(content, source.source_id, document.release)
    if not isinstance(printed, dict) or not printed:
        raise SourceError(source.source_id, f"{document.release}, /", "is not an object of countries", _REMEDY)
    rows = []
    for code, fields in printed.items():
        where = "/" + code.replace("~", "~0").replace("/", "~1")
        place = f"{document.release}, {where}"
        row = read_fields(source.source_id, place, fields, _PRINTED, remedy=_REMEDY)
        if row["iso_code"] != code:
            raise SourceError(source.source_id, f"{place}/iso_code", f"{row['iso_code']!r} is not {code!r}", _REMEDY)
        rows.append({"locator": where} | row)
    return pl.DataFrame(rows, schema={"locator": pl.String} | _PRINTED)


codecarbon_energy_mix = raw_asset(TABLE, parse)
