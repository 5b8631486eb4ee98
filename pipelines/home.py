"""Where a book lies: the home folder and the files that people open. Imports nothing: reading starts at once."""

import os
from pathlib import Path

DEFAULT_HOME = "warehouse"
FILE_NAME = "joulebook.duckdb"
REPORT_NAME = "joulebook-report.html"
REPOSITORY = Path(__file__).resolve().parents[1]


def resolve_home(home: str | os.PathLike | None = None) -> Path:
    """The home folder: the argument, else JOULEBOOK_HOME, else ./warehouse."""
    return Path(home or os.environ.get("JOULEBOOK_HOME") or DEFAULT_HOME).expanduser().resolve()
