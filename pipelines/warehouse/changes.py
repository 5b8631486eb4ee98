"""What changed between two releases, and how much of each change every cause makes.

What belongs here: comparing frames, and sharing a change out over its causes (Shapley values). How estimates are made
comes in as a function; which inputs there are comes in as frames.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.warehouse.releases import TOLERANCE, differs, is_place, values_version

Frames = Mapping[str, pl.DataFrame]
MOST_EXACT = 4
"""With so many causes every subset of them is tried (at most 14 times the estimates); with more, one order is."""
NO_PART = 1e-12
"""A part of a change in ln below which there is none: the last bits of floating-point results."""
NOT_WORTH_SAYING = 5e-4
"""Parts of a change in ln that text leaves out, as they would read 0.0 %."""


@dataclass(frozen=True)
class Split:
    """How a table of inputs falls into causes: by the values of a column, or as a whole (None)."""

    table: str
    by: str | None
    kind: str


@dataclass(frozen=True)
class Cause:
    """An input that differs: of which table, which part of it, and how many rows were added, removed and changed."""

    name: str
    split: Split
    part: str | None
    n_added: int
    n_removed: int
    n_changed: int


def causes_of(old: Frames, new: Frames, splits: Mapping[Split, Sequence[str]]) -> list[Cause]:
    """The inputs whose figures differ, in the order of their names. With each split: what makes a row the same row."""
    found = []
    for split, key in splits.items():
        for part in _parts(old[split.table], new[split.table], split.by):
            a, b = (_part(frames[split.table], split.by, part) for frames in (old, new))
            if values_version(a) != values_version(b):
                name = f"{split.kind} {part}" if split.by else split.kind
                found.append(Cause(name, split, part, *_row_changes(a, b, key)))
    return sorted(found, key=lambda cause: cause.name)


def _parts(old: pl.DataFrame, new: pl.DataFrame, by: str | None) -> list[str | None]:
    return [None] if by is None else sorted({*old[by].unique(), *new[by].unique()})


def _part(frame: pl.DataFrame, by: str | None, part: str | None) -> pl.DataFrame:
    return frame if by is None else frame.filter(pl.col(by) == part)


def _row_changes(old: pl.DataFrame, new: pl.DataFrame, key: Sequence[str]) -> tuple[int, int, int]:
    """Rows added, removed, and of the same key with other figures. Rows that share a key are paired in their order."""
    figures = [name for name in new.columns if name in old.columns and not is_place(name) and name not in key]

    def rows(frame: pl.DataFrame) -> pl.DataFrame:
        ordered = frame.select(*key, pl.struct(figures).hash().alias("figures")) if figures else frame.select(key)
        return ordered.with_columns(nth=pl.int_range(pl.len()).over(key))

    both = rows(old).join(rows(new), on=[*key, "nth"], how="inner", nulls_equal=True)
    changed = both.filter(pl.col("figures") != pl.col("figures_right")).height if figures else 0
    return new.height - both.height, old.height - both.height, changed


def mixed(old: Frames, new: Frames, taken: Iterable[Cause]) -> dict[str, pl.DataFrame]:
    """The old inputs with those of the causes `taken` from the new ones."""
    frames = dict(old)
    for cause in taken:
        table, by = cause.split.table, cause.split.by
        if by is None:
            frames[table] = new[table]
        else:
            rest = frames[table].filter(pl.col(by) != cause.part)
            frames[table] = pl.concat([rest, _part(new[table], by, cause.part)], how="diagonal_relaxed")
    return frames


@dataclass(frozen=True)
class Shares:
    """Of a change in ln, the part that each cause makes: a frame of the key, `cause` and `log_ratio`, which add up to
    the change; `is_exact` where every subset of causes was tried."""

    frame: pl.DataFrame
    is_exact: bool


def shares_of(
    changed: pl.DataFrame,
    names: Sequence[str],
    value_with: Callable[[frozenset[str]], pl.DataFrame],
    key: Sequence[str],
) -> Shares:
    """Share the changes out.

    Args:
        changed: the key, `old` and `new` of each figure that changed, `start`: what today's method makes of the old
            inputs, and `method`: what start over old is called. The inputs share new over start.
        names: the inputs that changed.
        value_with: the figures (key, `value`) with these inputs at their new values and the others at their old ones,
            by the method of today.
    """
    own = changed.select(*key, pl.col("method").alias("cause"), log_ratio=(pl.col("start") / pl.col("old")).log())
    rest = (pl.col("new") / pl.col("start")).log()
    is_exact = len(names) <= MOST_EXACT
    if len(names) < 2:
        of_inputs = changed.select(
            *key, (pl.lit(names[0]) if names else pl.col("method")).alias("cause"), log_ratio=rest
        )
    else:
        of_inputs = _of_inputs(changed, names, value_with, key, is_exact=is_exact)
    # what no input made is the method's
    parts = pl.concat([own, of_inputs]).group_by(*key, "cause", maintain_order=True).agg(pl.col("log_ratio").sum())
    return Shares(parts.filter(pl.col("log_ratio").abs() > NO_PART), is_exact)


def _of_inputs(
    changed: pl.DataFrame,
    names: Sequence[str],
    value_with: Callable[[frozenset[str]], pl.DataFrame],
    key: Sequence[str],
    *,
    is_exact: bool,
) -> pl.DataFrame:
    start, end = (changed.select(*key, pl.col(name).alias("value")) for name in ("start", "new"))
    values = {frozenset(): start, frozenset(names): end}

    def value(taken: frozenset[str]) -> pl.DataFrame:
        if taken not in values:
            values[taken] = value_with(taken)
        return values[taken]

    orders = list(itertools.permutations(names)) if is_exact else [tuple(names)]
    shared = pl.concat([_marginals(order, value, key) for order in orders])
    shared = shared.join(changed.select(key), on=key, how="semi", nulls_equal=True)
    return shared.with_columns(pl.col("log_ratio") / len(orders))


def _marginals(
    order: Sequence[str], value: Callable[[frozenset[str]], pl.DataFrame], key: Sequence[str]
) -> pl.DataFrame:
    steps = []
    for i, name in enumerate(order):
        before, after = value(frozenset(order[:i])), value(frozenset(order[: i + 1]))
        steps.append(_step(before, after, key).select(*key, pl.lit(name).alias("cause"), "log_ratio"))
    return pl.concat(steps)


def _step(before: pl.DataFrame, after: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    joined = before.join(after, on=key, how="inner", nulls_equal=True, suffix="_after")
    return joined.with_columns(log_ratio=(pl.col("value_after") / pl.col("value")).log())


def compared(old: pl.DataFrame, new: pl.DataFrame, key: Sequence[str], value: str) -> pl.DataFrame:
    """One row a key whose `value` was added, removed or changed: the key, change_kind, `old`, `new`, log_ratio."""
    a, b = (frame.select(*key, pl.col(value).alias(name)) for frame, name in ((old, "old"), (new, "new")))
    both = a.join(b, on=key, how="full", nulls_equal=True, coalesce=True)
    both = both.with_columns(
        change_kind=pl.when(pl.col("old").is_null())
        .then(pl.lit("added"))
        .when(pl.col("new").is_null())
        .then(pl.lit("removed"))
        .otherwise(pl.lit("changed")),
        log_ratio=(pl.col("new") / pl.col("old")).log(),
    )
    return both.filter((pl.col("change_kind") != "changed") | (pl.col("log_ratio").abs() > TOLERANCE))


def states(before: pl.DataFrame | None, new: pl.DataFrame, key: Sequence[str], number: int) -> pl.DataFrame:
    """The states that begin with release `number`, with `release_from`; and of rows that are gone the key alone.

    A row that is in the table of the release `before` the same, floats up to TOLERANCE, goes on, and is not among them.
    """
    marked = new.with_columns(release_from=pl.lit(number, pl.Int64))
    if before is None:
        return marked
    if set(before.columns) == set(new.columns):
        same = unchanged(before, new, key)
        marked = marked.join(same, on=key, how="anti", nulls_equal=True)
    gone = before.join(new, on=key, how="anti", nulls_equal=True)
    return pl.concat([marked, gone.select(*key, release_from=pl.lit(number, pl.Int64))], how="diagonal_relaxed")


def unchanged(before: pl.DataFrame, new: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The keys of the rows that are in both frames with the same figures, floats up to TOLERANCE."""
    both = before.join(new, on=key, how="inner", nulls_equal=True, suffix="_new")
    changed = pl.repeat(value=False, n=both.height, eager=True)
    for name in new.columns:
        if name not in key and name in before.columns and not is_place(name):
            changed |= differs(both[name], both[f"{name}_new"])
    return both.filter(~changed).select(key)


def history(parts: pl.DataFrame, key: Sequence[str], filled: str) -> pl.DataFrame:
    """Every state of every row with the releases it held in, `release_from` to `release_to` (empty: it still holds),
    from the `states` of all releases. `filled` is a column that every state has and a row that is gone has not."""
    rows = parts.sort(*key, "release_from")
    ends = pl.col("release_from").shift(-1).over(key) - 1
    return rows.with_columns(release_to=ends).filter(pl.col(filled).is_not_null())


def percent(log_ratio: float) -> str:
    """A change in ln as a reader says it: +4.0 %."""
    return f"{100 * math.expm1(log_ratio):+.1f} %"


def as_text(causes: Iterable[tuple[str, float]]) -> str:
    """Causes with their shares, largest first: '+4.0 % source trtllm_perf, -1.0 % assumption serving-time.pue'."""
    ordered = sorted(causes, key=lambda cause: -abs(cause[1]))
    ordered = [cause for cause in ordered if abs(cause[1]) > NOT_WORTH_SAYING] or ordered[:1]
    return ", ".join(f"{percent(share)} {name}" for name, share in ordered)
