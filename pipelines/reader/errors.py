"""The error of this folder: a question that cannot be answered. One line with the next step, exit code 2."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import IO, Any

import click


class ReaderError(click.ClickException):
    """The message says what is wrong and what to do."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"error: {self.message}", err=True, file=file)


def unknown(kind: str, asked: str, known: Iterable[str], look: str) -> ReaderError:
    """The error for a misspelt id: those that are spelt alike, else `look`, where all are listed."""
    near = get_close_matches(asked.lower(), sorted(known), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return ReaderError(f"no {kind} {asked!r}: {hint}{look}")
