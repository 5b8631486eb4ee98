"""Writes docs/dictionary.md, the data dictionary, from the contracts of what is published: python docs/dictionary.py

A test holds that the page is what this writes. To change a word of it, change the contract: assets/columns.py, or the
module of the table.
"""

from pathlib import Path

from assets.published.joulebook import published_tables
from assets.published.tables import OF_A_RELEASE, RELEASES
from assets.published.views import VIEWS
from pipelines.tables.contract import Column, Table
from pipelines.warehouse.publish import COLUMNS_TABLE
from pipelines.warehouse.views import View

PAGE = Path(__file__).with_suffix(".md")
TYPES = {"String": "text", "Float64": "number", "Int64": "integer", "Boolean": "true or false"}
HEAD = """\
# Data dictionary

Every table, view and table macro of `warehouse/joulebook.duckdb` with its columns, as the checks hold them. Written
from the contracts by `python docs/dictionary.py`; the same is in the file, in the table `columns` and in comments. How
to ask is in [querying.md](querying.md).

*May be empty* is said with the range. A range or a list of values is what the checks accept: a refresh that finds
another value stops, or warns.
"""


def page() -> str:
    """The text of docs/dictionary.md."""
    tables = sorted((*published_tables(), COLUMNS_TABLE, RELEASES, *OF_A_RELEASE), key=lambda table: table.short_name)
    parts = [HEAD, "# Tables\n", *(_section(table, table.short_name) for table in tables)]
    parts += ["# Views and table macros\n", *(_section(view.table, view.signature, view) for view in VIEWS)]
    return "\n".join(parts)


def _section(table: Table, title: str, view: View | None = None) -> str:
    lines = [f"## {table.short_name}", ""]
    if view is not None and view.parameters:
        lines += [f"`FROM {title}`", ""]
    lines += [_plain(table.description), "", f"One row per {', '.join(f'`{name}`' for name in table.grain)}.", ""]
    if view is not None and view.parameters:
        lines += ["| argument | meaning | default |", "|---|---|---|"]
        lines += [f"| {p.name} | {_plain(p.meaning)} | {p.default or 'must be given'} |" for p in view.parameters] + [
            ""
        ]
    lines += ["| column | type | unit | meaning | range |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(_row(column) for column in table.columns), ""])


def _row(column: Column) -> str:
    cells = (column.name, TYPES[str(column.dtype)], column.unit or "", _plain(column.meaning), _range(column))
    return f"| {' | '.join(cells)} |"


def _range(column: Column) -> str:
    if column.allowed is not None:
        held = ", ".join(column.allowed)
    elif column.low is not None and column.high is not None:
        held = f"{column.low:,g} to {column.high:,g}"
    elif column.low is not None:
        held = f"from {column.low:,g}"
    else:
        held = "" if column.high is None else f"up to {column.high:,g}"
    return "; ".join(part for part in (held, "may be empty" if column.nullable else "") if part)


def _plain(text: str) -> str:
    """As text of a Markdown table."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
