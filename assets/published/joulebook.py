"""published.joulebook: the DuckDB file that people open, made of the tables marked `published`, swapped in whole."""

import hashlib
import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType

import dagster as dg
import polars as pl

import assets.core
import assets.estimates
from pipelines.shown import GROUPS, OWNERS, code_references, preview
from pipelines.sources.intake import promote
from pipelines.tables.contract import Table
from pipelines.warehouse.publish import publish
from pipelines.warehouse.store import content_version
from pipelines.wiring import Book, asset_key, one_line_errors


def published_tables() -> list[Table]:
    """The tables of core and estimates that are marked `published`, in the order of their names."""
    tables = [module.TABLE for package in (assets.core, assets.estimates) for module in table_modules(package)]
    return sorted((table for table in tables if table.published), key=lambda table: table.short_name)


def table_modules(package: ModuleType) -> list[ModuleType]:
    """The modules of a layer that declare a table."""
    names = [f"{package.__name__}.{info.name}" for info in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(name) for name in names]
    return [module for module in modules if hasattr(module, "TABLE")]


@dg.asset(
    key=["published", "joulebook"],
    group_name=GROUPS["published"],
    kinds={"duckdb"},
    owners=[OWNERS["published"]],
    description="joulebook.duckdb: every published table with comments, and the data dictionary. Written aside, then "
    "swapped in: a reader keeps the file it opened.\n\n**One row per** table, in the list below.\n\n**Made by** "
    "copying each table that passed its blocking checks.",
    deps=[asset_key(table.name) for table in published_tables()],
    metadata={
        "dagster/column_schema": dg.TableSchema(
            columns=[dg.TableColumn(table.short_name, "table", table.description) for table in published_tables()]
        ),
        "dagster/code_references": code_references(["assets/published/joulebook.py", "pipelines/warehouse/publish.py"]),
    },
)
def joulebook(book: Book) -> dg.MaterializeResult:
    tables = published_tables()
    with one_line_errors():
        path = publish(book.warehouse, tables)
        promote(book.places)
    frames = {table.short_name: book.warehouse.read(table.name) for table in tables}
    rows = pl.DataFrame({"table": list(frames), "rows": [frame.height for frame in frames.values()]})
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": int(rows["rows"].sum()),
            "preview": preview(rows, rows.height),
            "path": dg.MetadataValue.path(str(path)),
            "size_bytes": path.stat().st_size,
        },
        data_version=dg.DataVersion(version_of_all(frames.values())),
    )


def version_of_all(frames: Iterable[pl.DataFrame]) -> str:
    """Equal tables, equal version."""
    return hashlib.sha256("".join(map(content_version, frames)).encode()).hexdigest()
