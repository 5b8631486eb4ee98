"""Charts that stand beside a table in the Dagster UI: pure functions from frames to Vega-Lite, and to a small PNG.

Written as Vega-Lite itself: importing a library that writes it costs half a second of each refresh. What is drawn,
and of which rows, is the assets' business; charts of documents are in docs/figures.py.
"""

import base64
from typing import Any

import polars as pl

Chart = dict[str, Any]
LOG = {"type": "log"}
FONT = {"labelFontSize": 12, "titleFontSize": 13}
NUMBERS = {"labelOverlap": "greedy", "labelSeparation": 8}
"""Labels that would touch leave one out: on a logarithmic axis 300 and 400 would read 300400."""
PIXELS = 1.25
"""Of an image for one of the chart: text stays sharp, and each of them weighs some hundred kB in the log of events."""
BACKGROUND = "white"
"""The UI has a dark theme too: without it the labels vanish there."""


def as_markdown(chart: Chart) -> str:
    """The chart as an image in Markdown, which the UI shows; its title is the text of the image."""
    import vl_convert  # noqa: PLC0415  (starting its engine takes most of a second)

    png = vl_convert.vegalite_to_png(dressed(chart), scale=PIXELS)
    return f"![{_title(chart)}](data:image/png;base64,{base64.b64encode(png).decode()})"


def dressed(chart: Chart) -> Chart:
    """The chart in the clothes that all of them wear."""
    config = {"axis": FONT, "axisQuantitative": NUMBERS, "legend": FONT, "title": {"fontSize": 15}}
    return {"background": BACKGROUND, "padding": 10, "config": config} | chart


def _title(chart: Chart) -> str:
    title = chart["title"]
    return title["text"] if isinstance(title, dict) else title


def _values(frame: pl.DataFrame) -> Chart:
    return {"values": frame.to_dicts()}


def throughput_by_length(points: pl.DataFrame) -> Chart:
    """Published throughput (`kind` published) and the fit (`kind` fit) against the output length, by `configuration`.

    Columns: configuration, input_tokens, output_tokens, output_tokens_per_s_per_accelerator, kind.
    """
    x = {"field": "output_tokens", "type": "quantitative", "scale": LOG, "title": "output tokens"}
    y = {
        "field": "output_tokens_per_s_per_accelerator",
        "type": "quantitative",
        "scale": LOG,
        "title": "output tokens/s of one accelerator",
    }
    color = {"field": "input_tokens", "type": "ordinal", "title": "input tokens"}
    shared = {"x": x, "y": y, "color": color}
    layers = [
        {"transform": [{"filter": "datum.kind === 'fit'"}], "mark": {"type": "line", "opacity": 0.7}},
        {
            "transform": [{"filter": "datum.kind === 'published'"}],
            "mark": {"type": "point", "filled": True, "size": 45},
        },
    ]
    return {
        "title": "Throughput against lengths: published (points) and fitted (lines)",
        "data": _values(points),
        "facet": {"field": "configuration", "type": "nominal", "title": None},
        "columns": 2,
        "spec": {"width": 330, "height": 210, "layer": [layer | {"encoding": shared} for layer in layers]},
        "resolve": {"scale": {"color": "shared"}},
    }


def energy_by_model(rows: pl.DataFrame, question: str) -> Chart:
    """Median energy of a query with its 90 % interval, one row a `label`.

    Columns: label, evidence, energy_wh_per_query_p50, energy_wh_per_query_p50_lo90, energy_wh_per_query_p50_hi90.
    """
    order = rows.sort("energy_wh_per_query_p50")["label"].to_list()
    y = {"field": "label", "type": "nominal", "sort": order, "title": None, "axis": {"labelLimit": 330}}
    wh = {"type": "quantitative", "scale": LOG, "title": "Wh per query, median and 90 % interval"}
    color = {"field": "evidence", "type": "nominal", "title": "evidence"}
    return {
        "title": {"text": "Energy per query by model", "subtitle": question},
        "data": _values(rows),
        "width": 430,
        "height": {"step": 15},
        "encoding": {"y": y, "color": color},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    "x": {"field": "energy_wh_per_query_p50_lo90", **wh},
                    "x2": {"field": "energy_wh_per_query_p50_hi90"},
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 50},
                "encoding": {"x": {"field": "energy_wh_per_query_p50", **wh}},
            },
        ],
    }


def measured_against_predicted(points: pl.DataFrame, what: str) -> Chart:
    """Measured figures against predictions that did not see them; on the line both are equal.

    Columns: measured, predicted, group.
    """
    ends = [{"measured": v, "predicted": v} for v in (points["measured"].min(), points["measured"].max())]
    axis = {"type": "quantitative", "scale": {"zero": False}}
    x = {"field": "measured", "title": f"measured {what}", **axis}
    y = {"field": "predicted", "title": f"predicted {what}", **axis}
    color = {"field": "group", "type": "nominal", "title": "held out"}
    return {
        "title": {"text": "Measured against predicted", "subtitle": "each group predicted from the others"},
        "width": 430,
        "height": 380,
        "encoding": {"x": x, "y": y},
        "layer": [
            {"data": {"values": ends}, "mark": {"type": "line", "color": "black", "strokeDash": [4, 4]}},
            {
                "data": _values(points),
                "mark": {"type": "point", "opacity": 0.6, "size": 25},
                "encoding": {"color": color},
            },
        ],
    }


def age_of_sources(rows: pl.DataFrame) -> Chart:
    """How long ago each source's figures were accepted, as a share of the days between two askings, and in days.

    Days alone would hide a source that is asked each week beside one that is asked each year.
    Columns: source_id, age_days, cadence_days.
    """
    order = rows.sort(pl.col("age_days") / pl.col("cadence_days"), "source_id", descending=[True, False])
    y = {
        "field": "source_id",
        "type": "nominal",
        "sort": order["source_id"].to_list(),
        "title": None,
        "axis": {"labelLimit": 230},
    }
    share = {"type": "quantitative", "title": "age of its figures, as a share of the days between askings"}
    older = {"condition": {"test": "datum.share > 1", "value": "#d9730d"}, "value": "#4c78a8"}
    days = "format(datum.age_days, '.1f') + ' of ' + datum.cadence_days + ' days'"
    return {
        "title": {"text": "Age of the sources", "subtitle": "orange: older than the days between askings"},
        "data": _values(rows),
        "transform": [
            {"calculate": "datum.age_days / datum.cadence_days", "as": "share"},
            {"calculate": days, "as": "days"},
        ],
        "width": 430,
        "height": {"step": 17},
        "encoding": {"y": y},
        "layer": [
            {"mark": "bar", "encoding": {"x": {"field": "share", **share}, "color": older}},
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "fontSize": 11},
                "encoding": {"x": {"field": "share", **share}, "text": {"field": "days"}},
            },
            {
                "data": {"values": [{"one": 1}]},
                "mark": {"type": "rule", "strokeDash": [4, 4], "color": "gray"},
                "encoding": {"x": {"datum": 1}, "y": None},
            },
        ],
    }
