"""The published file as the reading commands see it: opened read-only, its rows as mappings, its assumptions.

Imports neither NumPy nor anything of the machinery at start: an answer must not wait for them.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.energy.errors import EnergyInputError
from pipelines.reader.errors import ReaderError

if TYPE_CHECKING:
    import polars as pl

    from pipelines.energy.lognormal import LogNormal

LOG_NORMAL = "log-normal"
REFUSED = re.compile(r"Invalid Input Error: (\w+_\w+: .*)")
"""How the error of a macro of the file begins: with its name."""


class Book(AbstractContextManager):
    """The open file. Raises ReaderError where it does not exist, is damaged or of another version."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise ReaderError(f"{file} does not exist: run joulebook refresh --offline first, or name the --home")
        self.file = file
        try:
            self._connection = duckdb.connect(str(file), read_only=True)
        except duckdb.Error as error:
            raise self._damaged(error) from error

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        self._connection.close()
        if isinstance(error, EnergyInputError):
            raise ReaderError(str(error)) from error

    def rows(self, query: str, *values: object) -> list[dict]:
        """The rows of a query whose `?` are `values`."""
        with self._one_line_errors():
            cursor = self._connection.execute(query, list(values))
            names = [column[0] for column in cursor.description]
            return [Row(self.file, zip(names, row, strict=True)) for row in cursor.fetchall()]

    def frame(self, query: str, *values: object) -> "pl.DataFrame":
        """The same as a Polars frame."""
        with self._one_line_errors():
            return self._connection.sql(query, params=list(values)).pl()

    @contextmanager
    def _one_line_errors(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise _of_another_version(self.file, str(error).splitlines()[0]) from error
        except duckdb.InvalidInputException as error:
            if refused := REFUSED.match(str(error)):  # by a macro of the file, which says what to do
                raise ReaderError(refused[1]) from error
            raise self._damaged(error) from error
        except duckdb.Error as error:
            raise self._damaged(error) from error

    def assumptions(self) -> "FiledAssumptions":
        return FiledAssumptions(self)

    def _damaged(self, error: duckdb.Error) -> ReaderError:
        what = str(error).splitlines()[0]
        if not os.access(self.file, os.R_OK):
            return ReaderError(f"{self.file} may not be read: change its permissions, or name another --home")
        return ReaderError(f"{self.file} cannot be read ({what}): delete it and run joulebook refresh --offline")


class Row(dict):
    """A row of the file. A column that is not there is an error that says why."""

    def __init__(self, file: Path, cells: Iterable[tuple[str, object]]) -> None:
        super().__init__(cells)
        self._file = file

    def __missing__(self, name: str) -> None:
        raise _of_another_version(self._file, f"no column {name}")


def _of_another_version(file: Path, what: str) -> ReaderError:
    return ReaderError(f"{file} was made by another version of joulebook ({what}): run joulebook refresh --offline")


def same(columns: Sequence[str]) -> str:
    """SQL that compares all `columns` with `?`, empty with empty."""
    return " and ".join(f"{name} is not distinct from ?" for name in columns)


class FiledAssumptions:
    """The assumptions of the file in force today; `used` are those that were asked for, in order."""

    def __init__(self, book: Book) -> None:
        today = datetime.now(UTC).date().isoformat()
        in_force = book.rows("from assumptions where valid_from <= ? order by valid_from", today)
        self._rows = {row["assumption_id"]: row for row in in_force}
        self._file = book.file
        self.used: dict[str, dict] = {}

    def value(self, assumption_id: str) -> float:
        return self._row(assumption_id)["value"]

    def lognormal(self, assumption_id: str) -> "LogNormal":
        from pipelines.energy.lognormal import LogNormal  # noqa: PLC0415  (NumPy, where it is needed)

        row = self._row(assumption_id)
        return LogNormal.from_p5_p95(row["low"], row["high"])

    def _row(self, assumption_id: str) -> dict:
        row = self._rows.get(assumption_id)
        if row is None:
            raise _of_another_version(self._file, f"no assumption {assumption_id}")
        return self.used.setdefault(assumption_id, row)
