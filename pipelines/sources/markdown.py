"""The headings, paragraphs and tables of a Markdown page, in order, with their line numbers.

What a table means belongs to the parser of its source.
"""

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt


@dataclass(frozen=True)
class Heading:
    line: int
    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    line: int
    text: str


@dataclass(frozen=True)
class TableRow:
    """`cells` as many as the header has; `printed` is how many the line really has (Markdown drops or pads)."""

    line: int
    cells: tuple[str, ...]
    printed: int


@dataclass(frozen=True)
class MarkdownTable:
    """`header` and `rows`, cells as printed (stripped); lines count from 1."""

    header: TableRow
    rows: tuple[TableRow, ...]


Block = Heading | Paragraph | MarkdownTable


def blocks(text: str) -> list[Block]:
    """Top-level headings, paragraphs and tables in reading order. Code, lists and quotes are left out."""
    lines = re.split(r"\r\n?|\n", text)  # as Markdown counts them: U+2028 ends no line
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    found: list[Block] = []
    table: list[TableRow] = []
    cells: list[str] = []
    row_line = 0
    for i, token in enumerate(tokens):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "heading_open":
            found.append(Heading(line, int(token.tag[1]), tokens[i + 1].content.strip()))
        elif token.type == "paragraph_open" and token.level == 0:
            found.append(Paragraph(line, tokens[i + 1].content.strip()))
        elif token.type == "table_open":
            table = []
        elif token.type == "tr_open":
            cells, row_line = [], line
        elif token.type in ("th_open", "td_open"):
            cells.append(tokens[i + 1].content.strip())
        elif token.type == "tr_close":
            table.append(TableRow(row_line, tuple(cells), _printed_cells(lines[row_line - 1])))
        elif token.type == "table_close":
            found.append(MarkdownTable(table[0], tuple(table[1:])))
    return found


def _printed_cells(line: str) -> int:
    inner = line.strip().removeprefix("|").removesuffix("|").replace("\\|", "")
    return inner.count("|") + 1
