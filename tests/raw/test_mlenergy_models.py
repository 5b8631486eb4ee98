"""raw.mlenergy_models: rows read from a made-up document, and every document that must be refused."""

import pytest

from assets.raw.mlenergy_models import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.raw.made_up_sources import DOCUMENTS
from tests.support import refusal

GOOD = DOCUMENTS["mlenergy_models"]


@pytest.fixture
def source(catalogue):
    return catalogue["mlenergy_models"]


def test_rows_are_read_as_printed_with_their_places(source):
    frame = TABLE.conform(parse_document(parse, GOOD, source, source.documents[0], "5" * 64))
    assert frame.select("locator", "model_id", "architecture", "total_params_billions").rows() == [
        ("/models/Boreal", "Boreal", None, 7.0),
        ("/models/Made~1Aster~07B", "Made/Aster~7B", "Dense", 7.0),
    ]


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b'"models"', b'"list"', "v3, /models", "is not an object of models"),
        (b"7.0", b'"7"', "/models/Made~1Aster~07B/total_params", "'7'"),
        (b'"nickname"', b'"name"', "Aster~07B/name", "not known"),
        (b'"Dense"', b"7", "/architecture", "7 is not String"),
    ],
)
def test_a_document_of_another_form_is_refused_whole(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem
