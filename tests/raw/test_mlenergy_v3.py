"""raw.mlenergy_v3: rows read from a made-up document, and every document that must be refused."""

import pytest

from assets.raw.mlenergy_v3 import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.raw.made_up_sources import DOCUMENTS
from tests.support import refusal

GOOD = DOCUMENTS["mlenergy_v3"]


@pytest.fixture
def source(catalogue):
    return catalogue["mlenergy_v3"]


def test_rows_are_read_as_printed_with_their_places(source):
    frame = TABLE.conform(parse_document(parse, GOOD, source, source.documents[0], "5" * 64))
    assert frame.select(
        "locator", "task", "num_gpus", "activated_params_billions", "energy_per_token_joules"
    ).rows() == [(f"/configurations/{i}", "made-up", 2, 7.0, 1.5) for i in range(2)]


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b'"num_gpus": 2', b'"num_gpus": 2.5', "gpqa, /configurations/0/num_gpus", "2.5"),
        (b'"num_gpus": 2', b'"gpus": 2', "/configurations/0/gpus", "not known"),
        (b'"p99_itl_ms": 13.0', b'"p99_itl_ms": NaN', "/configurations/0/p99_itl_ms", "nan"),
        (b"300.0", b'"300"', "/avg_power_watts", "'300'"),
        (b'"task":', b'"job":', "gpqa, /", "is not an object of"),
        (b"}", b"", "line", "is not JSON"),
    ],
)
def test_a_document_of_another_form_is_refused_whole(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem
