"""A refresh as a person sees it: the job run in this process, a progress bar, a closing summary in ten lines.

The work itself is the assets'; they come in as Dagster definitions from the door.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from pipelines.sources.catalogue import load_catalogue
from pipelines.sources.extracts import EXTRACTS_FOLDER, ExtractHead, write_extract
from pipelines.sources.intake import read_taken
from pipelines.tables.beside import beside
from pipelines.warehouse.publish import FILE_NAME
from pipelines.warehouse.store import Warehouse
from pipelines.wiring import Book

Build = Callable[[Book, dict[str, dg.LoggerDefinition]], dg.Definitions]
NEXT_QUERY = "FROM energy_per_query WHERE model_id = 'llama-3.1-405b' AND boundary = 'facility'"


def run_refresh(build: Build, home: Path, *, offline: bool, update_extracts: bool, verbose: bool) -> bool:
    """Run the job in this process. Returns whether the file was published; prints how it went."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    started = time.monotonic()
    before = _file_time(home)
    with beside(), _progress(console, verbose=verbose) as (logger, set_total):
        job = build(Book(home=str(home), offline=offline), {"progress": logger}).resolve_job_def("refresh")
        set_total(len(job.nodes))
        run_config = {} if verbose else {"loggers": {"progress": {}}}
        with dg.DagsterInstance.get() as instance:
            result = job.execute_in_process(run_config=run_config, instance=instance, raise_on_error=False)
    published = _file_time(home) != before
    if update_extracts and published:
        _update_extracts(home)
    _summary(console, home, result, published, time.monotonic() - started)
    return published


def _file_time(home: Path) -> int | None:
    path = home / FILE_NAME
    return path.stat().st_mtime_ns if path.exists() else None


@contextmanager
def _progress(console: Console, verbose: bool) -> Iterator[tuple[dg.LoggerDefinition, Callable[[int], None]]]:
    """A Dagster logger that moves a progress bar; quiet when the output is not a terminal."""
    bar = Progress(
        TextColumn("[bold]refresh"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
        disable=verbose or not console.is_terminal,
    )
    task = bar.add_task("starting", total=None)

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            meta = getattr(record, "dagster_meta", {})
            event = meta.get("dagster_event")
            if event is not None and event.event_type_value == "STEP_START":
                bar.update(task, advance=1, description=str(event.step_key).replace("__", "."))

    @dg.logger(description="Moves the progress bar of the command line.")
    def progress_logger(_: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("joulebook.progress")
        logger.addHandler(Handler())
        return logger

    with bar:
        yield progress_logger, lambda total: bar.update(task, total=total)


def _update_extracts(home: Path) -> None:
    warehouse = Warehouse(home)
    for source in load_catalogue().values():
        taken = read_taken(home, source.source_id)
        if source.keep_extract and taken and taken.state == "live":
            # when a person took them is not the publisher's: validators of HTTP stay with the home
            snapshots = tuple(s.model_copy(update={"etag": None, "last_modified": None}) for s in taken.snapshots)
            head = ExtractHead.of(source, taken.accepted_at_utc, snapshots)
            write_extract(EXTRACTS_FOLDER / f"{source.source_id}.csv", head, warehouse.read(source.parser))


def _summary(console: Console, home: Path, result: dg.ExecuteInProcessResult, published: bool, seconds: float) -> None:
    for problem in _problems(home, result):
        console.print(Text.assemble(("problem", "red"), f"  {problem}"))
    checks = result.get_asset_check_evaluations()
    passed = sum(check.passed for check in checks)
    if not published:
        kept = "the file published before stays" if (home / FILE_NAME).exists() else "there is no earlier file"
        console.print(f"not published: {kept}; {passed} of {len(checks)} checks passed, {seconds:.1f} s")
        return
    with duckdb.connect(str(home / FILE_NAME), read_only=True) as book:
        for line in _headlines(book):
            console.print(line)
    console.print(f"checks    {passed} of {len(checks)} passed")
    console.print(f"file      {home / FILE_NAME} ({seconds:.1f} s)")
    console.print(f"try next  duckdb.connect('{home / FILE_NAME}', read_only=True).sql(\"{NEXT_QUERY}\")")


def _headlines(book: duckdb.DuckDBPyConnection) -> Iterator[str]:
    sources, rows_in, accepted, rejected, oldest = book.execute(
        "select count(distinct source_id), sum(rows_in), sum(rows_accepted), sum(rows_rejected), min(accepted_at_utc)"
        " from sources"
    ).fetchall()[0]
    yield f"sources   {sources} read, oldest accepted {oldest}"
    yield f"rows      {rows_in} in, {accepted} accepted, {rejected} rejected with a reason"
    ((estimates, configurations),) = book.execute(
        "select count(*), count(distinct (model_id, accelerator_id, n_accelerators, precision)) from energy_per_query"
    ).fetchall()
    yield f"estimates {estimates} of energy per query, {configurations} model and hardware pairs"
    for workload, p50, p25, p75 in book.execute(
        "select workload_id, energy_wh_per_query_p50, energy_wh_per_query_p25, energy_wh_per_query_p75 from blends"
        " where profile = 'v2' order by 2"
    ).fetchall():
        yield f"headline  >200B, {workload}: {p50:.3g} Wh per query ({p25:.2g} to {p75:.2g}), facility, oviedo2026"
    n, within = book.execute(
        "select count(*), count(*) filter (where abs(ratio - 1) <= tolerance) from paper_reproduction"
    ).fetchall()[0]
    yield f"paper     {within} of {n} published figures reproduced within their tolerance"


def _problems(home: Path, result: dg.ExecuteInProcessResult) -> list[str]:
    """What a person must know: failed steps, failed checks, sources held back; one line each."""
    lines = []
    for event in result.filter_events(lambda event: event.is_step_failure):
        data = event.step_failure_data
        if data.error.cls_name == "DagsterAssetCheckFailedError":
            continue  # the check itself says more, below
        own = data.user_failure_data.description if data.user_failure_data else None
        lines.append(own or f"{event.step_key}: {_innermost(data.error)} (-v shows the traceback)")
    for check in result.get_asset_check_evaluations():
        if not check.passed and check.asset_key.path[-1] != "snapshots":  # held sources say more, below
            lines.append(f"{'.'.join(check.asset_key.path)}, check {check.check_name}: {check.description}")
    for source_id in load_catalogue():
        taken = read_taken(home, source_id)
        if taken and taken.problem:
            lines.append(f"{taken.problem} Served: figures accepted {taken.accepted_at_utc}.")
    return lines


def _innermost(error: object) -> str:
    while getattr(error, "cause", None):
        error = error.cause
    return str(getattr(error, "message", error)).strip()
