"""How answers look: Rich on a terminal, plain text when piped, and how numbers are rounded for a person."""

import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import click

from pipelines.reader.errors import ReaderError
from pipelines.reader.printable import escaped, printable

SIGNIFICANT_DIGITS = 3
LONGEST_WORD = 16
"""A text is not squeezed below this many columns: others are left out first."""
GAP = 2
MOST_NAMED = 9
Fact = tuple[str, str]


@dataclass(frozen=True)
class Column:
    """A column of a table: ids and numbers are never broken, texts (`wraps`) are.

    On a terminal too narrow for all, those with the highest `leave_out` go first; those with 0 stay. `piped` is the
    heading for a program, which sees no note below the table; one that is not `on_terminal` is for programs alone.
    """

    name: str
    numeric: bool = False
    wraps: bool = False
    leave_out: int = 0
    piped: str | None = None
    on_terminal: bool = True


def number(value: float | None) -> str:
    """Three significant digits, thousands apart; a dash where there is none."""
    if value is None or math.isnan(value):
        return "-"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1000:
        for scale, name in ((1e12, " trillion"), (1e9, " billion"), (1e6, " million")):
            if size >= scale:
                return f"{value / scale:,.3g}{name}"
        return f"{value:,.0f}"
    if size < 1e-3:
        return f"{value:.2e}"
    return f"{value:.{max(0, SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(size)))}f}"


MARK = "*"
"""Behind a number, on a terminal: its lengths were not benchmarked."""


def marked(value: float | None, evidence: str) -> str:
    """A number, with the mark where it was not benchmarked; a program reads the evidence."""
    return number(value) + (MARK if evidence != "benchmarked" and is_terminal() else "")


def between(low: float | None, high: float | None) -> str:
    return f"{number(low)} to {number(high)}"


def percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def tokens(value: float) -> str:
    return f"{value:g}"


def is_terminal() -> bool:
    return sys.stdout.isatty()


def show_json(found: dict) -> None:
    """JSON as its standard has it. Raises ReaderError for a number that it cannot hold."""
    try:
        text = json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise ReaderError("the answer holds a number without end: ask for other lengths, load or queries") from error
    click.echo(escaped(text))


def show_title(text: str) -> None:
    if not is_terminal():
        click.echo(printable(text))
        return
    _console().print(_text(text, "bold"))


def show_note(text: str) -> None:
    """What a person reads below a table; a program that reads the piped table does not want it."""
    if is_terminal():
        _console().print(_text(text, "dim"))


def show_facts(facts: Iterable[Fact]) -> None:
    """Label and text, a line each; on a terminal long texts are wrapped beside their label."""
    facts = list(facts)
    width = max(len(label) for label, _ in facts)
    if not is_terminal():
        for label, text in facts:
            click.echo(printable(f"{label.ljust(width)}  {text}").rstrip())
        return
    from rich.table import Table  # noqa: PLC0415  (only a terminal needs it)

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=width)
    table.add_column(overflow="fold")
    for label, text in facts:
        table.add_row(_text(label, "cyan"), _text(text))
    _console().print(table)


def show_table(
    header: Sequence[Column | str],
    rows: Sequence[Sequence[str]],
    marked: Sequence[bool] | None = None,
) -> None:
    """Columns on a terminal, `marked` rows in yellow; tab-separated when piped. A heading alone is a text's."""
    columns = [Column(one, wraps=True) if isinstance(one, str) else one for one in header]
    rows = [[printable(cell) for cell in row] for row in rows]
    if not is_terminal():
        for row in [[column.piped or column.name for column in columns], *rows]:
            click.echo("\t".join(row))
        return
    from rich.table import Table  # noqa: PLC0415  (only a terminal needs it)

    console = _console()
    shown, fits = _fitting(columns, rows, console.width)
    table = Table(box=None, pad_edge=False, header_style="cyan")
    for i in shown:
        kept_whole = fits and not columns[i].wraps
        justify = "right" if columns[i].numeric else "left"
        table.add_column(columns[i].name, justify=justify, overflow="fold", no_wrap=kept_whole)
    for i, row in enumerate(rows):
        style = "yellow" if marked is not None and marked[i] else ""
        table.add_row(*(_text(row[at], style) for at in shown))
    console.print(table)
    left_out = [column.name for i, column in enumerate(columns) if i not in shown and column.on_terminal]
    if left_out:
        what = "; ".join(left_out) if len(left_out) <= MOST_NAMED else f"{len(left_out)} more columns"
        show_note(f"Too narrow for: {what}. A wider terminal or a pipe has them.")


def fits_terminal(header: Sequence[Column], rows: Sequence[Sequence[str]]) -> bool:
    """Whether all columns fit beside each other."""
    needed = [_needed(column, [row[i] for row in rows]) for i, column in enumerate(header)]
    return sum(needed) + GAP * (len(needed) - 1) <= _console().width


def _fitting(columns: list[Column], rows: list[list[str]], width: int) -> tuple[list[int], bool]:
    """Which columns are shown, and whether those then fit without breaking an id."""
    needed = [_needed(column, [row[i] for row in rows]) for i, column in enumerate(columns)]
    shown = [i for i, column in enumerate(columns) if column.on_terminal]

    def fits() -> bool:
        return sum(needed[i] for i in shown) + GAP * (len(shown) - 1) <= width

    while not fits() and (may_go := [i for i in shown if columns[i].leave_out]):
        shown.remove(max(may_go, key=lambda i: columns[i].leave_out))
    return shown, fits()


def _needed(column: Column, cells: list[str]) -> int:
    """Columns of the terminal: of all that is not broken, of a text some words."""
    longest = max((len(text) for text in (column.name, *cells)), default=0)
    return min(longest, LONGEST_WORD) if column.wraps else longest


def _console():
    from rich.console import Console  # noqa: PLC0415

    return Console(highlight=False, markup=False)


def _text(text: str, style: str = ""):
    from rich.text import Text  # noqa: PLC0415

    return Text(printable(text), style=style)
