"""What a release changed and what made each change: published.changes, change_causes, release_causes.

What belongs here: which tables estimates are made of, how they are made anew from those of the release before, and in
which words a cause is told. Comparing frames and sharing a change out belongs to pipelines/warehouse/changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.energy_per_query import GRAIN, energy_per_query_of
from assets.estimates.energy_per_query import TABLE as ENERGY_PER_QUERY
from assets.estimates.serving_fits import serving_fits_of
from assets.estimates.throughput_rules import throughput_rules_of
from assets.published.joulebook import released_tables
from assets.published.tables import CHANGE_CAUSES, CHANGES, RELEASE_CAUSES
from pipelines.energy.errors import EnergyInputError
from pipelines.sources.errors import SourceError
from pipelines.tables.contract import TableError
from pipelines.warehouse.changes import (
    Cause,
    Frames,
    Shares,
    Split,
    as_text,
    causes_of,
    compared,
    mixed,
    shares_of,
    states,
    unchanged,
)
from pipelines.warehouse.releases import (
    OF_THE_TAKING,
    STATES,
    Release,
    changed_without_version,
    first_difference,
)

KEY = ["estimate_id"]
P50 = "energy_wh_per_query_p50"
ASSUMPTIONS, METHOD, NOT_KNOWN = "core.assumptions", "method ", "not known"
_MEASURED = (
    "source_id", "source_release", "model_id", "accelerator_id", "n_accelerators", "parallelism", "precision",
    "framework", "scenario", "concurrency", "input_tokens", "output_tokens",
)  # fmt: skip
INPUTS: dict[Split, tuple[str, ...]] = {
    Split("core.serving_measurements", "source_id", "source"): _MEASURED,
    Split("core.request_lengths", "source_id", "source"): (
        "source_id", "source_release", "input_tokens", "cached_tokens", "output_tokens",
    ),
    Split("core.models", None, "models"): ("model_id",),
    Split("core.accelerators", None, "accelerators"): ("accelerator_id",),
    Split("core.nodes", None, "nodes"): ("node_id",),
    Split(ASSUMPTIONS, "assumption_id", "assumption"): ("assumption_id",),
}  # fmt: skip
"""What energy_per_query is made of: how each table falls into causes, and what makes a row the same row. Of assumptions
those in force."""
BESIDE: dict[Split, tuple[str, ...]] = {
    Split("core.energy_measurements", "source_id", "source"): (
        *(name for name in _MEASURED if name not in ("parallelism", "output_tokens")), "boundary",
    ),
    Split("core.grids", "source_id", "source"): ("source_id", "area_id", "year"),
    Split("core.facilities", "source_id", "source"): ("operator", "region", "year", "fact_kind"),
    Split("core.published_models", "source_id", "source"): ("source_id", "model_as_printed"),
    Split("core.published_estimates", None, "published estimates"): (
        "subject", "quantity_as_printed", "year", "source_url",
    ),
    Split("raw.fleets", None, "fleets"): ("fleet_id", "model_id", "workload_id"),
    Split("raw.ladder", None, "ladder"): ("subject", "quantity"),
    Split("raw.inferencex", "source_id", "source"): (
        "hardware", "framework", "model", "precision", "isl", "osl", "conc",
    ),
}  # fmt: skip
"""Figures that energy_per_query is not made of, whose changes a release tells all the same."""


def beside_of(
    others: Mapping[str, str], before: Release | None, frames: Frames, number: int
) -> tuple[dict[str, pl.DataFrame], dict[str, object]]:
    """The tables that a release brings about itself: its changes with their causes, and the states that begin with it.
    And what its manifest tells of them.

    Raises ReleaseError where a method without a new version makes other estimates of the figures of the release before.
    """
    now = frames[ENERGY_PER_QUERY.name]
    was = None if before is None else before.read(ENERGY_PER_QUERY.name)
    made = {table.name: pl.DataFrame(schema=table.schema) for table in (CHANGES, CHANGE_CAUSES, RELEASE_CAUSES)}
    if before is not None:
        made = _changes(others, before, frames, number)
    told = _summary(made) if before else {"added": now.height, "causes": "the first"}
    counts = dict.fromkeys(("added", "changed", "removed", "otherwise"), 0)
    return made | {STATES: states(was, now, KEY, number)}, {"changes": counts | told}


def _summary(made: Frames) -> dict[str, object]:
    """How many estimates a release changed, and the causes: by the median of their parts, else by name alone."""
    kinds = dict(made[CHANGES.name].group_by("change_kind").len().iter_rows())
    parts = made[CHANGE_CAUSES.name].group_by("cause").agg(pl.col("log_ratio").median())
    moving = as_text(parts.iter_rows())
    others = sorted(set(made[RELEASE_CAUSES.name]["cause"]) - set(parts["cause"]))
    causes = "; ".join(part for part in (moving, ", ".join(others)) if part)
    return kinds | {"causes": causes or "columns"}


@dataclass(frozen=True)
class Inputs:
    """The tables of two releases, of assumptions those in force when each was made, and what differs."""

    old: Frames
    new: Frames
    causes: list[Cause]
    new_methods: tuple[str, ...]

    @classmethod
    def of(cls, others: Mapping[str, str], before: Release, frames: Frames) -> "Inputs":
        old = {name: before.read(name) for name in before.tables if name in frames}
        old = old | {ASSUMPTIONS: Assumptions(old[ASSUMPTIONS], day_of(before)).in_force()}
        new = dict(frames) | {ASSUMPTIONS: Assumptions(frames[ASSUMPTIONS]).in_force()}
        was = before.manifest["others_in_the_id"]
        methods = {name for name in (*others, *was) if name.startswith(METHOD) and others.get(name) != was.get(name)}
        splits = {split: key for split, key in (INPUTS | BESIDE).items() if split.table in old}
        causes = causes_of(old, new, splits)
        if not causes and not methods:
            whole = old | {ASSUMPTIONS: before.read(ASSUMPTIONS)}
            causes = causes_of(whole, frames, _rest(whole))
        return cls(old, new, causes, tuple(sorted(methods)))

    @property
    def names(self) -> list[str]:
        """Causes that can move an estimate."""
        return sorted({cause.name for cause in self.causes if cause.split in INPUTS})

    def taking(self, names: frozenset[str]) -> dict[str, pl.DataFrame]:
        """The old inputs with those of these causes from the new ones."""
        return mixed(self.old, self.new, [c for c in self.causes if c.name in names and c.split in INPUTS])

    def only(self, own: pl.DataFrame) -> "Inputs":
        """With the measurements of these sources and models alone; an estimate rests on no others."""
        name = "core.serving_measurements"
        keys = ["source_id", "model_id"]
        old, new = (dict(f) | {name: f[name].join(own, on=keys, how="semi")} for f in (self.old, self.new))
        lengths = set(self.new["core.request_lengths"]["source_id"])
        sources = {*own["source_id"], *lengths}
        causes = [c for c in self.causes if c.split.kind != "source" or c.part in sources]
        return Inputs(old, new, causes, self.new_methods)


def _rest(old: Frames) -> dict[Split, tuple[str, ...]]:
    """The tables that are told where nothing else differs: most are made of the others."""
    told = {split.table for split in INPUTS | BESIDE} - {ASSUMPTIONS}
    return {
        Split(table.name, None, f"table {table.short_name}"): table.grain
        for table in released_tables()
        if table.layer != "estimates" and table.name in old and table.name not in (*told, *OF_THE_TAKING)
    }


def day_of(release: Release) -> str:
    """The day whose assumptions a release is made with."""
    return release.manifest.get("assumptions_on") or release.manifest["released_at_utc"][:10]


def _changes(others: Mapping[str, str], before: Release, frames: Frames, number: int) -> dict[str, pl.DataFrame]:
    was, now = before.read(ENERGY_PER_QUERY.name), frames[ENERGY_PER_QUERY.name]
    inputs = Inputs.of(others, before, frames)
    moved = compared(was, now, KEY, P50)
    start = _by_method_of_today(inputs, before, was)
    shares = _shares(inputs, before, moved, start)
    numbered = pl.lit(number, pl.Int64).alias("release_number")
    grain = pl.concat([now.select(*KEY, *GRAIN), was.select(*KEY, *GRAIN)]).unique(KEY, maintain_order=True)
    changes = pl.concat([moved, _otherwise(was, now, moved)]).join(grain, on=KEY, how="left")
    told = _told(shares.frame).rename({"causes": "shared"})
    changes = changes.join(told, on=KEY, how="left").with_columns(
        numbered, causes=pl.coalesce("shared", _concerned(inputs))
    )
    changes = changes.rename({"old": f"{P50}_before", "new": f"{P50}_after"}).drop("shared")
    return {
        CHANGES.name: CHANGES.conform(changes),
        CHANGE_CAUSES.name: CHANGE_CAUSES.conform(
            shares.frame.with_columns(numbered, is_exact=pl.lit(shares.is_exact))
        ),
        RELEASE_CAUSES.name: RELEASE_CAUSES.conform(_release_causes(number, inputs, shares.frame)),
    }


def _otherwise(was: pl.DataFrame, now: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """Estimates whose median is the same and whose interval, mean or evidence is not, as `compared` has them."""
    same = unchanged(was, now, KEY)
    both = now.join(was, on=KEY, how="semi").join(same, on=KEY, how="anti").join(moved, on=KEY, how="anti")
    median = pl.col(P50)
    return both.select(
        *KEY, median.alias("old"), median.alias("new"), change_kind=pl.lit("otherwise"), log_ratio=pl.lit(0.0)
    ).select(moved.columns)


def _by_method_of_today(inputs: Inputs, before: Release, was: pl.DataFrame) -> pl.DataFrame | None:
    """Estimates that today's methods make of the inputs of the release before; None: they need more than those.

    Raises ReleaseError where a method of the same version makes others than were released.
    """
    added = inputs.new[ASSUMPTIONS].join(inputs.old[ASSUMPTIONS], on="assumption_id", how="anti")
    # a constant that a new method brings counts with the method
    completed = dict(inputs.old) | {ASSUMPTIONS: pl.concat([inputs.old[ASSUMPTIONS], added], how="diagonal_relaxed")}
    try:
        made = estimates_of(completed)
    except (SourceError, TableError, EnergyInputError, pl.exceptions.PolarsError, KeyError) as error:
        if inputs.new_methods:
            return None
        raise changed_without_version(
            ENERGY_PER_QUERY.name, f"is not made of them any more ({type(error).__name__}: {error})", before
        ) from error
    for method in sorted(set(made["method"])):
        if METHOD + method not in inputs.new_methods:
            old, new = (frame.filter(pl.col("method") == method).sort(KEY) for frame in (was, made))
            columns = [name for name in new.columns if name in old.columns]
            if difference := first_difference(old.select(columns), new.select(columns)):
                raise changed_without_version(f"{ENERGY_PER_QUERY.name}, method {method}", difference, before)
    return made


def _shares(inputs: Inputs, before: Release, moved: pl.DataFrame, start: pl.DataFrame | None) -> Shares:
    """The parts of each change of an estimate that both releases have, by cause."""
    rows = before.read(ENERGY_PER_QUERY.name).select(
        *KEY, "source_id", "model_id", method=pl.lit(METHOD) + pl.col("method")
    )
    is_new = pl.col("method").is_in(inputs.new_methods)
    changed = moved.filter(pl.col("change_kind") == "changed").join(rows, on=KEY, how="left")
    changed = changed.with_columns(method=pl.when(is_new).then("method").otherwise(pl.lit(NOT_KNOWN)))
    few = inputs.only(changed.select("source_id", "model_id").unique())
    if not few.names and (changed["method"] == NOT_KNOWN).any():
        raise changed_without_version(ENERGY_PER_QUERY.name, f"{changed.height} medians differ", before)
    if start is None:
        whole = changed.with_columns(start="new")
        return Shares(shares_of(whole, [], lambda _: whole, KEY).frame, is_exact=False)
    started = start.select(*KEY, pl.col(P50).alias("start"))
    changed = changed.join(started, on=KEY, how="left").with_columns(pl.col("start").fill_null(pl.col("old")))

    def value_with(taken: frozenset[str]) -> pl.DataFrame:
        made = estimates_of(few.taking(taken))
        return made.select(*KEY, pl.col(P50).alias("value")).join(changed, on=KEY, how="semi")

    return shares_of(changed, few.names, value_with, KEY)


def estimates_of(frames: Frames) -> pl.DataFrame:
    """estimates.energy_per_query made anew from tables of core."""
    core = {name.removeprefix("core."): frame for name, frame in frames.items() if name.startswith("core.")}
    fits = serving_fits_of(
        **{name: core[name] for name in ("serving_measurements", "models", "accelerators", "nodes", "assumptions")}
    )
    rules = throughput_rules_of(core["serving_measurements"], core["nodes"], core["assumptions"])
    return energy_per_query_of(rules, fits, core["request_lengths"], core["assumptions"])


def _told(shares: pl.DataFrame) -> pl.DataFrame:
    """The causes of each estimate's change as text."""
    parts: dict[str, list[tuple[str, float]]] = {}
    for estimate_id, cause, log_ratio in shares.select("estimate_id", "cause", "log_ratio").iter_rows():
        parts.setdefault(estimate_id, []).append((cause, log_ratio))
    schema = {"estimate_id": pl.String, "causes": pl.String}
    return pl.DataFrame([(key, as_text(causes)) for key, causes in parts.items()], schema=schema, orient="row")


def _concerned(inputs: Inputs) -> pl.Expr:
    """Causes that an estimate may have where no parts can be told: it is new, gone, or of another interval."""
    measured = {c.part: c.name for c in inputs.causes if c.split.table == "core.serving_measurements"}
    common = [name for name in inputs.names if name not in measured.values()]
    parts = [pl.when(pl.col("source_id") == part).then(pl.lit(name)) for part, name in measured.items()]
    parts += [pl.when(pl.lit(METHOD) + pl.col("method") == name).then(pl.lit(name)) for name in inputs.new_methods]
    if not parts and not common:
        return pl.lit(None, pl.String)
    told = pl.concat_str(*parts, *map(pl.lit, common), separator=", ", ignore_nulls=True)
    return pl.when(told != "").then(told)


def _release_causes(number: int, inputs: Inputs, shares: pl.DataFrame) -> pl.DataFrame:
    moved = dict(shares.group_by("cause").len().iter_rows())
    rows = [
        {
            "release_number": number,
            "cause": cause.name,
            "table_name": cause.split.table,
            "n_rows_added": cause.n_added,
            "n_rows_removed": cause.n_removed,
            "n_rows_changed": cause.n_changed,
            "n_estimates_moved": moved.get(cause.name, 0),
        }
        for cause in inputs.causes
    ]
    none = dict.fromkeys(("n_rows_added", "n_rows_removed", "n_rows_changed"), 0)
    rows += [
        {"release_number": number, "cause": name, "table_name": "estimates", "n_estimates_moved": moved.get(name, 0)}
        | none
        for name in inputs.new_methods
    ]
    return pl.DataFrame(rows, schema=RELEASE_CAUSES.schema)
