"""When what is made: jobs, the daily schedule, sensors, what follows new figures, and freshness from the cadence.

What an asset makes belongs to `assets/`, how it becomes one to `wiring`. Everything here is given the assets by the
door, and decides from what Dagster and the home know, never from the web.
"""

import enum
import json
import os
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.home import resolve_home
from pipelines.runs import (
    AT_WORK,
    PART_OF,
    STARTED_BY,
    end_dead_runs,
    events_of,
    has_failed_step,
    refused_by,
    why_it_failed,
)
from pipelines.shown import CURRENT, GROUPS
from pipelines.sources.catalogue import REPOSITORY, Source
from pipelines.sources.intake import Places, is_due, is_worth_asking, read_taken
from pipelines.ui import SCHEDULE_SWITCH
from pipelines.wiring import FILE, SOURCE, catalogue, digest_of

REFRESH, REFRESH_SOURCE, PUBLISH = "refresh", "refresh_source", "publish"
DAILY_AT = "17 5 * * *"
"""05:17 UTC: after midnight in America, and not on the hour, when everybody asks."""
GRACE = ONE_DAY = timedelta(days=1)
UNENDED = [*AT_WORK, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED]
SECOND_TRY, SOURCES, EDITED = "joulebook/second_try", "joulebook/sources", "joulebook/edited"
ACCEPTS = dg.AssetKey(["published", "joulebook"])
"""The asset that, once made, makes new figures accepted ones."""
TRIES = 3
"""How often an edited file is read whose run was cancelled or killed."""

SourceId = enum.Enum("SourceId", {source_id: source_id for source_id in catalogue()})


class OneSource(dg.Config):
    """What refresh_source is asked at launch."""

    source_id: SourceId = Field(description="The source to ask, as in assets/sources.yaml.")
    offline: bool = Field(default=False, description="Do not ask it: parse and compute anew from what was accepted.")


# What is worth making anew


def with_automation(
    assets: Iterable[dg.AssetsDefinition], warnings: Iterable[dg.AssetChecksDefinition]
) -> list[dg.AssetsDefinition]:
    """The assets, each source with the freshness of its cadence, and all with the condition to make them anew.

    `warnings`: checks that stop nothing, though some of them run before what is downstream.
    """
    warn = dg.AssetSelection.checks(*(key for checks in warnings for key in checks.check_keys))

    def automated(spec: dg.AssetSpec) -> dg.AssetSpec:
        if source := catalogue().get(spec.metadata.get(SOURCE, "")):
            spec = spec.replace_attributes(freshness_policy=freshness_of(source))
        is_made_of_others = list(spec.deps) and not is_made_of_notes(spec)
        condition = after_new_figures(warn) if is_made_of_others else after_a_lost_check(warn)
        if spec.key == ACCEPTS:
            condition &= ~its_release_waits(warn)
        return spec.replace_attributes(automation_condition=condition)

    return list(dg.map_asset_specs(automated, assets))


def is_made_of_notes(spec: dg.AssetSpec) -> bool:
    """raw.snapshots reads how each source was taken: the runs that take them make it, and nothing else."""
    return spec.group_name == GROUPS["raw"]


def freshness_of(source: Source) -> dg.FreshnessPolicy:
    """Fresh while it was taken within its cadence, and the day that a daily schedule may add; else failing."""
    due = timedelta(days=source.cadence_days) + GRACE
    return dg.FreshnessPolicy.time_window(fail_window=due + GRACE, warn_window=due)


def after_new_figures(warn: dg.AssetSelection) -> dg.AutomationCondition:
    """Made anew once something it is made of has other values, or its own code does; never because of equal bytes.

    Only when all it is made of exists, is not being made, and passed every check that blocks.
    """
    new = dg.AutomationCondition.data_version_changed() | dg.AutomationCondition.will_be_requested()
    has_new_inputs = dg.AutomationCondition.any_deps_match(new).with_label("an input has other values")
    has_new_code = dg.AutomationCondition.code_version_changed().with_label("its code changed")
    was_never_made = dg.AutomationCondition.missing().newly_true().with_label("it was never made")
    return (
        ((has_new_inputs | has_new_code | was_never_made).since_last_handled() | lost_its_check(warn))
        & ~dg.AutomationCondition.any_deps_missing()
        & ~dg.AutomationCondition.any_deps_in_progress()
        & ~dg.AutomationCondition.in_progress()
        & ~dg.AutomationCondition.any_deps_match(is_bad(warn)).with_label("a blocking check of an input did not pass")
    ).with_label("after new figures")


def after_a_lost_check(warn: dg.AssetSelection) -> dg.AutomationCondition:
    """Of what is made of no other table: made anew if the last run ended between the table and its check."""
    return (
        lost_its_check(warn) & ~dg.AutomationCondition.missing() & ~dg.AutomationCondition.in_progress()
    ).with_label("after a lost check")


def its_release_waits(warn: dg.AssetSelection) -> dg.AutomationCondition:
    """A table of the release, or one that it is made of, did not pass: the file would be of the release before.

    To write it anew would accept the figures that wait to be checked.
    """
    any_deps_match = dg.AutomationCondition.any_deps_match
    of_the_release = any_deps_match(is_bad(warn) | any_deps_match(is_bad(warn)))
    return any_deps_match(of_the_release).with_label("its release waits for a check")


def is_bad(warn: dg.AssetSelection) -> dg.AutomationCondition:
    """A blocking check of the table did not pass. What is made in the same run has its checks yet to come: they stop
    that run."""
    failed = dg.AutomationCondition.any_checks_match(dg.AutomationCondition.check_failed(), blocking_only=True)
    return ~dg.AutomationCondition.will_be_requested() & (failed.ignore(warn) | is_unchecked(warn))


def is_unchecked(warn: dg.AssetSelection) -> dg.AutomationCondition:
    """Made after its blocking checks passed last. That a later run did not come to the table says nothing of it."""
    passed = dg.AutomationCondition.all_checks_match(dg.AutomationCondition.check_passed(), blocking_only=True)
    return dg.AutomationCondition.newly_updated().since(passed.ignore(warn))


def lost_its_check(warn: dg.AssetSelection) -> dg.AutomationCondition:
    """The run that made a table ended before its check: what hangs on the table would wait for ever.

    A check that broke off with its run is tried again the next day: it may break off each time.
    """
    check = dg.AutomationCondition
    was_left_out = ~check.check_passed() & ~check.check_failed() & ~check.in_progress() & ~check.execution_failed()
    left_out = is_unchecked(warn) & check.any_checks_match(was_left_out, blocking_only=True).ignore(warn)
    broke_off = is_unchecked(warn) & check.any_checks_match(check.execution_failed(), blocking_only=True).ignore(warn)
    lost = left_out.newly_true() | (broke_off & check.cron_tick_passed(DAILY_AT))
    # not since it was handled last: that it was made, perhaps in the same minute, is what this is about
    return lost.since(check.newly_requested() | ~is_unchecked(warn)).with_label("its check did not run")


# Jobs


def jobs(resolve: Callable[[], dg.JobDefinition]) -> list[Any]:
    """The three jobs. `resolve` gives the job `refresh` once the definitions are complete."""
    person = {STARTED_BY: "person"}
    everything = dg.define_asset_job(
        REFRESH,
        dg.AssetSelection.all(),
        description="Take every source, check, estimate, publish. Configuration `resources: {book: {config: {offline: "
        "true}}}` asks nobody.",
        tags=person,
    )
    publish = dg.define_asset_job(
        PUBLISH,
        dg.AssetSelection.groups(GROUPS["published"]),
        description="Write the published files anew from the tables as they are, if all passed their checks.",
        tags=person,
    )
    return [everything, publish, _refresh_source(resolve)]


def _refresh_source(resolve: Callable[[], dg.JobDefinition]) -> dg.JobDefinition:
    @dg.op(description="Starts a run of `refresh` for the source that was chosen, and waits for it.")
    def refresh_one_source(context: dg.OpExecutionContext, config: OneSource) -> None:
        source_id = config.source_id.value
        job = resolve()
        keys = with_downstream(job, [source_id])
        context.log.info(f"{source_id} and what hangs on it: {len(keys)} tables, in a run of their own")
        done = job.execute_in_process(
            instance=context.instance,
            asset_selection=keys,
            run_config={"resources": {"book": {"config": {"offline": config.offline}}}},
            tags={STARTED_BY: REFRESH_SOURCE, SOURCES: source_id, PART_OF: context.run_id},
            raise_on_error=False,
        )
        context.add_output_metadata({"run": dg.MetadataValue.dagster_run(done.run_id), "tables": len(keys)})
        if not done.success:
            raise dg.Failure(f"run {done.run_id} failed: {why_it_failed(done.all_events)}")

    @dg.job(
        name=REFRESH_SOURCE,
        description="Take one source, chosen at launch, and make anew what hangs on it: `ops: {refresh_one_source: "
        "{config: {source_id: trtllm_perf}}}`. The tables are made in a run of `refresh` that this one links to. To "
        "stop it, terminate this one.",
        tags={STARTED_BY: "person"},
        executor_def=dg.in_process_executor,
    )
    def refresh_source() -> None:
        refresh_one_source()

    return refresh_source


def with_downstream(job: dg.JobDefinition, source_ids: Iterable[str]) -> list[dg.AssetKey]:
    """The tables of these sources and all that is made of them."""
    graph = job.asset_layer.asset_graph
    wanted = dg.AssetSelection.assets(*(source_key(source_id) for source_id in source_ids)).downstream()
    return sorted(wanted.resolve(graph), key=lambda key: key.path)


def source_key(source_id: str) -> dg.AssetKey:
    """The asset that takes a source."""
    return dg.AssetKey(catalogue()[source_id].parser.split("."))


# The daily schedule


def daily_schedule() -> dg.ScheduleDefinition:
    """Once a day in UTC: the sources whose cadence has passed, and how they were taken."""

    @dg.schedule(
        cron_schedule=DAILY_AT,
        job_name=REFRESH,
        execution_timezone="UTC",
        name="daily",
        default_status=_switched(dg.DefaultScheduleStatus),
        description="Asks each source that was not asked within its cadence (assets/sources.yaml). What hangs on a "
        "source follows by the sensor after_new_figures, if its bytes have changed.",
    )
    def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        home, on = resolve_home(), context.scheduled_execution_time.date()
        # after days without the daemon, Dagster makes up for the ticks that were missed, all at once
        if datetime.now(UTC) - context.scheduled_execution_time >= ONE_DAY:
            return dg.SkipReason(f"{on} is past: the tick of a later day asks what is due")
        if waiting := context.instance.get_runs(dg.RunsFilter(statuses=UNENDED, tags={STARTED_BY: "daily"}), limit=1):
            return dg.SkipReason(f"run {waiting[0].run_id} of an earlier day has not ended")
        due = sources_due(home, on, context.instance)
        if not due:
            return dg.SkipReason(f"no source is due on {on}: each was asked within its cadence")
        taken = [*map(source_key, due), dg.AssetKey(["raw", "snapshots"])]
        checks = context.repository_def.asset_graph.asset_check_keys
        return dg.RunRequest(
            run_key=f"daily-{on}",
            asset_selection=taken,
            # theirs, and the one that lists the alerts of all
            asset_check_keys=[key for key in checks if key.asset_key in taken or key.name == CURRENT],
            tags={STARTED_BY: "daily", SOURCES: ", ".join(due)},
        )

    return daily


def sources_due(home: Path, on: date, instance: dg.DagsterInstance) -> list[str]:
    """The sources to ask on a day: their cadence has passed, nobody answered the last time, or they were never made."""
    places = Places(home)
    return [
        source_id
        for source_id, source in catalogue().items()
        if (is_worth_asking(source, read_taken(home, source_id), on) and is_due(source, None, places))
        or instance.get_latest_materialization_event(source_key(source_id)) is None
    ]


# Sensors


def sensors(assets: Iterable[dg.AssetsDefinition], refresh: Any) -> list[dg.SensorDefinition]:
    """What follows new figures, edited files, and figures that checks downstream refuse; they run `refresh`."""
    files = {spec.key: spec.metadata[FILE] for asset in assets for spec in asset.specs if FILE in spec.metadata}
    return [_after_new_figures(), _edited_files(files), _refused_figures(refresh), _dead_runs()]


def _switched(status: Any) -> Any:
    return status.RUNNING if os.environ.get(SCHEDULE_SWITCH) == "on" else status.STOPPED


def _after_new_figures() -> dg.AutomationConditionSensorDefinition:
    return dg.AutomationConditionSensorDefinition(
        "after_new_figures",
        target=dg.AssetSelection.all(),
        default_status=_switched(dg.DefaultSensorStatus),
        run_tags={STARTED_BY: "after_new_figures"},
        description="Makes anew what hangs on a table whose values changed, and only that, up to the published file.",
    )


def _edited_files(files: dict[dg.AssetKey, str]) -> dg.SensorDefinition:
    @dg.sensor(
        name="edited_files",
        job_name=REFRESH,
        minimum_interval_seconds=30,
        default_status=_switched(dg.DefaultSensorStatus),
        description="Reads a reference file, assumptions.yaml or corrections.yaml anew when somebody has edited it.",
    )
    def edited_files(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        found = [(key, file) for key, file in files.items() if (REPOSITORY / file).exists()]
        edited = {key: now for key, file in found if (now := _edit_of(context.instance, key, REPOSITORY / file))}
        if not edited:
            return dg.SkipReason(f"none of {len(files)} files was edited since its table was made")
        tries = {key: _tries_of(context.instance, key, edit) for key, edit in edited.items()}
        if at_work := [run.run_id for runs in tries.values() for run in runs if run.status in UNENDED]:
            return dg.SkipReason(f"run {at_work[0]} reads what was edited")
        given_up = {key for key, runs in tries.items() if _is_given_up(context.instance, key, runs)}
        wanted = sorted(set(edited) - given_up, key=str)
        if not wanted:
            names = "; ".join(f"{files[key]} in run {tries[key][0].run_id}" for key in sorted(given_up, key=str))
            return dg.SkipReason(f"tried and failed: {names}. Open it, and mend the file: then it is read again")
        names = ", ".join(Path(files[key]).name for key in wanted)
        edits = json.dumps({key.to_user_string(): edited[key] for key in wanted})
        return dg.RunRequest(
            run_key=f"{edits}, try {1 + max(len(tries[key]) for key in wanted)}",
            asset_selection=wanted,
            tags={STARTED_BY: "edited_files", SOURCES: names, EDITED: edits},
        )

    return edited_files


def _edit_of(instance: dg.DagsterInstance, key: dg.AssetKey, path: Path) -> str | None:
    """The edit that a table does not hold yet: after which of its makings, and what the file became; None if none."""
    event = instance.get_latest_materialization_event(key)
    made = event.asset_materialization if event else None
    known = made.metadata["file_sha256"].value if made and "file_sha256" in made.metadata else None
    now = digest_of(path)
    return None if known == now else f"{event.run_id[:8] if event else 'never'} to {now[:12]}"


def _tries_of(instance: dg.DagsterInstance, key: dg.AssetKey, edit: str) -> list[dg.DagsterRun]:
    """The runs that were to read this edit, newest first."""
    runs = instance.get_runs(dg.RunsFilter(tags={STARTED_BY: "edited_files"}), limit=100)
    return [run for run in runs if json.loads(run.tags.get(EDITED, "{}")).get(key.to_user_string()) == edit]


def _is_given_up(instance: dg.DagsterInstance, key: dg.AssetKey, tries: list[dg.DagsterRun]) -> bool:
    """Whether the file itself could not be read; a run that was cancelled or killed says nothing about it."""
    failed = (run for run in tries if run.status == dg.DagsterRunStatus.FAILURE)
    return len(tries) >= TRIES or any(has_failed_step(events_of(instance, run.run_id), key) for run in failed)


def _refused_figures(refresh: Any) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name="refused_figures",
        request_job=refresh,
        default_status=_switched(dg.DefaultSensorStatus),
        minimum_interval_seconds=15,
        description="Where a run failed on figures that no published file holds yet, makes one more without them: what "
        "was accepted before serves, and the other sources go on. The check of the source says so.",
    )
    def refused_figures(context: dg.RunFailureSensorContext) -> dg.RunRequest | dg.SkipReason:
        run, graph = context.dagster_run, context.repository_def.asset_graph
        newest = {path.stem: source_key(path.stem) for path in (resolve_home() / "candidates").glob("*.csv")}
        events = events_of(context.instance, run.run_id)
        refused = {} if SECOND_TRY in run.tags else refused_by(events, graph, newest)
        if not refused:
            return dg.SkipReason(f"it failed for another reason than new figures: {why_it_failed(events)}")
        wanted = dg.AssetSelection.assets(*(newest[source_id] for source_id in refused)).downstream()
        return dg.RunRequest(
            run_key=f"second-try-{run.run_id}",
            run_config={"resources": {"book": {"config": {"refused": not_accepted(refused)}}}},
            asset_selection=sorted(wanted.resolve(graph), key=str),
            tags={STARTED_BY: "refused_figures", SECOND_TRY: run.run_id, SOURCES: ", ".join(sorted(refused))},
        )

    return refused_figures


def not_accepted(refused: dict[str, str]) -> dict[str, str]:
    """What is said of sources whose newest figures were refused, by the reason."""
    return {source_id: f"newest figures of {source_id} not accepted: {reason}" for source_id, reason in refused.items()}


def _dead_runs() -> dg.SensorDefinition:
    @dg.sensor(
        name="dead_runs",
        minimum_interval_seconds=60,
        # on with the schedule off too: the queue waits for a dead run, whoever started it
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends the runs that a crash or a kill left at work, so that the queue goes on.",
    )
    def dead_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = end_dead_runs(context.instance, resolve_home())
        return dg.SkipReason(f"ended {', '.join(ended)}" if ended else "no run at work is dead")

    return dead_runs
