"""When what is made: jobs, the daily schedule, sensors, what follows new figures, and freshness from the cadence.

What an asset makes belongs to `assets/`, how it becomes one to `wiring`. Everything here is given the assets by the
door, and decides from what Dagster and the home know, never from the web.
"""

import enum
import json
import os
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.alone import is_free
from pipelines.home import resolve_home
from pipelines.shown import GROUPS
from pipelines.sources.catalogue import REPOSITORY, Source
from pipelines.sources.intake import Places, is_due, is_worth_asking, read_taken
from pipelines.ui import SCHEDULE_SWITCH
from pipelines.wiring import FILE, SOURCE, catalogue, digest_of

REFRESH, REFRESH_SOURCE, PUBLISH = "refresh", "refresh_source", "publish"
DAILY_AT = "17 5 * * *"
"""05:17 UTC: after midnight in America, and not on the hour, when everybody asks."""
GRACE = timedelta(days=1)
STARTED_BY, SECOND_TRY, SOURCES = "joulebook/started_by", "joulebook/second_try", "joulebook/sources"
COMMAND_LINE = "command line"

SourceId = enum.Enum("SourceId", {source_id: source_id for source_id in catalogue()})


class OneSource(dg.Config):
    """What refresh_source is asked at launch."""

    source_id: SourceId = Field(description="The source to ask, as in assets/sources.yaml.")
    offline: bool = Field(default=False, description="Do not ask it: parse and compute anew from what was accepted.")


# What is worth making anew


def with_automation(assets: Iterable[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """The assets, each source with the freshness of its cadence, and what is made of others with its condition."""

    def automated(spec: dg.AssetSpec) -> dg.AssetSpec:
        if source := catalogue().get(spec.metadata.get(SOURCE, "")):
            return spec.replace_attributes(freshness_policy=freshness_of(source))
        if list(spec.deps) and not is_made_of_notes(spec):
            return spec.replace_attributes(automation_condition=after_new_figures())
        return spec

    return list(dg.map_asset_specs(automated, assets))


def is_made_of_notes(spec: dg.AssetSpec) -> bool:
    """raw.snapshots reads how each source was taken: the runs that take them make it, and nothing else."""
    return spec.group_name == GROUPS["raw"]


def freshness_of(source: Source) -> dg.FreshnessPolicy:
    """Fresh while it was taken within its cadence, and the day that a daily schedule may add; else failing."""
    due = timedelta(days=source.cadence_days) + GRACE
    return dg.FreshnessPolicy.time_window(fail_window=due + GRACE, warn_window=due)


def after_new_figures() -> dg.AutomationCondition:
    """Made anew once something it is made of has other values, or its own code does; never because of equal bytes.

    Only when all it is made of exists, is not being made, and failed no check that blocks.
    """
    new = dg.AutomationCondition.data_version_changed() | dg.AutomationCondition.will_be_requested()
    has_new_inputs = dg.AutomationCondition.any_deps_match(new).with_label("an input has other values")
    has_new_code = dg.AutomationCondition.code_version_changed().with_label("its code changed")
    # of what is made in the same run the checks are yet to come, and stop that run
    is_bad = ~dg.AutomationCondition.will_be_requested() & dg.AutomationCondition.any_checks_match(
        dg.AutomationCondition.check_failed(), blocking_only=True
    )
    was_never_made = dg.AutomationCondition.missing().newly_true().with_label("it was never made")
    return (
        (has_new_inputs | has_new_code | was_never_made).since_last_handled()
        & ~dg.AutomationCondition.any_deps_missing()
        & ~dg.AutomationCondition.any_deps_in_progress()
        & ~dg.AutomationCondition.in_progress()
        & ~dg.AutomationCondition.any_deps_match(is_bad).with_label("a blocking check of an input failed")
    ).with_label("after new figures")


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
            tags={STARTED_BY: REFRESH_SOURCE, SOURCES: source_id, "dagster/parent_run_id": context.run_id},
            raise_on_error=False,
        )
        context.add_output_metadata({"run": dg.MetadataValue.dagster_run(done.run_id), "tables": len(keys)})
        if not done.success:
            raise dg.Failure(f"run {done.run_id} failed: open it to see which table or check, and what to do")

    @dg.job(
        name=REFRESH_SOURCE,
        description="Take one source, chosen at launch, and make anew what hangs on it: `ops: {refresh_one_source: "
        "{config: {source_id: trtllm_perf}}}`. The tables are made in a run of `refresh` that this one links to.",
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
        end_dead_runs(context.instance, home)
        due = sources_due(home, on, context.instance)
        if not due:
            return dg.SkipReason(f"no source is due on {on}: each was asked within its cadence")
        return dg.RunRequest(
            run_key=f"daily-{on}",
            asset_selection=[*map(source_key, due), dg.AssetKey(["raw", "snapshots"])],
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


def end_dead_runs(instance: dg.DagsterInstance, home: Path) -> None:
    """Runs of the command line that a crash or a kill left as started: no process holds the home any more.

    Without this the queue would wait for them for ever.
    """
    dead = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags={STARTED_BY: COMMAND_LINE})
    runs = instance.get_runs(dead)
    if runs and is_free(home):
        for run in runs:
            instance.report_run_failed(run, "Its process ended without a word. Start a refresh again.")


# Sensors


def sensors(assets: Iterable[dg.AssetsDefinition], refresh: Any) -> list[dg.SensorDefinition]:
    """What follows new figures, edited files, and figures that checks downstream refuse; they run `refresh`."""
    files = {spec.key: spec.metadata[FILE] for asset in assets for spec in asset.specs if FILE in spec.metadata}
    return [_after_new_figures(), _edited_files(files), _refused_figures(refresh)]


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
        now = {key: digest_of(REPOSITORY / file) for key, file in files.items() if (REPOSITORY / file).exists()}
        edited = sorted((key for key in now if _digest_when_made(context.instance, key) != now[key]), key=str)
        if not edited:
            return dg.SkipReason(f"none of {len(files)} files was edited since its table was made")
        # a file that cannot be read is tried once, and again when it is edited again
        run_key = json.dumps({key.to_user_string(): now[key][:12] for key in edited})
        names = ", ".join(Path(files[key]).name for key in edited)
        return dg.RunRequest(run_key=run_key, asset_selection=edited, tags={STARTED_BY: "edited_files", SOURCES: names})

    return edited_files


def _digest_when_made(instance: dg.DagsterInstance, key: dg.AssetKey) -> str | None:
    event = instance.get_latest_materialization_event(key)
    made = event.asset_materialization if event else None
    return made.metadata["file_sha256"].value if made and "file_sha256" in made.metadata else None


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
        run = context.dagster_run
        newest = sorted(path.stem for path in (resolve_home() / "candidates").glob("*.csv"))
        if SECOND_TRY in run.tags or not newest:
            return dg.SkipReason("it failed for another reason than new figures: open the run")
        reason = why_it_failed(context.instance, run.run_id)
        held = {source_id: f"newest figures of {source_id} not accepted: {reason}" for source_id in newest}
        wanted = dg.AssetSelection.assets(*map(source_key, newest)).downstream()
        keys = wanted.resolve(context.repository_def.asset_graph)
        return dg.RunRequest(
            run_key=f"second-try-{run.run_id}",
            run_config={"resources": {"book": {"config": {"refused": held}}}},
            asset_selection=sorted(keys, key=str),
            tags={STARTED_BY: "refused_figures", SECOND_TRY: run.run_id, SOURCES: ", ".join(newest)},
        )

    return refused_figures


def why_it_failed(instance: dg.DagsterInstance, run_id: str) -> str:
    """The first check that stopped a run, else its first failed step, in a line."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        check = entry.dagster_event.asset_check_evaluation_data
        if not check.passed and check.severity == dg.AssetCheckSeverity.ERROR:
            return f"{'.'.join(check.asset_key.path)} {check.check_name}: {check.description}"
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        failed = entry.dagster_event.step_failure_data
        own = failed.user_failure_data.description if failed.user_failure_data else None
        return own or f"{entry.step_key}: {failed.error.message.strip()}"
    return "the run ended without saying why"
