"""Figures of the report about what saves energy: single steps, what the paper assumes, several steps together."""

from pipelines.reader import report_charts as charts
from pipelines.reader.book import Book
from pipelines.reader.names import states
from pipelines.reader.report_parts import Column, DataTable, Figure, figure_of, span, unique
from pipelines.reader.show import number

PAPER_ASSUMES = "Paper assumes"
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


def single_steps(book: Book) -> Figure:
    rows = book.rows(
        "from measured_interventions order by pathway, intervention, try_cast(state_from as double), state_from, "
        "state_to,"
        " compared_at"
    )
    assumed = _assumed_gains(book)

    def title() -> str:
        saving = sum(row["energy_ratio_p50"] < 1 for row in rows)
        return f"{saving} of {len(rows)} steps between published results save energy in the median."

    def chart() -> dict:
        kinds = {"measured": "Metered", "benchmarked": "From throughput"}
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
            drawn, unique(row["label"] for row in drawn), known, "Energy per output token, after over before"
        )

    return figure_of(
        "single-steps",
        title,
        "Energy per output token after over before, between two published results that differ in what is named: median "
        "and the span from the 10th to the 90th percentile of the pairs, on a logarithmic axis. Left of the dashed "
        "line saves. Metered steps are accelerator boards (boundary gpu) under vLLM; the others compare saturated "
        "throughputs and take power as the same share of each server's rating (boundary node). At the bottom stand the "
        "gains that Oviedo et al. assume, with their ranges: nobody measured those.",
        DataTable("measured_interventions", STEPS, rows),
        chart,
        "The book has no pair of published results that differ in one thing.",
    )


def _compared(row: dict) -> str:
    """Where the two results were compared, if not each in its own state, and how many there are."""
    n_pairs = f"{row['n_pairs']} pair{'s' if row['n_pairs'] != 1 else ''}"
    return n_pairs if row["compared_at"] == "its own states" else f"{row['compared_at']}, {n_pairs}"


def _step_of(row: dict) -> str:
    is_hardware = any(what in row["intervention"] for what in ("accelerator", "precision"))
    before, after = (states(row[name]) if is_hardware else row[name] for name in ("state_from", "state_to"))
    named = {"concurrency": "{} to {} requests at once", "release": "TensorRT-LLM {} to {}"}
    plain = row["intervention"] if row["intervention"] not in ("accelerator", "precision") else ""
    words = named.get(
        row["intervention"], "{} to {}" if " and " in plain or not plain else f"{plain.capitalize()}: {{}} to {{}}"
    )
    if "concurrency" in row["intervention"] and is_hardware:  # the last word of a state is how many requests
        words += " requests"
    return words.format(before, after)


def _assumed_gains(book: Book) -> list[dict]:
    return book.rows(
        "from assumptions where assumption_id like 'oviedo2026.intervention.%' and low > 0"
        " qualify row_number() over (partition by assumption_id order by valid_from desc) = 1 order by assumption_id"
    )


def assumed_gains(book: Book) -> Figure:
    rows = _assumed_gains(book)
    return figure_of(
        "assumed-gains",
        lambda: (
            f"The paper assumes that each of {len(rows)} pathways divides energy by "
            f"{' to '.join(number(gain) for gain in span(row['value'] for row in rows))}."
        ),
        "Gains that Oviedo et al. (arXiv:2509.20241) assume for better models, serving and hardware, with their "
        "ranges. "
        "They are drawn in the chart above as one over the gain.",
        DataTable("assumptions", ASSUMED, rows),
        None,
        "The book has no gains that the paper assumes.",
    )


def several_steps(book: Book) -> Figure:
    rows = book.rows("from combined_interventions order by energy_ratio_p50 desc nulls last, path")
    drawn_rows = [row for row in rows if row["energy_ratio_p50"] is not None]

    def kind_of(row: dict) -> str:
        if row["path"].startswith("Oviedo"):
            return PAPER_ASSUMES
        return "Metered" if row["share_measured"] == 1 else "From throughput"

    def title() -> str:
        ours = [row["gain_p50"] for row in drawn_rows if kind_of(row) != PAPER_ASSUMES]
        theirs = [row["gain_p50"] for row in drawn_rows if kind_of(row) == PAPER_ASSUMES]
        if not ours:
            return "No path of several steps can be followed with the published results."
        low, high = span(ours)
        beside = f"; the paper assumes {number(theirs[0])} times" if theirs else ""
        return f"Several steps together divide energy by {number(low)} to {number(high)}{beside}."

    def chart() -> dict:
        drawn = [
            {
                "label": f"{row['path']}\n{row['n_steps']} steps", "kind": kind_of(row),
                "ratio": row["energy_ratio_p50"],
                "low": row["energy_ratio_p10"], "high": row["energy_ratio_p90"], "pairs": None, "models": None,
            }
            for row in drawn_rows
        ]  # fmt: skip
        kinds = ["Metered", "From throughput", PAPER_ASSUMES]
        return charts.ratios(
            drawn, [row["label"] for row in drawn], kinds, "Energy per output token, after over before"
        )

    return figure_of(
        "several-steps",
        title,
        "Several of these steps one after the other: energy after over before, median and 10th to 90th percentile, "
        "on a "
        "logarithmic axis. Ratios are multiplied as if the steps did not depend on each other, which nobody has "
        "measured. A path with a step that no published result shows is in the table only, with what is missing.",
        DataTable("combined_interventions", PATHS, rows),
        chart if drawn_rows else None,
        "The book has no path of several steps.",
    )
