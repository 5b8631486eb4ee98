"""The runner for other versions of DuckDB finds every query, and tells a wrong table from a right one."""

from pathlib import Path

import duckdb
import pytest

from pipelines.sources.catalogue import REPOSITORY
from tests.docs import other_duckdb
from tests.docs.pages import shown_blocks

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def test_it_runs_all_queries_on_the_version_installed(book, capsys):
    assert other_duckdb.main(book / "joulebook.duckdb", PAGES) == 0
    n = sum(len(shown_blocks(str(page.relative_to(REPOSITORY)), "sql")) for page in PAGES)
    assert n > 40
    assert capsys.readouterr().out == f"DuckDB {duckdb.__version__}: {n} of {n} queries give what is shown\n"


@pytest.mark.parametrize(
    ("query", "table", "says"),
    [
        ("SELECT 1.25 AS a", "| a |\n|---|\n| 1.2 |\n", None),
        ("SELECT 1.25 AS a", "| a |\n|---|\n| 1.5 |\n", "[('1.5', '1.25')]"),
        ("SELECT 1 AS a", "| b |\n|---|\n| 1 |\n", "[('b', 'a')]"),
        ("SELECT 1 AS a", "| a |\n|---|\n| 1 |\n| 2 |\n", "gives 1 rows"),
        ("SELECT no_such_column", "| a |\n|---|\n| 1 |\n", "Binder Error"),
    ],
)
def test_a_wrong_table_is_told(tmp_path: Path, capsys, query, table, says):
    duckdb.connect(str(tmp_path / "empty.duckdb")).close()
    page = tmp_path / "page.md"
    page.write_text(f"A page.\n\n```sql\n{query}\n```\n\n{table}", encoding="utf-8")
    assert other_duckdb.main(tmp_path / "empty.duckdb", [page]) == (1 if says else 0)
    assert says is None or f"page.md:3: {says}" in capsys.readouterr().out.replace("shows and gives ", "")
