"""What others publish of a query, beside an answer: which figures, in which order, and when a ratio says something.

The choice hangs on what is asked, never on the answer.
"""

import math

from pipelines.reader.book import Book
from pipelines.reader.question import Asked

SHORT, LONG = "traditional", "test-time"
RUNG_ORDER = {"gpu": 1, "node": 2, "facility": 3}
BASES = ("measured", "modelled", "stated", "assumed")
_NO_FIGURE_OF_A_QUERY = ("_p25", "_p75", "_lower_bound")


def published_of(book: Book, asked: Asked, median_wh: float, mean_wh: float | None) -> list[dict]:
    """Figures within the same boundary, or without one said: of the same model first, the nearest in lengths; then (of
    one query) of the same lengths; then those of the ladder, by how their publisher knows them.

    `ratio_to_this` is theirs over our mean where theirs is a mean, else over our median; None where they speak of
    another kind of query. Rungs that are metered tokens times the length of our query are none of a query.
    """
    lengths = lengths_of(book, asked)
    rows = _of_the_kind(book, asked) + _of_the_model_or_lengths(book, asked, lengths)
    found = {}
    for row in rows:  # the ladder says of which statistic: its rows come first
        found.setdefault((row["rung"], row["energy_wh_per_query"]), _beside(row, asked, lengths, median_wh, mean_wh))
    ordered = sorted(found.values(), key=lambda row: _rank(row, lengths))
    return [{name: value for name, value in row.items() if name != "is_of_the_kind"} for row in ordered]


def lengths_of(book: Book, asked: Asked) -> tuple[float, float] | None:
    """Tokens in and (median) out; None of a trace."""
    q = asked.question
    if q.is_one_query:
        return float(q.input_tokens), float(q.output_tokens)
    if asked.workload not in (SHORT, LONG):
        return None
    assumed = book.assumptions()
    return tuple(
        assumed.value(f"workload.{asked.workload}.{name}") for name in ("input_tokens", "output_tokens_median")
    )


def _of_the_kind(book: Book, asked: Asked) -> list[dict]:
    return book.rows(
        "select l.rung, l.estimate_boundary, l.energy_wh_per_query, l.estimate_basis, l.source_url, l.statistic,"
        " p.input_tokens, p.output_tokens, p.model_id, true as is_of_the_kind"
        " from boundary_ladder l left join published_estimates p"
        " on l.rung = p.subject || ': ' || p.quantity_as_printed and l.energy_wh_per_query = p.energy_wh_per_query"
        " where l.ladder = 'published and metered' and l.rung_order = ? and l.workload_id = ?"
        " and l.rung not like '%our mean query' order by l.rung",
        RUNG_ORDER[asked.boundary],
        LONG if asked.workload == LONG else SHORT,
    )


def _of_the_model_or_lengths(book: Book, asked: Asked, lengths: tuple[float, float] | None) -> list[dict]:
    rows = book.rows(
        "select subject || ': ' || quantity_as_printed as rung, estimate_boundary, energy_wh_per_query, estimate_basis,"
        " source_url, null as statistic, input_tokens, output_tokens, model_id, false as is_of_the_kind"
        " from published_estimates where energy_wh_per_query is not null and estimate_boundary = ?"
        " and (model_id = ? or (input_tokens = ? and output_tokens = ?)) order by rung",
        asked.boundary, asked.configuration["model_id"], *(lengths if asked.question.is_one_query else (None, None)),
    )  # fmt: skip
    return [row for row in rows if not row["rung"].endswith(_NO_FIGURE_OF_A_QUERY)]


def _beside(
    row: dict, asked: Asked, lengths: tuple[float, float] | None, median_wh: float, mean_wh: float | None
) -> dict:
    is_same_model = row.pop("model_id") == asked.configuration["model_id"]
    is_same_lengths = lengths is not None and (row["input_tokens"], row["output_tokens"]) == lengths
    is_of_the_kind = row["is_of_the_kind"] and asked.workload in (SHORT, LONG) and not asked.question.is_one_query
    ours = mean_wh if row["statistic"] == "mean" and mean_wh is not None else median_wh
    ratio = row["energy_wh_per_query"] / ours if is_of_the_kind or is_same_lengths else None
    return row | {"is_same_model": is_same_model, "is_same_lengths": is_same_lengths, "ratio_to_this": ratio}


def _rank(row: dict, lengths: tuple[float, float] | None) -> tuple:
    theirs = (row["input_tokens"], row["output_tokens"])
    is_known = lengths is not None and None not in theirs
    apart = sum(abs(math.log(a / b)) for a, b in zip(theirs, lengths, strict=True)) if is_known else math.inf
    return (
        not row["is_same_model"],
        apart if row["is_same_model"] else 0,
        not row["is_same_lengths"],
        not row["is_of_the_kind"],  # the ladder has the newest of each
        BASES.index(row["estimate_basis"]),
        row["rung"],
    )
