"""What Dagster's history says of runs: which are dead, why one failed, and which new figures it failed on.

Read after the fact, whoever started them. What is made when belongs to `automation`, the lock of a home to `alone`.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from pipelines.alone import is_free

if TYPE_CHECKING:
    from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
    from dagster._utils.error import SerializableErrorInfo

STARTED_BY, PART_OF = "joulebook/started_by", "joulebook/part_of"
"""Tags of runs: who or what started it; the run of refresh_source that waits for it."""
COMMAND_LINE = "command line"
AT_WORK = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
"""Those that the queue waits for."""
YOUNG = timedelta(minutes=1)
"""A run that loads has not taken the home yet."""
SETTLE_S = 3.0
"""Long enough for a run to write its end after it left the home, or to take it after it waited for it."""
NOT_OF_FIGURES = {
    "DagsterExecutionInterruptedError", "KeyboardInterrupt", "MemoryError", "OSError", "PermissionError",
    "FileNotFoundError", "BlockingIOError", "IOException",
}  # fmt: skip
"""Errors of the machine, not of what is computed on it."""


def end_dead_runs(instance: dg.DagsterInstance, home: Path) -> list[str]:
    """End the runs that a crash or a kill left at work: no process holds the home. Returns their ids.

    Without this the queue would wait for them for hours.
    """
    dead = {run.run_id for run in _runs_at_work(instance)}
    if not dead or not is_free(home):
        return []
    time.sleep(SETTLE_S)
    if not is_free(home):
        return []
    ended = [run for run in _runs_at_work(instance) if run.run_id in dead]
    for run in ended:
        _end(instance, run)
    return [run.run_id for run in ended]


def end_dead_commands(instance: dg.DagsterInstance) -> None:
    """The same for a command that holds the home itself: runs of other commands at work are dead.

    Those of the UI may wait for it to end.
    """
    for run in instance.get_runs(dg.RunsFilter(statuses=AT_WORK, tags={STARTED_BY: COMMAND_LINE})):
        _end(instance, run)


def _runs_at_work(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    before = datetime.now(UTC) - YOUNG
    return list(instance.get_runs(dg.RunsFilter(statuses=AT_WORK, updated_before=before)))


def _end(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    if run.status == dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, "Its process ended before it could say so.")
    else:
        instance.report_run_failed(run, "Its process ended without a word. Start it again.")


def events_of(instance: dg.DagsterInstance, run_id: str) -> list[dg.DagsterEvent]:
    """The events of a run, and of those that are part of it."""
    runs = [run_id, *(run.run_id for run in instance.get_runs(dg.RunsFilter(tags={PART_OF: run_id})))]
    entries = (entry for one in runs for entry in instance.all_logs(one))
    return [entry.dagster_event for entry in entries if entry.dagster_event]


def why_it_failed(events: Iterable[dg.DagsterEvent]) -> str:
    """The first check that stopped a run, else its first failed step, else what was said of the run, in a line."""
    events = list(events)
    reasons = [reason for _, reason in (*_failed_checks(events), *_failed_steps(events))]
    for event in (event for event in events if event.event_type == dg.DagsterEventType.RUN_FAILURE):
        error = event.job_failure_data.error if event.event_specific_data else None
        reasons.append(innermost(error).message.strip() if error else event.message)
    return next(filter(None, reasons), "the run ended without saying why")


def refused_by(
    events: Iterable[dg.DagsterEvent], graph: "BaseAssetGraph", sources: Mapping[str, dg.AssetKey]
) -> dict[str, str]:
    """Those of `sources` whose new figures a run failed on, each with the line that says so.

    Figures are refused by a blocking check, or by a table that cannot be made, of what is made of them; not by a kill,
    a full disk, a file that somebody edited, or a release that would not be made.
    """
    events = list(events)
    refused: dict[str, str] = {}
    failed = [*_failed_checks(events), *(found for found in _failed_steps(events) if found[0].path[0] != "published")]
    for key, reason in failed:
        made_of = graph.get_ancestor_asset_keys(key, include_self=True) if graph.has(key) else ()
        for source_id in (source_id for source_id, source in sources.items() if source in made_of):
            refused.setdefault(source_id, reason)
    return refused


def has_failed_step(events: Iterable[dg.DagsterEvent], key: dg.AssetKey) -> bool:
    """Whether a run failed on the making of a table, not on a kill."""
    return any(found == key for found, _ in _failed_steps(events))


def _failed_checks(events: Iterable[dg.DagsterEvent]) -> Iterator[tuple[dg.AssetKey, str]]:
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
                yield (
                    check.asset_key,
                    f"{'.'.join(check.asset_key.path)}, check {check.check_name}: {check.description}",
                )


def _failed_steps(events: Iterable[dg.DagsterEvent]) -> Iterator[tuple[dg.AssetKey, str]]:
    """The tables that could not be made, each with the innermost cause."""
    for event in events:
        if event.is_step_failure and event.step_key:
            data = event.step_failure_data
            own = data.user_failure_data.description if data.user_failure_data else None
            cause = innermost(data.error)
            if cause.cls_name not in NOT_OF_FIGURES and data.error.cls_name != "DagsterAssetCheckFailedError":
                key = dg.AssetKey(event.step_key.split("__"))
                yield key, own or f"{'.'.join(key.path)}: {cause.message.strip()}"


def innermost(error: "SerializableErrorInfo") -> "SerializableErrorInfo":
    """What an error was caused by in the first place."""
    while error.cause:
        error = error.cause
    return error
