"""`joulebook releases`, `joulebook changes`: which releases there are, and what changed between two of them.

Both read the published file. Making, naming and removing releases belongs to pipelines/warehouse.
"""

import math

from pipelines.reader.book import Book
from pipelines.reader.errors import ReaderError
from pipelines.reader.show import Column, show_table, show_title

RELEASES = """
    select release_number, released_at_utc, tag, n_estimates, n_changed, n_added, n_removed, energy_wh_per_query_p50,
           causes
    from releases order by release_number
"""
HEADER = (
    Column("release", numeric=True), "released", Column("tag"), Column("estimates", numeric=True, leave_out=2),
    Column("changed", numeric=True), Column("new", numeric=True), Column("gone", numeric=True),
    Column("405B, Wh", numeric=True, leave_out=1), "what changed",
)  # fmt: skip
BETWEEN = """
    select cause, string_agg(distinct table_name, ', ' order by table_name) as tables, sum(n_rows_added) as added,
           sum(n_rows_removed) as removed, sum(n_rows_changed) as changed
    from release_causes where release_number > ? and release_number <= ? group by cause order by cause
"""
CAUSE_HEADER = (
    "cause", "tables", Column("rows new", numeric=True, leave_out=1), Column("gone", numeric=True, leave_out=2),
    Column("changed", numeric=True, leave_out=3), Column("estimates moved", numeric=True),
    Column("median change", numeric=True),
)  # fmt: skip
# an estimate may change in several releases: its parts of one cause add up
MEDIANS = """
    with parts as (
        select estimate_id, cause, sum(log_ratio) as log_ratio
        from change_causes where release_number > ? and release_number <= ? group by estimate_id, cause
    )
    select cause, count(*) as n, quantile_cont(log_ratio, 0.5) as median
    from parts where abs(log_ratio) > 1e-9 group by cause
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
    select m.estimate_id, e.model_id, e.n_accelerators || ' ' || e.accelerator_id as hardware,
           e.source_id || ' ' || e.source_release as source, e.workload_id,
           e.boundary || ', load ' || e.load as boundary_and_load, e.method, m.log_ratio, c.causes, c.shares
    from moved as m
    inner join energy_per_query as e on m.estimate_id = e.estimate_id
    left join causes as c on m.estimate_id = c.estimate_id
    where abs(m.log_ratio) > 1e-12
    order by abs(m.log_ratio) desc, m.estimate_id limit 10
"""
ROW_HEADER = (
    Column("estimate"), Column("model"), Column("on", leave_out=1), Column("source", leave_out=4),
    Column("workload", leave_out=2), Column("boundary", leave_out=3), Column("method", leave_out=5),
    Column("change", numeric=True), "causes",
)  # fmt: skip


def print_releases(book: Book) -> None:
    """One line a release."""
    rows = [[_cell(value) for value in row.values()] for row in book.rows(RELEASES)]
    show_table(HEADER, rows)


def print_changes(book: Book, old: int, new: int) -> None:
    """What changed from one release to a later one: causes, then the ten largest changes.

    Raises ReaderError for releases that are not there, or in the wrong order.
    """
    if old >= new:
        raise ReaderError(f"release {old} is not before release {new}: give the earlier one first")
    numbers = [row["release_number"] for row in book.rows(RELEASES)]
    for number in (old, new):
        if number not in numbers:
            raise ReaderError(f"there is no release {number} in {book.file}; there are {', '.join(map(str, numbers))}")
    span = (old, new)
    moved = {row["cause"]: (str(row["n"]), _percent(row["median"])) for row in book.rows(MEDIANS, *span)}
    causes = [[*map(_cell, row.values()), *moved.get(row["cause"], ("0", "-"))] for row in book.rows(BETWEEN, *span)]
    if not causes:
        show_title(f"nothing but columns changed between release {old} and {new}")
        return
    show_table(CAUSE_HEADER, causes)
    largest = book.rows(LARGEST, *span, *span)
    if largest:
        show_title("")
        show_table(ROW_HEADER, [_largest(*row.values()) for row in largest])


def _largest(*cells: object) -> list[str]:
    *named, log_ratio, causes, shares = cells
    told = zip(causes or (), shares or (), strict=True)
    return [*map(str, named), _percent(log_ratio), ", ".join(f"{_percent(share)} {cause}" for cause, share in told)]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _percent(log_ratio: float) -> str:
    return f"{100 * math.expm1(log_ratio):+.1f} %"
