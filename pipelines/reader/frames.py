"""For notebooks: what a published file holds as Polars frames.

    from pipelines.reader.frames import table

    table("energy_per_query_default")                            # a table or view
    table("energy_of", "llama-3.1-405b", 500, 300, load=0.5)     # a table macro with its arguments
    table("energy_per_query", release=1)                         # as it was in an earlier release

What belongs here: one function. Which tables there are and what their columns mean is in the file itself, in the table
`columns`, and in docs/dictionary.md.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.home import FILE_NAME, resolve_home
from pipelines.reader.book import Book
from pipelines.reader.errors import ReaderError, unknown

if TYPE_CHECKING:
    import polars as pl

OF_ARGUMENTS = (duckdb.BinderException, duckdb.DataError)
"""What arguments of another kind, or beyond what numbers hold, end in."""
HISTORY = "energy_per_query"
"""The table whose earlier states are in the file itself."""


def table(
    name: str,
    *arguments: object,
    path: str | os.PathLike | None = None,
    release: int | str | None = None,
    **named: object,
) -> "pl.DataFrame":
    """A table, view or table macro of a published file as a Polars frame.

    The unit of a column stands in its name (`energy_wh_per_query_p50` is Wh, `power_w` is W, `carbon_gco2e_per_query`
    is g CO2e, `on_site_water_ml_per_query` is mL) and in the column `unit` of `table("columns")`. An energy means
    nothing without its `boundary`: gpu boards, node at the wall, facility. An empty cell is null, never NaN.

    Args:
        name: such as "energy_per_query_default"; `table("columns")` lists all with their columns.
        *arguments, **named: of a table macro, such as `table("energy_of", "llama-3.1-405b", 500, 300, load=0.5)`.
        path: a published file or the folder it lies in. Default: as for the commands, JOULEBOOK_HOME, else ./warehouse.
        release: number or tag of an earlier release. Of other tables than energy_per_query it is read from the folder
            of the release beside the file. Default: the latest.

    Raises ReaderError, one line, for what does not exist and for arguments that the macro refuses.
    """
    with Book(_file(path)) as book:
        call = _call(book, name, arguments, named)
        if release is None:
            return _asked(book, name, call, (*arguments, *named.values()))
        if arguments or named:
            raise ReaderError(f"{name} is computed from the latest release: leave out release={release!r}")
        number, folder = _release(book, release)
        if name == HISTORY:
            return book.frame("from energy_per_query_as_of(?)", number)
        return _frozen(book.file.parent / folder, name)


def _file(path: str | os.PathLike | None) -> Path:
    given = resolve_home(path)
    return given / FILE_NAME if given.is_dir() or path is None else given


def _call(book: Book, name: str, arguments: tuple, named: dict) -> str:
    """The name as SQL calls it. Names are compared with those of the file before they become part of a query."""
    kinds = {row["table_name"]: row["kind"] for row in book.rows("select distinct table_name, kind from columns")}
    if name not in kinds:
        raise unknown("table", name, kinds, 'table("columns") lists all')
    if kinds[name] != "table macro":
        if arguments or named:
            raise ReaderError(f"{name} is a {kinds[name]} and takes no arguments: filter the frame")
        return name
    (row,) = book.rows("select parameters from duckdb_functions() where function_name = ? and not internal", name)
    if strange := set(named) - set(row["parameters"]):
        raise ReaderError(f"{name} has no argument {min(strange)}: it has {', '.join(sorted(row['parameters']))}")
    return f"{name}({', '.join([*('?' for _ in arguments), *(f'{key} := ?' for key in named)])})"


def _asked(book: Book, name: str, call: str, values: tuple) -> "pl.DataFrame":
    try:
        return book.frame(f"from {call}", *values)
    except ReaderError as error:
        if values and isinstance(error.__cause__, OF_ARGUMENTS):
            (row,) = book.rows("select comment from duckdb_functions() where function_name = ? and not internal", name)
            raise ReaderError(f"{name} does not take these arguments: {row['comment']}") from error
        raise


def _release(book: Book, release: int | str) -> tuple[int, str]:
    for row in book.rows("from releases order by release_number"):
        # True equals 1 in Python, and says nothing of a release
        if not isinstance(release, bool) and release in (row["release_number"], row["tag"]):
            return row["release_number"], row["folder"]
    raise ReaderError(f"no release {release!r} in {book.file}: joulebook releases lists all")


def _frozen(folder: Path, name: str) -> "pl.DataFrame":
    import polars as pl  # noqa: PLC0415  (where it is needed)

    manifest = folder / "manifest.json"
    try:
        entries = json.loads(manifest.read_text(encoding="utf-8"))["tables"]
        places = {entry["table"].split(".")[1]: entry["table"] for entry in entries}
        if name not in places:
            raise unknown("table of a release", name, places, f"{manifest} lists all")
        return pl.read_parquet(folder / f"{places[name].replace('.', '/')}.parquet", glob=False)
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        what = str(error).splitlines()[0]
        raise ReaderError(f"{folder} cannot be read ({what}): releases lie beside the published file") from error
