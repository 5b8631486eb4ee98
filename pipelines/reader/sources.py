"""`joulebook sources`: what the published file was made from, and how old it is."""

from datetime import UTC, datetime

from pipelines.reader.book import Book
from pipelines.reader.show import Column, show_note, show_table

QUERY = """
    select source_id, source_release, state, revised_on, accepted_at_utc, rows_accepted, rows_rejected, licence, url
    from sources order by source_id, source_release
"""
HEADER = (
    Column("source"), Column("release"), Column("state"), Column("revised", leave_out=2),
    Column("age, days", numeric=True, leave_out=1), Column("accepted", numeric=True),
    Column("rejected", numeric=True, leave_out=4), Column("licence", wraps=True, leave_out=3),
    # longer than a line: beside it nothing else could be read
    Column("url", on_terminal=False),
)  # fmt: skip
MARKED = ("held", "absent")


def print_sources(book: Book) -> None:
    """One line a document."""
    rows = [_shown(*row.values()) for row in book.rows(QUERY)]
    show_table(HEADER, rows, marked=[row[2] in MARKED for row in rows])
    show_note("Their URLs stand in the piped list, in table sources and in joulebook explain.")


def _shown(source_id: str, release: str, state: str, revised: str, accepted_at: str, *rest: object) -> tuple[str, ...]:
    return (source_id, release, state, revised or "-", _age_days(accepted_at), *(str(cell) for cell in rest))


def _age_days(accepted_at_utc: str | None) -> str:
    """Whole days since the figures were accepted; a dash where they never were."""
    if accepted_at_utc is None:
        return "-"
    return str((datetime.now(UTC) - datetime.fromisoformat(accepted_at_utc)).days)
