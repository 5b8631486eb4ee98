"""raw.ai_energy_score_corinac: what a well-formed file gives, what is refused, and the mistaken unit as published."""

import polars as pl
import pytest

from assets.raw import ai_energy_score_feb2025 as board
from assets.raw.ai_energy_score_corinac import TABLE, parse
from pipelines.sources.intake import parse_document
from pipelines.tables.validate import validate
from tests.made_up import fixture
from tests.support import mirrored_bytes, refusal

GOOD = fixture("ai_energy_score_corinac.csv")


@pytest.fixture
def source(catalogue):
    return catalogue["ai_energy_score_corinac"]


def read(source, content):
    return TABLE.conform(parse_document(parse, content, source, source.documents[0], "5" * 64))


def test_rows_are_read_as_printed(source):
    frame = read(source, GOOD)
    assert frame.select("locator", "model_name", "model_type", "wh_per_query", "wh_per_1000_queries").rows() == [
        ("line 2", "Aster 7B", "Text", 1.234e-05, 0.01234),
        ("line 3", "Aster 7B", "Reasoning", 0.01234567, 12.34567),
        ("line 4", "Boreal 70B(High) ", "Text", 0.0005, 0.5),
        ("line 5", "Cirrus", "Speech", 6e-08, 6e-05),
    ]
    assert frame["led_10W_seconds"].to_list() == [0.0044, 4.4444, 0.18, 0.0]
    assert validate(TABLE, frame) == []


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b"wh_per_query", b"kwh_per_query", "line 1", "'kwh_per_query'"),
        (b"model_name,developer", b"developer,model_name", "line 1", "expected"),
        (b",0.01234,", b",12.3 Wh,", "line 2, column wh_per_1000_queries", "'12.3 Wh'"),
        (b",0.01234,", b",-0.01234,", "line 2, column wh_per_1000_queries", "'-0.01234'"),
        (b",0.01234,", b",,", "line 2, column wh_per_1000_queries", "is empty"),
        (b"Cirrus", b"", "line 5, column model_name", "is empty"),
        (b"Cirrus,Other", b"Cirrus", "line 5", "has 9 cells, the header 10"),
        (b"Cirrus", b'"Cir"rus', "line 5", "is not CSV"),
        (b"Cirrus", b"Cirr\xfbs", "ai_model.csv", "not UTF-8"),
    ],
)
def test_a_file_of_another_form_is_refused_whole(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem


@pytest.fixture
def published(source):
    return read(source, mirrored_bytes(source.documents[0])).sort(pl.col("locator").str.slice(5).cast(pl.Int64))


def test_every_published_row_is_read(published):
    assert validate(TABLE, published) == []
    assert dict(published["model_type"].value_counts().iter_rows()) == {
        "Text": 123, "Image": 52, "Reasoning": 18, "Speech": 13,
    }  # fmt: skip


def test_names_repeat_and_six_end_in_a_blank(published):
    assert published.height - published["model_name"].n_unique() == 22
    assert published["model_name"].str.ends_with(" ").sum() == 6
    assert published.filter(pl.col("model_name").str.starts_with("*")).height == 1
    exaone = published.filter(pl.col("model_name") == "EXAONE 4.0 32B")
    assert dict(exaone.select("model_type", "wh_per_1000_queries").iter_rows()) == {
        "Reasoning": 18.99236, "Text": 0.05448,
    }  # fmt: skip


def test_its_watt_hours_are_the_kilowatt_hours_of_the_board(published, catalogue):
    """The board in the order of its tasks, rounded, is the head of the copy: the unit alone was changed."""
    source = catalogue["ai_energy_score_feb2025"]
    kwh = [
        value
        for document in source.documents
        for value in parse_document(board.parse, mirrored_bytes(document), source, document, "5" * 64)[
            "total_gpu_energy"
        ]
    ]
    labelled_wh = published.filter(pl.col("model_type") != "Reasoning")["wh_per_1000_queries"].to_list()
    assert len(kwh) == 166
    assert labelled_wh[: len(kwh)] == pytest.approx(kwh, abs=0.6e-5)  # rounded twice
