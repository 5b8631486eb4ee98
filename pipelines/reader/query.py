"""`joulebook sql`: one query in a person's own words, read-only: a table on a terminal, CSV when piped.

What belongs here: how rows look. Which queries are let through belongs to book.py.
"""

import csv
import sys

from pipelines.reader.book import Book
from pipelines.reader.errors import ReaderError
from pipelines.reader.show import Column, fits_terminal, is_terminal, number, show_facts, show_note, show_table

MOST_ROWS = 200
"""On a terminal. More are read by a program, or asked for with LIMIT."""
MANY_COLUMNS, MOST_RECORDS = 10, 5
"""A table that lost so many columns would say nothing: its rows are shown one below the other, a few of them."""
FROM_INPUT = "-"


def print_query(book: Book, query: str) -> None:
    text = sys.stdin.read() if query == FROM_INPUT else query
    if not text.strip():
        raise ReaderError("no query: give one, such as joulebook sql 'FROM energy_per_query_default'")
    names, rows = book.select(text)
    if not is_terminal():
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_exact(value) for value in row] for row in rows)
        return
    shown = rows[:MOST_ROWS]
    numeric = [any(isinstance(row[i], int | float) for row in shown) for i in range(len(names))]
    # what was named first is wanted most
    columns = [Column(name, numeric=numeric[i], leave_out=i) for i, name in enumerate(names)]
    cells = [[_rounded(value) for value in row] for row in shown]
    if len(names) >= MANY_COLUMNS and not fits_terminal(columns, cells):
        _show_records(names, cells, len(rows))
        return
    show_table(columns, cells)
    if len(rows) > MOST_ROWS:
        show_note(f"The first {MOST_ROWS} of {len(rows):,} rows: a pipe has all of them, LIMIT or WHERE fewer.")


def _show_records(names: list[str], cells: list[list[str]], n_rows: int) -> None:
    """Rows of more columns than a terminal is wide, one below the other."""
    for i, row in enumerate(cells[:MOST_RECORDS], 1):
        show_note(f"row {i} of {n_rows:,}")
        show_facts(zip(names, row, strict=True))
    if n_rows > MOST_RECORDS:
        show_note(f"The first {MOST_RECORDS} rows: a pipe has all of them, SELECT fewer columns for a table.")


def _exact(value: object) -> object:
    """As a program reads it: truth as DuckDB writes it, all digits, nothing where nothing is."""
    return str(value).lower() if isinstance(value, bool) else value


def _rounded(value: object) -> str:
    """As a person reads it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    return number(value) if isinstance(value, float) else str(value)
