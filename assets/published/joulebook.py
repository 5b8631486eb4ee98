"""published.joulebook: the DuckDB file that people open, made of the tables marked `published`, swapped in whole."""

import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import dagster as dg
import polars as pl

import assets.core
import assets.estimates
import assets.raw
from assets.published.tables import CHANGE_CAUSES, CHANGES, CHECKS, HISTORY, RELEASE_CAUSES, RELEASES
from assets.published.views import VIEWS
from pipelines.code_versions import version_of_pattern
from pipelines.shown import CURRENT, GROUPS, OWNERS, PROMISES, code_references, currency_result, preview
from pipelines.sources.intake import promote, read_taken
from pipelines.tables.contract import Table
from pipelines.warehouse.changes import history
from pipelines.warehouse.publish import publish
from pipelines.warehouse.releases import OF_THE_TAKING, STATES, Release, ReleaseError, Releases
from pipelines.warehouse.store import Warehouse
from pipelines.wiring import Book, asset_key, one_line_errors


def published_tables() -> list[Table]:
    """The tables of core and estimates that are marked `published`, in the order of their names."""
    tables = [module.TABLE for package in (assets.core, assets.estimates) for module in table_modules(package)]
    return sorted((table for table in tables if table.published), key=lambda table: table.short_name)


OF_THE_BYTES = ("snapshot_sha256", "size_bytes", "revised_on")
READ_AS_PUBLISHED = ("fleets", "inferencex", "ladder")
"""Tables of raw that estimates are made of directly."""


def released_tables() -> list[Table]:
    """What a release freezes: the published tables, and what estimates are made of besides."""
    raw = [importlib.import_module(f"{assets.raw.__name__}.{name}").TABLE for name in READ_AS_PUBLISHED]
    return [*published_tables(), *raw]


def table_modules(package: ModuleType) -> list[ModuleType]:
    """The modules of a layer that declare a table."""
    names = [f"{package.__name__}.{info.name}" for info in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(name) for name in names]
    return [module for module in modules if hasattr(module, "TABLE")]


def releases_table(releases: Releases) -> pl.DataFrame:
    """One row a release of this home."""
    tags = releases.tags()
    named = {number: ", ".join(name for name, tagged in tags.items() if tagged == number) for number in tags.values()}
    rows = [_release_row(release, named.get(release.number)) for release in releases.all()]
    return RELEASES.conform(pl.DataFrame(rows, schema=RELEASES.schema))


def _release_row(release: Release, tag: str | None) -> dict:
    manifest = release.manifest
    example = [row for row in manifest["headline"] if row.get("model_id") and row["workload_id"] == "traditional"]
    watched = [row for row in manifest["backtest"] if row["held_out"] == "one point"]
    rows = {entry["table"]: entry["rows"] for entry in manifest["tables"]}
    return {
        "release_number": release.number,
        "release_id": release.release_id,
        "released_at_utc": manifest["released_at_utc"],
        "tag": tag,
        "code_commit": manifest["code_commit"],
        "method_versions": ", ".join(f"{name} {version}" for name, version in manifest["method_versions"].items()),
        "n_estimates": rows["estimates.energy_per_query"],
        **{f"n_{kind}": manifest["changes"].get(kind, 0) for kind in ("changed", "otherwise", "added", "removed")},
        "causes": manifest["changes"]["causes"],
        "energy_wh_per_query_p50": example[0]["energy_wh_per_query_p50"] if example else None,
        "backtest_error_p50": watched[0]["error_p50"] if watched else None,
        "n_checks": sum(len(checks) for checks in manifest["checks"].values()),
        "folder": str(release.folder.relative_to(release.folder.parents[1])),
    }


def checks_table(release: Release) -> pl.DataFrame:
    """What its published tables were checked for."""
    published = {table.name for table in published_tables()}
    rows = [
        {"table_name": name.split(".")[1], "promise": PROMISES.get(check, check)}
        for name, checks in release.manifest["checks"].items()
        if name in published
        for check in checks
    ]
    return CHECKS.conform(pl.DataFrame(rows, schema=CHECKS.schema))


def history_table(releases: Releases) -> pl.DataFrame:
    """energy_per_query in every release, those removed since as well."""
    schema = {name: dtype for name, dtype in HISTORY.schema.items() if name != "release_to"}
    parts = _together([release.path(STATES) for release in releases.ever()], schema)
    return HISTORY.conform(history(parts, ("estimate_id",), "model_id"))


def _together(paths: list[Path], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Files of several releases one below the other; columns that came with later ones are empty in earlier ones."""
    files = pl.scan_parquet(paths, schema=schema, missing_columns="insert", extra_columns="ignore", glob=False)
    try:
        return files.collect()
    except pl.exceptions.SchemaError as error:
        raise ReleaseError(
            f"a column of {paths[0].stem} has another type in an earlier release ({error}); move the folder releases "
            "out of the home to begin a new history"
        ) from error


def contents(releases: Releases, warehouse: Warehouse) -> list[tuple[Table, pl.DataFrame | list[Path]]]:
    """What the file holds: the tables of the latest release, when and how figures were taken, and all changes."""
    latest, ever = releases.latest(), releases.ever()
    latest.verify()
    for release in ever:
        release.verify(beside_alone=True)
    found: list[tuple[Table, pl.DataFrame | list[Path]]] = [
        (table, _of_the_taking(latest, warehouse, table) if table.name in OF_THE_TAKING else [latest.path(table.name)])
        for table in published_tables()
    ]
    for table in (CHANGES, CHANGE_CAUSES, RELEASE_CAUSES):
        parts = [release.path(table.name) for release in ever]
        found.append((table, table.conform(_together(parts, table.schema))))
    return [
        *found,
        (HISTORY, history_table(releases)),
        (RELEASES, releases_table(releases)),
        (CHECKS, checks_table(latest)),
    ]


def _of_the_taking(latest: Release, warehouse: Warehouse, table: Table) -> pl.DataFrame:
    """How figures were taken last. Of bytes that changed without a figure the release has the ones before: its rows
    name places in those."""
    frame = warehouse.read(table.name)
    if "snapshot_sha256" not in frame.columns:
        return frame
    released = latest.read(table.name).select(*table.grain, *OF_THE_BYTES)
    both = frame.join(released, on=table.grain, how="left", nulls_equal=True, suffix="_released")
    return both.with_columns(pl.coalesce(f"{name}_released", name).alias(name) for name in OF_THE_BYTES).select(
        frame.columns
    )


@dg.asset(
    key=["published", "joulebook"],
    group_name=GROUPS["published"],
    kinds={"duckdb"},
    owners=[OWNERS["published"]],
    description="joulebook.duckdb: every table of the latest release with comments, what changed since earlier ones, "
    "views and macros for common questions, and the data dictionary. Written aside, then swapped in: a reader keeps "
    "the file it opened.\n\n**One row per** table, in the list below.\n\n**Made by** copying each table of the "
    "release, once its files are found to be as they were written.",
    # all of assets: what contracts say of columns is in its comments
    code_version=version_of_pattern("assets/**/*.py", "pipelines/warehouse/*.py", "sql/published/*.sql"),
    deps=[asset_key("published.release"), *(asset_key(name) for name in OF_THE_TAKING)],
    metadata={
        "dagster/column_schema": dg.TableSchema(
            columns=[dg.TableColumn(table.short_name, "table", table.description) for table in published_tables()]
        ),
        "dagster/code_references": code_references(["assets/published/joulebook.py", "pipelines/warehouse/publish.py"]),
    },
)
def joulebook(book: Book) -> dg.MaterializeResult:
    with one_line_errors():
        tables = contents(Releases(book.warehouse.home), book.warehouse)
        path = publish(book.warehouse.home, tables, VIEWS)
        promote(book.places)
    latest = Releases(book.warehouse.home).latest()
    rows = pl.DataFrame([{"table": entry["table"], "rows": entry["rows"]} for entry in latest.manifest["tables"]])
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": int(rows["rows"].sum()),
            "preview": preview(rows, rows.height),
            "views": [view.signature for view in VIEWS],
            "path": dg.MetadataValue.path(str(path)),
            "size_bytes": path.stat().st_size,
        },
        data_version=dg.DataVersion(latest.release_id),
    )


@dg.asset_check(
    asset=joulebook,
    name=CURRENT,
    additional_deps=[asset_key("raw.snapshots")],  # after the sources, also in a run that publishes nothing
    description="Every source answered when asked last, and what it serves was accepted. A warning that lists the "
    "others, each with what to do.",
)
def rests_on_current_sources(book: Book) -> dg.AssetCheckResult:
    with one_line_errors():
        last = [(source, read_taken(book.warehouse.home, name)) for name, source in book.catalogue.items()]
    return currency_result((source, taken) for source, taken in last if taken)
