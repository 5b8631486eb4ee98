"""Reading JSON documents strictly: what is not one, and what no text can hold."""

import pytest

from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import load_json


@pytest.mark.parametrize(
    "document", [b'{"a": "\\ud83d\\ude00"}', b'{"a": "\\\\ud800 as printed"}', '{"a": "\u2028"}'.encode()]
)
def test_whole_characters_are_read_however_they_are_escaped(document):
    assert len(load_json(document, "a_source", "a.json")) == 1


@pytest.mark.parametrize(
    "document",
    [
        b'[\n{"a": "\\ud800 X100"}]',
        b'[\n{"\\uDFFF": 1}]',
        b'["\\ud83d\\ude00",\n"\\udead"]',
        b'["",\n"\\\\ud83d\\ude00"]',
    ],
)
def test_half_a_character_is_refused_with_its_line(document):
    with pytest.raises(SourceError, match=r"a_source: a\.json, line 2: is not text: .* half a character"):
        load_json(document, "a_source", "a.json")
