"""`joulebook sources`: what the published file was made from, and how old it is."""

from datetime import UTC, datetime
from pathlib import Path

import click
import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

QUERY = """
    select source_id, source_release, state, revised_on, accepted_at_utc, rows_accepted, rows_rejected, licence, url
    from sources order by source_id, source_release
"""
HEADER = ("source", "release", "state", "revised", "age, days", "accepted", "rejected", "licence", "url")


def print_sources(file: Path) -> int:
    """Print one line a document; tab-separated when piped. Returns the exit code."""
    if not file.exists():
        click.echo(f"error: {file} does not exist: run joulebook refresh first", err=True)
        return 1
    with duckdb.connect(str(file), read_only=True) as book:
        rows = [_shown(*row) for row in book.execute(QUERY).fetchall()]
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        for row in [HEADER, *rows]:
            click.echo("\t".join(row))
        return 0
    table = Table(*HEADER, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell, style="yellow" if row[2] in ("held", "absent") else "") for cell in row))
    console.print(table)
    return 0


def _shown(source_id: str, release: str, state: str, revised: str, accepted_at: str, *rest: object) -> tuple[str, ...]:
    return (source_id, release, state, revised or "-", _age_days(accepted_at), *(str(cell) for cell in rest))


def _age_days(accepted_at_utc: str | None) -> str:
    """Whole days since the figures were accepted; a dash where they never were."""
    if accepted_at_utc is None:
        return "-"
    return str((datetime.now(UTC) - datetime.fromisoformat(accepted_at_utc)).days)
