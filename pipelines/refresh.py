"""A refresh as a person sees it: the job run in this process, a progress bar, a closing summary in ten lines.

The work itself is the assets'; they come in as Dagster definitions from the door.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import yaml
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from pipelines.alone import alone
from pipelines.automation import not_accepted, source_key
from pipelines.home import FILE_NAME, REPOSITORY
from pipelines.room import full, is_full
from pipelines.runs import COMMAND_LINE, STARTED_BY, end_dead_commands, innermost, refused_by
from pipelines.shown import ACCEPTED, ANSWERED, CURRENT
from pipelines.sources.catalogue import load_catalogue
from pipelines.sources.extracts import EXTRACTS_FOLDER, ExtractHead, read_head, write_extract
from pipelines.sources.intake import Places, read_taken, serves_what_was_accepted
from pipelines.sources.snapshots import write_atomically
from pipelines.tables.beside import beside
from pipelines.warehouse.store import Warehouse
from pipelines.wiring import Book, use_web, web_of

LOOK_S = 1.0
"""Longer than the daemon holds the home to see whether anybody works there."""
Build = Callable[[Book, dict[str, dg.LoggerDefinition]], dg.Definitions]
EXAMPLE = (
    "method = 'serving-time' AND boundary = 'facility' AND load = 1 AND workload_id = 'traditional'"
    " AND model_id = 'llama-3.1-405b' AND accelerator_id = 'h100-sxm'"
)
NEXT_QUERY = f"FROM energy_per_query WHERE {EXAMPLE}"


def run_refresh(build: Build, home: Path, *, offline: bool, update_extracts: bool, verbose: bool) -> bool:
    """Run the job in this process. Returns whether the file was published; prints how it went."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    started = time.monotonic()
    with alone(home, LOOK_S):
        if not offline and not update_extracts and _nothing_new(home):
            console.print(f"nothing new: every publisher serves what {home / FILE_NAME} was made from")
            console.print(f"checked   {len(load_catalogue())} sources ({time.monotonic() - started:.1f} s)")
            return True
        result, published = _refresh(
            build, Book(home=str(home), offline=offline, ask_all=update_extracts), console, verbose
        )
        if published:
            write_atomically(home / "made_of", fingerprint().encode())
            if update_extracts:
                _update_extracts(home)
    _summary(console, home, result, published, time.monotonic() - started)
    return published


def _refresh(build: Build, book: Book, console: Console, verbose: bool) -> tuple[dg.ExecuteInProcessResult, bool]:
    """One run; a second without the newest figures where checks downstream refuse them."""
    home = Path(book.home)
    with beside():
        result = _run(build, book, console, verbose)
        newest = {path.stem: source_key(path.stem) for path in (home / "candidates").glob("*.csv")}
        refused = {}
        if not _published(result) and newest:
            refused = refused_by(result.all_events, build(book, {}).resolve_asset_graph(), newest)
        if refused:
            # figures that kept their own contract may still be refused downstream: the others go on without them
            held = not_accepted(refused)
            # made anew: a copy of a Dagster resource is configured as the original
            again = Book(
                home=book.home, offline=book.offline, ask_all=book.ask_all, extracts=book.extracts, refused=held
            )
            result = _run(build, again, console, verbose)
        return result, _published(result)


def _nothing_new(home: Path) -> bool:
    """Whether code, catalogues and every publisher's files are those that the published file was made of."""
    made_of = home / "made_of"
    same_code = made_of.exists() and made_of.read_text(encoding="utf-8") == fingerprint()
    if not same_code or not (home / FILE_NAME).exists():
        return False
    catalogue, places = load_catalogue(), Places(home)
    web = web_of(catalogue)
    use_web(home, web)
    return all(serves_what_was_accepted(source, places, web) for source in catalogue.values())


def fingerprint() -> str:
    """Hash of the code, SQL and catalogues that decide what is published; the extracts are data, not code."""
    digest = hashlib.sha256()
    for folder in ("assets", "pipelines", "sql"):
        for path in sorted((REPOSITORY / folder).rglob("*")):
            if (
                path.is_file()
                and path.suffix in (".py", ".sql", ".yaml", ".csv", ".txt", ".css", ".js")
                and path.parent != EXTRACTS_FOLDER
            ):
                digest.update(str(path.relative_to(REPOSITORY)).encode() + path.read_bytes())
    digest.update("".join(_days_begun()).encode())
    return digest.hexdigest()


def _days_begun() -> list[str]:
    """The days from which assumptions hold, as far as they have come: a new one is in force."""
    entries = yaml.safe_load((REPOSITORY / "assets" / "assumptions.yaml").read_text(encoding="utf-8"))
    today = datetime.now(UTC).date().isoformat()
    return sorted({day for entry in entries if (day := str(entry["valid_from"])) <= today})


def _run(build: Build, book: Book, console: Console, verbose: bool) -> dg.ExecuteInProcessResult:
    with _progress(console, verbose=verbose) as (logger, set_total):
        job = build(book, {"progress": logger}).resolve_job_def("refresh")
        set_total(len(job.nodes))
        run_config = {} if verbose else {"loggers": {"progress": {}}}
        with dg.DagsterInstance.get() as instance:
            end_dead_commands(instance)
            tags = {STARTED_BY: COMMAND_LINE}
            return job.execute_in_process(run_config=run_config, instance=instance, raise_on_error=False, tags=tags)


def _published(result: dg.ExecuteInProcessResult) -> bool:
    """Whether this run, and not another, materialised the published file."""
    made = result.filter_events(lambda event: event.event_type_value == "ASSET_MATERIALIZATION")
    return any(event.asset_key is not None and event.asset_key.path == ["published", "joulebook"] for event in made)


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
        if source.keep_extract and taken and taken.state in ("live", "unchanged"):
            # when a person took them is not the publisher's: validators of HTTP stay with the home
            snapshots = tuple(s.model_copy(update={"etag": None, "last_modified": None}) for s in taken.snapshots)
            version = read_head(Places(home).accepted(source.source_id)).parser_version
            head = ExtractHead.of(source, taken.accepted_at_utc, version, snapshots)
            write_extract(EXTRACTS_FOLDER / f"{source.source_id}.csv", head, warehouse.read(source.parser))


def _summary(console: Console, home: Path, result: dg.ExecuteInProcessResult, published: bool, seconds: float) -> None:
    for problem in _problems(home, result):
        console.print(Text.assemble(("problem", "red"), f"  {problem}"))
    checks = result.get_asset_check_evaluations()
    passed = sum(check.passed for check in checks)
    if not published:
        if is_full(home):
            console.print(Text.assemble(("problem", "red"), f"  {full(home)}"))
        kept = "the file published before stays" if (home / FILE_NAME).exists() else "there is no earlier file"
        console.print(f"not published: {kept}; {passed} of {len(checks)} checks passed, {seconds:.1f} s")
        return
    with duckdb.connect(str(home / FILE_NAME), read_only=True) as book:
        for line in _headlines(book, _made_a_release(result)):
            console.print(line)
    console.print(f"checks    {passed} of {len(checks)} passed")
    console.print(f"file      {home / FILE_NAME} ({seconds:.1f} s)")
    console.print(f'try next  duckdb.connect({str(home / FILE_NAME)!r}, read_only=True).sql("{NEXT_QUERY}")')


def _made_a_release(result: dg.ExecuteInProcessResult) -> bool:
    """Whether the run made a new release, or found the latest to be what its tables are."""
    made = result.filter_events(lambda event: event.is_step_materialization)
    found = [event for event in made if event.asset_key and event.asset_key.path == ["published", "release"]]
    return any(event.materialization.metadata["is_new"].value for event in found)


def _headlines(book: duckdb.DuckDBPyConnection, is_new_release: bool) -> Iterator[str]:
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
    for release, n, p50, low, high in book.execute(
        "select source_release, n_accelerators, energy_wh_per_query_p50, energy_wh_per_query_p50_lo90,"
        f" energy_wh_per_query_p50_hi90 from energy_per_query where {EXAMPLE} and source_id = 'trtllm_perf'"
        " order by n_benchmark_rows desc, source_release desc limit 1"
    ).fetchall():
        what = f"llama-3.1-405b on {n} h100-sxm, TensorRT-LLM {release}, traditional: {p50:.3g} Wh per query"
        yield f"example   {what} (90 % interval {low:.2g} to {high:.2g}), facility, serving-time"
    for workload, p50, p25, p75 in book.execute(
        "select workload_id, energy_wh_per_query_p50, energy_wh_per_query_p25, energy_wh_per_query_p75 from blends"
        " where profile = 'v2' order by 2"
    ).fetchall():
        yield f"paper     >200B, {workload}: {p50:.3g} Wh per query ({p25:.2g} to {p75:.2g}), facility, oviedo2026"
    n, within = book.execute(
        "select count(*), count(*) filter (where abs(ratio - 1) <= tolerance) from paper_reproduction"
    ).fetchall()[0]
    yield f"paper     {within} of {n} published figures reproduced within their tolerance"
    number, release_id, changed, otherwise, added, removed, causes = book.execute(
        "select release_number, release_id, n_changed, n_otherwise, n_added, n_removed, causes from releases"
        " order by release_number desc limit 1"
    ).fetchall()[0]
    others = f", {otherwise} in interval, mean or evidence alone" if otherwise else ""
    told = f"{changed} estimates changed{others}, {added} new, {removed} gone ({causes})"
    yield f"release   {number}, {release_id[:12]}: {told if is_new_release else 'none is new, the tables are the same'}"


def _problems(home: Path, result: dg.ExecuteInProcessResult) -> list[str]:
    """What a person must know: failed steps, failed checks, sources held back; one line each."""
    lines = []
    for event in result.filter_events(lambda event: event.is_step_failure):
        data = event.step_failure_data
        if data.error.cls_name == "DagsterAssetCheckFailedError":
            continue  # the check itself says more, below
        own = data.user_failure_data.description if data.user_failure_data else None
        lines.append(own or f"{event.step_key}: {innermost(data.error).message.strip()} (-v shows the traceback)")
    # what stopped the run comes before what is merely implausible
    for check in sorted(result.get_asset_check_evaluations(), key=lambda c: c.severity != dg.AssetCheckSeverity.ERROR):
        is_of_a_source = check.asset_key.path[-1] == "snapshots" or check.check_name in (ANSWERED, ACCEPTED, CURRENT)
        if not check.passed and not is_of_a_source:  # held sources say more, below
            lines.append(f"{'.'.join(check.asset_key.path)}, check {check.check_name}: {check.description}")
    for source_id in load_catalogue():
        taken = read_taken(home, source_id)
        if taken and taken.problem:
            served = f"figures accepted {taken.accepted_at_utc}" if taken.snapshots else "none, it was never taken here"
            lines.append(f"{taken.problem} Served: {served}.")
    return lines
