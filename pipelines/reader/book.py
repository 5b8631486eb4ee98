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
LOCKED = re.compile(r"Could not set lock.*?(?:held in (\S+) )?\(PID (\d+)\)", re.DOTALL)
DAMAGE = (duckdb.IOException, duckdb.SerializationException, duckdb.InternalException, duckdb.FatalException)
"""What a broken file ends in while it is read; any other error is of what was asked."""
SELECTS = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


class Book(AbstractContextManager):
    """The open file. Raises ReaderError where it does not exist, is damaged or of another version."""

    def __init__(self, file: Path) -> None:
        if not file.is_file():
            raise ReaderError(f"{file} does not exist: run joulebook refresh --offline first, or name the --home")
        self.file = file
        try:
            self._connection = duckdb.connect(str(file), read_only=True)
        except duckdb.Error as error:
            raise self._not_opened(error) from error

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

    def select(self, query: str) -> tuple[list[str], list[tuple]]:
        """Names and rows of one query as a person wrote it. Raises ReaderError for anything but one SELECT."""
        try:
            statements = self._connection.extract_statements(query)
            if len(statements) != 1 or statements[0].type not in SELECTS:
                raise ReaderError("one query at a time, and only to read: give one SELECT or FROM")
            cursor = self._connection.execute(statements[0])
            return [column[0] for column in cursor.description], cursor.fetchall()
        except duckdb.Error as error:
            if isinstance(error, DAMAGE) and str(self.file) in str(error):
                raise self._damaged(error) from error
            if refused := REFUSED.match(str(error)):
                raise ReaderError(refused[1]) from error
            raise ReaderError(f"{_first_words(error)}; joulebook sql 'FROM columns' lists what there is") from error

    @contextmanager
    def _one_line_errors(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise _of_another_version(self.file, str(error).splitlines()[0]) from error
        except duckdb.InvalidInputException as error:
            if refused := REFUSED.match(str(error)):  # by a macro of the file, which says what to do
                raise ReaderError(refused[1]) from error
            raise self._not_answered(error) from error
        except DAMAGE as error:
            raise self._damaged(error) from error
        except duckdb.Error as error:
            raise self._not_answered(error) from error

    def assumptions(self) -> "FiledAssumptions":
        return FiledAssumptions(self)

    def _not_opened(self, error: duckdb.Error) -> ReaderError:
        if not os.access(self.file, os.R_OK):
            return ReaderError(f"{self.file} may not be read: change its permissions, or name another --home")
        if locked := LOCKED.search(str(error)):
            return ReaderError(
                f"{self.file} is open for writing in {locked[1] or 'another program'} (PID {locked[2]}): "
                "close it there, or open it there read-only"
            )
        if isinstance(error, duckdb.ConnectionException):
            return ReaderError(f"{self.file} is open in this program in another way: open it there with read_only=True")
        return self._damaged(error)

    def _not_answered(self, error: duckdb.Error) -> ReaderError:
        return ReaderError(f"{self.file} cannot answer that ({_first_words(error)}): ask for something else")

    def _damaged(self, error: duckdb.Error) -> ReaderError:
        what = str(error).splitlines()[0]
        return ReaderError(f"{self.file} cannot be read ({what}): delete it and run joulebook refresh --offline")


def _first_words(error: duckdb.Error) -> str:
    """The error without the query repeated below it."""
    return " ".join(re.split(r"\n+LINE \d+:", str(error))[0].split())


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
