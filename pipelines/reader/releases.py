"""`joulebook releases`, `joulebook changes`: which releases there are, and what changed between two of them.

Both read the published file. Making, naming and removing releases belongs to pipelines/warehouse.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

BAD_INPUT = 2
RELEASES = """
    select release_number, released_at_utc, tag, n_estimates, n_changed, n_added, n_removed, energy_wh_per_query_p50,
           causes
    from releases order by release_number
"""
HEADER = ("release", "released", "tag", "estimates", "changed", "new", "gone", "405B, Wh", "what changed")
BETWEEN = """
    select cause, string_agg(distinct table_name, ', ' order by table_name), sum(n_rows_added), sum(n_rows_removed),
           sum(n_rows_changed)
    from release_causes where release_number > ? and release_number <= ? group by cause order by cause
"""
CAUSE_HEADER = ("cause", "tables", "rows new", "gone", "changed", "estimates moved", "median change")
# an estimate may change in several releases: its parts of one cause add up
MEDIANS = """
    with parts as (
        select estimate_id, cause, sum(log_ratio) as log_ratio
        from change_causes where release_number > ? and release_number <= ? group by estimate_id, cause
    )
    select cause, count(*), quantile_cont(log_ratio, 0.5) from parts where abs(log_ratio) > 1e-9 group by cause
"""
LARGEST = """
    with moved as (
        select estimate_id, sum(log_ratio) as log_ratio
        from changes where release_number > ? and release_number <= ? and change_kind = 'changed' group by estimate_id
    ),
    told as (
        select estimate_id, cause, sum(log_ratio) as log_ratio
        from change_causes where release_number > ? and release_number <= ? group by estimate_id, cause
        having abs(sum(log_ratio)) > 1e-9
    ),
    causes as (
        select estimate_id, list(cause order by abs(log_ratio) desc) as causes,
               list(log_ratio order by abs(log_ratio) desc) as shares
        from told group by estimate_id
    )
    select m.estimate_id, e.model_id, e.n_accelerators || ' ' || e.accelerator_id,
           e.source_id || ' ' || e.source_release, e.workload_id,
           e.boundary || ', load ' || e.load, e.method, m.log_ratio, c.causes, c.shares
    from moved as m
    inner join energy_per_query as e on m.estimate_id = e.estimate_id
    left join causes as c on m.estimate_id = c.estimate_id
    where abs(m.log_ratio) > 1e-12
    order by abs(m.log_ratio) desc, m.estimate_id limit 10
"""
ROW_HEADER = ("estimate", "model", "on", "source", "workload", "boundary", "method", "change", "causes")


def print_releases(file: Path) -> int:
    """Print one line a release; tab-separated when piped. Returns the exit code."""
    rows = _read(file, [(RELEASES, [])])
    if rows is None:
        return BAD_INPUT
    return _print(HEADER, [[_cell(value) for value in row] for row in rows[0]])


def print_changes(file: Path, old: int, new: int) -> int:
    """Print what changed from one release to a later one: causes, then the ten largest changes."""
    if old >= new:
        click.echo(f"error: release {old} is not before release {new}: give the earlier one first", err=True)
        return BAD_INPUT
    span = [old, new]
    found = _read(file, [(RELEASES, []), (BETWEEN, span), (MEDIANS, span), (LARGEST, span * 2)])
    if found is None:
        return BAD_INPUT
    releases, causes, medians, largest = found
    numbers = [row[0] for row in releases]
    for number in span:
        if number not in numbers:
            known = ", ".join(map(str, numbers))
            click.echo(f"error: there is no release {number} in {file}; there are {known}", err=True)
            return BAD_INPUT
    if not causes:
        click.echo(f"nothing but columns changed between release {old} and {new}")
        return 0
    moved = {cause: (str(n), _percent(median)) for cause, n, median in medians}
    _print(CAUSE_HEADER, [[*map(_cell, row), *moved.get(row[0], ("0", "-"))] for row in causes])
    if largest:
        click.echo("")
        rows = [[*row[:7], _percent(row[7]), _told(row[8], row[9])] for row in largest]
        _print(ROW_HEADER, rows)
    return 0


def _read(file: Path, queries: Iterable[tuple[str, list]]) -> list[list[tuple]] | None:
    """The rows of each query; None, with one line said, where the file cannot answer."""
    if not file.exists():
        click.echo(f"error: {file} does not exist: run joulebook refresh first", err=True)
        return None
    try:
        with duckdb.connect(str(file), read_only=True) as book:
            return [book.execute(query, parameters).fetchall() for query, parameters in queries]
    except duckdb.CatalogException:
        click.echo(f"error: {file} was made by a version without releases: run joulebook refresh", err=True)
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        click.echo(f"error: {file} cannot be read ({first}): run joulebook refresh", err=True)
    return None


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _percent(log_ratio: float | None) -> str:
    return "-" if log_ratio is None else f"{100 * math.expm1(log_ratio):+.1f} %"


def _told(causes: Sequence[str] | None, shares: Sequence[float] | None) -> str:
    return ", ".join(f"{_percent(share)} {cause}" for cause, share in zip(causes or (), shares or (), strict=True))


def _print(header: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        for row in [header, *rows]:
            click.echo("\t".join(row))
        return 0
    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
    return 0
