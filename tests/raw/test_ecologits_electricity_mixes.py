"""raw.ecologits_electricity_mixes: rows read from a made-up file, and every file that must be refused."""

import pytest

from assets.raw.ecologits_electricity_mixes import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.made_up import fixture
from tests.support import mirrored_bytes, refusal

GOOD = fixture("ecologits_electricity_mixes.csv")


@pytest.fixture
def source(catalogue):
    return catalogue["ecologits_electricity_mixes"]


def read(source, content):
    return TABLE.conform(parse_document(parse, content, source, source.documents[0], "5" * 64))


def test_rows_are_read_as_printed_with_their_places(source):
    assert read(source, GOOD).select("locator", "name", "adpe", "pe", "gwp", "wue").rows() == [
        ("line 2", "AAA", 1.234e-8, 5.5, 0.123, 4.5),
        ("line 3", "WOR", 4.321e-8, 6.25, 0.321, 5.5),
    ]


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b"gwp,wue", b"wue,gwp", "line 1", "columns are"),
        (b"gwp,wue", b"gwp,wue,unit", "line 1", "columns are"),
        (b"0.123", b"", "line 2, column gwp", "''"),
        (b"0.123", b"123 g", "line 2, column gwp", "'123 g'"),
        (b"4.5", b"-4.5", "line 2, column wue", "'-4.5'"),
        (b"AAA", b"", "line 2", "is not a code"),
        (b",4.5", b"", "line 2", "is not a code and four figures"),
        (b"AAA", b'"AAA', "line 3", "not CSV"),
    ],
)
def test_a_file_of_another_form_is_refused_whole(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem


def test_published_figures_are_kilograms_and_litres_per_kwh(source):
    frame = read(source, mirrored_bytes(source.documents[0]))
    assert frame.height == 50
    printed = {name: (gwp, wue) for name, gwp, wue in frame.select("name", "gwp", "wue").rows()}
    assert [printed[name] for name in ("USA", "WOR", "FRA", "SWE", "IRL")] == [
        (0.38355, 3.1321),
        (0.47301, 3.908),
        (0.04418, 3.6737),
        (0.03582, 6.0315),
        (0.2797, 1.4769),
    ]
