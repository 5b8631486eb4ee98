"""published.release: the checked tables frozen as a release, with what it changed and why.

A refresh of the same figures, assumptions and methods makes none. Reading releases belongs to pipelines/reader.
"""

import subprocess
from collections.abc import Mapping
from functools import partial

import dagster as dg
import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.energy_per_query import GRAIN, energy_per_query_of
from assets.estimates.energy_per_query import TABLE as ENERGY_PER_QUERY
from assets.estimates.serving_fits import serving_fits_of
from assets.estimates.throughput_rules import throughput_rules_of
from assets.published.joulebook import published_tables
from assets.published.tables import CHANGE_CAUSES, CHANGES, RELEASE_CAUSES
from pipelines.energy.versions import METHOD_VERSIONS
from pipelines.shown import GROUPS, OWNERS, code_references, preview
from pipelines.sources.catalogue import REPOSITORY
from pipelines.tables.contract import Table
from pipelines.warehouse.changes import (
    Cause,
    Split,
    as_text,
    causes_of,
    compared,
    mixed,
    shares_of,
    states,
)
from pipelines.warehouse.releases import STATES, Draft, Release, Releases, values_version
from pipelines.wiring import Book, asset_key, one_line_errors

KEY = ["estimate_id"]
P50 = "energy_wh_per_query_p50"
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
    Split("core.assumptions", "assumption_id", "assumption"): ("assumption_id", "valid_from"),
}  # fmt: skip
"""What estimates are made of: how each table falls into causes, and what makes a row the same row."""
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
}  # fmt: skip
"""Figures that no estimate is made of, whose changes a release tells all the same."""


def draft_of(frames: Mapping[str, pl.DataFrame], tables: list[Table]) -> Draft:
    """What a release of these tables is made of."""
    assumptions = frames["core.assumptions"]
    in_force = Assumptions(assumptions).in_force()
    others = {f"method {name}": version for name, version in METHOD_VERSIONS.items()}
    others["assumptions in force"] = values_version(in_force)
    return Draft(tuple(tables), others, _facts(frames, tables), partial(beside_of, others))


def beside_of(
    others: Mapping[str, str], before: Release | None, frames: Mapping[str, pl.DataFrame], number: int
) -> tuple[dict[str, pl.DataFrame], dict[str, object]]:
    """The tables that a release brings about itself: its changes with their causes, and the states that begin with it.
    And what its manifest tells of them."""
    now = frames[ENERGY_PER_QUERY.name]
    was = None if before is None else before.read(ENERGY_PER_QUERY.name)
    made = {table.name: pl.DataFrame(schema=table.schema) for table in (CHANGES, CHANGE_CAUSES, RELEASE_CAUSES)}
    if before is not None:
        made = _changes(others, before, frames, number)
    told = _summary(made) if before else {"added": now.height, "changed": 0, "removed": 0, "causes": "the first"}
    return made | {STATES: states(was, now, KEY, number)}, {"changes": told}


def _summary(made: Mapping[str, pl.DataFrame]) -> dict[str, object]:
    """How many estimates a release changed, and the causes: by the median of their parts, else by name alone."""
    kinds = dict(made[CHANGES.name].group_by("change_kind").len().iter_rows())
    parts = made[CHANGE_CAUSES.name].group_by("cause").agg(pl.col("log_ratio").median())
    moving = as_text(parts.iter_rows())
    others = sorted(set(made[RELEASE_CAUSES.name]["cause"]) - set(parts["cause"]))
    causes = "; ".join(part for part in (moving, ", ".join(others)) if part)
    return {kind: kinds.get(kind, 0) for kind in ("added", "changed", "removed")} | {"causes": causes or "columns"}


def _changes(
    others: Mapping[str, str], before: Release, frames: Mapping[str, pl.DataFrame], number: int
) -> dict[str, pl.DataFrame]:
    old = {name: before.read(name) for name in before.tables if name in frames}
    was, now = old[ENERGY_PER_QUERY.name], frames[ENERGY_PER_QUERY.name]
    moved = compared(was, now, KEY, P50)
    splits = {split: key for split, key in (INPUTS | BESIDE).items() if split.table in old}
    causes = causes_of(old, frames, splits)
    method = _method(before, others)
    shares, is_exact = _shares(old, frames, moved, causes, method)
    numbered = pl.lit(number, pl.Int64).alias("release_number")
    told = _told(shares)
    grain = pl.concat([now.select(*KEY, *GRAIN), was.select(*KEY, *GRAIN)]).unique(KEY, maintain_order=True)
    changes = moved.join(grain, on=KEY, how="left").join(told, on=KEY, how="left")
    changes = changes.rename({"old": f"{P50}_before", "new": f"{P50}_after"}).with_columns(numbered)
    return {
        CHANGES.name: CHANGES.conform(changes),
        CHANGE_CAUSES.name: CHANGE_CAUSES.conform(shares.with_columns(numbered, is_exact=pl.lit(is_exact))),
        RELEASE_CAUSES.name: RELEASE_CAUSES.conform(_release_causes(number, causes, method, shares)),
    }


def _shares(
    old: Mapping[str, pl.DataFrame],
    new: Mapping[str, pl.DataFrame],
    moved: pl.DataFrame,
    causes: list[Cause],
    method: str | None,
) -> tuple[pl.DataFrame, bool]:
    """The parts of each change of an estimate that both releases have, by cause."""
    changed = moved.filter(pl.col("change_kind") == "changed")
    empty = pl.DataFrame(schema={"estimate_id": pl.String, "cause": pl.String, "log_ratio": pl.Float64})
    if changed.is_empty():
        return empty, True
    # an estimate rests on the rows of its own source and model, on traces, and on the tables taken whole
    own = new[ENERGY_PER_QUERY.name].join(changed, on=KEY, how="semi").select("source_id", "model_id").unique()
    sources = {*own["source_id"], *new["core.request_lengths"]["source_id"]}
    inputs = [c for c in causes if c.split in INPUTS and (c.split.kind != "source" or c.part in sources)]
    few_old, few_new = (_rows_of(frames, own) for frames in (old, new))

    def value_with(taken: frozenset[str]) -> pl.DataFrame:
        made = estimates_of(mixed(few_old, few_new, [cause for cause in inputs if cause.name in taken]))
        return made.select(*KEY, pl.col(P50).alias("value")).join(changed, on=KEY, how="semi")

    found = shares_of(changed.select(*KEY, "old", "new"), inputs, value_with, KEY, method)
    return found.frame, found.is_exact


def _rows_of(frames: Mapping[str, pl.DataFrame], own: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The inputs with the measurements of these sources and models alone."""
    name = "core.serving_measurements"
    return dict(frames) | {name: frames[name].join(own, on=["source_id", "model_id"], how="semi")}


def estimates_of(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """estimates.energy_per_query made anew from tables of core."""
    core = {name.removeprefix("core."): frame for name, frame in frames.items() if name.startswith("core.")}
    fits = serving_fits_of(
        **{name: core[name] for name in ("serving_measurements", "models", "accelerators", "nodes", "assumptions")}
    )
    rules = throughput_rules_of(core["serving_measurements"], core["nodes"], core["assumptions"])
    return energy_per_query_of(rules, fits, core["request_lengths"], core["assumptions"])


def _method(before: Release, others: Mapping[str, str]) -> str | None:
    """Which methods have another version than in the release before; None: none."""
    was = before.manifest["others_in_the_id"]
    changed = [name for name, version in others.items() if name.startswith("method ") and was.get(name) != version]
    return " and ".join(changed) or None


def _told(shares: pl.DataFrame) -> pl.DataFrame:
    """The causes of each estimate's change as text."""
    parts: dict[str, list[tuple[str, float]]] = {}
    for estimate_id, cause, log_ratio in shares.select("estimate_id", "cause", "log_ratio").iter_rows():
        parts.setdefault(estimate_id, []).append((cause, log_ratio))
    schema = {"estimate_id": pl.String, "causes": pl.String}
    return pl.DataFrame([(key, as_text(causes)) for key, causes in parts.items()], schema=schema, orient="row")


def _release_causes(number: int, causes: list[Cause], method: str | None, shares: pl.DataFrame) -> pl.DataFrame:
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
        for cause in causes
    ]
    if method:
        none = dict.fromkeys(("n_rows_added", "n_rows_removed", "n_rows_changed"), 0)
        of_method = {"cause": method, "table_name": "estimates", "n_estimates_moved": moved.get(method, 0)}
        rows.append({"release_number": number} | of_method | none)
    return pl.DataFrame(rows, schema=RELEASE_CAUSES.schema)


def _facts(frames: Mapping[str, pl.DataFrame], tables: list[Table]) -> dict[str, object]:
    """What the manifest tells beside its files."""
    sources = frames["core.sources"].select(
        "source_id", "source_release", "url", "snapshot_sha256", "revised_on", "accepted_at_utc", "state"
    )
    watched = frames["estimates.backtest"].filter(pl.col("accepted_error_p50").is_not_null())
    return {
        "code_commit": code_commit(),
        "method_versions": dict(METHOD_VERSIONS),
        "sources": sources.to_dicts(),
        "headline": _headline(frames),
        "backtest": watched.select("target", "held_out", "prior", "error_p50", "n_rows").to_dicts(),
        "checks": {table.name: [*table.checks, *(rule.sentence for rule in table.rules)] for table in tables},
    }


def _headline(frames: Mapping[str, pl.DataFrame]) -> list[dict]:
    """The paper's blends, and the example of README by both workloads of the paper."""
    blends = frames["estimates.blends"].filter(pl.col("profile") == "v2").select("blend_id", "workload_id", P50)
    usual = frames["estimates.default_configurations"]
    example = frames[ENERGY_PER_QUERY.name].join(usual, on=[n for n in GRAIN if n in usual.columns], nulls_equal=True)
    example = example.filter(
        (pl.col("model_id") == "llama-3.1-405b") & (pl.col("boundary") == "facility") & (pl.col("load") == 1)
        & (pl.col("method") == "serving-time")
    )  # fmt: skip
    return [*blends.to_dicts(), *example.select("model_id", "workload_id", P50).sort("workload_id").to_dicts()]


def code_commit() -> str | None:
    """The commit of the repository, with + where files were changed; None outside of one."""
    command = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


@dg.asset(
    key=["published", "release"],
    group_name=GROUPS["published"],
    kinds={"parquet"},
    owners=[OWNERS["published"]],
    description="A release: the checked tables frozen below releases/ with a manifest, what they changed and why. The "
    "same figures, assumptions and method versions are the same release, and make none.\n\n**One row per** table, in "
    "the list below.\n\n**Made by** copying each table that passed its blocking checks, and comparing estimates with "
    "those of the release before.",
    deps=[asset_key(table.name) for table in published_tables()],
    metadata={
        "dagster/column_schema": dg.TableSchema(
            columns=[dg.TableColumn(table.short_name, "table", table.description) for table in published_tables()]
        ),
        "dagster/code_references": code_references(["assets/published/release.py", "pipelines/warehouse/releases.py"]),
    },
)
def release(book: Book) -> dg.MaterializeResult:
    tables = published_tables()
    with one_line_errors():
        frames = {table.name: book.warehouse.read(table.name) for table in tables}
        found, is_new = Releases(book.warehouse.home).freeze(book.warehouse, draft_of(frames, tables))
    rows = pl.DataFrame([{"table": entry["table"], "rows": entry["rows"]} for entry in found.manifest["tables"]])
    return dg.MaterializeResult(
        data_version=dg.DataVersion(found.release_id),
        metadata={
            "release_number": found.number,
            "release_id": found.release_id,
            "is_new": is_new,
            "causes": found.manifest["changes"]["causes"],
            "dagster/row_count": int(rows["rows"].sum()),
            "preview": preview(rows, rows.height),
            "folder": dg.MetadataValue.path(str(found.folder)),
        },
    )
