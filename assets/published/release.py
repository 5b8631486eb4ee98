"""published.release: the checked tables frozen as a release, with what it changed and why.

A refresh of the same figures, assumptions and methods makes none. Reading releases belongs to pipelines/reader.
"""

import subprocess
from collections.abc import Mapping
from functools import partial

import dagster as dg
import polars as pl

from assets.core.assumptions import Assumptions
from assets.estimates.energy_per_query import GRAIN
from assets.estimates.energy_per_query import TABLE as ENERGY_PER_QUERY
from assets.published.causes import METHOD, P50, beside_of
from assets.published.joulebook import released_tables
from pipelines.code_versions import version_of_pattern
from pipelines.energy.versions import METHOD_VERSIONS
from pipelines.shown import GROUPS, OWNERS, code_references, preview, table_list
from pipelines.sources.catalogue import REPOSITORY
from pipelines.sources.intake import mark_released
from pipelines.tables.contract import Table
from pipelines.warehouse.releases import Draft, Releases, values_version
from pipelines.wiring import Book, asset_key, one_line_errors


def draft_of(frames: Mapping[str, pl.DataFrame], tables: list[Table]) -> Draft:
    """What a release of these tables is made of."""
    assumptions = Assumptions(frames["core.assumptions"])
    others = {METHOD + name: version for name, version in METHOD_VERSIONS.items()}
    others["assumptions in force"] = values_version(assumptions.in_force())
    facts = _facts(frames, tables) | {"assumptions_on": assumptions.on}
    return Draft(tuple(tables), others, facts, partial(beside_of, others))


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


def taken_of(sources: pl.DataFrame) -> dict[str, str | None]:
    """When the figures of each source were taken that the tables are made of; None where it is absent."""
    return dict(sources.group_by("source_id").agg(pl.col("accepted_at_utc").max()).iter_rows())


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
    code_version=version_of_pattern("assets/**/*.py", "pipelines/energy/*.py", "pipelines/warehouse/*.py"),
    deps=[asset_key(table.name) for table in released_tables()],
    metadata={
        "tables": table_list(released_tables()),
        "dagster/code_references": code_references(["assets/published/release.py", "pipelines/warehouse/releases.py"]),
    },
)
def release(book: Book) -> dg.MaterializeResult:
    tables = released_tables()
    with one_line_errors():
        frames = {table.name: book.warehouse.read(table.name) for table in tables}
        found, is_new = Releases(book.warehouse.home).freeze(book.warehouse, draft_of(frames, tables))
        mark_released(book.warehouse.home, taken_of(frames["core.sources"]))
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
