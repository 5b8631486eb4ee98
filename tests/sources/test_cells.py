"""Numbers as printed: read exactly or refused, never guessed."""

import pytest

from pipelines.sources.cells import csv_records, number, utf8, whole_number
from pipelines.sources.errors import SourceError


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("987.65", 987.65),
        ("1,234", 1234.0),
        ("12,345.67", 12345.67),
        ("1,234,567", 1234567.0),
        ("1234567.5", 1234567.5),
        ("1.979e15", 1.979e15),
        ("2E+3", 2000.0),
        (" 42 ", 42.0),
    ],
)
def test_numbers_with_and_without_separators(printed, value):
    assert number(printed, "a_source", "line 1") == value


@pytest.mark.parametrize(
    "printed",
    ["", "-1", "+1", "n/a", "NaN", "inf", "1,23", "12,34,567", "1.234,5", "1 234", "1_000", "0x1f", "1e", ".5", "5.",
     "4.3k", "~7", "1e999", "٣", "½", "7\x1c", "\x0b7", "7\x85", "7\u2009"],
)  # fmt: skip
def test_anything_else_is_refused_with_source_and_place(printed):
    with pytest.raises(SourceError) as caught:
        number(printed, "a_source", "line 3, column speed")
    assert str(caught.value).startswith(f"a_source: line 3, column speed: {printed!r} is ")


@pytest.mark.parametrize("printed", ["8.5", "1e30", "1e999", "-8", "eight", ""])
def test_what_is_no_whole_number_is_refused(printed):
    with pytest.raises(SourceError, match="a_source: line 3: "):
        whole_number(printed, "a_source", "line 3")


def test_whole_numbers_may_be_printed_as_floats():
    assert [whole_number(printed, "a", "b") for printed in ("8", "8.0", "1,024")] == [8, 8, 1024]


def test_text_is_utf8_with_or_without_its_mark():
    assert utf8(b"\xef\xbb\xbfabc", "a", "b") == utf8(b"abc", "a", "b") == "abc"
    with pytest.raises(SourceError, match="a_source: the file: is not UTF-8 at byte 1"):
        utf8(b"a\xff", "a_source", "the file")


def test_records_come_with_the_line_they_end_on():
    assert list(csv_records('a,b\r\n"one\ntwo",3\n', "a_source")) == [(1, ["a", "b"]), (3, ["one\ntwo", "3"])]
    with pytest.raises(SourceError, match="a_source: line 2: is not CSV"):
        list(csv_records('a,b\n"x"y,1\n', "a_source"))
