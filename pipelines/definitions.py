"""The door for Dagster: collects what `assets/` declares, adds checks, the job and the executor.

Nothing is made here.
"""

from types import ModuleType

import dagster as dg

import assets.core
import assets.estimates
import assets.published
import assets.raw
from assets.published.joulebook import table_modules
from pipelines.tables.contract import Table
from pipelines.wiring import Book, table_checks

LAYERS = (assets.raw, assets.core, assets.estimates)


def all_tables() -> list[Table]:
    """Every declared table."""
    return [module.TABLE for package in LAYERS for module in table_modules(package)]


def build(book: Book | None = None, loggers: dict[str, dg.LoggerDefinition] | None = None) -> dg.Definitions:
    """The definitions; one process a run, because starting a Python for each step costs more than the work."""
    return dg.Definitions(
        assets=_asset_definitions(),
        asset_checks=[table_checks(table) for table in all_tables()],
        jobs=[dg.define_asset_job("refresh", dg.AssetSelection.all(), description="Take, check, estimate, publish.")],
        resources={"book": book or Book()},
        loggers=loggers or {},
        executor=dg.in_process_executor,
    )


def _asset_definitions() -> list[dg.AssetsDefinition]:
    from assets.published import joulebook, release, report  # noqa: PLC0415

    modules: list[ModuleType] = [*(m for package in LAYERS for m in table_modules(package)), release, joulebook, report]
    found: dict[dg.AssetKey, dg.AssetsDefinition] = {}
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, dg.AssetsDefinition):
                found[value.key] = value
    return list(found.values())


defs = build()
