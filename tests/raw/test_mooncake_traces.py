"""raw.mooncake_traces: rows read from a made-up document, and every document that must be refused."""

import pytest

from assets.raw.mooncake_traces import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.raw.made_up_sources import DOCUMENTS
from tests.support import refusal

GOOD = DOCUMENTS["mooncake_traces"]


@pytest.fixture
def source(catalogue):
    return catalogue["mooncake_traces"]


def test_rows_are_read_as_printed_with_their_places(source):
    frame = TABLE.conform(parse_document(parse, GOOD, source, source.documents[0], "5" * 64))
    assert frame.select(
        "locator", "timestamp", "input_length", "output_length", "n_blocks", "n_shared_blocks"
    ).rows() == [("line 1", 0, 900, 6, 2, 0), ("line 2", 50, 1400, 7, 3, 2)]


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b"900", b"9.5", "conversation, line 1/input_length", "9.5"),
        (b"[1, 2, 3]", b"7", "line 2/hash_ids", "block numbers"),
        (b"[1, 2, 3]", b"[1, null]", "line 2/hash_ids", "block numbers"),
        (b"[1, 2, 3]}", b"[1, 2", "line 2, line 1", "is not JSON"),
        (b'"timestamp": 50', b'"time": 50', "line 2/time", "not known"),
    ],
)
def test_a_document_of_another_form_is_refused_whole(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem
