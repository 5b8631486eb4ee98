"""What the Dagster UI shows of a table: words, owners, schema, preview, links, and what a failing check says.

Words and values only: nothing is read, made or judged here. Charts are in `plots`, jobs and schedules in `automation`.
"""

import warnings
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import polars as pl

from pipelines.sources.catalogue import REPOSITORY, Source
from pipelines.sources.intake import Taken
from pipelines.tables.contract import Column, Table
from pipelines.tables.validate import FIRST_FAILING_ROWS, Failure
from pipelines.warehouse.sql import sql_path

GROUPS = {"raw": "1_raw", "core": "2_core", "estimates": "3_estimates", "published": "4_published"}
"""The layers as groups of assets: numbered, because the UI sorts by name and the walk has an order."""
OWNERS = {"raw": "team:sources", "core": "team:tables", "estimates": "team:energy", "published": "team:warehouse"}
"""Whom to ask, by layer: the rooms of `pipelines/` that hold its machinery."""
PREVIEW_ROWS, LONGEST_CELL = 8, 80
COUNTS = {"1/s": "per second", "1/day": "per day", "1e9": "billions", "1e12/s": "trillions per second"}
"""Units of what is counted, in words: what (tokens, queries, FLOP) is said by the column's name."""
SENTENCES = {
    "contract": "keeps_its_contract",
    "coverage": "lacks_nothing_needed",
    "plausibility": "agrees_with_what_is_known",
}
"""Names of a table's checks: read after its name, each is a sentence."""
ANSWERED, ACCEPTED = "its_publisher_answered", "serves_the_newest_figures"
"""The checks of a source: whether anybody answered, and whether what was answered is what serves."""
CURRENT = "rests_on_current_sources"
"""The check of the published file: the alerts of all sources in one place."""
DAYS_LATE = 2
"""Days that a source may be late: one that a daily schedule may add, one to ask again who did not answer."""
PROMISES = {
    "contract": "Columns, grain, ranges, vocabularies and empty cells are as declared. Stops what is downstream.",
    "coverage": "Nothing that must be there is missing, and no row was lost unsaid. Stops what is downstream.",
    "plausibility": "Figures agree with each other and with what is known. A warning: nothing is stopped.",
}


def described(table: Table, source: Source | None, made_by: str) -> str:
    """The description of an asset in Markdown: what it is, its grain, its units, whose figures, made by what."""
    units = sorted({unit for column in table.columns if (unit := _unit(column))})
    parts = [
        table.description,
        f"**One row per** {', '.join(table.grain)}.",
        f"**Units:** {', '.join(units)}; each column names its own." if units else "**Units:** none; text and counts.",
    ]
    if source:
        parts.append(
            f"**Source:** [{source.title}]({source.homepage}) by {source.publisher}, licence"
            f" [{source.licence.name}]({source.licence.url}). Boundary: {source.boundary}. Basis: {source.basis}. Asked"
            f" every {source.cadence_days} days{', finished' if source.finished else ''}. Freshness says that it was"
            f" taken in time, not how old its figures are: that is said by {ANSWERED}."
        )
    parts.append(f"**Made by** {made_by}.")
    return "\n\n".join(parts)


def files_of(table: Table, *others: str) -> list[str]:
    """Files of the repository that a table is made by: its module, its SQL, and `others`."""
    by_sql = sql_path(table.name)
    sql = [str(by_sql.relative_to(REPOSITORY))] if by_sql.exists() else []
    return [*sql, *others, f"assets/{table.layer}/{table.short_name}.py"]


def code_references(files: Iterable[str]) -> dg.CodeReferencesMetadataValue:
    """The links from an asset to its files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        references = [dg.LocalFileCodeReference(file_path=str(REPOSITORY / file), label=file) for file in files]
        return dg.CodeReferencesMetadataValue(code_references=references)


def column_schema(table: Table) -> dg.TableSchema:
    """The contract as Dagster shows it: meaning and unit of each column, and what its values must be."""
    return dg.TableSchema(
        columns=[_table_column(column) for column in table.columns],
        constraints=dg.TableConstraints(other=[rule.sentence for rule in table.rules]),
    )


def _table_column(column: Column) -> dg.TableColumn:
    unit = f" [{_unit(column)}]" if _unit(column) else ""
    promises = [_range(column)] if column.low is not None or column.high is not None else []
    if column.allowed is not None:
        promises.append(f"one of {', '.join(column.allowed)}")
    constraints = dg.TableColumnConstraints(nullable=column.nullable, other=promises)
    return dg.TableColumn(column.name, str(column.dtype), column.meaning + unit, constraints)


def _unit(column: Column) -> str | None:
    """The unit as a stranger reads it; None of text, counts and shares."""
    return None if column.unit in (None, "dimensionless") else COUNTS.get(column.unit, column.unit)


def _range(column: Column) -> str:
    if column.high is None:
        return f"at least {column.low:g}"
    return f"at most {column.high:g}" if column.low is None else f"between {column.low:g} and {column.high:g}"


def origins(lineage: dg.TableColumnLineage) -> dg.TableMetadataValue:
    """The lineage of columns as a table a person can read."""
    records = [
        dg.TableRecord(
            {
                "column": column,
                "made_from": ", ".join(f"{'.'.join(dep.asset_key.path)}.{dep.column_name}" for dep in deps)
                or "no column: a constant or a count",
            }
        )
        for column, deps in lineage.deps_by_column.items()
    ]
    columns = [dg.TableColumn(name) for name in ("column", "made_from")]
    return dg.MetadataValue.table(records=records, schema=dg.TableSchema(columns=columns))


def preview(frame: pl.DataFrame, rows: int = PREVIEW_ROWS) -> dg.TableMetadataValue:
    """The first rows as a table."""
    records = [dg.TableRecord(_plain(row)) for row in frame.head(rows).iter_rows(named=True)]
    columns = [dg.TableColumn(name, str(dtype)) for name, dtype in frame.schema.items()]
    return dg.MetadataValue.table(records=records, schema=dg.TableSchema(columns=columns))


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: "" if value is None else _short(value) for name, value in row.items()}


def _short(value: Any) -> Any:
    return value[:LONGEST_CELL] + " …" if isinstance(value, str) and len(value) > LONGEST_CELL else value


def facts_of_source(source: Source, taken: Taken, rows_rejected: int | None) -> dict[str, Any]:
    """What a source's asset says beside its rows: how it was taken, which revision, whose, under which licence."""
    revised = [snapshot.revised_on for snapshot in taken.snapshots if snapshot.revised_on]
    facts: dict[str, Any] = {
        "state": taken.state,
        "figures_accepted_at_utc": taken.accepted_at_utc,
        "publisher_answered_at_utc": taken.answered_at_utc or "never in this home",
        "asked_every_days": source.cadence_days,
        "revision": max(revised) if revised else "the publisher states no date",
        "snapshot_sha256": ", ".join(s.sha256[:12] for s in taken.snapshots) or "none",
        "problem": taken.problem or "none",
        "licence": dg.MetadataValue.md(f"[{source.licence.name}]({source.licence.url}): {source.licence.reason}"),
        "publisher": dg.MetadataValue.url(str(source.homepage)),
        "credit": source.credit,
    }
    if rows_rejected is not None:
        facts["rows_rejected_in_the_last_refresh"] = rows_rejected
    return facts


def source_results(source: Source, taken: Taken) -> list[dg.AssetCheckResult]:
    """The two checks of a source, with since when it is so and what to do next."""
    silent, held = _silence(source, taken), _refusal(source, taken)
    asked = f"Answered {taken.answered_at_utc}." if taken.answered_at_utc else "Not asked yet in this home."
    well = f"{asked} {_serves(taken)}"
    url = dg.MetadataValue.url(_place_to_look(source, taken))
    common = {"severity": dg.AssetCheckSeverity.WARN, "metadata": {"url": url}}
    return [
        dg.AssetCheckResult(check_name=ANSWERED, passed=silent is None, description=silent or well, **common),
        dg.AssetCheckResult(check_name=ACCEPTED, passed=held is None, description=held or well, **common),
    ]


def _silence(source: Source, taken: Taken) -> str | None:
    """That its publisher did not answer, or was not asked for too long; None where it did."""
    if taken.is_unanswered:
        return (
            f"No answer since {taken.problem_since_utc}: {_finding(taken)} {_serves(taken)} Next: open"
            f" {_place_to_look(source, taken)} ; if the file moved, edit its url in assets/sources.yaml; if it is only"
            " away, wait: it is asked again tomorrow."
        )
    if taken.answered_at_utc and _days_since(taken.answered_at_utc) > source.cadence_days + DAYS_LATE:
        return (
            f"Last answered {taken.answered_at_utc}, {_days_since(taken.answered_at_utc)} days ago; it should be asked"
            f" every {source.cadence_days} days. {_serves(taken)} Next: turn the schedule daily on, or launch the job"
            f" refresh_source for {source.source_id}, not offline."
        )
    return None


def _refusal(source: Source, taken: Taken) -> str | None:
    """That what was answered does not serve; None where it does."""
    if taken.problem is None or taken.is_unanswered:
        return None
    look, parser = _place_to_look(source, taken), f"assets/{source.parser.replace('.', '/')}.py"
    if taken.is_withdrawn:
        since, remedy = "Withdrawn", (
            f"look on {source.homepage} where {look} went, and edit its url in assets/sources.yaml, or take it out"
            " there if it is gone for good"
        )  # fmt: skip
    elif taken.remedy and "assets/" in taken.remedy:  # it names the file to edit
        since, remedy = "Held", f"open {look} . {taken.remedy.rstrip('.')}"
    else:
        since, remedy = "Held", (
            f"compare {look} with the rows here; if the publisher changed the layout, edit {parser}; if a figure is"
            " wrong, add it to assets/corrections.yaml"
        )  # fmt: skip
    return (
        f"{since} since {taken.problem_since_utc}: {_finding(taken)} {_serves(taken)} Next: {remedy}; then launch the"
        f" job refresh_source for {source.source_id}."
    )


def _finding(taken: Taken) -> str:
    """The problem without its own remedy: what to do is said once, at the end."""
    return taken.problem.removesuffix(" ".join((taken.remedy or "").split())).strip()


def _serves(taken: Taken) -> str:
    if not taken.snapshots:
        return "No rows."
    return f"Figures accepted {taken.accepted_at_utc} serve ({_days_since(taken.accepted_at_utc)} days old)."


def _days_since(moment_utc: str) -> int:
    return (datetime.now(UTC) - datetime.fromisoformat(moment_utc)).days


def _place_to_look(source: Source, taken: Taken) -> str:
    """The document that the problem is of; where that is not known, the only one, or the publisher's page."""
    if taken.problem_url:
        return taken.problem_url
    return source.documents[0].place if len(source.documents) == 1 else str(source.homepage)


def currency_result(taken: Iterable[tuple[Source, Taken]]) -> dg.AssetCheckResult:
    """Which sources are held or silent, each with its line: all alerts of sources in one place."""
    lines: dict[str, str] = {}
    n_sources = 0
    for source, last in taken:
        n_sources += 1
        said = [result.description for result in source_results(source, last) if not result.passed]
        if said:
            lines[source.source_id] = " ".join(said)
    described = f"All {n_sources} sources answered, and what they serve was accepted."
    if lines:
        described = (
            f"{len(lines)} of {n_sources} sources are held or silent: {', '.join(lines)}. Next: do what the line of"
            " each says, below."
        )
    return dg.AssetCheckResult(
        passed=not lines, severity=dg.AssetCheckSeverity.WARN, description=described, metadata=lines
    )


def check_result(table: Table, key: dg.AssetKey, check: str, failures: list[Failure]) -> dg.AssetCheckResult:
    """What a check of a table says: the broken promises, their first rows, and where to mend them."""
    is_warning = check == "plausibility"
    metadata: dict[str, Any] = {}
    for failure in failures:
        metadata[failure.expectation] = dg.MetadataValue.md("\n".join(f"- {row}" for row in failure.lines))
    if failures:
        metadata["how_to_mend"] = remedy(table, is_warning)
        described = "; ".join(str(failure) for failure in failures)
    else:
        described = None
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=SENTENCES[check],
        passed=not failures,
        severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
        description=described,
        metadata=metadata,
    )


def remedy(table: Table, is_warning: bool) -> str:
    """One line: what a person does about a broken promise of this table."""
    files = files_of(table)
    if is_warning:
        line = f"Look at the rows. If the figures are right, mend the rule in {files[-1]}; if not,"
    elif len(files) > 1:
        line = f"If the join lost or doubled rows, mend {files[0]}; if a published figure is wrong,"
    else:
        line = f"If the rows are right, mend what {files[-1]} declares or reads; if a published figure is wrong,"
    return f"{line} add it to assets/corrections.yaml; an unknown name belongs in assets/reference/aliases.csv."


def compared_result(rows: pl.DataFrame | str, how_to_mend: str) -> dg.AssetCheckResult:
    """What a comparison with the published file says: its rows, or why there was nothing to compare with."""
    if isinstance(rows, str) or rows.is_empty():
        words = rows if isinstance(rows, str) else "Nothing was lost against the published file."
        return dg.AssetCheckResult(passed=True, severity=dg.AssetCheckSeverity.WARN, description=words)
    first = rows.head(FIRST_FAILING_ROWS)
    shown = "; ".join(str(row) for row in first.rows())
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{rows.height} rows: {shown}. Next: {how_to_mend}",
        metadata={"failing_rows": preview(first, FIRST_FAILING_ROWS), "how_to_mend": how_to_mend},
    )
