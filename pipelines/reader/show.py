"""How answers look: Rich on a terminal, plain text when piped, and how numbers are rounded for a person."""

import math
import sys
from collections.abc import Iterable, Sequence

import click

SIGNIFICANT_DIGITS = 3
Fact = tuple[str, str]


def number(value: float | None) -> str:
    """Three significant digits, thousands apart; a dash where there is none."""
    if value is None or math.isnan(value):
        return "-"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1000:
        for scale, name in ((1e9, " billion"), (1e6, " million")):
            if size >= scale:
                return f"{value / scale:,.3g}{name}"
        return f"{value:,.0f}"
    if size < 1e-3:
        return f"{value:.2e}"
    return f"{value:.{max(0, SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(size)))}f}"


def between(low: float | None, high: float | None) -> str:
    return f"{number(low)} to {number(high)}"


def percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def tokens(value: float) -> str:
    return f"{value:g}"


def is_terminal() -> bool:
    return sys.stdout.isatty()


def show_title(text: str) -> None:
    if not is_terminal():
        click.echo(text)
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
            click.echo(f"{label.ljust(width)}  {text}".rstrip())
        return
    from rich.table import Table  # noqa: PLC0415  (only a terminal needs it)

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=width)
    table.add_column(overflow="fold")
    for label, text in facts:
        table.add_row(_text(label, "cyan"), _text(text))
    _console().print(table)


def show_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Iterable[int] = (),
    marked: Sequence[bool] | None = None,
) -> None:
    """Columns on a terminal, `numeric` ones to the right, `marked` rows in yellow; tab-separated when piped."""
    if not is_terminal():
        for row in [header, *rows]:
            click.echo("\t".join(row))
        return
    from rich.table import Table  # noqa: PLC0415  (only a terminal needs it)

    right = set(numeric)
    table = Table(box=None, pad_edge=False, header_style="cyan")
    for i, name in enumerate(header):
        table.add_column(name, justify="right" if i in right else "left", overflow="fold")
    for i, row in enumerate(rows):
        style = "yellow" if marked is not None and marked[i] else ""
        table.add_row(*(_text(cell, style) for cell in row))
    _console().print(table)


def _console():
    from rich.console import Console  # noqa: PLC0415

    return Console(highlight=False, markup=False)


def _text(text: str, style: str = ""):
    from rich.text import Text  # noqa: PLC0415

    return Text(text, style=style)
