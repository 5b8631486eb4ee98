"""The figure of docs/methods.md is what docs/figures.py draws from a refreshed home."""

import re
import runpy
from xml.etree import ElementTree

import pytest

from pipelines.sources.catalogue import REPOSITORY

NUMBER = re.compile(r"\d+(?:\.\d+)?")
OF_A_PIXEL = 0.21


def test_the_committed_figure_shows_the_published_numbers(book):
    drawing = runpy.run_path(str(REPOSITORY / "docs" / "figures.py"))
    committed, drawn = drawing["FIGURE"].read_text(encoding="utf-8"), drawing["figure"](book / "joulebook.duckdb")
    assert NUMBER.sub("0", committed) == NUMBER.sub("0", drawn), "draw it anew: python docs/figures.py"
    shown, found = ([float(number) for number in NUMBER.findall(text)] for text in (committed, drawn))
    assert shown == pytest.approx(found, abs=OF_A_PIXEL), "draw it anew: python docs/figures.py"
    assert ElementTree.fromstring(committed).tag.endswith("svg")
