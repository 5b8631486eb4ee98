"""The error of this folder: a question that cannot be answered. One line with the next step, exit code 2."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import IO, Any

import click

from pipelines.reader.printable import printable

MOST_HINTS = 3


class ReaderError(click.ClickException):
    """The message says what is wrong and what to do."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"error: {printable(self.message)}", err=True, file=file)


def beginning(asked: str, known: Iterable[str]) -> list[str]:
    """The known ids that begin as asked, whatever the case, the shortest first."""
    wanted = asked.casefold()
    return sorted((name for name in known if wanted and name.casefold().startswith(wanted)), key=lambda n: (len(n), n))


def alike(asked: str, known: Iterable[str], cutoff: float = 0.5) -> list[str]:
    """The known ids that `asked` may mean: those that begin so, else those spelt alike."""
    by_spelling = {name.casefold(): name for name in sorted(known)}
    near = get_close_matches(asked.casefold(), by_spelling, n=MOST_HINTS, cutoff=cutoff)
    return (beginning(asked, by_spelling.values()) or [by_spelling[name] for name in near])[:MOST_HINTS]


def did_you_mean(names: list[str]) -> str:
    return f"did you mean {' or '.join(names)}? " if names else ""


def unknown(kind: str, asked: str, known: Iterable[str], look: str) -> ReaderError:
    """The error for a misspelt id: those that it may mean, else `look`, where all are listed."""
    return ReaderError(f"no {kind} {asked!r}: {did_you_mean(alike(asked, known))}{look}")
