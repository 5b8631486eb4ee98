"""Headings, paragraphs and tables of a page, with the lines a person counts."""

from pipelines.sources.markdown import Heading, MarkdownTable, Paragraph, TableRow, blocks

PAGE = """# One

text over
two lines

| a | b |
|---|---|
| 1 | |
| 2 | 3 | 4 |
| 5 \\| 6 |

```
# no heading
| no | table |
|----|-------|
```

- a list
> a quote

## Two ##
"""


def test_blocks_come_in_order_with_their_lines():
    assert blocks(PAGE) == [
        Heading(1, 1, "One"),
        Paragraph(3, "text over\ntwo lines"),
        MarkdownTable(
            TableRow(6, ("a", "b"), 2),
            (TableRow(8, ("1", ""), 2), TableRow(9, ("2", "3"), 3), TableRow(10, ("5 | 6", ""), 1)),
        ),
        Heading(21, 2, "Two"),
    ]


def test_a_line_above_a_table_is_its_caption():
    caption, table = blocks("caption\n| a |\n|---|\n| 1 |\n")
    assert (caption, table.header.line) == (Paragraph(1, "caption"), 2)


def test_a_header_that_its_rule_does_not_fit_is_text():
    (paragraph,) = blocks("| a | b | c |\n|---|---|\n| 1 | 2 | 3 |\n")
    assert isinstance(paragraph, Paragraph)


def test_only_line_ends_of_markdown_count():
    odd = "x\u2028y\x0bz\n\n| a |\r\n|---|\r| 1 |\r\n"
    assert blocks(odd)[1] == MarkdownTable(TableRow(3, ("a",), 1), (TableRow(5, ("1",), 1),))
