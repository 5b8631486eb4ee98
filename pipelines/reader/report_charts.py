"""The charts of the report, declared in Vega-Altair. What they say in words belongs to report_content.py.

Colours are CSS variables of the page, so that charts follow light, dark and print without being drawn again. Each chart
is as wide as the page; labels stand in as many lines as they have line feeds, and page/report.js wraps those further
where the page is narrow.
"""

import json
from collections.abc import Callable, Sequence
from functools import wraps

import altair as alt

Rows = list[dict]

INK, MUTED, GRID, PAPER = "var(--ink)", "var(--muted)", "var(--line)", "var(--paper)"
ACCENT, SECOND, QUIET = "var(--c1)", "var(--c2)", "var(--quiet)"
PALETTE = tuple(f"var(--c{i})" for i in range(1, 8))
SHAPES = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "triangle-right")
FONT = "system-ui, sans-serif"
CONFIG = {
    "aria": False,  # the figure as a whole has its text; a screen reader gets the numbers from the table below it
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED, "titleColor": MUTED, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
        "gridColor": GRID, "domainColor": GRID, "tickColor": GRID, "labelLimit": 380, "titlePadding": 8,
    },
    "axisY": {"labelColor": INK, "ticks": False, "domain": False, "labelPadding": 8, "grid": False},
    "axisX": {"tickCount": 6, "labelOverlap": True, "labelFlush": False},
    "legend": {
        "labelColor": INK, "titleColor": MUTED, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
        "orient": "top", "symbolSize": 70, "symbolOpacity": 1, "labelLimit": 260, "columnPadding": 16,
    },
    "range": {"category": list(PALETTE), "symbol": list(SHAPES)},
    "text": {"color": MUTED, "fontSize": 11},
    "rule": {"color": MUTED},
    "point": {"size": 70, "filled": True, "opacity": 1},
    "bar": {"cornerRadiusEnd": 2},
}  # fmt: skip
ROWS = "rows"
TWO_LINES, LINE_HEIGHT = "split(datum.label, '\\n')", 14
PADDING = {"left": 4, "right": 20, "top": 5, "bottom": 5}
ROOM_FOR_NOTES, ROOM_FOR_SERIES = 1.3, 10
"""Axes reach this many times beyond the largest value, for the words behind it: on a linear and a logarithmic one."""
POWERS_OF_TEN = [10.0**power for power in range(-6, 7)]


def _declared(chart_of: Callable[..., alt.TopLevelMixin]) -> Callable[..., dict]:
    """The chart as Vega-Lite, its rows put in at the end: Altair would copy and hash them for each layer.

    Nor does it check what it makes against the schema, which takes longer than the rest: a test does that.
    """

    @wraps(chart_of)
    def made(rows: Rows, *arguments: object) -> dict:
        with alt.utils.schemapi.debug_mode(False):
            declared = chart_of(rows, *arguments).to_dict(validate=False)
        size = {"autosize": {"type": "fit-x", "contains": "padding"}, "padding": PADDING}
        return declared | size | {"config": CONFIG, "datasets": declared.get("datasets", {}) | {ROWS: rows}}

    return made


def _base() -> alt.Chart:
    return alt.Chart(alt.NamedData(ROWS))


def _y(field: str = "label", sort: Sequence[str] | None = None, *, lines: int = 1, apart: bool = False) -> alt.Y:
    """Names down the left, each in `lines` lines; `apart`: with a line between, where one name has several marks."""
    order = alt.Undefined if sort is None else list(sort)
    axis = alt.Axis(
        labelExpr=TWO_LINES,
        labelLineHeight=LINE_HEIGHT,
        labelOffset=-(lines - 1) * LINE_HEIGHT / 2,
        grid=apart,
        tickBand="extent" if apart else "center",
    )
    return alt.Y(f"{field}:N", sort=order, title=None, axis=axis)


def _x(field: str, title: str, *, log: bool = True, tick_format: str | None = None, **more: object) -> alt.X:
    scale = alt.Scale(type="log", nice=False, padding=12, **more) if log else alt.Scale(**more)
    return alt.X(f"{field}:Q", title=title, scale=scale, axis=alt.Axis(format=tick_format or ("~g" if log else "~r")))


def _tooltip(**fields: str) -> list[alt.Tooltip]:
    """`title=field`: numbers with three significant digits; a field that ends with `:N` is text."""
    return [
        alt.Tooltip(field, title=title.replace("_", " "))
        if field.endswith(":N")
        else alt.Tooltip(f"{field}:Q", title=title.replace("_", " "), format=".3~g")
        for title, field in fields.items()
    ]


def _colour(field: str, domain: Sequence[str], colours: Sequence[str] = PALETTE, title: str | None = None) -> alt.Color:
    scale = alt.Scale(domain=list(domain), range=list(colours[: len(domain)]))
    return alt.Color(f"{field}:N", scale=scale, legend=alt.Legend(title=title))


def _shape(field: str, domain: Sequence[str], title: str | None = None) -> alt.Shape:
    scale = alt.Scale(domain=list(domain), range=list(SHAPES[: len(domain)]))
    return alt.Shape(f"{field}:N", scale=scale, legend=alt.Legend(title=title))


def _line_at(value: float) -> alt.Chart:
    return alt.Chart(alt.InlineData([{"at": value}])).mark_rule(strokeDash=[4, 4]).encode(x="at:Q")


def _select(name: str, options: Sequence[str], label: str, every: str | None = None, value: str | None = None):
    """A drop-down list above the chart; `every`: what its first entry, that selects nothing, is called."""
    choices = [*([every] if every else []), *options]
    return alt.param(name=name, value=value or choices[0], bind=alt.binding_select(options=choices, name=label))


@_declared
def energy(rows: Rows, models: Sequence[str], accelerators: Sequence[str]) -> alt.LayerChart:
    """Median with its interval, by model; accelerators one below the other within it."""
    every_model, every_accelerator = "All models", "All accelerators"
    model = _select("model", sorted(models), "Model", every_model)
    accelerator = _select("accelerator", accelerators, "Accelerator", every_accelerator)
    base = _base().encode(
        y=_y("model", models, apart=True),
        yOffset=alt.YOffset("accelerator:N", sort=list(accelerators)),
        color=_colour("accelerator", accelerators),
    )
    tip = _tooltip(
        Model="model:N",
        On="on:N",
        Median_Wh="median",
        Low="low",
        High="high",
        Benchmarks="benchmarks",
        Source="source:N",
    )
    chosen = (
        f"(model == '{every_model}' || datum.model == model) && "
        f"(accelerator == '{every_accelerator}' || datum.accelerator == accelerator)"
    )
    pairs = sorted({f"{row['model']} on {row['accelerator']}" for row in rows})
    nothing = (
        alt.Chart(alt.InlineData([{"note": "No benchmark of this model on this accelerator"}]))
        .transform_filter(
            f"model != '{every_model}' && accelerator != '{every_accelerator}' && "
            f"indexof({json.dumps(pairs)}, model + ' on ' + accelerator) < 0"
        )
        .mark_text(align="left", baseline="top")
        .encode(text="note:N", x=alt.value(8), y=alt.value(8))
    )
    return (
        alt.layer(
            base.transform_filter(chosen)
            .mark_rule(strokeWidth=2, opacity=0.55)
            .encode(x=_x("low", "Wh per query"), x2="high:Q", tooltip=tip),
            base.transform_filter(chosen)
            .mark_point()
            .encode(x=_x("median", "Wh per query"), shape=_shape("accelerator", accelerators), tooltip=tip),
            nothing,
        )
        .add_params(model, accelerator)
        .properties(width="container", height=alt.Step(8, **{"for": "offset"}))
    )


@_declared
def two_lengths(rows: Rows, models: Sequence[str], workloads: Sequence[str]) -> alt.LayerChart:
    """Medians of typical and long queries with their intervals, one line a model."""
    base = _base().encode(y=_y("model", models))
    tip = _tooltip(Model="model:N", On="on:N", Queries="workload:N", Median_Wh="median", Low="low", High="high")
    return alt.layer(
        base.mark_rule(strokeWidth=6, opacity=0.3, strokeCap="round").encode(
            x=_x("low", "Wh per query"), x2="high:Q", color=_colour("workload", workloads), tooltip=tip
        ),
        base.mark_point().encode(
            x=_x("median", "Wh per query"),
            color=_colour("workload", workloads),
            shape=_shape("workload", workloads),
            tooltip=tip,
        ),
    ).properties(width="container", height=alt.Step(22))


@_declared
def longer_answers(rows: Rows, models: Sequence[str], first: str, methods: Sequence[str]) -> alt.LayerChart:
    """Energy against how many times longer the answers are; hollow where more than a tenth is extrapolated."""
    model = _select("model", models, "Model", value=first)
    x = alt.X(
        "multiple:Q", title="Times as many output tokens", scale=alt.Scale(type="log"), axis=alt.Axis(format="~g")
    )
    base = _base().transform_filter("datum.model == model")
    energy_axis = alt.Axis(format="~g", grid=True, values=POWERS_OF_TEN)
    y = alt.Y("median:Q", title="Wh per query", scale=alt.Scale(type="log"), axis=energy_axis)
    colour = _colour("method", methods)
    tip = _tooltip(
        Method="method:N", Times_longer="multiple", Median_Wh="median", Low="low", High="high", Known="known:N"
    )
    reach = base.transform_filter("datum.up_to != null").transform_aggregate(up_to="max(up_to)")
    points = base.encode(x=x, y=y, color=colour, tooltip=tip)
    return (
        alt.layer(
            base.transform_filter("datum.low != null")
            .mark_area(opacity=0.15)
            .encode(x=x, y=alt.Y("low:Q", scale=alt.Scale(type="log")), y2="high:Q", color=colour),
            reach.mark_rule(strokeDash=[4, 4]).encode(x="up_to:Q"),
            *(
                reach.transform_filter(where)
                .transform_calculate(note="'half the queries are longer'")
                .mark_text(align=side, baseline="top", dx=away, dy=2)
                .encode(x="up_to:Q", y=alt.value(0), text="note:N")
                # on the side where there is room for it
                for side, away, where in (("left", 6, "datum.up_to <= 10"), ("right", -6, "datum.up_to > 10"))
            ),
            points.mark_line(strokeWidth=2),
            points.transform_filter("!datum.extrapolated").mark_point(),
            points.transform_filter("datum.extrapolated").mark_point(filled=False, fill=PAPER, strokeWidth=2),
        )
        .add_params(model)
        .properties(width="container", height=320)
    )


@_declared
def ratios(rows: Rows, labels: Sequence[str], kinds: Sequence[str], title: str) -> alt.LayerChart:
    """Energy after over before with its spread; left of the dashed line saves."""
    base = _base().encode(y=_y("label", labels, lines=2), color=_colour("kind", kinds))
    tip = _tooltip(Step="label:N", Known="kind:N", Ratio="ratio", p10="low", p90="high", Pairs="pairs", Models="models")
    return alt.layer(
        _line_at(1),
        base.mark_rule(strokeWidth=6, opacity=0.3, strokeCap="round").encode(
            x=_x("low", title), x2="high:Q", tooltip=tip
        ),
        base.mark_point().encode(x=_x("ratio", title), shape=_shape("kind", kinds), tooltip=tip),
    ).properties(width="container", height=alt.Step(34))


@_declared
def fleets(rows: Rows, fleets_in_order: Sequence[str], series: Sequence[str]) -> alt.LayerChart:
    """GWh a day of each fleet, by method and load, with intervals where there are."""
    colours = [ACCENT if name.startswith("Load") else SECOND for name in series]
    base = _base().encode(
        y=_y("label", fleets_in_order, lines=4, apart=True),
        yOffset=alt.YOffset("series:N", sort=list(series)),
        color=alt.Color("series:N", scale=alt.Scale(domain=list(series), range=colours), legend=None),
    )
    tip = _tooltip(Fleet="label:N", By="series:N", GWh_a_day="value", Low="low", High="high", Queries_a_day="queries")
    least = min(row["low"] or row["value"] for row in rows)
    most = max(row["right"] for row in rows)

    def x(field: str) -> alt.X:
        return _x(field, "GWh per day", domain=[least, most * ROOM_FOR_SERIES])

    return alt.layer(
        base.mark_rule(strokeWidth=2, opacity=0.5).encode(x=x("low"), x2="high:Q", tooltip=tip),
        base.mark_point().encode(x=x("value"), tooltip=tip),
        base.mark_text(align="left", dx=8, fontSize=10, color=MUTED).encode(
            x=x("right"), text="series:N", color=alt.value(MUTED)
        ),
    ).properties(width="container", height=alt.Step(14, **{"for": "offset"}))


@_declared
def aims(rows: Rows, labels: Sequence[str], metrics: Sequence[str], verdicts: Sequence[str]) -> alt.LayerChart:
    """Held-out error as a bar and its aim as a tick; which statistic, by a list."""
    metric = _select("metric", metrics, "Error")
    base = _base().transform_filter("datum.metric == metric").encode(y=_y("label", labels, lines=2))
    axis = alt.Axis(format=".0%")
    x = alt.X("error:Q", title="Relative error of figures that were left out", axis=axis)
    tip = [
        *_tooltip(What="label:N", Statistic="metric:N", Verdict="verdict:N", Figures="figures"),
        alt.Tooltip("error:Q", title="Error", format=".1%"),
        alt.Tooltip("aim:Q", title="Aim", format=".0%"),
    ]
    return (
        alt.layer(
            base.mark_bar(size=12).encode(
                x=x, color=_colour("verdict", verdicts, (ACCENT, SECOND, QUIET)), tooltip=tip
            ),
            base.transform_filter("datum.aim != null")
            .mark_tick(thickness=3, size=22, color=INK)
            .encode(x="aim:Q", tooltip=tip),
        )
        .add_params(metric)
        .properties(width="container", height=alt.Step(34))
    )


@_declared
def estimators(rows: Rows, labels: Sequence[str], names: Sequence[str]) -> alt.LayerChart:
    """Median error and the error that nine of ten stay below, by estimator, on a logarithmic axis."""
    title = "Relative error, median to 90th percentile"
    base = _base().encode(
        y=_y("label", labels, lines=2, apart=True),
        yOffset=alt.YOffset("estimator:N", sort=list(names)),
        color=_colour("estimator", names),
    )
    tip = [
        *_tooltip(What="label:N", Estimator="estimator:N", Figures="figures"),
        alt.Tooltip("median:Q", title="Median error", format=".1%"),
        alt.Tooltip("p90:Q", title="90th percentile", format=".1%"),
    ]
    return alt.layer(
        base.mark_rule(strokeWidth=2, opacity=0.55).encode(
            x=_x("median", title, tick_format=".0%"), x2="p90:Q", tooltip=tip
        ),
        base.mark_point().encode(
            x=_x("median", title, tick_format=".0%"), shape=_shape("estimator", names), tooltip=tip
        ),
    ).properties(width="container", height=alt.Step(11, **{"for": "offset"}))


@_declared
def ladder(rows: Rows, labels: Sequence[str], boundaries: Sequence[str]) -> alt.LayerChart:
    """Energy of one query on each rung, from the innermost boundary outward."""
    base = _base().encode(y=_y("label", labels, lines=2))
    tip = _tooltip(Rung="label:N", Boundary="boundary:N", Wh="value", Known="basis:N", Why="explanation:N")
    most = max(row["value"] for row in rows)
    x = _x("value", "Wh per query", log=False, domain=[0, most * ROOM_FOR_NOTES], nice=False)
    return alt.layer(
        base.mark_bar(size=16).encode(x=x, color=_colour("boundary", boundaries), tooltip=tip),
        base.mark_text(align="left", dx=6, color=INK).encode(x=x, text="note:N"),
    ).properties(width="container", height=alt.Step(36))


@_declared
def conflicts(rows: Rows, labels: Sequence[str]) -> alt.LayerChart:
    """One tick a pair of figures, at their ratio."""
    tip = _tooltip(
        What="label:N", Of="subject:N", First="a:N", Second="b:N", First_value="value_a", Second_value="value_b",
        Ratio="ratio", Caveat="caveat:N",
    )  # fmt: skip
    ticks = (
        _base()
        .mark_tick(thickness=2, size=18, opacity=0.5, color=ACCENT)
        .encode(y=_y("label", labels, lines=2), x=_x("ratio", "Second figure over first"), tooltip=tip)
    )
    return alt.layer(_line_at(1), ticks).properties(width="container", height=alt.Step(36))


@_declared
def ages(rows: Rows, labels: Sequence[str], kinds: Sequence[str]) -> alt.LayerChart:
    """How many days ago a source was revised by its publisher, and taken here; sources without figures say so."""
    base = _base().encode(y=_y("label", labels, lines=2))
    tip = _tooltip(Source="label:N", What="kind:N", Days="days", On="date:N", Document="document:N")
    return alt.layer(
        base.transform_filter("datum.days != null")
        .mark_point()
        .encode(
            x=_x("days", "Days before this report", log=False, zero=True),
            color=_colour("kind", kinds),
            shape=_shape("kind", kinds),
            tooltip=tip,
        ),
        base.transform_filter("datum.days == null").mark_text(align="left", dx=4).encode(x=alt.value(0), text="kind:N"),
    ).properties(width="container", height=alt.Step(36))


@_declared
def causes(rows: Rows, labels: Sequence[str]) -> alt.LayerChart:
    """By cause, the part that it has in the changes of estimates: median, and the least to the most."""
    title = "Estimate after over before, the part of this cause"
    base = _base().encode(y=_y("label", labels, lines=2))
    tip = _tooltip(Cause="label:N", Estimates="estimates", Median="median", Least="low", Most="high")
    return alt.layer(
        _line_at(1),
        base.mark_rule(strokeWidth=6, opacity=0.3, strokeCap="round", color=ACCENT).encode(
            x=_x("low", title, log=False, zero=False), x2="high:Q", tooltip=tip
        ),
        base.mark_point(color=ACCENT).encode(x=_x("median", title, log=False, zero=False), tooltip=tip),
    ).properties(width="container", height=alt.Step(34))
