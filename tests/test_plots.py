"""Charts beside tables: what a person reads on them."""

import re
from itertools import pairwise

import polars as pl
import pytest
import vl_convert

from pipelines import plots

WIDTH_OF_A_SIGN = 7


def labels(chart: plots.Chart, title: str) -> list[tuple[float, str]]:
    """The labels that show of the axis with this title, from left to right."""
    svg = vl_convert.vegalite_to_svg(plots.dressed(chart))
    axis = svg[: svg.index(f">{title}</text>")].rsplit("role-axis-label", 1)[1]
    texts = re.findall(r'<text [^>]*transform="translate\(([\d.]+),[^>]*opacity="1">([^<]+)</text>', axis)
    return sorted((float(x), text) for x, text in texts)


def rows_from(low: float, high: float) -> pl.DataFrame:
    p50 = "energy_wh_per_query_p50"
    values = {f"{p50}_lo90": [low], p50: [(low * high) ** 0.5], f"{p50}_hi90": [high]}
    return pl.DataFrame({"label": ["a model"], "evidence": ["predicted"]} | values)


@pytest.mark.parametrize(("low", "high"), [(0.0012, 0.9), (0.002, 4), (0.0001, 30)])
def test_labels_of_a_logarithmic_axis_do_not_touch(low, high):
    found = labels(plots.energy_by_model(rows_from(low, high), "a question"), "Wh per query, median and 90 % interval")
    assert len(found) > 3
    for (x, text), (x_next, text_next) in pairwise(found):
        assert x_next - x > (len(text) + len(text_next)) / 2 * WIDTH_OF_A_SIGN, (text, text_next)


def test_a_source_that_is_asked_each_week_shows_beside_one_that_is_asked_each_year():
    rows = pl.DataFrame({"source_id": ["yearly", "weekly"], "age_days": [40.0, 3.0], "cadence_days": [365, 7]})
    chart = plots.age_of_sources(rows)
    assert chart["encoding"]["y"]["sort"] == ["weekly", "yearly"]
    svg = vl_convert.vegalite_to_svg(plots.dressed(chart))
    for words in ("3.0 of 7 days", "40.0 of 365 days"):
        assert words in svg
