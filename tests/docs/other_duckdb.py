"""Runs every query of README.md and docs/ on whatever DuckDB is installed, and compares with the tables below them.

    python -m venv other && other/bin/pip install duckdb==1.2.2
    other/bin/python tests/docs/other_duckdb.py [warehouse/joulebook.duckdb]

Nothing but DuckDB is imported, so that any version can be tried. What differs is printed, and the exit code is 1.
"""

import re
import sys
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).resolve().parents[2]
QUERY = re.compile(r"^```sql\n(?P<query>[^`]*)^```\n\n(?P<table>(?:\|.*\n)+)", re.MULTILINE)
UNCOMMENTED = """
SELECT table_name FROM duckdb_tables() WHERE NOT internal AND comment IS NULL
UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL
UNION ALL SELECT function_name FROM duckdb_functions()
          WHERE function_type = 'table_macro' AND NOT internal AND comment IS NULL
"""


def queries(text):
    """Line, query and rows of cells (header first) of each query with a table below it."""
    for found in QUERY.finditer(text):
        lines = found["table"].splitlines()
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]
        yield text.count("\n", 0, found.start()) + 1, found["query"], rows


def printed(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def is_same(shown, found):
    """Equal, or a number within one unit of the last digit shown."""
    if shown == found:
        return True
    try:
        difference = abs(float(shown) - float(found))
    except ValueError:
        return False
    decimals = len(shown.partition(".")[2])
    return bool(decimals) and difference <= 1.001 * 10**-decimals


def what_differs(book, query, rows):
    """Why the query does not give these rows; None: it does."""
    try:
        cursor = book.execute(query)
        found = [[column[0] for column in cursor.description]]
        found += [[printed(value) for value in row] for row in cursor.fetchall()]
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    if [len(row) for row in rows] != [len(row) for row in found]:
        return f"gives {len(found) - 1} rows {found[:2]}"
    pairs = [(a, b) for shown, row in zip(rows, found) for a, b in zip(shown, row)]  # noqa: B905  (lengths are equal)
    differ = [pair for pair in pairs if not is_same(*pair)]
    return f"shows and gives {differ}" if differ else None


def main(file, pages):
    book = duckdb.connect(str(file), read_only=True)
    n, failed = 0, 0
    for page in pages:
        for line, query, rows in queries(page.read_text(encoding="utf-8")):
            n += 1
            because = what_differs(book, query, rows)
            if because is not None:
                failed += 1
                print(f"{page.name}:{line}: {because}")  # noqa: T201
    uncommented = book.execute(UNCOMMENTED).fetchall()
    if uncommented:
        print(f"without a comment: {uncommented}")  # noqa: T201
    print(f"DuckDB {duckdb.__version__}: {n - failed} of {n} queries give what is shown")  # noqa: T201
    return 1 if failed or uncommented or not n else 0


if __name__ == "__main__":
    given = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "warehouse" / "joulebook.duckdb"
    sys.exit(main(given, [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]))
