"""raw.ecologits_models: all shapes of parameters read from a made-up document, and what must be refused."""

import polars as pl
import pytest

from assets.raw.ecologits_models import NOT_RELEASED, TABLE, parse
from pipelines.sources.intake import parse_document
from tests.made_up import fixture
from tests.support import mirrored_bytes, refusal

GOOD = fixture("ecologits_models.json")
PARAMETERS = [f"{what}_params{end}_b" for what in ("total", "active") for end in ("", "_low", "_high")]


@pytest.fixture
def source(catalogue):
    return catalogue["ecologits_models"]


def read(source, content):
    return TABLE.conform(parse_document(parse, content, source, source.documents[0], "5" * 64))


def test_the_four_shapes_of_parameters_are_kept_apart(source):
    assert read(source, GOOD).select("locator", "architecture_type", *PARAMETERS).rows() == [
        ("/models/0", "dense", 7.5, None, None, None, None, None),
        ("/models/1", "dense", None, 20.0, 70.5, None, None, None),
        ("/models/2", "moe", 120.0, None, None, None, 12.0, 36.0),
        ("/models/3", "moe", 120.5, None, None, 12.5, None, None),
    ]


def test_a_total_that_is_a_range_beside_active_parameters_is_read_too(source):
    content = GOOD.replace(b'"total": 120.5', b'"total": {"min": 100, "max": 140.5}')
    row = read(source, content).filter(provider="other").select(PARAMETERS).row(0)
    assert row == (None, 100.0, 140.5, 12.5, None, None)


def test_names_warnings_sources_and_speed_stand_beside_them(source):
    names = ("name", "aliases", "warnings", "sources", "deployment_tps", "deployment_ttft")
    assert read(source, GOOD).select(names).rows()[:3] == [
        ("aster-7b", "aster-latest; aster", None, "https://example.test/aster", 33.5, 0.25),
        (
            "boreal",
            None,
            "model-arch-not-released; model-arch-multimodal",
            "https://example.test/boreal; https://example.test/guess",
            None,
            None,
        ),
        ("cirrus-moe", None, None, None, 12.0, 1.0),
    ]


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b'"aliases"', b'"names"', "main, /", "not an object of aliases and models"),
        (b'"parameters": 7.5', b'"parameters": "7.5"', "/models/0/architecture/parameters", "neither a number"),
        (b'"parameters": 7.5', b'"parameters": null', "/models/0/architecture/parameters", "neither a number"),
        (b'"parameters": 7.5', b'"parameters": NaN', "/models/0/architecture/parameters", "neither a number"),
        (b'"parameters": 7.5', b'"size": 7.5', "/models/0/architecture/size", "not known"),
        (b', "parameters": 7.5', b"", "/models/0/architecture/parameters", "is missing"),
        (b'"max": 70.5', b'"most": 70.5', "/models/1/architecture/parameters/most", "not known"),
        (b'"min": 20, ', b"", "/models/1/architecture/parameters/min", "is missing"),
        (b'"active": 12.5', b'"active": true', "/models/3/architecture/parameters/active", "neither a number"),
        (b', "active": 12.5', b"", "/models/3/architecture/parameters/active", "is missing"),
        (b'"active": 12.5', b'"active": 12.5, "shared": 1', "/models/3/architecture/parameters/shared", "not known"),
        (b'"tps": 33.5', b'"tps": "33.5"', "/models/0/deployment/tps", "'33.5'"),
        (b'"deployment": {"tps": 33.5', b'"speed": {"tps": 33.5', "/models/0/speed", "not known"),
        (b'"warnings": null,', b"", "/models/0/warnings", "is missing"),
        (b'"warnings": null', b'"warnings": "none"', "/models/0/warnings", "is not a list"),
        (b'"https://example.test/aster"', b"7", "/models/0/sources/0", "7 is not String"),
        (b'"type": "model"', b'"type": "alias"', "/models/0/type", "'alias' is not 'model'"),
        (b'"alias": "aster-7b"', b'"alias": "aster-8b"', "/aliases/0", "not an alias of a listed model"),
        (b'"type": "alias"', b'"type": "model"', "/aliases/0", "not an alias of a listed model"),
    ],
)
def test_a_document_of_another_form_is_refused_whole(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem


@pytest.fixture
def published(source):
    return read(source, mirrored_bytes(source.documents[0]))


def test_every_published_model_and_alias_is_read(published):
    assert published.height == 356
    assert published["aliases"].str.split("; ").list.len().sum() == 12
    shapes = published.select(
        figure=(pl.col("total_params_b").is_not_null() & pl.col("architecture_type").eq("dense")).sum(),
        range=pl.col("total_params_low_b").is_not_null().sum(),
        active=pl.col("active_params_b").is_not_null().sum(),
        active_range=pl.col("active_params_low_b").is_not_null().sum(),
    )
    assert shapes.row(0) == (202 + 20, 49, 16, 69)


def test_published_guesses_say_so(published):
    guessed = published.filter(pl.col("warnings").str.contains(NOT_RELEASED))
    assert guessed.height == 126
    (row,) = published.filter(name="gpt-4o").to_dicts()
    assert [row[name] for name in PARAMETERS] == [440, None, None, None, 44, 132]
    assert (row["deployment_tps"], row["deployment_ttft"]) == (37.8, 0.52)
    assert NOT_RELEASED in row["warnings"]
