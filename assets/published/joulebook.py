"""published.joulebook: the DuckDB file that people open, made of the tables marked `published`, swapped in whole."""

import importlib
import pkgutil
from types import ModuleType

import dagster as dg

import assets.core
import assets.estimates
from pipelines.sources.intake import promote
from pipelines.tables.contract import Table
from pipelines.warehouse.publish import publish
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
    group_name="published",
    kinds={"duckdb"},
    description="joulebook.duckdb: every published table with comments, and the data dictionary. Written aside, then "
    "swapped in: a reader keeps the file it opened.",
    deps=[asset_key(table.name) for table in published_tables()],
    metadata={"dagster/column_schema": dg.TableSchema(columns=[dg.TableColumn("table_name", "String")])},
)
def joulebook(book: Book) -> dg.MaterializeResult:
    tables = published_tables()
    with one_line_errors():
        path = publish(book.warehouse, tables)
        promote(book.places)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(book.warehouse.read(table.name).height for table in tables),
            "tables": [table.short_name for table in tables],
            "path": dg.MetadataValue.path(str(path)),
            "size_bytes": path.stat().st_size,
        }
    )
