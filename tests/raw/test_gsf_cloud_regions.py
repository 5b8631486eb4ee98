"""raw.gsf_cloud_regions: rows read as printed from a made-up file, every file that must be refused, both revisions."""

import polars as pl
import pytest

from assets.raw.gsf_cloud_regions import TABLE, parse
from pipelines.sources.intake import parse_document
from pipelines.sources.restatements import restated
from pipelines.tables.validate import validate
from tests.made_up import fixture
from tests.support import MIRROR, mirror_index, refusal

GOOD = fixture("gsf_cloud_regions.csv")
OLDER, NEWER = "2025-07-21", "2026-02-24"
PUE, WUE = "power-usage-effectiveness", "water-usage-effectiveness"


@pytest.fixture
def source(catalogue):
    return catalogue["gsf_cloud_regions"]


def read(source, content):
    return TABLE.conform(parse_document(parse, content, source, source.documents[0], "5" * 64))


def test_cells_are_kept_as_printed_and_numbers_typed(source):
    frame = read(source, GOOD)
    assert validate(TABLE, frame) == []
    aster, bare, zeros = frame.select(TABLE.schema.keys()).rows()
    assert aster[3:] == (
        "line 2", 2031, "Made-Up Cloud", "aster-1", "Asterland", "AS", "AST", "Aster City", "-12.5,34.25 ",
        0.5, None, 1.25, 0.4, 0.0, 123.0, 234.5, 345.75, 233.0, 346.0, None, None, None, None, None, None,
    )  # fmt: skip
    assert bare[3:7] == ("line 3", 2031, "Made-Up Cloud", "boreal-1")
    assert set(bare[7:10] + bare[11:]) == {None}
    assert zeros[11:19] == ("61.5, 24.0", None, 1.0, 1.1, 0.0, 0.0, None, 0.0)


def test_line_ends_and_a_byte_order_mark_change_nothing(source):
    assert read(source, b"\xef\xbb\xbf" + GOOD.replace(b"\r\n", b"\n").removesuffix(b"\n")).equals(read(source, GOOD))


CHANGED = {
    # name: (printed, printed instead, place named, problem named)
    "a stray column": (b"consumption-onsite", b"consumption-onsite,Unnamed: 23", "line 1", "'Unnamed: 23'"),
    "a renamed column": (b"water-usage-eff", b"wue-eff", "line 1", "'wue-effectiveness'"),
    "another order": (b"year,cloud-provider", b"cloud-provider,year", "line 1", "order"),
    "no year": (b"2031,", b",", "line 2, column year", "is empty"),
    "half a year": (b"2031,", b"2031.5,", "line 2, column year", "not a whole number"),
    "no region": (b"aster-1", b"", "line 2, column cloud-region", "is empty"),
    "n/a": (b"1.25", b"n/a", f"line 2, column {PUE}", "'n/a'"),
    "blanks": (b"1.25", b"  ", f"line 2, column {PUE}", "''"),
    "negative": (b"0.4", b"-0.4", f"line 2, column {WUE}", "'-0.4'"),
    "not a place": (b"-12.5,34.25 ", b"south", "line 2, column geolocation", "'south'"),
    "a place without quotes": (b'"-12.5,34.25 "', b"-12.5,34.25", "line 2", "has 25 cells"),
    "a cut row": (b"0.5,,1.25", b"0.5", "line 2", "has 22 cells, the header 24"),
    "not UTF-8": (b"Aster City", b"\xe9t\xe9", "Cloud_Region_Metadata.csv", "not UTF-8"),
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_file_of_another_form_is_refused_whole(source, change):
    printed, instead, place, problem = CHANGED[change]
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem


def test_a_pue_below_one_breaks_the_contract(source):
    (failure,) = validate(TABLE, read(source, GOOD.replace(b"1.25", b"0.25")))
    assert failure.expectation.startswith(f"{PUE} between ")


@pytest.fixture(scope="module")
def revisions(catalogue) -> dict[str, pl.DataFrame]:
    """Both published revisions, parsed and checked."""
    source = catalogue["gsf_cloud_regions"]
    (document,) = source.documents
    rows = [row for row in mirror_index() if row["live_url"] == document.place]
    frames = {}
    for row in rows:
        content = (MIRROR / row["path"]).read_bytes()
        frames[row["as_of"]] = TABLE.conform(parse_document(parse, content, source, document, row["sha256"]))
        assert validate(TABLE, frames[row["as_of"]]) == []
    return frames


def test_each_revision_is_read_whole(revisions):
    assert {as_of: frame.height for as_of, frame in revisions.items()} == {OLDER: 310, NEWER: 373}
    counts = revisions[NEWER].group_by("cloud-provider").agg(pl.col(PUE, WUE).count()).sort("cloud-provider")
    assert counts.rows() == [("Amazon Web Services", 59, 86), ("Google Cloud", 38, 0), ("Microsoft Azure", 40, 27)]


def test_a_change_of_format_is_no_change_and_what_was_restated_is_told(revisions):
    found = restated(revisions[OLDER], revisions[NEWER], TABLE.identity, "2027-01-01T00:00:00Z")
    told = (
        found.filter(pl.col("change") == "restated").sort("row").select("row", "column_name", "old_value", "new_value")
    )
    assert told.rows() == [
        ("2022, Amazon Web Services, ap-northeast-1, Asia Pacific (Tokyo)", PUE, "1.32", "1.3"),
        ("2022, Amazon Web Services, me-south-1, Middle East (Bahrain)", PUE, "1.34", "1.38"),
        ("2023, Amazon Web Services, ap-northeast-1, Asia Pacific (Tokyo)", PUE, "1.3", "1.32"),
    ]
    assert dict(found["change"].value_counts().iter_rows()) == {"restated": 3, "added": 63}


def test_a_region_printed_at_two_places_is_two_rows(revisions):
    for frame in revisions.values():
        assert frame.select(TABLE.identity).is_duplicated().sum() == 0
        twice = frame.filter(frame.select("year", "cloud-provider", "cloud-region").is_duplicated())
        printed = twice.select("year", "cloud-region", "location", PUE).sort("year", "location")
        assert printed.rows() == [
            (2022, "northeurope", "Finland", 1.12),
            (2022, "northeurope", "Ireland", 1.197),
            (2023, "northeurope", "Finland", None),
            (2023, "northeurope", "Ireland", 1.19),
        ]


def test_market_based_carbon_is_zero_wherever_it_is_filled_and_stays_as_printed(revisions):
    printed = revisions[NEWER]["provider-carbon-intensity-market-annual"]
    assert (printed.count(), printed.max()) == (251, 0)
    empty = [column.name for column in TABLE.columns if revisions[NEWER][column.name].count() == 0]
    assert len(empty) == 6


def test_the_legacy_carbon_column_is_the_rounded_marginal_one(revisions):
    frame = revisions[NEWER].drop_nulls("grid-carbon-intensity")
    assert frame.height == 71
    marginal = frame["grid-carbon-intensity-marginal-consumption-annual"]
    assert (frame["grid-carbon-intensity"] - marginal).abs().max() <= 0.5
