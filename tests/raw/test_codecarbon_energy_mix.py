"""raw.codecarbon_energy_mix: rows read from a made-up document, and every document that must be refused."""

import polars as pl
import pytest

from assets.raw.codecarbon_energy_mix import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.made_up import fixture
from tests.support import mirrored_bytes, refusal

GOOD = fixture("codecarbon_energy_mix.json")


@pytest.fixture
def source(catalogue):
    return catalogue["codecarbon_energy_mix"]


def read(source, content):
    return TABLE.conform(parse_document(parse, content, source, source.documents[0], "5" * 64))


def test_rows_are_read_as_printed_with_their_places(source):
    frame = read(source, GOOD)
    assert frame.select("locator", "iso_code", "country_name", "year", "carbon_intensity", "gas_TWh").rows() == [
        ("/AAA", "AAA", "Asterland", 2031, 123.4, 3.0),
        ("/BBB", "BBB", "Boreal", 2019, 0.0, 0.0),
    ]
    assert frame.select(rule.holds for rule in TABLE.rules[:1]).to_series().all()


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b'"carbon_intensity": 123.4', b'"carbon_intensity": "123.4"', "/AAA/carbon_intensity", "'123.4'"),
        (b'"carbon_intensity": 123.4', b'"carbon_intensity": null', "/AAA/carbon_intensity", "None"),
        (b'"carbon_intensity": 123.4', b'"carbon_intensity": NaN', "/AAA/carbon_intensity", "nan"),
        (b'"coal_TWh"', b'"coal_GWh"', "/AAA/coal_GWh", "not known"),
        (b'"year": 2031', b'"year": 2031.5', "/AAA/year", "2031.5"),
        (b'"iso_code": "AAA"', b'"iso_code": "AAB"', "/AAA/iso_code", "'AAB' is not 'AAA'"),
        (b'"AAA": {', b'"AAA": 1, "CCC": {', "/AAA", "is not an object"),
    ],
)
def test_a_document_of_another_form_is_refused_whole(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem


@pytest.mark.parametrize("content", [b"[]", b"{}", b"7"])
def test_what_is_no_object_of_countries_is_refused(source, content):
    assert "is not an object of countries" in refusal(parse, content, source, source.documents[0]).problem


def test_published_years_mix_and_zero_is_hydro_alone(source):
    frame = read(source, mirrored_bytes(source.documents[0]))
    years = frame["year"].value_counts().sort("year").rows()
    assert years == [(2009, 1), (2021, 4), (2022, 130), (2023, 78)]
    assert frame.filter(iso_code="USA")["carbon_intensity"].item() == 369.473
    (zero,) = frame.filter(carbon_intensity=0).to_dicts()
    assert (zero["iso_code"], zero["hydroelectricity_TWh"]) == ("CAF", zero["total_TWh"])


def test_published_electricity_per_head_is_in_kwh_whatever_its_name(source):
    frame = read(source, mirrored_bytes(source.documents[0]))
    (usa,) = frame.filter(iso_code="USA").to_dicts()
    assert usa["total_TWh"] * 1e9 / usa["per_capita_Wh"] == pytest.approx(340e6, rel=0.02)


def test_published_other_renewables_are_another_count_than_their_parts(source):
    frame = read(source, mirrored_bytes(source.documents[0]))
    parts = pl.col("other_renewable_exc_biofuel_TWh") + pl.col("biofuel_TWh")
    assert frame.filter((pl.col("other_renewable_TWh") - parts).abs() > 1e-6).height == 24
