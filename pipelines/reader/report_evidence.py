"""Figures of the report about what its numbers rest on: errors, boundaries, conflicts, sources, releases."""

import math
import re
from collections.abc import Sequence
from datetime import date, datetime

from pipelines.reader import report_charts as charts
from pipelines.reader.book import Book
from pipelines.reader.names import BOUNDARIES, measure, readable
from pipelines.reader.question import DEFAULT_MODEL, OVIEDO, SERVING_TIME
from pipelines.reader.report_parts import WH, Column, DataTable, Figure, figure_of, span, unique
from pipelines.reader.show import number, percent

MOST_CONFLICTS_CHARTED = 2000
BACKTEST = (
    Column("target", "What is predicted", measure), Column("held_out", "Left out"), Column("part", "Part"),
    Column("prior", "Prior"), Column("source_ids", "Sources"), Column("estimator", "Estimator"),
    Column("n_rows", "Figures"), Column("error_p50", "Error, median"), Column("bar_error_p50", "Aim"),
    Column("error_mean", "Error, mean"), Column("bar_error_mean", "Aim"), Column("error_p90", "Error, 90 %"),
    Column("bar_error_p90", "Aim"), Column("nominal_coverage", "Promised coverage"),
    Column("coverage_of_rows", "Coverage"),
)  # fmt: skip
LADDER = (
    Column("rung_order", "Rung"), Column("rung", "What"), Column("estimate_boundary", "Boundary"),
    Column("load", "Load"), Column("energy_wh_per_query", "Wh per query"), Column("step_ratio", "Over the rung below"),
    Column("ratio_to_ours", "Over ours"), Column("estimate_basis", "Known as"), Column("explanation", "Why"),
)  # fmt: skip
CONFLICTS = (
    Column("quantity", "What", measure), Column("subject", "Of"), Column("model_id", "Model", readable),
    Column("differs_by", "Differs by"), Column("source_id_a", "First"), Column("source_release_a", "Release"),
    Column("detail_a", "Says"), Column("value_a", "Value"), Column("source_id_b", "Second"),
    Column("source_release_b", "Release"), Column("detail_b", "Says"), Column("value_b", "Value"),
    Column("ratio", "Second over first"), Column("caveat", "Caveat"),
)  # fmt: skip
SOURCES = (
    Column("source_title", "Source"), Column("publisher", "Publisher"), Column("source_release", "Document"),
    Column("state", "State"), Column("revised_on", "Revised"), Column("accepted_at_utc", "Taken"),
    Column("age_days", "Days ago", is_derived=True), Column("rows_in", "Rows"), Column("rows_accepted", "Accepted"),
    Column("licence", "Licence"), Column("url", "Address"), Column("problem", "Problem"),
)  # fmt: skip
CAUSES = (
    Column("release_number", "Release"), Column("cause", "Cause"), Column("table_name", "Table"),
    Column("n_rows_added", "Rows new"), Column("n_rows_removed", "Gone"), Column("n_rows_changed", "Changed"),
    Column("n_estimates_moved", "Estimates moved"),
)  # fmt: skip
RELEASES = (
    Column("release_number", "Release"), Column("released_at_utc", "Made"), Column("tag", "Name"),
    Column("n_estimates", "Estimates"), Column("n_changed", "Changed"), Column("n_added", "New"),
    Column("n_removed", "Gone"), Column(WH, "Llama 3.1 405B, Wh"), Column("backtest_error_p50", "Held-out error"),
    Column("causes", "What changed"),
)  # fmt: skip


# Measured against predicted

LEFT_OUT = {
    "128/4096": "128 tokens in, 4096 out", "32768": "32768 tokens out", "nothing: fixed beforehand": "fixed beforehand",
    "gpu": "a GPU not metered before", "model size": "a model size not seen", "model family": "a family not seen",
    "source": "a source not seen", "system": "a system not seen",
}  # fmt: skip
"""What was left out, in words."""
METRICS = {"error_p50": "Median", "error_mean": "Mean", "error_p90": "90th percentile"}
HELD, MISSED, NO_AIM = "Within its aim", "Over its aim", "No aim set"


def _left_out(row: dict) -> str:
    """Two lines: what was predicted and left out, and what the prediction knew of it."""
    prior = "" if row["prior"] == "none" else f"prior {row['prior']}"
    part = "" if row["part"] == "all" else row["part"]
    if row["target"] == "serving_time" and part:
        part = f"release {part}"
    source = "" if row["target"] == "serving_time" else ", ".join(map(readable, row["source_ids"].split(", ")))
    what = LEFT_OUT.get(row["held_out"], row["held_out"])
    return f"{measure(row['target'])}: {what}\n{', '.join(filter(None, (source, part, prior))) or 'published tables'}"


def aims(book: Book) -> Figure:
    has_aim = " or ".join(f"bar_{name} is not null" for name in METRICS)
    rows = book.rows(f"from backtest where {has_aim} order by target desc, part = 'all' desc, held_out, prior, part")
    judged = [
        (row, name, MISSED if row[name] > row[f"bar_{name}"] else HELD)
        for row in rows
        for name in METRICS
        if row[f"bar_{name}"] is not None
    ]

    def title() -> str:
        held = sum(verdict == HELD for *_, verdict in judged)
        return f"{held} of {len(judged)} aims for figures that the estimator had not seen are held."

    def chart() -> dict:
        verdicts = {(id(row), name): verdict for row, name, verdict in judged}
        drawn = [
            {
                "label": _left_out(row), "metric": label, "error": row[name], "aim": row[f"bar_{name}"],
                "verdict": verdicts.get((id(row), name), NO_AIM), "figures": row["n_rows"],
            }
            for row in rows
            for name, label in METRICS.items()
        ]  # fmt: skip
        return charts.aims(drawn, unique(row["label"] for row in drawn), list(METRICS.values()), [HELD, MISSED, NO_AIM])

    return figure_of(
        "aims",
        title,
        "Relative error of published figures that were left out of the fit, or fixed before they were seen; the "
        "upright "
        "mark is the aim that was set. Throughput is in accelerator-seconds of a query, power of boards (gpu) and "
        "servers "
        "(node) in W. No energy of a whole query was measured on known lengths, so energy per token is the closest "
        "there "
        "is, at the throughput given. The prior says what else the prediction had not seen.",
        DataTable("backtest", BACKTEST, rows),
        chart,
        "The book has no aim to hold predictions against.",
    )


def estimators(book: Book) -> Figure:
    rows = book.rows(
        "from backtest where part = 'all' and target in ('serving_time', 'gpu_power', 'node_power') and"
        " (target <> 'serving_time' or (prior in ('none', 'without the architecture') and held_out in"
        " (select held_out from backtest where estimator = ?)))"
        " order by target desc, held_out, source_ids, estimator, prior, n_rows",
        OVIEDO,
    )
    names = {
        SERVING_TIME: "Serving time (ours)", OVIEDO: "Oviedo et al.", "constant": "Constant share",
        "operating-point": "Operating point", "tps-x-tdp": "Throughput x rating",
    }  # fmt: skip

    def of(estimator: str) -> list[dict]:
        return [row for row in rows if row["estimator"] == estimator and row["held_out"] == "one point"]

    def title() -> str:
        ours, theirs = of(SERVING_TIME), of(OVIEDO)
        if not (ours and theirs):
            return "What each estimator misses of figures that it had not seen."
        return (
            f"A throughput that was left out is missed by {percent(ours[0]['error_p50'])} in the median; the paper's "
            "rule "
            f"misses it by {percent(theirs[0]['error_p50'])}."
        )

    def chart() -> dict:
        drawn = [
            {
                "label": _left_out(row | {"prior": "none"}), "estimator": names.get(row["estimator"], row["estimator"]),
                "median": row["error_p50"], "p90": row["error_p90"], "figures": row["n_rows"],
            }
            for row in rows
        ]  # fmt: skip
        shown = [name for name in names.values() if any(row["estimator"] == name for row in drawn)]
        return charts.estimators(drawn, unique(row["label"] for row in drawn), shown)

    return figure_of(
        "estimators",
        title,
        "Relative error of figures that were left out, by estimator, on a logarithmic axis: the mark is the median, "
        "nine of ten errors are below "
        "the end of the line. Ours is fitted without the architecture in question. Where two marks of one estimator "
        "stand "
        "together, the second is on the fewer figures that both can predict. The power of boards fails on ML.ENERGY "
        "v2: "
        "do not lay estimates of boundary gpu on older software or part loads.",
        DataTable("backtest", BACKTEST, rows),
        chart,
        "The book has no errors of several estimators.",
    )


# The ladder


def ladders(book: Book) -> list[Figure]:
    rows = book.rows("from boundary_ladder order by ladder, rung_order, energy_wh_per_query, rung")
    if not rows:
        return [_ladder("", [])]
    ladders = sorted({row["ladder"] for row in rows}, key=lambda name: (name != DEFAULT_MODEL, name.islower(), name))
    return [_ladder(name, [row for row in rows if row["ladder"] == name]) for name in ladders]


def _ladder(name: str, rows: list[dict]) -> Figure:
    beside_ours = any(row["ratio_to_ours"] is not None for row in rows)
    whose = readable(name) if name == DEFAULT_MODEL else name

    def title() -> str:
        low, high = span(row["energy_wh_per_query"] for row in rows)
        if beside_ours:
            least, most = span(row["ratio_to_ours"] for row in rows)
            return (
                f"What others publish or meter is {number(least)} to {number(most)} times ours within the same "
                "boundary."
            )
        return f"{whose}: one query takes {number(low)} to {number(high)} Wh, depending on what is counted."

    def chart() -> dict:
        drawn = [
            {
                "label": _rung(row), "boundary": BOUNDARIES.get(row["estimate_boundary"], row["estimate_boundary"]),
                "value": row["energy_wh_per_query"], "basis": row["estimate_basis"], "explanation": row["explanation"],
                "note": f"{number(row['energy_wh_per_query'])} Wh",
            }
            for row in rows
        ]  # fmt: skip
        shown = [label for label in BOUNDARIES.values() if any(row["boundary"] == label for row in drawn)]
        return charts.ladder(drawn, unique(row["label"] for row in drawn), shown)

    caption = (
        "Published or metered energy of a query beside ours of the same boundary; the factor is theirs over ours. "
        "They are of other models, lengths and dates: the table says what explains each."
        if beside_ours
        else "Wh of one query, each rung with everything of the one above it and what it names. Our own: method "
        "serving-time, workload traditional, default configuration. At half load fewer queries bear the "
        "power that does not fall with them."
    )
    return figure_of(
        f"ladder-{re.sub('[^a-z0-9]+', '-', name.lower()) or 'none'}",
        title,
        caption,
        DataTable("boundary_ladder", LADDER, rows),
        chart,
        "The book has no ladder of boundaries.",
    )


def _rung(row: dict) -> str:
    """The name of a rung in two lines: what it is, then which figure of others, or how ours is known."""
    subject, _, figure = row["rung"].partition(": ")
    subject = subject.partition(", /")[0]
    first, _, rest = subject.partition(" ")
    if "_" in first:
        subject = f"{readable(first)} {rest}"
    ratio = row["ratio_to_ours"]
    beside = row["estimate_basis"] if ratio is None else f"{number(ratio)} x ours, {measure(figure)}"
    return f"{subject[:1].upper()}{subject[1:]}\n{beside}"


# Conflicts


def conflicts(book: Book) -> Figure:
    rows = book.rows(
        "from conflicts order by quantity, differs_by, abs(ln(greatest(ratio, 1e-12))) desc, source_id_a,"
        " source_release_a, locator_a, source_id_b, source_release_b, locator_b"
    )

    def title() -> str:
        apart = sorted(max(row["ratio"], 1 / row["ratio"]) for row in rows if row["ratio"])
        return (
            f"{len(rows)} pairs of published figures speak of one thing; half of them are over "
            f"{percent(apart[len(apart) // 2] - 1)} apart."
        )

    def chart() -> dict:
        drawn = [
            {
                "label": f"{measure(row['quantity'])}\nby {row['differs_by']}", "subject": _of(row),
                "ratio": row["ratio"], "a": f"{readable(row['source_id_a'])} {row['source_release_a']}",
                "b": f"{readable(row['source_id_b'])} {row['source_release_b']}", "value_a": row["value_a"],
                "value_b": row["value_b"], "caveat": row["caveat"] or "",
            }
            for row in rows[:MOST_CONFLICTS_CHARTED]
            if row["ratio"]
        ]  # fmt: skip
        return charts.conflicts(drawn, unique(row["label"] for row in drawn))

    return figure_of(
        "conflicts-of-sources",
        title,
        "The second figure over the first, on a logarithmic axis; each mark is a pair, grouped by what the two are "
        "of and "
        "in what they differ (two sources, two releases, two rows of one file). A newer release is usually faster; a "
        "ratio far from 1 is a difference of basis, batch, unit or software. Both figures stand in the table.",
        DataTable("conflicts", CONFLICTS, rows),
        chart,
        "No two published figures conflict.",
    )


def _of(row: dict) -> str:
    return f"{readable(row['model_id'])}, {row['subject']}" if row["model_id"] else row["subject"]


# Sources


def ages(book: Book, made_on: date) -> Figure:
    rows = book.rows("from sources order by lower(source_title), source_release")
    for row in rows:
        row["age_days"] = _days(row["accepted_at_utc"], made_on)
    taken = [row for row in rows if row["accepted_at_utc"]]
    kinds = {"revised_on": "Revised by its publisher", "accepted_at_utc": "Taken by this book"}

    def title() -> str:
        n_taken, n = (len({row["source_id"] for row in some}) for some in (taken, rows))
        if not taken:
            return f"None of {n} sources was taken."
        return (
            f"{n_taken} of {n} sources are in this book; the oldest figures were taken "
            f"{max(r['age_days'] for r in taken)} days ago."
        )

    def chart() -> dict:
        drawn = [
            {
                "label": _titled(row), "kind": kind, "days": _days(row[name], made_on), "date": row[name],
                "document": row["source_release"],
            }
            for row in taken
            for name, kind in kinds.items()
            if row[name]
        ]  # fmt: skip
        there = {row["label"] for row in drawn}
        absent = unique(label for row in rows if (label := _titled(row)) not in there)
        drawn += [
            {"label": label, "kind": "not taken yet", "days": None, "date": "", "document": ""} for label in absent
        ]
        return charts.ages(drawn, unique(row["label"] for row in drawn), list(kinds.values()))

    return figure_of(
        "ages-of-sources",
        title,
        "Days between this report and the day each document was last revised by its publisher, and the moment it was "
        "taken. A source whose licence does not let figures be redistributed is absent until a refresh with the web.",
        DataTable("sources", SOURCES, rows),
        chart,
        "The book names no source.",
    )


def _titled(row: dict) -> str:
    return f"{row['source_title']}\n{row['publisher']}"


def _days(moment: str | None, until: date) -> int | None:
    """Whole days from a date or a moment until a day; None where there is none."""
    return None if moment is None else max(0, (until - datetime.fromisoformat(moment).date()).days)


# Changes


def causes_of_changes(book: Book, releases: Sequence[dict]) -> Figure:
    latest = releases[-1] if releases else {"release_number": 0}
    of_latest = "release_number = ?"
    rows = book.rows(f"from release_causes where {of_latest} order by cause, table_name", latest["release_number"])
    parts = book.rows(
        "select cause, count(*) as n, quantile_cont(log_ratio, 0.5) as median, min(log_ratio) as low,"
        f" max(log_ratio) as high from change_causes where {of_latest} and abs(log_ratio) > 1e-9 group by cause"
        " order by abs(quantile_cont(log_ratio, 0.5)) desc, cause",
        latest["release_number"],
    )

    def title() -> str:
        return (
            f"Release {latest['release_number']} changed {latest['n_changed']:,} estimates, added "
            f"{latest['n_added']:,} and "
            f"removed {latest['n_removed']:,}."
        )

    def chart() -> dict:
        drawn = [
            {"label": f"{row['cause']}\n{row['n']:,} estimates", "estimates": row["n"]}
            | {name: math.exp(row[name]) for name in ("median", "low", "high")}
            for row in parts
        ]
        return charts.causes(drawn, [row["label"] for row in drawn])

    is_first = len(releases) <= 1
    return figure_of(
        "causes-of-changes",
        title,
        "Estimates after over before, shared out over what caused the change: median over the estimates that the cause "
        "moved, and from the least to the most. Causes that moved no estimate stand in the table only.",
        DataTable("release_causes", CAUSES, rows),
        chart if parts else None,
        "This is the first release of this book: nothing has changed yet."
        if is_first
        else f"Nothing that estimates are made of changed in release {latest['release_number']}.",
    )


def history(releases: list[dict]) -> Figure:
    def title() -> str:
        return f"This book has {len(releases)} release{'s' if len(releases) > 1 else ''}."

    return figure_of(
        "releases",
        title,
        "Each release freezes all tables; equal figures make none. The energy is that of Llama 3.1 405B on its default "
        "configuration, typical queries, boundary facility; the error is that of serving-time with one point left out.",
        DataTable("releases", RELEASES, list(reversed(releases))),
        None,
        "The book names no release.",
    )
