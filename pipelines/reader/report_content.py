"""What the report says: each figure with its sentence, caption, chart and the rows of the published table behind it.

How charts look belongs to report_charts.py, the page to report_page.py. Every column of a table is one of the published
table, unless it says that it is derived.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from textwrap import wrap

from pipelines.reader import report_charts as charts
from pipelines.reader.book import Book
from pipelines.reader.names import BOUNDARIES, METHODS, measure, readable, states
from pipelines.reader.question import DEFAULT_MODEL, KEY, OVIEDO, SERVING_TIME, answering
from pipelines.reader.show import number, percent

SHORT, LONG = "traditional", "test-time"
WORKLOADS = {SHORT: "Typical (500 tokens in, 300 out)", LONG: "Test-time (500 in, 5000 out)"}
PAPER_ASSUMES = "Assumed by the paper"
MOST_CONFLICTS_CHARTED = 2000


@dataclass(frozen=True)
class Column:
    """A column of a data table: what it is called in the published table and to a person, and how its ids read."""

    name: str
    label: str
    reads: Callable[[str], str] | None = None
    is_derived: bool = False


@dataclass(frozen=True)
class DataTable:
    """Rows of one published table."""

    of: str
    columns: tuple[Column, ...]
    rows: list[dict]


@dataclass(frozen=True)
class Figure:
    """`spec` is None where there is nothing to draw: `caption` then says why."""

    figure_id: str
    title: str
    caption: str
    summary: str
    spec: dict | None
    table: DataTable


@dataclass(frozen=True)
class Section:
    section_id: str
    title: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Report:
    """All of it. `facts` stand above: label, number and unit, what it is of."""

    release: dict
    made_on: date
    facts: list[tuple[str, str, str]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)


WH = "energy_wh_per_query_p50"
ENERGY = (
    Column("model_id", "Model", readable), Column("accelerator_id", "Accelerator", readable),
    Column("n_accelerators", "Number"), Column("precision", "Precision"), Column("source_id", "Source", readable),
    Column("source_release", "Release"), Column("workload_id", "Queries"), Column(WH, "Median, Wh"),
    Column(f"{WH}_lo90", "Low, Wh"), Column(f"{WH}_hi90", "High, Wh"), Column("n_benchmark_rows", "Benchmarks"),
    Column("is_extrapolated", "Extrapolated"), Column("evidence", "Evidence"), Column("estimate_id", "Estimate"),
)  # fmt: skip
SCALING = (
    Column("model_id", "Model", readable), Column("accelerator_id", "Accelerator", readable),
    Column("n_accelerators", "Number"), Column("method", "Method"), Column("output_multiple", "Times longer"),
    Column("median_output_tokens", "Output tokens"), Column(WH, "Median, Wh"), Column(f"{WH}_lo90", "Low, Wh"),
    Column(f"{WH}_hi90", "High, Wh"), Column("energy_ratio_to_one", "Times the energy"),
    Column("benchmarked_up_to_multiple", "Benchmarked up to"), Column("is_extrapolated", "Extrapolated"),
)  # fmt: skip
STEPS = (
    Column("pathway", "Pathway"), Column("intervention", "What changes"), Column("state_from", "From", states),
    Column("state_to", "To", states), Column("compared_at", "Compared at"), Column("boundary", "Boundary"),
    Column("evidence", "Evidence"), Column("source_ids", "Sources"), Column("n_pairs", "Pairs"),
    Column("n_models", "Models"), Column("energy_ratio_p50", "Ratio, median"), Column("energy_ratio_p10", "10 %"),
    Column("energy_ratio_p90", "90 %"),
)  # fmt: skip
ASSUMED = (
    Column("assumption_id", "Assumption"), Column("value", "Gain"), Column("low", "Low"), Column("high", "High"),
    Column("source", "Source"), Column("valid_from", "Valid from"),
)  # fmt: skip
PATHS = (
    Column("path", "Path"), Column("n_steps", "Steps"), Column("energy_ratio_p50", "Ratio, median"),
    Column("energy_ratio_p10", "10 %"), Column("energy_ratio_p90", "90 %"), Column("gain_p50", "Times less"),
    Column("share_measured", "Share measured"), Column("missing", "Missing"), Column("steps", "Which steps"),
)  # fmt: skip
FLEETS = (
    Column("fleet_id", "Fleet"), Column("description", "Description"), Column("method", "Method"),
    Column("load", "Load"), Column("with_interventions", "With the paper's gains"), Column("models", "Models"),
    Column("queries_per_day", "Queries a day"), Column("energy_gwh_per_day", "GWh a day"),
    Column("energy_gwh_per_day_lo90", "Low"), Column("energy_gwh_per_day_hi90", "High"),
    Column("accelerators_needed", "Accelerators"), Column("peak_kw", "Peak, kW"),
    Column("carbon_tco2e_per_day", "tCO2e a day"), Column("mean_share_extrapolated", "Share extrapolated"),
)  # fmt: skip
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


def report_of(book: Book, made_on: date | None = None) -> Report:
    """The report of an open book; ages are counted up to `made_on`, today if it is not given."""
    made_on = made_on or datetime.now(UTC).date()
    releases = book.rows("from releases order by release_number")
    pairs = _energy_of_pairs(book)
    lengths = _two_lengths(book)
    sections = [
        Section("energy", "Energy per query", (_energy(pairs),)),
        Section("long", "Typical and long queries", (_typical_and_long(lengths), _longer(book))),
        Section("pathways", "What saves energy", (_steps(book), _paper_gains(book), _paths(book))),
        Section("fleet", "Fleets", (_fleets(book),)),
        Section("errors", "Measured against predicted", (_aims(book), _estimators(book))),
        Section("ladder", "From the boards to the building", tuple(_ladders(book))),
        Section("conflicts", "Where sources conflict", (_conflicts(book),)),
        Section("sources", "Sources and their age", (_sources(book, made_on),)),
        Section("changes", "Changes since the last release", (_changes(book, releases), _history(releases))),
    ]
    facts = [*_energy_facts(lengths), *_fleet_fact(book)]
    return Report(releases[-1] if releases else {}, made_on, facts, sections)


def _figure(
    figure_id: str,
    title: Callable[[], str],
    caption: str,
    table: DataTable,
    chart: Callable[[], dict] | None,
    nothing: str,
) -> Figure:
    """A figure; where its table is empty, the words `nothing` in place of a chart."""
    if not table.rows:
        return Figure(figure_id, nothing, "There is nothing to draw.", nothing, None, table)
    said = title()
    made = None if chart is None else chart()
    return Figure(figure_id, said, caption, f"Chart: {said} {caption}", made, table)


def _span(values: Iterable[float | None]) -> tuple[float, float]:
    known = [value for value in values if value is not None]
    return min(known), max(known)


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _hardware(row: dict) -> str:
    return f"{row['n_accelerators']} x {readable(row['accelerator_id'])}, {row['precision'].upper()}"


def _where(row: dict) -> str:
    return f"{readable(row['source_id'])} {row['source_release']}"


# Energy per query


def _energy_of_pairs(book: Book) -> list[dict]:
    """One row a model and accelerator: the configuration that `joulebook estimate` answers with."""
    answers = {tuple(row[name] for name in KEY) for row in answering(book)}
    rows = book.rows(
        "from energy_per_query where method = ? and boundary = 'facility' and load = 1 and workload_id = ?"
        f" and {WH} is not null order by {WH}, estimate_id",
        SERVING_TIME, SHORT,
    )  # fmt: skip
    return [row for row in rows if tuple(row[name] for name in KEY) in answers]


def _energy(rows: list[dict]) -> Figure:
    def title() -> str:
        low, high = _span(row[WH] for row in rows)
        return f"A typical query takes {number(low)} to {number(high)} Wh, by model and accelerator."

    def chart() -> dict:
        drawn = [
            {
                "model": readable(row["model_id"]), "accelerator": readable(row["accelerator_id"]),
                "on": _hardware(row), "median": row[WH], "low": row[f"{WH}_lo90"], "high": row[f"{WH}_hi90"],
                "benchmarks": row["n_benchmark_rows"], "source": _where(row),
            }
            for row in rows
        ]  # fmt: skip
        models = _unique(row["model"] for row in reversed(drawn))
        return charts.energy(drawn, models, _unique(row["accelerator"] for row in reversed(drawn)))

    return _figure(
        "energy-by-model",
        title,
        "Median energy of a typical query (500 tokens in, 300 out in the median), in Wh on a logarithmic axis; lines are "
        "90 % intervals. Method serving-time, boundary facility (the whole server times PUE), saturated servers (load "
        "1). Each pair of model and accelerator is shown in the configuration that joulebook estimate answers with, in "
        "its own precision. Throughput was published; power is assumed from the server's rating, not metered.",
        DataTable("energy_per_query", ENERGY, rows),
        chart,
        "The book has no estimate of a typical query.",
    )


# Typical and long queries


def _two_lengths(book: Book) -> list[dict]:
    """Typical and test-time queries of each model on its default configuration."""
    same = " and ".join(f"e.{name} is not distinct from d.{name}" for name in KEY)
    return book.rows(
        f"select e.* from energy_per_query as e inner join default_configurations as d on {same}"
        f" where method = ? and boundary = 'facility' and load = 1 and workload_id in (?, ?) and {WH} is not null"
        f" order by workload_id = ?, {WH} desc, e.model_id",
        SERVING_TIME, SHORT, LONG, LONG,
    )  # fmt: skip


def _both(rows: list[dict]) -> list[tuple[dict, dict]]:
    """The typical and the long row of each model that has both."""
    long = {row["model_id"]: row for row in rows if row["workload_id"] == LONG}
    return [(row, long[row["model_id"]]) for row in rows if row["workload_id"] == SHORT and row["model_id"] in long]


def _typical_and_long(rows: list[dict]) -> Figure:
    def title() -> str:
        low, high = _span(long[WH] / short[WH] for short, long in _both(rows))
        return f"A long reasoning answer takes {number(low)} to {number(high)} times the energy of a typical one."

    def chart() -> dict:
        drawn = [
            {
                "model": readable(row["model_id"]), "on": _hardware(row), "workload": WORKLOADS[row["workload_id"]],
                "median": row[WH], "low": row[f"{WH}_lo90"], "high": row[f"{WH}_hi90"],
            }
            for row in rows
        ]  # fmt: skip
        models = _unique(row["model"] for row in drawn)
        return charts.two_lengths(drawn, models, [WORKLOADS[name] for name in (SHORT, LONG)])

    return _figure(
        "typical-and-long",
        title,
        "Median Wh per query with 90 % intervals, each model on its default configuration (the newest on eight H100, "
        "else its most benchmarked one). Method serving-time, boundary facility, load 1. Test-time queries (5000 "
        "tokens out in the median) are mostly longer than anything that was benchmarked: their figures follow the form "
        "of the fit, and the interval cannot hold what that form misses.",
        DataTable("energy_per_query", ENERGY, [row for pair in _both(rows) for row in pair]),
        chart,
        "The book has no model with both typical and long queries.",
    )


def _longer(book: Book) -> Figure:
    keys = "model_id, accelerator_id, n_accelerators, parallelism, precision, source_id, source_release"
    rows = book.rows(
        f"from test_time_scaling semi join default_configurations using ({keys}) where {WH} is not null"
        " order by model_id, method desc, output_multiple"
    )
    first = next(
        (row["model_id"] for row in rows if row["model_id"] == DEFAULT_MODEL), rows[0]["model_id"] if rows else ""
    )

    def title() -> str:
        shown = [row for row in rows if row["model_id"] == first and row["method"] == SERVING_TIME] or rows
        last = shown[-1]
        known = [row["output_multiple"] for row in shown if not row["is_extrapolated"]]
        upto = f"; up to {max(known):g} times is covered by benchmarks" if known else ""
        return (
            f"Answers {last['output_multiple']:g} times as long take {number(last['energy_ratio_to_one'])} times the "
            f"energy of {readable(last['model_id'])}{upto}."
        )

    def chart() -> dict:
        drawn = [
            {
                "model": readable(row["model_id"]), "method": METHODS.get(row["method"], row["method"]),
                "multiple": row["output_multiple"], "median": row[WH], "low": row[f"{WH}_lo90"],
                "high": row[f"{WH}_hi90"], "extrapolated": row["is_extrapolated"],
                "known": "extrapolated" if row["is_extrapolated"] else "within benchmarked lengths",
                "up_to": row["benchmarked_up_to_multiple"],
            }
            for row in rows
        ]  # fmt: skip
        models = sorted({row["model"] for row in drawn})
        return charts.longer_answers(drawn, models, readable(first), [METHODS[name] for name in (SERVING_TIME, OVIEDO)])

    return _figure(
        "longer-answers",
        title,
        "Median Wh per query when answers are 1 to 100 times as long as typical ones (300 tokens), both axes "
        "logarithmic; the band is the 90 % interval of serving-time. Boundary facility, load 1, default configuration. "
        "Filled marks: at most a tenth of the queries is longer than anything benchmarked. Hollow marks: more than "
        "that, so extrapolated. At the dashed line half of the queries are. The two methods differ there: each new "
        "token reads the cache of all before it, which the paper's rule leaves out.",
        DataTable("test_time_scaling", SCALING, rows),
        chart,
        "The book has no figures of longer answers.",
    )


# What saves energy


def _steps(book: Book) -> Figure:
    rows = book.rows(
        "from measured_interventions order by pathway, intervention, try_cast(state_from as double), state_from, state_to,"
        " compared_at"
    )
    assumed = _assumed_gains(book)

    def title() -> str:
        saving = sum(row["energy_ratio_p50"] < 1 for row in rows)
        return f"{saving} of {len(rows)} steps between published results save energy in the median."

    def chart() -> dict:
        kinds = {"measured": "Metered", "benchmarked": "From published throughput"}
        drawn = [
            {
                "label": f"{_step_of(row)}\n{_compared(row)}", "kind": kinds.get(row["evidence"], row["evidence"]),
                "ratio": row["energy_ratio_p50"], "low": row["energy_ratio_p10"], "high": row["energy_ratio_p90"],
                "pairs": row["n_pairs"], "models": row["n_models"],
            }
            for row in rows
        ]  # fmt: skip
        # a gain g means energy divided by g, so its largest gain is the smallest ratio
        drawn += [
            {
                "label": f"{row['assumption_id'].rpartition('.')[2].capitalize()}\nthe paper's assumption",
                "kind": PAPER_ASSUMES, "ratio": 1 / row["value"], "low": 1 / row["high"], "high": 1 / row["low"],
                "pairs": None, "models": None,
            }
            for row in assumed
        ]  # fmt: skip
        known = [*kinds.values(), PAPER_ASSUMES]
        return charts.ratios(
            drawn, _unique(row["label"] for row in drawn), known, "Energy per output token, after over before"
        )

    return _figure(
        "single-steps",
        title,
        "Energy per output token after over before, between two published results that differ in one thing: median and "
        "the span from the 10th to the 90th percentile of the pairs, on a logarithmic axis. Left of the dashed line "
        "saves. Metered steps are accelerator boards (boundary gpu) under vLLM; the others compare saturated throughputs "
        "and take power as the same share of each server's rating (boundary node). At the bottom stand the gains that "
        "Oviedo et al. assume, with their ranges: nobody measured those.",
        DataTable("measured_interventions", STEPS, rows),
        chart,
        "The book has no pair of published results that differ in one thing.",
    )


def _compared(row: dict) -> str:
    """Where the two results were compared, if not each in its own state, and how many there are."""
    n_pairs = f"{row['n_pairs']} pair{'s' if row['n_pairs'] != 1 else ''}"
    return n_pairs if row["compared_at"] == "its own states" else f"{row['compared_at']}, {n_pairs}"


def _step_of(row: dict) -> str:
    is_hardware = row["intervention"].startswith(("accelerator", "precision"))
    before, after = (states(row[name]) if is_hardware else row[name] for name in ("state_from", "state_to"))
    named = {"concurrency": "{} to {} requests at once", "release": "TensorRT-LLM {} to {}"}
    plain = row["intervention"] if row["intervention"] not in ("accelerator", "precision") else ""
    words = named.get(
        row["intervention"], "{} to {}" if " and " in plain or not plain else f"{plain.capitalize()}: {{}} to {{}}"
    )
    return words.format(before, after)


def _assumed_gains(book: Book) -> list[dict]:
    return book.rows(
        "from assumptions where assumption_id like 'oviedo2026.intervention.%' and low > 0"
        " qualify row_number() over (partition by assumption_id order by valid_from desc) = 1 order by assumption_id"
    )


def _paper_gains(book: Book) -> Figure:
    rows = _assumed_gains(book)
    return _figure(
        "assumed-gains",
        lambda: (
            f"The paper assumes that each of {len(rows)} pathways divides energy by "
            f"{' to '.join(number(gain) for gain in _span(row['value'] for row in rows))}."
        ),
        "Gains that Oviedo et al. (arXiv:2509.20241) assume for better models, serving and hardware, with their ranges. "
        "They are drawn in the chart above as one over the gain.",
        DataTable("assumptions", ASSUMED, rows),
        None,
        "The book has no gains that the paper assumes.",
    )


def _paths(book: Book) -> Figure:
    rows = book.rows("from combined_interventions order by energy_ratio_p50 desc nulls last, path")
    drawn_rows = [row for row in rows if row["energy_ratio_p50"] is not None]

    def kind_of(row: dict) -> str:
        if row["path"].startswith("Oviedo"):
            return PAPER_ASSUMES
        return "Metered" if row["share_measured"] == 1 else "From published throughput"

    def title() -> str:
        ours = [row["gain_p50"] for row in drawn_rows if kind_of(row) != PAPER_ASSUMES]
        theirs = [row["gain_p50"] for row in drawn_rows if kind_of(row) == PAPER_ASSUMES]
        if not ours:
            return "No path of several steps can be followed with the published results."
        low, high = _span(ours)
        beside = f"; the paper assumes {number(theirs[0])} times" if theirs else ""
        return f"Several steps together divide energy by {number(low)} to {number(high)}{beside}."

    def chart() -> dict:
        drawn = [
            {
                "label": f"{row['path']}\n{row['n_steps']} steps", "kind": kind_of(row), "ratio": row["energy_ratio_p50"],
                "low": row["energy_ratio_p10"], "high": row["energy_ratio_p90"], "pairs": None, "models": None,
            }
            for row in drawn_rows
        ]  # fmt: skip
        kinds = ["Metered", "From published throughput", PAPER_ASSUMES]
        return charts.ratios(
            drawn, [row["label"] for row in drawn], kinds, "Energy per output token, after over before"
        )

    return _figure(
        "several-steps",
        title,
        "Several of these steps one after the other: energy after over before, median and 10th to 90th percentile, on a "
        "logarithmic axis. Ratios are multiplied as if the steps did not depend on each other, which nobody has "
        "measured. A path with a step that no published result shows is in the table only, with what is missing.",
        DataTable("combined_interventions", PATHS, rows),
        chart if drawn_rows else None,
        "The book has no path of several steps.",
    )


# Fleets


def _series_of(row: dict) -> str:
    if row["method"] != OVIEDO:
        return f"Load {row['load']:g}"
    return "Paper, with gains" if row["with_interventions"] else "Paper"


def _four_lines(text: str) -> str:
    """Exactly four lines, so that all names stand alike beside their marks."""
    lines = wrap(text, 24, max_lines=4, placeholder=" …")
    missing = 4 - len(lines)
    return "\n".join([*[""] * (missing // 2), *lines, *[""] * (missing - missing // 2)])


def _fleets(book: Book) -> Figure:
    rows = book.rows("from fleet order by energy_gwh_per_day desc, fleet_id")
    names = {row["fleet_id"]: _four_lines(row["description"]) for row in rows}

    def title() -> str:
        shown = [row for row in rows if row["load"] == 1 and row["method"] == SERVING_TIME] or rows
        largest = max(row["queries_per_day"] for row in shown)
        low, high = _span(row["energy_gwh_per_day"] for row in shown if row["queries_per_day"] == largest)
        return f"{number(largest).capitalize()} queries a day take {number(low)} to {number(high)} GWh a day, by their length."

    def chart() -> dict:
        drawn = [
            {
                "label": names[row["fleet_id"]], "series": _series_of(row),
                "value": row["energy_gwh_per_day"], "low": row["energy_gwh_per_day_lo90"],
                "high": row["energy_gwh_per_day_hi90"], "queries": row["queries_per_day"],
                "right": row["energy_gwh_per_day_hi90"] or row["energy_gwh_per_day"],
            }
            for row in rows
        ]  # fmt: skip
        series = sorted({row["series"] for row in drawn}, key=lambda name: (name.startswith("Load"), name))
        return charts.fleets(drawn, _unique(row["label"] for row in drawn), [*series])

    return _figure(
        "fleets",
        title,
        "GWh of electricity a day on a logarithmic axis, boundary facility, with 90 % intervals where the method has "
        "them. In blue serving-time at four mean loads (1 is saturated; below it idle servers are counted); in orange "
        "the method of Oviedo et al., which multiplies by 1.33 for orchestration and backup, without and with the gains "
        "it assumes. Fleets of long queries rest on lengths that nobody benchmarked.",
        DataTable("fleet", FLEETS, rows),
        chart,
        "The book has no fleet.",
    )


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


def _aims(book: Book) -> Figure:
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
        return charts.aims(
            drawn, _unique(row["label"] for row in drawn), list(METRICS.values()), [HELD, MISSED, NO_AIM]
        )

    return _figure(
        "aims",
        title,
        "Relative error of published figures that were left out of the fit, or fixed before they were seen; the upright "
        "mark is the aim that was set. Throughput is in accelerator-seconds of a query, power of boards (gpu) and servers "
        "(node) in W. No energy of a whole query was measured on known lengths, so energy per token is the closest there "
        "is, at the throughput given. The prior says what else the prediction had not seen.",
        DataTable("backtest", BACKTEST, rows),
        chart,
        "The book has no aim to hold predictions against.",
    )


def _estimators(book: Book) -> Figure:
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
            f"A throughput that was left out is missed by {percent(ours[0]['error_p50'])} in the median; the paper's rule "
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
        return charts.estimators(drawn, _unique(row["label"] for row in drawn), shown)

    return _figure(
        "estimators",
        title,
        "Relative error of figures that were left out, by estimator, on a logarithmic axis: the mark is the median, nine of ten errors are below "
        "the end of the line. Ours is fitted without the architecture in question. Where two marks of one estimator stand "
        "together, the second is on the fewer figures that both can predict. The power of boards fails on ML.ENERGY v2: "
        "do not lay estimates of boundary gpu on older software or part loads.",
        DataTable("backtest", BACKTEST, rows),
        chart,
        "The book has no errors of several estimators.",
    )


# The ladder


def _ladders(book: Book) -> list[Figure]:
    rows = book.rows("from boundary_ladder order by ladder, rung_order, energy_wh_per_query, rung")
    if not rows:
        return [_ladder("", [])]
    ladders = sorted({row["ladder"] for row in rows}, key=lambda name: (name != DEFAULT_MODEL, name.islower(), name))
    return [_ladder(name, [row for row in rows if row["ladder"] == name]) for name in ladders]


def _ladder(name: str, rows: list[dict]) -> Figure:
    beside_ours = any(row["ratio_to_ours"] is not None for row in rows)
    whose = readable(name) if name == DEFAULT_MODEL else name

    def title() -> str:
        low, high = _span(row["energy_wh_per_query"] for row in rows)
        if beside_ours:
            least, most = _span(row["ratio_to_ours"] for row in rows)
            return f"What others publish or meter is {number(least)} to {number(most)} times ours within the same boundary."
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
        return charts.ladder(drawn, _unique(row["label"] for row in drawn), shown)

    caption = (
        "Published or metered energy of a query beside ours of the same boundary; the factor is theirs over ours. They are of other models, lengths and dates: the table says what explains each."
        if beside_ours
        else "Wh of one query, each rung with everything of the one above it and what it names. Our own: method "
        "serving-time, workload traditional, default configuration. A half-loaded server counts its idle power."
    )
    return _figure(
        f"ladder-{'-'.join(name.lower().replace('.', ' ').split()) or 'none'}",
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


def _conflicts(book: Book) -> Figure:
    rows = book.rows(
        "from conflicts order by quantity, differs_by, abs(ln(greatest(ratio, 1e-12))) desc, source_id_a,"
        " source_release_a, locator_a, source_id_b, source_release_b, locator_b"
    )

    def title() -> str:
        apart = sorted(max(row["ratio"], 1 / row["ratio"]) for row in rows if row["ratio"])
        return f"{len(rows)} pairs of published figures speak of one thing; half of them are over {percent(apart[len(apart) // 2] - 1)} apart."

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
        return charts.conflicts(drawn, _unique(row["label"] for row in drawn))

    return _figure(
        "conflicts-of-sources",
        title,
        "The second figure over the first, on a logarithmic axis; each mark is a pair, grouped by what the two are of and "
        "in what they differ (two sources, two releases, two rows of one file). A newer release is usually faster; a "
        "ratio far from 1 is a difference of basis, batch, unit or software. Both figures stand in the table.",
        DataTable("conflicts", CONFLICTS, rows),
        chart,
        "No two published figures conflict.",
    )


def _of(row: dict) -> str:
    return f"{readable(row['model_id'])}, {row['subject']}" if row["model_id"] else row["subject"]


# Sources


def _sources(book: Book, made_on: date) -> Figure:
    rows = book.rows("from sources order by lower(source_title), source_release")
    for row in rows:
        row["age_days"] = _days(row["accepted_at_utc"], made_on)
    taken = [row for row in rows if row["accepted_at_utc"]]
    kinds = {"revised_on": "Revised by its publisher", "accepted_at_utc": "Taken by this book"}

    def title() -> str:
        n_taken, n = (len({row["source_id"] for row in some}) for some in (taken, rows))
        if not taken:
            return f"None of {n} sources was taken."
        return f"{n_taken} of {n} sources are in this book; the oldest figures were taken {max(r['age_days'] for r in taken)} days ago."

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
        absent = _unique(label for row in rows if (label := _titled(row)) not in there)
        drawn += [
            {"label": label, "kind": "not taken yet", "days": None, "date": "", "document": ""} for label in absent
        ]
        return charts.ages(drawn, _unique(row["label"] for row in drawn), list(kinds.values()))

    return _figure(
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


def _changes(book: Book, releases: Sequence[dict]) -> Figure:
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
            f"Release {latest['release_number']} changed {latest['n_changed']:,} estimates, added {latest['n_added']:,} and "
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
    return _figure(
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


def _history(releases: list[dict]) -> Figure:
    def title() -> str:
        return f"This book has {len(releases)} release{'s' if len(releases) > 1 else ''}."

    return _figure(
        "releases",
        title,
        "Each release freezes all tables; equal figures make none. The energy is that of Llama 3.1 405B on its default "
        "configuration, typical queries, boundary facility; the error is that of serving-time with one point left out.",
        DataTable("releases", RELEASES, list(reversed(releases))),
        None,
        "The book names no release.",
    )


# The facts above all


def _energy_facts(rows: list[dict]) -> list[tuple[str, str, str]]:
    facts = []
    for row in rows:
        if row["model_id"] == DEFAULT_MODEL:
            what = "A typical query" if row["workload_id"] == SHORT else "A long reasoning answer"
            spread = f"{number(row[f'{WH}_lo90'])} to {number(row[f'{WH}_hi90'])}"
            of = f"{readable(row['model_id'])} on {_hardware(row)}; 90 % interval {spread} Wh"
            facts.append((what, f"{number(row[WH])} Wh", of))
    return facts


def _fleet_fact(book: Book) -> list[tuple[str, str, str]]:
    rows = book.rows(
        "from fleet where fleet_id = 'paper-traditional' and method = ? and load = 1 and not with_interventions",
        SERVING_TIME,
    )
    return [
        (
            f"{number(row['queries_per_day']).capitalize()} typical queries a day",
            f"{number(row['energy_gwh_per_day'])} GWh a day",
            f"{row['description']}; 90 % interval {number(row['energy_gwh_per_day_lo90'])} to "
            f"{number(row['energy_gwh_per_day_hi90'])} GWh",
        )
        for row in rows
    ]
