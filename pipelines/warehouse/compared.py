"""A table beside the one that readers have now: what was lost, and what got worse.

The published file may be of another version, or broken: it is about to be replaced, so it never stops the next one.
How much worse is too much is said by whoever asks. Changes between releases are another matter: these compare with the
file as it is published, before it is replaced.
"""

from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl

from pipelines.home import FILE_NAME


def published(home: Path, short_name: str) -> pl.DataFrame | None:
    """A table of the published file; None where there is no file yet, or no such table in it."""
    path = home / FILE_NAME
    if not path.exists():
        return None
    with duckdb.connect(str(path), read_only=True) as book:
        has = book.execute("select count(*) from duckdb_tables() where table_name = ?", [short_name]).fetchall()[0][0]
        return book.table(short_name).pl() if has else None


def beside_published(home: Path, short_name: str, lost: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame | str:
    """The rows that `lost` finds, given the published table; or, in words, why there is nothing to compare with."""
    try:
        before = published(home, short_name)
        return "No published file to compare with." if before is None else lost(before)
    except duckdb.Error as error:
        return f"The published file cannot be read, so nothing was compared: {_first_line(error)}"
    except pl.exceptions.PolarsError as error:
        return f"The published file has other columns, so nothing was compared: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]


def rows_lost(before: pl.DataFrame, now: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """The keys that were there before and are no more."""
    return before.select(key).join(now.select(key), on=key, how="anti", nulls_equal=True).unique().sort(key)


def rows_worse(
    before: pl.DataFrame, now: pl.DataFrame, key: tuple[str, ...], errors: tuple[str, ...], share: float
) -> pl.DataFrame:
    """Rows whose error grew by more than `share` of itself: key, which error, before and now."""
    pairs = before.select(*key, *errors).join(now.select(*key, *errors), on=key, nulls_equal=True, suffix="_now")
    worse = [
        pairs.filter(pl.col(f"{error}_now") > pl.col(error) * (1 + share)).select(
            *key, pl.lit(error).alias("error"), before=pl.col(error), now=pl.col(f"{error}_now")
        )
        for error in errors
    ]
    return pl.concat(worse).sort(*key, "error")
