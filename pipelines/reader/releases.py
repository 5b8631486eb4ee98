"""`joulebook releases`, `joulebook changes`: which releases there are, and what changed between two of them.

Both read the published file. Making, naming and removing releases belongs to pipelines/warehouse.
"""

import json
import math

from pipelines.reader.book import Book
from pipelines.reader.errors import ReaderError
from pipelines.reader.show import Column, show_table, show_title

RELEASES = """
    select release_number, released_at_utc, tag, n_estimates, n_changed, n_otherwise, n_added, n_removed,
           energy_wh_per_query_p50, causes
    from releases order by release_number
"""
HEADER = (
    Column("release", numeric=True), "released", Column("tag"), Column("estimates", numeric=True, leave_out=2),
    Column("changed", numeric=True), Column("otherwise", numeric=True, leave_out=3),
    Column("new", numeric=True), Column("gone", numeric=True),
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
# as they were in either release, whatever happened in between
BOTH = """
    with old as (select *, hash(o) as figures from energy_per_query_as_of({old}) as o),
    new as (select *, hash(n) as figures from energy_per_query_as_of({new}) as n),
    both_of as (
        select coalesce(o.estimate_id, n.estimate_id) as estimate_id,
               ln(n.energy_wh_per_query_p50 / o.energy_wh_per_query_p50) as log_ratio,
               case when o.estimate_id is null then 'new' when n.estimate_id is null then 'gone'
                    when abs(log_ratio) > 1e-9 then 'changed' when o.figures <> n.figures then 'otherwise'
                    else 'same' end as kind
        from old as o full join new as n on o.estimate_id = n.estimate_id
    )
"""
TOTALS = "select kind, count(*) as n from both_of group by kind"
LARGEST = """,
    told as (
        select estimate_id, cause, sum(log_ratio) as log_ratio
        from change_causes where release_number > {old} and release_number <= {new} group by estimate_id, cause
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
    from both_of as m
    inner join new as e on m.estimate_id = e.estimate_id
    left join causes as c on m.estimate_id = c.estimate_id
    where m.kind = 'changed'
    order by abs(m.log_ratio) desc, m.estimate_id limit 10
"""
NOT_SHARED = 1e-6
"""What of a change in ln no release shares out: between two of them the estimate was not there."""
ROW_HEADER = (
    Column("estimate"), Column("model"), Column("on", leave_out=1), Column("source", leave_out=4),
    Column("workload", leave_out=2), Column("boundary", leave_out=3), Column("method", leave_out=5),
    Column("change", numeric=True), "causes",
)  # fmt: skip


def print_releases(book: Book) -> None:
    """One line a release, with the names that it has now: the published file has those of its making."""
    named, rows = _tags(book), book.rows(RELEASES)
    if named is not None:
        rows = [row | {"tag": named.get(row["release_number"])} for row in rows]
    show_table(HEADER, [[_cell(value) for value in row.values()] for row in rows])


def _tags(book: Book) -> dict[int, str] | None:
    """Names by release; None of a file without its releases beside it."""
    path = book.file.parent / "releases" / "tags.json"
    if not path.exists():
        return {} if path.parent.exists() else None
    named: dict[int, list[str]] = {}
    for name, number in json.loads(path.read_text(encoding="utf-8")).items():
        named.setdefault(number, []).append(name)
    return {number: ", ".join(sorted(names)) for number, names in named.items()}


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
    span, between = (old, new), BOTH.format(old=old, new=new)
    totals = {row["kind"]: row["n"] for row in book.rows(between + TOTALS)}
    show_title(
        f"release {old} to {new}: {totals.get('changed', 0)} estimates changed, {totals.get('otherwise', 0)} otherwise "
        f"(interval, mean or evidence), {totals.get('new', 0)} new, {totals.get('gone', 0)} gone"
    )
    moved = {row["cause"]: (str(row["n"]), _percent(row["median"])) for row in book.rows(MEDIANS, *span)}
    causes = [[*map(_cell, row.values()), *moved.get(row["cause"], ("0", "-"))] for row in book.rows(BETWEEN, *span)]
    if not causes:
        show_title("no figure, assumption or method differs: columns do, or what no estimate is made of")
        return
    show_table(CAUSE_HEADER, causes)
    largest = book.rows(between + LARGEST.format(old=old, new=new))
    if largest:
        show_title("")
        show_table(ROW_HEADER, [_largest(*row.values()) for row in largest])


def _largest(*cells: object) -> list[str]:
    *named, log_ratio, causes, shares = cells
    told = list(zip(causes or (), shares or (), strict=True))
    rest = log_ratio - sum(share for _, share in told)
    if abs(rest) > NOT_SHARED:
        told.append(("gone and new again in between", rest))
    return [*map(str, named), _percent(log_ratio), ", ".join(f"{_percent(share)} {cause}" for cause, share in told)]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _percent(log_ratio: float) -> str:
    return f"{100 * math.expm1(log_ratio):+.1f} %"
