"""The door for Dagster: collects what `assets/` declares, adds checks, jobs, schedule, sensors and the executor.

Nothing is made here.
"""

from types import ModuleType

import dagster as dg

import assets.core
import assets.estimates
import assets.published
import assets.raw
from assets.published.joulebook import table_modules
from pipelines import automation
from pipelines.tables.contract import Table
from pipelines.wiring import Book, table_checks

LAYERS = (assets.raw, assets.core, assets.estimates)


def all_tables() -> list[Table]:
    """Every declared table."""
    return [module.TABLE for package in LAYERS for module in table_modules(package)]


def build(book: Book | None = None, loggers: dict[str, dg.LoggerDefinition] | None = None) -> dg.Definitions:
    """The definitions; one process a run, because starting a Python for each step costs more than the work."""
    assets, checks = _declared()
    jobs = automation.jobs(lambda: definitions.resolve_job_def(automation.REFRESH))
    definitions = dg.Definitions(
        assets=automation.with_automation(assets, checks),
        asset_checks=[*(table_checks(table) for table in all_tables()), *checks],
        jobs=jobs,
        schedules=[automation.daily_schedule()],
        sensors=automation.sensors(assets, refresh=jobs[0]),
        resources={"book": book or Book()},
        loggers=loggers or {},
        executor=dg.in_process_executor,
    )
    return definitions


def _declared() -> tuple[list[dg.AssetsDefinition], list[dg.AssetChecksDefinition]]:
    """The assets of all modules, and the checks that a module has besides those of its contract."""
    from assets.published import joulebook, release, report  # noqa: PLC0415

    modules: list[ModuleType] = [*(m for package in LAYERS for m in table_modules(package)), release, joulebook, report]
    found: dict[dg.AssetKey, dg.AssetsDefinition] = {}
    checks: list[dg.AssetChecksDefinition] = []
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, dg.AssetChecksDefinition):
                checks.append(value)
            elif isinstance(value, dg.AssetsDefinition):
                found[value.key] = value
    return list(found.values()), checks


defs = build()
