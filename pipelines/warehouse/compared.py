"""A table beside the one that readers have now: what was lost, and what got worse. Pure functions on frames.

How much worse is too much is said by whoever asks. Changes between releases are another matter: these compare with the
file as it is published, before it is replaced.
"""

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
