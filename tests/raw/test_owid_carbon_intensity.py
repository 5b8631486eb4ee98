"""raw.owid_carbon_intensity: rows and unit read from a made-up file, and every file that must be refused."""

import polars as pl
import pytest

from assets.raw.owid_carbon_intensity import REGION, TABLE, VALUE, parse
from pipelines.sources.intake import parse_document
from tests.made_up import fixture
from tests.support import mirrored_bytes, refusal

GOOD = fixture("owid_carbon_intensity.csv")
HEADING = b"Carbon intensity of electricity - gCO2e/kWh"


@pytest.fixture
def source(catalogue):
    return catalogue["owid_carbon_intensity"]


def read(source, content):
    return TABLE.conform(parse_document(parse, content, source, source.documents[0], "5" * 64))


def test_rows_are_read_as_printed_the_last_one_without_a_line_end_too(source):
    assert read(source, GOOD).select("locator", "Entity", "Code", "Year", VALUE, "unit", REGION).rows() == [
        ("line 2", "Asterland", "AAA", 2030, 123.45, "gCO2e/kWh", "Asia"),
        ("line 3", "Asterland", "AAA", 2031, 0.0, "gCO2e/kWh", "Asia"),
        ("line 4", "Boreal, Union of (Made-Up)", None, 2031, 321.5, "gCO2e/kWh", None),
        ("line 5", "World", "OWID_WRL", 2031, 222.2, "gCO2e/kWh", None),
    ]


@pytest.mark.parametrize(
    ("heading", "unit"),
    [
        (b"Carbon intensity of electricity (gCO2/kWh)", "gCO2/kWh"),
        (b"Carbon intensity of electricity - gCO2/kWh", "gCO2/kWh"),
        (b"Lifecycle carbon intensity of electricity - gCO2e/kWh", "gCO2e/kWh"),
    ],
)
def test_the_unit_is_read_from_the_name_of_the_column(source, heading, unit):
    frame = read(source, GOOD.replace(HEADING, heading))
    assert frame["unit"].unique().to_list() == [unit]
    assert frame.drop("unit").equals(read(source, GOOD).drop("unit"))


def test_an_edition_without_regions_is_read(source):
    lines = GOOD.decode().split("\n")
    frame = read(source, "\n".join(line.rpartition(",")[0] for line in lines).encode())
    assert frame[VALUE].to_list() == [123.45, 0.0, 321.5, 222.2]
    assert frame[REGION].null_count() == frame.height


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b"gCO2e/kWh", b"kgCO2e/kWh", "line 1", "in one of gCO2e/kWh, gCO2/kWh"),
        (b"- gCO2e/kWh", b"- lb/MWh", "line 1", "lb/MWh"),
        (b" - gCO2e/kWh", b"", "line 1", "'Carbon intensity of electricity' is not"),
        (b"Carbon intensity", b"Carbon emissions", "line 1", "Carbon emissions"),
        (b"Entity,Code", b"Code,Entity", "line 1", "columns are"),
        (b"World region according to OWID", b"Continent", "line 1", "columns are"),
        (b"OWID\n", b"OWID,Note\n", "line 1", "columns are"),
        (b"123.45", b"", "line 2, column Carbon intensity of electricity - gCO2e/kWh", "''"),
        (b"123.45", b"-1", "line 2", "'-1'"),
        (b"2030", b"2030.5", "line 2, column Year", "not a whole number"),
        (b"Asterland,AAA,2030", b",AAA,2030", "line 2", "is not an entity"),
        (b",Asia", b"", "line 2", "is not an entity with 4 cells after it"),
    ],
)
def test_a_file_of_another_form_is_refused_whole(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem


def test_published_entities_are_countries_and_aggregates(source):
    content = mirrored_bytes(source.documents[0])
    assert not content.endswith(b"\n")
    frame = read(source, content)
    assert (frame.height, frame["Entity"].n_unique()) == (6332, 238)
    assert (frame["Year"].min(), frame["Year"].max()) == (1990, 2025)
    assert frame.filter(pl.col("Code").is_null())["Entity"].n_unique() == 12
    own = frame.filter(pl.col("Code").str.starts_with("OWID_"))
    assert own["Code"].n_unique() == 13
    assert "Kosovo" in own["Entity"]
    newest = frame.filter(pl.col("Year") == 2025, pl.col("Code").is_in(["USA", "OWID_WRL"])).sort("Code")
    assert newest[VALUE].to_list() == [458.29, 384.4]


def test_published_zeros_are_of_two_small_grids_and_stay(source):
    frame = read(source, mirrored_bytes(source.documents[0])).filter(pl.col(VALUE) == 0)
    assert dict(frame["Entity"].value_counts().iter_rows()) == {"Burundi": 11, "Central African Republic": 11}
