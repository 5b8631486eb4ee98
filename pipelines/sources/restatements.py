"""What a newer revision of a source changed in typed values: rows added, removed, and cells restated.

Values are compared as typed, so that a changed number format or row order is no change. Which columns name a row is
said by the raw table (`identity`), and its place in the file only where the publisher has no key.
"""

import io
from pathlib import Path

import polars as pl

from pipelines.sources.snapshots import write_atomically

SCHEMA = {
    "source_id": pl.String,
    "source_release": pl.String,
    "accepted_at_utc": pl.String,
    "change": pl.String,
    "row": pl.String,
    "column_name": pl.String,
    "old_value": pl.String,
    "new_value": pl.String,
}
_PLACE = ("source_id", "source_release", "snapshot_sha256", "locator")


def restated(old: pl.DataFrame, new: pl.DataFrame, identity: tuple[str, ...], accepted_at_utc: str) -> pl.DataFrame:
    """One row per row added or removed and per cell restated, between two accepted frames of one raw table.

    Rows that share an identity are told apart by their order. Without one (the requests of a trace) a row is named by
    all its values, so that one line inserted at the top restates nothing. Shape of the result: SCHEMA.
    """
    identity = identity or tuple(name for name in old.columns if name not in _PLACE)
    keys = ["source_id", "source_release", *identity]
    old, new = (_numbered(frame, keys) for frame in (old, new))
    keys.append("_occurrence")
    parts = [
        _listed(new.join(old, on=keys, how="anti", nulls_equal=True), identity, "added"),
        _listed(old.join(new, on=keys, how="anti", nulls_equal=True), identity, "removed"),
    ]
    both = old.join(new, on=keys, how="inner", suffix="_new", nulls_equal=True)
    for name in old.columns:
        if name in keys or name in _PLACE:
            continue
        changed = both.filter(pl.col(name).ne_missing(pl.col(f"{name}_new")))
        parts.append(_listed(changed, identity, "restated", name))
    return pl.concat(parts).with_columns(accepted_at_utc=pl.lit(accepted_at_utc)).select(SCHEMA.keys())


def _numbered(frame: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    return frame.with_columns(_occurrence=pl.int_range(pl.len()).over(keys))


def _listed(frame: pl.DataFrame, identity: tuple[str, ...], change: str, column: str | None = None) -> pl.DataFrame:
    named = pl.concat_str([pl.col(name).cast(pl.String).fill_null("-") for name in identity], separator=", ")
    empty = pl.lit(None, dtype=pl.String)
    return frame.select(
        "source_id",
        "source_release",
        change=pl.lit(change),
        row=named,
        column_name=pl.lit(column, dtype=pl.String),
        old_value=pl.col(column).cast(pl.String) if column else empty,
        new_value=pl.col(f"{column}_new").cast(pl.String) if column else empty,
    )


def propose(home: Path, source_id: str, changes: pl.DataFrame | None) -> None:
    """Note what a candidate revision changed; an earlier candidate's note goes."""
    path = home / "candidates" / f"{source_id}.parquet"
    path.unlink(missing_ok=True)
    if changes is not None and not changes.is_empty():
        write_atomically(path, _parquet(changes))


def keep_proposed(home: Path, source_id: str) -> None:
    """The candidate was accepted: append its note to the home's book. Nothing recorded earlier is lost."""
    path = home / "candidates" / f"{source_id}.parquet"
    if not path.exists():
        return
    book = home / "restated" / path.name
    earlier = _read(book) if book.exists() else pl.DataFrame(schema=SCHEMA)
    write_atomically(book, _parquet(pl.concat([earlier, _read(path)])))
    path.unlink()


def known(home: Path) -> pl.DataFrame:
    """All restatements of a home, those of candidates included."""
    files = [path for folder in ("restated", "candidates") for path in sorted((home / folder).glob("*.parquet"))]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *(_read(path) for path in files)])


def _read(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path, glob=False)


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
