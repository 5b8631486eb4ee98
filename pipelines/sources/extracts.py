"""Accepted figures at rest as CSV a reviewer can read: a comment head (source, licence, credit, snapshots), then rows.

`assets/extracts/<source_id>.csv` is the offline default of a fresh machine; a home keeps its own, newer ones. Only
sources that sources.yaml says may be kept have a file in the repository.
"""

import io
from pathlib import Path

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.sources.catalogue import REPOSITORY, Source
from pipelines.sources.errors import SourceError
from pipelines.sources.snapshots import write_atomically

IN_HEAD = ("source_id", "snapshot_sha256")
EXTRACTS_FOLDER = REPOSITORY / "assets" / "extracts"


class Snapshot(BaseModel):
    """The bytes behind a document of an extract. ETag and Last-Modified are kept with accepted bytes only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    release: str
    sha256: str
    size_bytes: int
    revised_on: str | None = None
    etag: str | None = None
    last_modified: str | None = None


class ExtractHead(BaseModel):
    """What stands above the rows of an extract."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source_id: str
    title: str
    publisher: str
    licence: str
    licence_url: str
    credit: str
    accepted_at_utc: str
    parser_version: str
    snapshots: tuple[Snapshot, ...]

    @classmethod
    def of(
        cls, source: Source, accepted_at_utc: str, parser_version: str, snapshots: tuple[Snapshot, ...]
    ) -> "ExtractHead":
        return cls(
            source_id=source.source_id,
            title=source.title,
            publisher=source.publisher,
            licence=source.licence.name,
            licence_url=str(source.licence.url),
            credit=source.credit,
            accepted_at_utc=accepted_at_utc,
            parser_version=parser_version,
            snapshots=snapshots,
        )


def write_extract(path: Path, head: ExtractHead, frame: pl.DataFrame) -> None:
    """Head and rows, atomically. Nulls are empty cells; empty text does not occur in a parsed frame.

    The source and the hash of the bytes stand in the head, once for each release, not in every row.
    """
    frame = frame.drop(IN_HEAD)
    comment = yaml.safe_dump(head.model_dump(exclude_none=True), sort_keys=False, allow_unicode=True, width=110)
    lines = "".join(f"# {line}\n" for line in comment.splitlines())
    write_atomically(path, (lines + frame.write_csv()).encode("utf-8"))


def read_head(path: Path) -> ExtractHead:
    """The head alone; raises SourceError naming the file."""
    return _split(path)[0]


def read_extract(path: Path, schema: dict[str, type[pl.DataType]]) -> tuple[ExtractHead, pl.DataFrame]:
    """Head and rows with the given schema. Raises SourceError naming the file and line that is wrong."""
    head, body, n_comment_lines = _split(path)
    try:
        text = pl.read_csv(io.StringIO(body), infer_schema=False, truncate_ragged_lines=False)
    except pl.exceptions.PolarsError as error:
        raise _broken(path, f"after line {n_comment_lines}", f"is not CSV: {error}") from error
    printed = {name: dtype for name, dtype in schema.items() if name not in IN_HEAD}
    if list(text.columns) != list(printed):
        difference = set(text.columns) ^ set(printed)
        place = f"line {n_comment_lines + 1}"
        raise _broken(path, place, f"columns differ from the contract: {sorted(difference) or 'order'}")
    frame = pl.DataFrame([_cast(path, text[name], dtype) for name, dtype in printed.items()])
    hashes = {snapshot.release: snapshot.sha256 for snapshot in head.snapshots}
    if unknown := set(frame["source_release"].unique()) - set(hashes):
        raise _broken(path, "column source_release", f"{sorted(unknown)} are not among the snapshots of the head")
    with_head = frame.with_columns(
        source_id=pl.lit(head.source_id),
        snapshot_sha256=pl.col("source_release").replace_strict(hashes, return_dtype=pl.String),
    )
    return head, with_head.select(schema.keys())


def _cast(path: Path, column: pl.Series, dtype: type[pl.DataType]) -> pl.Series:
    if dtype == pl.Boolean:
        cast = column.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    else:
        cast = column.cast(dtype, strict=False)
    bad = cast.is_null() & column.is_not_null()
    if bad.any():
        row = int(bad.arg_max())
        raise _broken(path, f"data row {row + 1}, column {column.name}", f"{column[row]!r} is not {dtype}")
    return cast


def _split(path: Path) -> tuple[ExtractHead, str, int]:
    try:
        lines = path.read_bytes().decode("utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(path, "whole file", f"cannot be read: {error}") from error
    n = next((i for i, line in enumerate(lines) if not line.startswith("# ")), len(lines))
    try:
        head = ExtractHead(**yaml.safe_load("".join(line[2:] for line in lines[:n])))
    except (ValidationError, yaml.YAMLError, TypeError) as error:
        raise _broken(path, f"lines 1-{n}", f"the comment head is not as written: {error}") from error
    return head, "".join(lines[n:]), n


def _broken(path: Path, place: str, problem: str) -> SourceError:
    return SourceError(path.name, place, problem, "Restore the extract from version control, or refresh online.")
