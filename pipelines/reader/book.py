"""The published file as the reading commands see it: opened read-only, its rows as mappings, its assumptions.

Imports neither NumPy nor anything of the machinery at start: an answer must not wait for them.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.reader.errors import ReaderError

if TYPE_CHECKING:
    from pipelines.energy.lognormal import LogNormal

LOG_NORMAL = "log-normal"


class Book(AbstractContextManager):
    """The open file. Raises ReaderError where it does not exist, is damaged or of another version."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            raise ReaderError(f"{file} does not exist: run joulebook refresh --offline first, or name the --home")
        self.file = file
        try:
            self._connection = duckdb.connect(str(file), read_only=True)
        except duckdb.Error as error:
            raise self._damaged(error) from error

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rows(self, query: str, *values: object) -> list[dict]:
        """The rows of a query whose `?` are `values`."""
        try:
            cursor = self._connection.execute(query, list(values))
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            what = str(error).splitlines()[0]
            raise ReaderError(
                f"{self.file} was made by another version of joulebook ({what}): run joulebook refresh --offline"
            ) from error
        except duckdb.Error as error:
            raise self._damaged(error) from error

    def assumptions(self) -> "FiledAssumptions":
        return FiledAssumptions(self)

    def _damaged(self, error: duckdb.Error) -> ReaderError:
        what = str(error).splitlines()[0]
        return ReaderError(f"{self.file} cannot be read ({what}): delete it and run joulebook refresh --offline")


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
            raise ReaderError(
                f"{self._file} was made by another version of joulebook (no assumption {assumption_id}): "
                "run joulebook refresh --offline"
            )
        return self.used.setdefault(assumption_id, row)
