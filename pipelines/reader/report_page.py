"""The report as one HTML file that needs no network: all texts escaped, the chart library and the data inside.

The policy in its head lets only the two scripts written here run, and nothing be fetched: even where an escape were
missed, a text of a source could do nothing.
"""

import base64
import hashlib
import json
from datetime import date
from html import escape
from pathlib import Path

from pipelines.reader.report_parts import Column, DataTable, Figure, Report, Section
from pipelines.reader.show import number

PAGE = Path(__file__).with_name("page")
TITLE = "The book of joules per query"
LINKS = ("https://", "http://")


def page(report: Report, library: str) -> str:
    """The whole file. `library`: Vega, Vega-Lite and Vega-Embed as one script."""
    library = library.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    script = (PAGE / "report.js").read_text(encoding="utf-8")
    style = (PAGE / "report.css").read_text(encoding="utf-8")
    figures = [figure for section in report.sections for figure in section.figures if figure.spec is not None]
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {_digest(library)} {_digest(script)}"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{TITLE}: report</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the charts</a>
{_header(report)}
<nav aria-label="Sections"><ol>
{"".join(f'<li><a href="#{section.section_id}">{escape(section.title)}</a></li>' for section in report.sections)}
</ol></nav>
<main id="main" tabindex="-1">
<noscript><p class="note">Charts need JavaScript. Every number stands in the tables.</p></noscript>
{"".join(map(_section, report.sections))}
</main>
{_footer(report)}
{"".join(map(_declaration, figures))}
<script>{library}</script>
<script>{script}</script>
</body>
</html>
"""


def _declaration(figure: Figure) -> str:
    return f'<script type="application/json" data-chart="{figure.figure_id}">{_json(figure.spec)}</script>'


def _digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _json(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str, allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _header(report: Report) -> str:
    facts = "".join(
        f"<div><dt>{escape(what)}</dt><dd><strong>{escape(value)}</strong><span>{_together(escape(of))}</span></dd></div>"
        for what, value, of in report.facts
    )
    return f"""<header>
<p class="brand">joulebook</p>
<h1>{TITLE}</h1>
<p class="lead">How much electricity one query to a large language model takes, as far as public evidence goes.
{_release(report.release, report.made_on)}</p>
<dl class="facts">{facts}</dl>
</header>"""


def _together(text: str) -> str:
    """Without a line break before a percent sign."""
    return text.replace(" %", "&nbsp;%")


def _release(release: dict, made_on: date) -> str:
    if not release:
        return f"Report of {made_on}."
    tag = f", {release['tag']}" if release["tag"] else ""
    return escape(
        f"Release {release['release_number']}{tag} ({release['release_id'][:12]}), made "
        f"{release['released_at_utc'][:10]}; "
        f"{release['n_estimates']:,} estimates. Report of {made_on}."
    )


def _footer(report: Report) -> str:
    methods = f"Methods: {report.release['method_versions']}. " if report.release else ""
    return f"""<footer><p>{escape(methods)}Numbers are rounded to three digits; each cell keeps the published value.
An estimate leads back to the printed cells it rests on: <code>joulebook explain</code> with its id.</p></footer>"""


def _section(section: Section) -> str:
    return (
        f'<section id="{section.section_id}" aria-labelledby="{section.section_id}-title">'
        f'<h2 id="{section.section_id}-title">{escape(section.title)}</h2>'
        f"{''.join(map(_figure, section.figures))}</section>"
    )


def _figure(figure: Figure) -> str:
    drawn = ""
    if figure.spec is not None:
        drawn = (
            f'<div class="controls" id="{figure.figure_id}-controls"></div>'
            f'<div class="chart" id="{figure.figure_id}" role="img" aria-label="{escape(figure.summary)}"></div>'
        )
    caption = f"<figcaption>{escape(figure.caption)}</figcaption>" if figure.table.rows else ""
    return (
        f'<figure aria-labelledby="{figure.figure_id}-title">'
        f'<h3 id="{figure.figure_id}-title">{escape(figure.title)}</h3>'
        f"{drawn}{caption}{_details(figure)}</figure>"
    )


def _details(figure: Figure) -> str:
    table = figure.table
    if not table.rows:
        return ""
    label = escape(f"Data of: {figure.title}")
    return (
        f"<details><summary>Data: {len(table.rows):,} row{'s' if len(table.rows) != 1 else ''} of table "
        f"<code>{escape(table.of)}</code></summary>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{_table(table, label)}</div></details>'
    )


def _table(table: DataTable, label: str) -> str:
    numeric = [_is_numeric(table, column) for column in table.columns]
    head = "".join(
        f'<th scope="col"{_right(right)} {_of_table(column)} title="{escape(column.name)}">{escape(column.label)}</th>'
        for column, right in zip(table.columns, numeric, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_right(right)}>{_cell(column, row[column.name])}</td>"
            for column, right in zip(table.columns, numeric, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    return (
        f'<table data-table="{escape(table.of)}"><caption>{label}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _of_table(column: Column) -> str:
    return "data-derived" if column.is_derived else f'data-column="{escape(column.name)}"'


def _is_numeric(table: DataTable, column: Column) -> bool:
    values = [row[column.name] for row in table.rows if row[column.name] is not None]
    return bool(values) and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _right(numeric: bool) -> str:
    return ' class="n"' if numeric else ""


def _cell(column: Column, value: object) -> str:
    """The value to read, and beside it the published one where rounding or naming changed it."""
    if value is None:
        return '<data value="">&ndash;</data>'
    if isinstance(value, bool):
        return f'<data value="{str(value).lower()}">{"yes" if value else "no"}</data>'
    if isinstance(value, int):
        return f'<data value="{value}">{value:,}</data>'
    if isinstance(value, float):
        return f'<data value="{value!r}">{number(value)}</data>'
    text = str(value)
    if column.name.endswith("url") and text.startswith(LINKS):
        return f'<a href="{escape(text)}" rel="noreferrer">{escape(text)}</a>'
    shown = column.reads(text) if column.reads else text
    return escape(text) if shown == text else f'<data value="{escape(text)}">{escape(shown)}</data>'
