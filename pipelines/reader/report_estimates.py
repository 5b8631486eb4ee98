"""Figures of the report about energy: by model, by length of queries, of fleets; and the facts above all."""

from textwrap import wrap

from pipelines.reader import report_charts as charts
from pipelines.reader.book import Book
from pipelines.reader.names import METHODS, readable
from pipelines.reader.question import DEFAULT_MODEL, KEY, OVIEDO, SERVING_TIME, answering
from pipelines.reader.report_parts import (
    LONG,
    SHORT,
    WH,
    WORKLOADS,
    Column,
    DataTable,
    Figure,
    figure_of,
    hardware,
    span,
    unique,
    where,
)
from pipelines.reader.show import number

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
FEW_ROWS = 4
"""Of fewer benchmark rows the interval is mostly that of the prior, and the reader should know."""
FLEETS = (
    Column("fleet_id", "Fleet"), Column("description", "Description"), Column("method", "Method"),
    Column("load", "Load"), Column("with_interventions", "With the paper's gains"), Column("models", "Models"),
    Column("queries_per_day", "Queries a day"), Column("energy_gwh_per_day", "GWh a day"),
    Column("energy_gwh_per_day_lo90", "Low"), Column("energy_gwh_per_day_hi90", "High"),
    Column("accelerators_needed", "Accelerators"), Column("peak_kw", "Peak, kW"),
    Column("carbon_tco2e_per_day", "tCO2e a day"), Column("mean_share_extrapolated", "Share extrapolated"),
)  # fmt: skip


# Energy per query


def energy_of_pairs(book: Book) -> list[dict]:
    """One row a model and accelerator: the configuration that `joulebook estimate` answers with."""
    answers = {tuple(row[name] for name in KEY) for row in answering(book)}
    rows = book.rows(
        "from energy_per_query where method = ? and boundary = 'facility' and load = 1 and workload_id = ?"
        f" and {WH} is not null order by {WH}, estimate_id",
        SERVING_TIME, SHORT,
    )  # fmt: skip
    return [row for row in rows if tuple(row[name] for name in KEY) in answers]


def energy(rows: list[dict]) -> Figure:
    def title() -> str:
        low, high = span(row[WH] for row in rows)
        return f"A typical query takes {number(low)} to {number(high)} Wh, by model and accelerator."

    def chart() -> dict:
        drawn = [
            {
                "model": readable(row["model_id"]), "accelerator": readable(row["accelerator_id"]),
                "on": hardware(row), "median": row[WH], "low": row[f"{WH}_lo90"], "high": row[f"{WH}_hi90"],
                "benchmarks": row["n_benchmark_rows"], "source": where(row),
            }
            for row in rows
        ]  # fmt: skip
        models = unique(row["model"] for row in reversed(drawn))
        return charts.energy(drawn, models, unique(row["accelerator"] for row in reversed(drawn)))

    return figure_of(
        "energy-by-model",
        title,
        "Median energy of a typical query (500 tokens in, 300 out in the median), in Wh on a logarithmic axis; "
        "lines are "
        "90 % intervals. Method serving-time, boundary facility (the whole server times PUE), saturated servers (load "
        "1). Each pair of model and accelerator is shown in the configuration that joulebook estimate answers with, in "
        "its own precision. Throughput was published; power is assumed from the server's rating, not metered."
        + _on_few_rows(rows),
        DataTable("energy_per_query", ENERGY, rows),
        chart,
        "The book has no estimate of a typical query.",
    )


def _on_few_rows(rows: list[dict]) -> str:
    few = sorted({readable(row["model_id"]) for row in rows if row["n_benchmark_rows"] < FEW_ROWS})
    return f" On fewer than {FEW_ROWS} published throughputs rest: {', '.join(few)}." if few else ""


# Typical and long queries


def two_lengths(book: Book) -> list[dict]:
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


def typical_and_long(rows: list[dict]) -> Figure:
    def title() -> str:
        low, high = span(long[WH] / short[WH] for short, long in _both(rows))
        return f"A long reasoning answer takes {number(low)} to {number(high)} times the energy of a typical one."

    def chart() -> dict:
        drawn = [
            {
                "model": readable(row["model_id"]), "on": hardware(row), "workload": WORKLOADS[row["workload_id"]],
                "median": row[WH], "low": row[f"{WH}_lo90"], "high": row[f"{WH}_hi90"],
            }
            for row in rows
        ]  # fmt: skip
        models = unique(row["model"] for row in drawn)
        return charts.two_lengths(drawn, models, [WORKLOADS[name] for name in (SHORT, LONG)])

    return figure_of(
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


def longer_answers(book: Book) -> Figure:
    keys = "model_id, accelerator_id, n_accelerators, parallelism, precision, source_id, source_release"
    rows = book.rows(
        f"from test_time_scaling semi join default_configurations using ({keys}) where {WH} is not null"
        " order by model_id, method desc, output_multiple"
    )
    first = next(
        (row["model_id"] for row in rows if row["model_id"] == DEFAULT_MODEL), rows[0]["model_id"] if rows else ""
    )

    def title() -> str:
        ours = [row for row in rows if row["method"] == SERVING_TIME] or rows
        longest = max(row["output_multiple"] for row in ours)
        low, high = span(row["energy_ratio_to_one"] for row in ours if row["output_multiple"] == longest)
        known = [row["output_multiple"] for row in ours if not row["is_extrapolated"]]
        upto = f"; within benchmarked lengths up to {max(known):g} times at most" if known else ""
        return (
            f"Answers {longest:g} times as long take {number(low)} to {number(high)} times the energy, by model{upto}."
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

    return figure_of(
        "longer-answers",
        title,
        "Median Wh per query when answers are 1 to 100 times as long as typical ones (300 tokens), both axes "
        "logarithmic; the band is the 90 % interval of serving-time. Boundary facility, load 1, default configuration. "
        "Hollow marks are extrapolated: more than a tenth of the queries is longer than anything benchmarked, or most "
        "are shorter, or the input is of another length; filled marks are not. At the dashed line half of the queries "
        "are longer. The two methods differ there: each new token reads the cache of all before it, which the paper's "
        "rule leaves out.",
        DataTable("test_time_scaling", SCALING, rows),
        chart,
        "The book has no figures of longer answers.",
    )


# Fleets


def _series_of(row: dict) -> str:
    if row["method"] != OVIEDO:
        return f"Load {row['load']:g}"
    return "Paper, gains" if row["with_interventions"] else "Paper"


def _four_lines(text: str) -> str:
    """Exactly four lines, so that all names stand alike beside their marks."""
    lines = wrap(text, 24, max_lines=4, placeholder=" …")
    missing = 4 - len(lines)
    return "\n".join([*[""] * (missing // 2), *lines, *[""] * (missing - missing // 2)])


def fleets(book: Book) -> Figure:
    rows = book.rows("from fleet order by energy_gwh_per_day desc, fleet_id")
    names = {row["fleet_id"]: _four_lines(row["description"]) for row in rows}

    def title() -> str:
        shown = [row for row in rows if row["load"] == 1 and row["method"] == SERVING_TIME] or rows
        largest = max(row["queries_per_day"] for row in shown)
        low, high = span(row["energy_gwh_per_day"] for row in shown if row["queries_per_day"] == largest)
        return (
            f"{number(largest).capitalize()} queries a day take {number(low)} to {number(high)} GWh a day by our "
            "method, by their length."
        )

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
        return charts.fleets(drawn, unique(row["label"] for row in drawn), [*series])

    return figure_of(
        "fleets",
        title,
        "GWh of electricity a day on a logarithmic axis, boundary facility, with 90 % intervals where the method has "
        "them. In blue serving-time at four mean loads (1 is saturated; below it fewer queries bear the power that "
        "does not fall with them); in orange the method of Oviedo et al., which multiplies by 1.33 for orchestration "
        "and backup, without and with the gains it assumes. Fleets of long queries rest on lengths that nobody "
        "benchmarked.",
        DataTable("fleet", FLEETS, rows),
        chart,
        "The book has no fleet.",
    )


# The facts above all


def energy_facts(rows: list[dict]) -> list[tuple[str, str, str]]:
    facts = []
    for row in rows:
        if row["model_id"] == DEFAULT_MODEL:
            what = "A typical query" if row["workload_id"] == SHORT else "A long reasoning answer"
            spread = f"{number(row[f'{WH}_lo90'])} to {number(row[f'{WH}_hi90'])}"
            of = f"{readable(row['model_id'])} on {hardware(row)}; 90 % interval {spread} Wh"
            facts.append((what, f"{number(row[WH])} Wh", of))
    return facts


def fleet_fact(book: Book) -> list[tuple[str, str, str]]:
    rows = book.rows(
        "from fleet where fleet_id = 'paper-traditional' and method = ? and load = 1 and not with_interventions",
        SERVING_TIME,
    )
    return [
        (
            f"{number(row['queries_per_day']).capitalize()} typical queries a day",
            f"{number(row['energy_gwh_per_day'])} GWh a day",
            f"Our method serving-time, mean of {row['models'].removesuffix(' 100%').replace(' + ', ' and ')}; "
            f"90 % interval {number(row['energy_gwh_per_day_lo90'])} to "
            f"{number(row['energy_gwh_per_day_hi90'])} GWh",
        )
        for row in rows
    ]
