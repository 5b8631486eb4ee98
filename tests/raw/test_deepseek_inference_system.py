"""raw.deepseek_inference_system: rows read from a made-up document, and every document that must be refused."""

import pytest

from assets.raw.deepseek_inference_system import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.raw.made_up_sources import DOCUMENTS
from tests.support import refusal

GOOD = DOCUMENTS["deepseek_inference_system"]


@pytest.fixture
def source(catalogue):
    return catalogue["deepseek_inference_system"]


def test_rows_are_read_as_printed_with_their_places(source):
    frame = TABLE.conform(parse_document(parse, GOOD, source, source.documents[0], "5" * 64))
    assert frame.select("locator", "phase", "tokens_per_s_per_node", "token_basis", "gpus_per_node", "gpu").rows() == [
        ("line 5, decode", "decode", 3250.0, "output", 8, "X800"),
        ("line 5, prefill", "prefill", 12500.0, "input", 8, "X800"),
    ]


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b"delivers", b"gives", "sentence", "is not on the page"),
        (b"8 X800", b"8 X900", "sentence", "is not on the page"),
        (b"12.5k", b"1.2.5k", "line 5, prefill", "'1.2.5'"),
        (b"each node contains", b"a node has", "sentence", "is not on the page"),
    ],
)
def test_a_document_of_another_form_is_refused_whole(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem
