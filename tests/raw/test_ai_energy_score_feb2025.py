"""raw.ai_energy_score_feb2025: what a task's file gives, what is refused, and what the published board holds."""

import polars as pl
import pytest

from assets.raw.ai_energy_score_feb2025 import TABLE, parse
from pipelines.sources.intake import parse_document
from pipelines.tables.validate import validate
from tests.made_up import fixture
from tests.support import mirrored_bytes, refusal

GOOD = fixture("ai_energy_score_feb2025.csv")
WITHOUT_CLASS = GOOD.replace(b",class", b"").replace(b",A", b"").replace(b",C", b"")


@pytest.fixture
def source(catalogue):
    return catalogue["ai_energy_score_feb2025"]


@pytest.fixture
def task(source):
    return {document.release: document for document in source.documents}


def read(source, document, content):
    return TABLE.conform(parse_document(parse, content, source, document, "5" * 64))


def test_rows_are_read_as_printed_though_lines_end_as_on_windows_and_the_last_does_not(source, task):
    frame = read(source, task["text_generation"], GOOD)
    assert frame.drop("source_id", "snapshot_sha256").rows() == [
        ("text_generation", "line 2", "made-up/Aster-7B", 0.0123456, 3, "A"),
        ("text_generation", "line 3", "made-up/Boreal-70B", 7.89e-05, 5, "C"),
        ("text_generation", "line 4", "made-up/Aster-7B", 0.0123999, 2, "A"),
    ]
    assert validate(TABLE, frame) == []


def test_other_tasks_have_no_class(source, task):
    frame = read(source, task["asr"], WITHOUT_CLASS)
    assert (frame["class"].null_count(), set(frame["source_release"])) == (3, {"asr"})
    assert validate(TABLE, frame) == []


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b",class", b",size", "text_generation, line 1", "'size'"),
        (b"total_gpu_energy,energy_score", b"energy_score,total_gpu_energy", "line 1", "expected"),
        (b"0.0123456", b"n/a", "text_generation, line 2, column total_gpu_energy", "'n/a'"),
        (b"0.0123456", b"-0.01", "line 2, column total_gpu_energy", "'-0.01'"),
        (b"0.0123456", b"", "line 2, column total_gpu_energy", "is empty"),
        (b"made-up/Boreal-70B", b" ", "line 3, column model", "is empty"),
        (b",5,C", b",4.5,C", "line 3, column energy_score", "'4.5' is not a whole number"),
        (b",5,C", b",5", "line 3", "has 3 cells, the header 4"),
        (b"made-up/Boreal", b"made-up/Bor\xe9al", "text_generation.csv", "not UTF-8"),
    ],
)
def test_a_file_of_another_form_is_refused_whole(source, task, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, task["text_generation"])
    assert place in error.place
    assert problem in error.problem


def test_a_task_that_gains_or_loses_its_class_is_refused(source, task):
    assert "expected" in refusal(parse, GOOD, source, task["asr"]).problem
    assert "expected" in refusal(parse, WITHOUT_CLASS, source, task["text_generation"]).problem


@pytest.fixture
def published(source):
    return pl.concat([read(source, document, mirrored_bytes(document)) for document in source.documents])


def test_every_published_row_is_read(published):
    assert validate(TABLE, published) == []
    assert dict(published["source_release"].value_counts().iter_rows()) == {
        "asr": 13, "image_captioning": 10, "image_classification": 23, "image_generation": 12, "object_detection": 7,
        "question_answering": 18, "sentence_similarity": 19, "summarization": 11, "text_classification": 13,
        "text_generation": 40,
    }  # fmt: skip


def test_two_models_are_printed_twice_in_a_task_with_other_figures(published):
    twice = published.filter(pl.len().over("source_release", "model") > 1)
    assert set(twice["model"]) == {"facebook/detr-resnet-50-dc5", "microsoft/swinv2-large-patch4-window12-192-22k"}
    assert twice["total_gpu_energy"].n_unique() == twice.height == 4
