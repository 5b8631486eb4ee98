"""docs/dictionary.md is what docs/dictionary.py writes from the contracts, and the file has just these columns."""

import re
import runpy

import duckdb

from pipelines.sources.catalogue import REPOSITORY
from tests.docs.pages import page


def test_the_page_is_up_to_date():
    written = runpy.run_path(str(REPOSITORY / "docs" / "dictionary.py"))["page"]()
    assert page("docs/dictionary.md") == written, "write it anew: python docs/dictionary.py"


def test_it_has_each_column_of_the_file(book):
    sections = {part.split("\n", 1)[0]: part for part in page("docs/dictionary.md").split("\n## ")[1:]}
    described = {
        (name, column)
        for name, text in sections.items()
        for column in re.findall(r"^\| (\w+) \|", text.split("| column |")[1], re.MULTILINE)
    }
    with duckdb.connect(str(book / "joulebook.duckdb"), read_only=True) as connection:
        filed = set(connection.sql("SELECT table_name, column_name FROM columns").fetchall())
        stored = set(
            connection.sql("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
        )
    assert described == filed
    assert stored < described
