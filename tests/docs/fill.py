"""Writes the tables below the queries of README and docs anew, from an offline refresh: `python -m tests.docs.fill`.

For whoever changes what a page shows; the tests compare and never write.
"""

import re
import sys
from pathlib import Path

import duckdb

from pipelines.sources.catalogue import REPOSITORY
from tests.docs.pages import as_text

QUERY_AND_TABLE = re.compile(r"(```sql\n(?P<query>[^`]*)```\n\n)(?:\|.*\n)+")


def fill(text: str, book: duckdb.DuckDBPyConnection) -> str:
    """The page with the table below each query as the query gives it."""
    return QUERY_AND_TABLE.sub(lambda found: found[1] + _table(found["query"], book), text)


def _table(query: str, book: duckdb.DuckDBPyConnection) -> str:
    relation = book.sql(query)
    rows = [tuple(relation.columns), *(tuple(as_text(value) for value in row) for row in relation.fetchall())]
    lines = [f"| {' | '.join(row)} |\n" for row in rows]
    return "".join([lines[0], "|---" * len(relation.columns) + "|\n", *lines[1:]])


def main(home: Path) -> None:
    with duckdb.connect(str(home / "joulebook.duckdb"), read_only=True) as book:
        for page in [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]:
            before = page.read_text(encoding="utf-8")
            if (after := fill(before, book)) != before:
                page.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "warehouse")
