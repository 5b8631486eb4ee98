"""What to say where a home cannot be written: full, read-only, or a database that broke in the middle.

Which error it was says little (a full disk is `disk I/O error` to one database and `invalidated` to the other), so that
the disk itself is looked at. Nothing is written here.
"""

import errno
import shutil
from pathlib import Path

from pipelines.home import FILE_NAME

LEAST_BYTES = 64 * 2**20
"""Less than a refresh writes aside; what broke off may have given some of it back."""
NEXT = "make room, then run joulebook refresh again"


def is_full(home: Path) -> bool:
    """Whether there is less room than a refresh takes."""
    return shutil.disk_usage(home).free < LEAST_BYTES


def full(home: Path) -> str:
    """The line for a home without room."""
    return f"no space left in {home} ({shutil.disk_usage(home).free // 2**20} MB free): {NEXT}"


def trouble_of(home: Path, error: Exception, started: float) -> str | None:
    """The line for an error of the disk or of a database on it, in a refresh begun at `started`; None for another."""
    import sqlite3  # noqa: PLC0415  (only where something failed)

    import duckdb  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    is_of_the_disk = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)  # others say enough
    if not is_of_the_disk and not isinstance(error, sqlite3.Error | SQLAlchemyError | duckdb.Error):
        return None
    why = full(home) if is_full(home) else f"{home} cannot be read or written: {str(error).splitlines()[0]}"
    file = home / FILE_NAME
    if not file.exists():
        return f"{why}; there is no published file"
    is_old = file.stat().st_mtime < started
    return f"{why}; the published file is {'as it was' if is_old else 'new, what is noted beside it is not'}"
