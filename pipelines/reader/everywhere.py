"""`joulebook estimate MODEL --on all`: the same question on every configuration of a model, least energy first."""

from pipelines.reader.answer import impacts_of, question_of
from pipelines.reader.benchmarks import caveats
from pipelines.reader.book import Book
from pipelines.reader.compute import compute
from pipelines.reader.estimate import asked_line, what_is_asked
from pipelines.reader.question import Asked, Question, ask_everywhere, find_area, n_beyond_reach
from pipelines.reader.show import (
    MARK,
    Column,
    between,
    is_terminal,
    marked,
    number,
    show_json,
    show_note,
    show_table,
    show_title,
)

STATISTICS = ("p50", "p50_lo90", "p50_hi90", "mean")
CONFIGURATION = (
    "accelerator_id", "n_accelerators", "precision", "parallelism", "framework", "scenario", "source_id",
    "source_release",
)  # fmt: skip


def print_everywhere(book: Book, question: Question, as_json: bool) -> None:
    asked, rows = answers(book, question)
    q, defaults = question_of(asked), {name: v for name, v in asked.defaults.items() if name != "configuration"}
    if as_json:
        show_json({"model_id": question.model, "question": q, "defaults": defaults, "configurations": rows})
        return
    wh = f"Wh, {q['boundary']}, load {q['load']:g}, {what_is_asked({'question': q})}, {q['method']}"
    area = f"gCO2e, {q['region']}" if q["region"] else "gCO2e, of the facility alone"
    if is_terminal():  # for a program the headings say it
        show_title(f"{question.model} on all hardware: {asked_line(q, defaults)}")
    header = (
        Column("accelerator"), Column("n", numeric=True), Column("precision"),
        Column("Wh", numeric=True, piped=wh), Column("90 % interval"), Column("mean", numeric=True, leave_out=5),
        Column("gCO2e", numeric=True, piped=area, leave_out=7 if "region" in defaults else 0),
        Column("evidence", leave_out=2), Column("rows", numeric=True, leave_out=3, piped="benchmark rows"),
        Column("caveats", numeric=True, leave_out=4, piped="rows with a caveat"),
        Column("source", leave_out=1), Column("parallelism", leave_out=6),
    )  # fmt: skip
    show_table(header, [_cells(row) for row in rows], marked=[row["n_rows_with_caveat"] > 0 for row in rows])
    show_note(
        "Each row is another deployment. Yellow: some of its benchmarks have a caveat. "
        f"{MARK}: not benchmarked, but predicted or assumed."
    )
    if n_left_out := n_beyond_reach(book, question):
        show_note(f"Left out: {n_left_out} configurations that these lengths are too long for.")


def answers(book: Book, question: Question) -> tuple[Asked, list[dict]]:
    """The question as asked of the first configuration, and what each gives."""
    assumed = book.assumptions()
    everywhere = ask_everywhere(book, question)
    area = find_area(book, everywhere[0].region) if everywhere[0].boundary == "facility" else None
    rows = []
    for asked in everywhere:
        c, row = asked.configuration, compute(book, assumed, asked).row
        rows.append(
            {name: c[name] for name in CONFIGURATION}
            | {f"energy_wh_per_query_{name}": row.get(f"energy_wh_per_query_{name}") for name in STATISTICS}
            | {"carbon_gco2e_per_query_p50": area and impacts_of(row, area, assumed)["carbon_gco2e_per_query"]["p50"]}
            | {"evidence": row["evidence"], "n_rows": c["n_rows"]}
            | {"n_rows_with_caveat": sum(one["n_rows"] for one in caveats(book, c, asked.method))}
        )
    return everywhere[0], sorted(rows, key=lambda row: row["energy_wh_per_query_p50"])


def _cells(row: dict) -> tuple[str, ...]:
    low, high = row["energy_wh_per_query_p50_lo90"], row["energy_wh_per_query_p50_hi90"]
    return (
        row["accelerator_id"], str(row["n_accelerators"]), row["precision"],
        marked(row["energy_wh_per_query_p50"], row["evidence"]),
        "-" if low is None else between(low, high), number(row["energy_wh_per_query_mean"]),
        number(row["carbon_gco2e_per_query_p50"]), row["evidence"],
        str(row["n_rows"]), str(row["n_rows_with_caveat"]), f"{row['source_id']} {row['source_release']}",
        row["parallelism"],
    )  # fmt: skip
