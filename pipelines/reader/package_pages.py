"""The package described to people: README.md, LICENSES.md, ATTRIBUTION.md. Pure functions from a Package to text."""

from collections.abc import Iterable

from pipelines.reader.package import Package, Source
from pipelines.reader.package_metadata import ABSTRACT, LICENCES, OUR_LICENCE, TITLE, licences_in


def readme(package: Package) -> str:
    """What is in it, what is not, and how to read it."""
    tables = [
        (f"[{table.name}]({table.path})", table.n_rows, table.n_left_out, table.description) for table in package.tables
    ]
    left_out = [
        (table.name, source_id, n) for table in package.tables for source_id, n in table.left_out_by_source.items()
    ]
    return f"""\
# {TITLE}

{ABSTRACT}

Version {package.version}, {package.created_at_utc}: {len(package.tables)} tables, {package.n_rows} rows.

The version is the release of the file that this was made from; where that file has no releases, the hash of what is in
here, dated by its newest figures.

Each table is one Parquet file in `data/`. What a column means, its unit and its range stand in `datapackage.json`
(Frictionless Data Package), in `croissant.json` (Croissant) and in the table `columns`. Any reader of Parquet opens
them:

```sql
SELECT * FROM 'data/*.parquet' LIMIT 5   -- DuckDB: put the name of a table for the star
```

How to cite: `CITATION.cff`. Which licence holds for what: `LICENSES.md`. Whom to credit: `ATTRIBUTION.md`.

## Tables

{_table(("table", "rows", "rows left out", "what it is"), tables)}
## Left out

{_left_out_in_words(package)}

{_table(("table", "source", "rows left out"), left_out) if left_out else ""}"""


def _left_out_in_words(package: Package) -> str:
    withheld = [source for source in package.sources if not source.may_be_passed_on]
    if not withheld:
        return "Nothing: every source may be passed on."
    reasons = "\n".join(
        f"- `{source.source_id}` ({source.title}; redistribution {source.redistribution}, "
        f"{package.n_left_out_of(source)} rows): {source.reason}"
        for source in withheld
    )
    return f"""\
Rows that name a source whose figures may not plainly be passed on are not in here: {package.n_left_out} rows. A row
that names two such sources is left out once and counted for both below. The sources themselves stand in the table
`sources`, with the address of each file. Statistics over many rows (typical gains, errors, widths of intervals) may
rest on such rows too; they hold no figure of theirs.

{reasons}"""


def licences(package: Package) -> str:
    """Which licence holds for what."""
    theirs = [
        (name, LICENCES[name], _ids(source for source in package.included if source.licence == name))
        for name in licences_in(package)
    ]
    return f"""\
# Licences

**The figures of a source keep the licence of that source.** A row says whose they are (`source_id` and the like); in a
table of estimates that says what an estimate was made from.

{_table(("licence", "text", "sources"), theirs)}
**What is ours is under {OUR_LICENCE}** ({LICENCES[OUR_LICENCE]}): the estimates, the choice and
arrangement of rows, ids, notes, and the descriptions of tables and columns. Credit it as `CITATION.cff` says. No
licence above forbids that: they ask for credit and for their notice, and MPL-2.0 holds for the rows taken from its
files, not for what stands beside or is computed from them.

Published figures were changed: extracted from their files, brought to our ids and units, and known errors corrected or
rejected (tables `corrections` and `rejected`). No publisher vouches for what is computed from them.

Texts that must go with copies lie in `licences/`; the notices are the credit lines in `ATTRIBUTION.md`. The program
that made this package is under Apache-2.0 and is no part of it. What is said here of licences is our reading, not
legal advice.
"""


def attribution(package: Package) -> str:
    """Every source of the file, in the package or not, with its credit line."""
    rows = [
        (
            f"[{source.source_id}]({source.homepage})",
            source.title,
            source.publisher,
            f"[{source.licence}]({source.licence_url})",
            source.credit,
            _presence(package, source),
        )
        for source in package.sources
    ]
    header = ("source", "title", "publisher", "licence", "credit", "figures in this package")
    return f"# Attribution\n\n{_table(header, rows)}"


def _presence(package: Package, source: Source) -> str:
    if not source.may_be_passed_on:
        return f"no: redistribution {source.redistribution}; {package.n_left_out_of(source)} rows left out"
    n_rows = package.n_rows_of(source)
    return f"yes: {n_rows} rows" if n_rows else "no: no row of the file names it"


def _ids(sources: Iterable[Source]) -> str:
    return ", ".join(source.source_id for source in sources)


def _table(header: tuple[str, ...], rows: Iterable[tuple]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())
