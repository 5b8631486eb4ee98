"""raw.azure_llm_2023: rows read from a made-up document, and every document that must be refused."""

import pytest

from assets.raw.azure_llm_2023 import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.raw.made_up_sources import DOCUMENTS
from tests.support import refusal

GOOD = DOCUMENTS["azure_llm_2023"]


@pytest.fixture
def source(catalogue):
    return catalogue["azure_llm_2023"]


def test_rows_are_read_as_printed_with_their_places(source):
    frame = TABLE.conform(parse_document(parse, GOOD, source, source.documents[0], "5" * 64))
    assert frame.select("locator", "TIMESTAMP", "ContextTokens", "GeneratedTokens").rows() == [
        ("line 2", "2031-01-02 03:04:05.0000001", 4808, 10),
        ("line 3", "2031-01-02 03:04:06.0000002", 3180, 8),
    ]


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b",GeneratedTokens", b"", "code, line 1", "expected"),
        (b"4808", b"-4808", "line 2, column ContextTokens", "'-4808'"),
        (b",8", b",8.5", "line 3, column GeneratedTokens", "'8.5'"),
        (b",8", b"", "line 3", "is not a time and two counts"),
        (b"2031-01-02 03:04:05", b"yesterday", "line 2", "is not a time"),
    ],
)
def test_a_document_of_another_form_is_refused_whole(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem
