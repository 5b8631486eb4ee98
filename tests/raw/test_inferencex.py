"""raw.inferencex: rows read from a made-up document, and every document that must be refused."""

import pytest

from assets.raw.inferencex import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.raw.made_up_sources import DOCUMENTS
from tests.support import refusal

GOOD = DOCUMENTS["inferencex"]


@pytest.fixture
def source(catalogue):
    return catalogue["inferencex"]


def test_rows_are_read_as_printed_with_their_places(source):
    frame = TABLE.conform(parse_document(parse, GOOD, source, source.documents[0], "5" * 64))
    assert frame.select("locator", "disagg", "isl", "tput_per_gpu", "output_tput_per_gpu", "avg_power_w").rows() == [
        (f"/{i}", False, 1024, 30.0, 10.0, None) for i in range(2)
    ]


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b'"isl": 1024', b'"isl": "1024"', "latest, /0/isl", "'1024'"),
        (b'"disagg": false', b'"disagg": 0', "/0/disagg", "0 is not Boolean"),
        (b'"tput_per_gpu"', b'"tput"', "/0/metrics/tput_per_gpu", "is missing"),
        (b'"conc"', b'"clients"', "/0/clients", "not known"),
        (b"30.0", b"Infinity", "/0/metrics/tput_per_gpu", "inf"),
        (b'"metrics": {', b'"metrics": 1, "workers": {', "/0/metrics", "is not an object"),
    ],
)
def test_a_document_of_another_form_is_refused_whole(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem
