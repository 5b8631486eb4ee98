"""Extracts at rest: what is written is read back exactly, and a damaged one names file and place."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.sources.errors import SourceError
from pipelines.sources.extracts import ExtractHead, Snapshot, read_extract, read_head, write_extract

PLACE = {"source_id": pl.String, "source_release": pl.String, "snapshot_sha256": pl.String}
SCHEMA = PLACE | {"name": pl.String, "speed": pl.Float64, "cards": pl.Int64, "metered": pl.Boolean}
FRAME = pl.DataFrame(
    {
        "source_id": ["a_source"] * 6,
        "source_release": ["1.0", "1.0", "1.0", "2", "2", "2"],
        "snapshot_sha256": ["ab" * 32] * 3 + ["cd" * 32] * 3,
        "name": ["plain", 'a "quoted", name', "over\r\ntwo lines", "# no comment", "Ærø · 漢 \u2028", None],
        "speed": [0.1 + 0.2, 1e-300, 123456789.123456789, 5.0, None, -0.0],
        "cards": [8, 2**53, None, 0, -1, 72],
        "metered": [True, False, None, True, False, None],
    },
    schema=SCHEMA,
)
HEAD = ExtractHead(
    source_id="a_source",
    title="A title: with a colon, and # a hash",
    publisher="Made-Up",
    licence="MIT",
    licence_url="https://published.test/licence",
    credit="A credit line long enough to be folded over more than one line of the comment " * 3,
    accepted_at_utc="2027-02-03T04:05:06Z",
    parser_version="0123456789ab",
    snapshots=(
        Snapshot(url="https://published.test/a", release="1.0", sha256="ab" * 32, size_bytes=12, etag='"one"'),
        Snapshot(url="https://published.test/b", release="2", sha256="cd" * 32, size_bytes=1, revised_on="2027-01-01"),
    ),
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a_source.csv"
    write_extract(path, HEAD, FRAME)
    return path


def refused(path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_extract(path, SCHEMA)
    assert caught.value.source_id == "a_source.csv"
    return caught.value


def test_what_is_written_is_read_back_exactly(path):
    head, frame = read_extract(path, SCHEMA)
    assert head == HEAD == read_head(path)
    assert_frame_equal(frame, FRAME, check_exact=True)


def test_an_extract_without_rows_keeps_its_columns(path):
    write_extract(path, HEAD, FRAME.clear())
    assert_frame_equal(read_extract(path, SCHEMA)[1], FRAME.clear())


def test_a_reviewer_reads_licence_and_credit_above_the_rows(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# source_id: a_source"
    assert "# licence: MIT" in lines
    assert lines[next(i for i, line in enumerate(lines) if not line.startswith("# "))] == (
        "source_release,name,speed,cards,metered"
    )


DAMAGE = {
    # name: (written, written instead, place named, problem named)
    "a column renamed": ("name,speed", "name,velocity", "line ", "['speed', 'velocity']"),
    "a column gone": ("name,speed,cards,metered", "name,speed,cards", "after line ", "is not CSV"),
    "columns swapped": ("name,speed", "speed,name", "line ", "order"),
    "a bad number": ("plain,0.30000000000000004", "plain,n/a", "data row 1, column speed", "'n/a' is not Float64"),
    "a bad whole number": (",8,true", ",8.5,true", "data row 1, column cards", "'8.5' is not Int64"),
    "a bad truth value": (",8,true", ",8,True", "data row 1, column metered", "'True' is not Boolean"),
    "a ragged row": (",8,true", ",8,true,9", "after line ", "is not CSV"),
    "a head that is not YAML": ("# licence: MIT", "# licence: [MIT", "lines 1-", "comment head"),
    "an unknown field in the head": ("# licence: MIT", "# licence: MIT\n# colour: blue", "lines 1-", "colour"),
    "a field gone from the head": ("# licence: MIT\n", "", "lines 1-", "licence"),
    "a head cut short": ("# snapshots:\n", "snapshots:\n", "lines 1-", "snapshots"),
    "conflict marks": ("# source_id", "<<<<<<< ours\n# source_id", "lines 1-0", "comment head"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_names_the_file_and_the_place(path, damage):
    written, instead, place, problem = DAMAGE[damage]
    text = path.read_bytes().decode()
    assert written in text
    path.write_bytes(text.replace(written, instead, 1).encode())
    error = refused(path)
    assert place in error.place
    assert problem in error.problem


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"name,speed\n"])
def test_a_file_that_is_no_extract_is_an_error(path, content):
    path.write_bytes(content)
    assert refused(path).place in ("whole file", "lines 1-0")


def test_a_missing_file_is_an_error(path):
    path.unlink()
    assert "cannot be read" in refused(path).problem
