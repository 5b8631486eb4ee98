"""Three days of the schedule on a real home: what changed is made anew with what hangs on it, and nothing else.

One source serves new figures, one fails each day, the others were asked within their cadence. The home is a copy of the
session's book; what happened is read from Dagster's log of events.
"""

import csv
import io
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

from pipelines import automation, runs, wiring
from pipelines.alone import alone, is_free
from pipelines.definitions import defs
from pipelines.runs import PART_OF
from pipelines.shown import ACCEPTED, ANSWERED, CURRENT
from pipelines.sources import http
from pipelines.sources.catalogue import load_catalogue
from pipelines.sources.errors import SourceError
from pipelines.sources.extracts import EXTRACTS_FOLDER, read_extract
from pipelines.sources.intake import PROVENANCE
from pipelines.warehouse.store import Warehouse
from pipelines.wiring import use_web, web_of
from tests.support import Loopback

CHANGING, FAILING = "owid_carbon_intensity", "epoch_ml_hardware"
FAR = "2999-01-01T00:00:00Z"


@pytest.fixture
def home(book, tmp_path, monkeypatch) -> Path:
    """A book of its own in which only the two sources are due."""
    place = tmp_path / "home"
    shutil.copytree(book, place)
    monkeypatch.setenv("JOULEBOOK_HOME", str(place))
    monkeypatch.setenv("DAGSTER_HOME", str(place / "dagster"))
    monkeypatch.setattr(http, "FIRST_PAUSE_S", 0.01)
    for path in (place / "taken").glob("*.json"):
        if path.stem not in (CHANGING, FAILING):
            path.write_text(json.dumps(json.loads(path.read_text()) | {"answered_at_utc": FAR}))
    return place


def published_bytes(first_value: float | None = None) -> bytes:
    """The file of CHANGING as its extract has it, with another first figure where one is given."""
    from assets.raw import owid_carbon_intensity as module

    frame = read_extract(EXTRACTS_FOLDER / f"{CHANGING}.csv", module.TABLE.schema)[1]
    text = io.StringIO()
    in_order = frame.sort(pl.col("locator").str.extract(r"(\d+)").cast(int))
    names = ["Entity", "Code", "Year", module.VALUE, module.REGION]
    rows = [list(row) for row in in_order.select(names).iter_rows()]
    if first_value is not None:
        rows[-1][3] = first_value
    writer = csv.writer(text)
    writer.writerow([*names[:3], f"{module.VALUE} ({in_order['unit'][0]})", module.REGION])
    writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
    return text.getvalue().encode()


class Days:
    """Ticks of the schedule and of what follows it, as the daemon makes them, each in a run of its own."""

    def __init__(self, home: Path, instance: dg.DagsterInstance) -> None:
        self.home, self.instance = home, instance
        self.now = datetime.now(UTC)
        self.repository = defs.get_repository_def()
        self.cursor = dg.evaluate_automation_conditions(defs, instance).cursor

    def tick(self) -> tuple[set[str], set[str]]:
        """The tables that the schedule made, and those that followed."""
        self.now += timedelta(days=400)
        use_web(self.home, web_of(load_catalogue()))
        context = dg.build_schedule_context(
            self.instance, scheduled_execution_time=self.now, repository_def=self.repository
        )
        (request,) = defs.resolve_schedule_def("daily").evaluate_tick(context).run_requests
        taken = self._run(request.asset_selection, request.tags, request.asset_check_keys)
        found = dg.evaluate_automation_conditions(defs, self.instance, cursor=self.cursor)
        wanted = [key for key in self.repository.asset_graph.get_all_asset_keys() if found.get_num_requested(key)]
        followed = self._run(wanted, {automation.STARTED_BY: "after_new_figures"}) if wanted else set()
        again = dg.evaluate_automation_conditions(defs, self.instance, cursor=found.cursor)
        assert again.total_requested == 0, "what followed was not all that hangs on what changed"
        self.cursor = again.cursor
        return taken, followed

    def _run(self, keys: list[dg.AssetKey], tags: dict[str, str], checks: list | None = None) -> set[str]:
        job = defs.resolve_job_def("refresh").get_subset(
            asset_selection=set(keys), asset_check_selection=set(checks) if checks else None
        )
        run = job.execute_in_process(instance=self.instance, tags=tags)
        events = self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        return {".".join(entry.dagster_event.asset_key.path) for entry in events}

    def check(self, source_id: str, name: str) -> dg.AssetCheckEvaluation:
        return self.check_of(automation.source_key(source_id), name)

    def check_of(self, asset: dg.AssetKey, name: str) -> dg.AssetCheckEvaluation:
        key = dg.AssetCheckKey(asset, name)
        record = self.instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
        return record.event.dagster_event.asset_check_evaluation_data


def downstream(source_id: str) -> set[str]:
    keys = automation.with_downstream(defs.resolve_job_def("refresh"), [source_id])
    return {".".join(key.path) for key in keys} - {load_catalogue()[source_id].parser}


def carbon_in_the_file(home: Path) -> set[float]:
    with duckdb.connect(str(home / "joulebook.duckdb"), read_only=True) as book:
        return {row[0] for row in book.execute("select carbon_gco2e_per_kwh from grids").fetchall()}


def test_three_days(home):
    document = load_catalogue()[CHANGING].documents[0]
    with Loopback() as server, pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.get() as instance:
        patch.setenv("JOULEBOOK_MIRROR", server.address)
        server.serve(str(load_catalogue()[FAILING].documents[0].url), b"", status=500)
        days = Days(home, instance)
        by_hand = {"raw." + CHANGING, "raw." + FAILING, "raw.snapshots"}
        # what hangs on the changed source; raw.snapshots itself is made with the sources
        hangs = (downstream(CHANGING) | {"core.sources"}) - {"raw.snapshots"}
        since = []
        for content, expected in ((published_bytes(), hangs), (published_bytes(123.456), hangs), (None, set())):
            if content is not None:
                server.serve(str(document.url), content, headers={"ETag": f'"{len(since)}"'})
            taken, followed = days.tick()
            assert taken == by_hand
            assert followed == expected
            failing = days.check(FAILING, ANSWERED)
            assert not failing.passed
            since.append(failing.description.split(":")[0])
            assert "No answer since" in failing.description
            assert "Next: open https://epoch.ai/" in failing.description
            assert days.check(CHANGING, ANSWERED).passed
            assert days.check(CHANGING, ACCEPTED).passed
            book_of_all = days.check_of(dg.AssetKey(["published", "joulebook"]), CURRENT)
            assert set(book_of_all.metadata) == {FAILING}, "said on days that publish nothing too"
            assert book_of_all.metadata[FAILING].value == failing.description
        assert len(set(since)) == 1
        assert 123.456 in carbon_in_the_file(home)
        assert days.tick()[1] == set(), "a fourth day of equal bytes"


def test_figures_that_checks_downstream_refuse_are_held_and_the_others_go_on(home):
    """One throughput that the paper's figures do not fit, in a file that keeps its own contract."""
    from assets.raw.oviedo_throughput import TABLE

    source_id = "oviedo_throughput"
    text = read_extract(EXTRACTS_FOLDER / f"{source_id}.csv", TABLE.schema)[1].drop(*PROVENANCE).write_csv()
    job, sensor = defs.resolve_job_def("refresh"), defs.resolve_sensor_def("refused_figures")
    keys = automation.with_downstream(job, [source_id])
    with Loopback() as server, pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.get() as instance:
        patch.setenv("JOULEBOOK_MIRROR", server.address)
        url = str(load_catalogue()[source_id].documents[0].url)
        server.serve(url, text.replace(",4572.23,", ",5572.23,").encode())
        use_web(home, web_of(load_catalogue()))
        config = {"ops": {"refresh_one_source": {"config": {"source_id": source_id}}}}
        failed = defs.resolve_job_def("refresh_source").execute_in_process(
            instance=instance, run_config=config, raise_on_error=False
        )
        (stopped,) = failed.filter_events(lambda event: event.is_step_failure)
        assert "estimates.paper_reproduction" in stopped.step_failure_data.user_failure_data.description
        (event,) = failed.filter_events(lambda event: event.event_type == dg.DagsterEventType.RUN_FAILURE)
        run = instance.get_run_by_id(failed.run_id)
        context = dg.build_run_status_sensor_context(
            sensor.name, event, instance, run, repository_def=defs.get_repository_def()
        )
        request = sensor(context.for_run_failure())
        selection = sorted(request.asset_selection, key=str)
        assert {key.to_user_string() for key in selection} == {key.to_user_string() for key in keys}
        done = job.execute_in_process(
            instance=instance, asset_selection=selection, run_config=request.run_config, tags=request.tags
        )
        assert done.success
        held = Days(home, instance).check(source_id, ACCEPTED)
        assert not held.passed
        assert "not accepted: estimates.paper_reproduction" in held.description
        assert f"launch the job refresh_source for {source_id}" in held.description


def test_a_source_within_its_cadence_is_not_asked(home):
    for source_id in (CHANGING, FAILING):
        path = home / "taken" / f"{source_id}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"answered_at_utc": FAR}))
    with dg.DagsterInstance.get() as instance:
        context = dg.build_schedule_context(
            instance, scheduled_execution_time=datetime.now(UTC), repository_def=defs.get_repository_def()
        )
        tick = defs.resolve_schedule_def("daily").evaluate_tick(context)
        assert not tick.run_requests
        assert "no source is due" in tick.skip_message


def daily_tick(instance: dg.DagsterInstance, at: datetime) -> dg.SensorEvaluationContext:
    context = dg.build_schedule_context(instance, scheduled_execution_time=at, repository_def=defs.get_repository_def())
    return defs.resolve_schedule_def("daily").evaluate_tick(context)


def test_after_days_without_the_daemon_a_source_is_asked_once(home):
    """Dagster makes up for missed ticks all at once, before the run of the first has begun."""
    now = datetime.now(UTC)
    with dg.DagsterInstance.get() as instance:
        ticks = [daily_tick(instance, now - timedelta(days=days, hours=3)) for days in (3, 2, 1, 0)]
        assert [len(tick.run_requests or ()) for tick in ticks] == [0, 0, 0, 1]
        assert "the tick of a later day" in ticks[0].skip_message
        (request,) = ticks[-1].run_requests
        waiting = instance.create_run_for_job(defs.resolve_job_def("refresh"), tags=request.tags)
        assert waiting.run_id in daily_tick(instance, now).skip_message
        instance.report_run_canceled(waiting)
        assert daily_tick(instance, now).run_requests


def test_figures_whose_check_did_not_run_go_no_further_and_are_taken_again(home, monkeypatch):
    """The run that made the table breaks off in its check; then one is cancelled before it."""
    source = automation.source_key(CHANGING)
    with Loopback() as server, dg.DagsterInstance.get() as instance:
        monkeypatch.setenv("JOULEBOOK_MIRROR", server.address)
        server.serve(str(load_catalogue()[CHANGING].documents[0].url), published_bytes(321.5))
        use_web(home, web_of(load_catalogue()))
        now = datetime.now(UTC).replace(hour=6)
        first = dg.evaluate_automation_conditions(defs, instance, evaluation_time=now)
        grids, file = dg.AssetKey(["core", "grids"]), dg.AssetKey(["published", "joulebook"])
        made = [source, dg.AssetKey(["raw", "snapshots"]), dg.AssetKey(["core", "sources"]), grids]
        mark_checked = Warehouse.mark_checked
        with monkeypatch.context() as patch:
            patch.setattr(
                Warehouse,
                "mark_checked",
                lambda self, name, version: (broken if name == "core.grids" else mark_checked)(self, name, version),
            )
            job = defs.resolve_job_def("refresh")
            assert not job.execute_in_process(instance=instance, asset_selection=made, raise_on_error=False).success
        second = dg.evaluate_automation_conditions(defs, instance, cursor=first.cursor, evaluation_time=now + HOUR)
        assert not second.get_num_requested(dg.AssetKey(["estimates", "carbon_and_water"]))
        assert not second.get_num_requested(file), "it would accept the figures that were not checked"
        third = dg.evaluate_automation_conditions(defs, instance, cursor=second.cursor, evaluation_time=now + 24 * HOUR)
        assert not third.get_num_requested(source)
        assert third.get_num_requested(grids), "the next day"
        assert third.get_num_requested(file)
        instance.report_runless_asset_event(dg.AssetMaterialization(source))
        fourth = dg.evaluate_automation_conditions(defs, instance, cursor=third.cursor, evaluation_time=now + 25 * HOUR)
        assert fourth.get_num_requested(source), "at once"
        fifth = dg.evaluate_automation_conditions(defs, instance, cursor=fourth.cursor, evaluation_time=now + 26 * HOUR)
        assert not fifth.get_num_requested(source), "once"


HOUR = timedelta(hours=1)


def broken(*_: object) -> None:
    raise ZeroDivisionError("broken off")


def test_a_failure_that_is_not_of_the_figures_does_not_refuse_them(home, monkeypatch):
    (home / "candidates").mkdir(exist_ok=True)
    (home / "candidates" / f"{CHANGING}.csv").write_text("not asked for")
    sensor = defs.resolve_sensor_def("refused_figures")
    with dg.DagsterInstance.get() as instance:
        monkeypatch.setattr(wiring, "digest_of", broken)
        failed = defs.resolve_job_def("refresh").execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(["raw", "fleets"])], raise_on_error=False
        )
        (event,) = failed.filter_events(lambda event: event.event_type == dg.DagsterEventType.RUN_FAILURE)
        context = dg.build_run_status_sensor_context(
            sensor.name, event, instance, instance.get_run_by_id(failed.run_id),
            repository_def=defs.get_repository_def(),
        )  # fmt: skip
        skipped = sensor(context.for_run_failure())
        assert (
            skipped.skip_message
            == "it failed for another reason than new figures: raw.fleets: ZeroDivisionError: broken off"
        )


def test_an_edit_is_read_again_after_a_cancelled_run_and_not_after_a_failed_one(home, monkeypatch):
    real, fleets = automation.digest_of, dg.AssetKey(["raw", "fleets"])
    sensor, job = defs.resolve_sensor_def("edited_files"), defs.resolve_job_def("refresh")
    monkeypatch.setattr(automation, "digest_of", lambda path: "edited" if path.name == "fleets.csv" else real(path))
    with dg.DagsterInstance.get() as instance:
        context = dg.build_sensor_context(instance, repository_def=defs.get_repository_def())
        (first,) = sensor.evaluate_tick(context).run_requests
        run = instance.create_run_for_job(job, tags=first.tags)
        instance.handle_new_event(reported(run, dg.DagsterEventType.RUN_START))
        assert run.run_id in sensor.evaluate_tick(context).skip_message
        instance.report_run_canceled(run)
        (second,) = sensor.evaluate_tick(context).run_requests
        assert second.run_key != first.run_key
        job.execute_in_process(instance=instance, asset_selection=[fleets], tags=second.tags)
        # the same edit once more: the table was made of something else meanwhile
        (third,) = sensor.evaluate_tick(context).run_requests
        assert third.run_key not in (first.run_key, second.run_key)
        with monkeypatch.context() as patch:
            patch.setattr(wiring, "digest_of", broken)
            job.execute_in_process(instance=instance, asset_selection=[fleets], tags=third.tags, raise_on_error=False)
        assert "tried and failed: assets/reference/fleets.csv" in sensor.evaluate_tick(context).skip_message


def test_an_edited_file_is_read_anew_and_others_are_not(home, monkeypatch):
    monkeypatch.setattr(automation, "digest_of", lambda path: "edited" if path.name == "fleets.csv" else real(path))
    from pipelines.wiring import digest_of as real

    with dg.DagsterInstance.get() as instance:
        context = dg.build_sensor_context(instance, repository_def=defs.get_repository_def())
        found = defs.resolve_sensor_def("edited_files").evaluate_tick(context)
        (request,) = found.run_requests
        assert request.asset_selection == [dg.AssetKey(["raw", "fleets"])]
        again = defs.resolve_sensor_def("edited_files").evaluate_tick(context).run_requests
        assert [request.run_key] == [one.run_key for one in again]
        monkeypatch.setattr(automation, "digest_of", real)
        assert not defs.resolve_sensor_def("edited_files").evaluate_tick(context).run_requests


def test_refresh_source_makes_one_source_and_what_hangs_on_it(home):
    with dg.DagsterInstance.get() as instance:
        config = {"ops": {"refresh_one_source": {"config": {"source_id": CHANGING, "offline": True}}}}
        done = defs.resolve_job_def("refresh_source").execute_in_process(instance=instance, run_config=config)
        assert done.success
        (child,) = instance.get_runs(dg.RunsFilter(tags={PART_OF: done.run_id}))
        events = instance.all_logs(child.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        made = {".".join(entry.dagster_event.asset_key.path) for entry in events}
        assert made == downstream(CHANGING) | {f"raw.{CHANGING}"}


def test_a_run_that_a_kill_left_as_started_does_not_hold_the_queue(home, monkeypatch):
    with dg.DagsterInstance.get() as instance:
        job = defs.resolve_job_def("publish")
        command = instance.create_run_for_job(job, tags={runs.STARTED_BY: runs.COMMAND_LINE})
        others = [instance.create_run_for_job(job) for _ in range(2)]
        for run in (command, *others):
            instance.handle_new_event(reported(run, dg.DagsterEventType.RUN_START))
        instance.handle_new_event(reported(others[1], dg.DagsterEventType.RUN_CANCELING))

        def states() -> list[str]:
            return [instance.get_run_by_id(run.run_id).status.value for run in (command, *others)]

        assert runs.end_dead_runs(instance, home) == [], "they may not have taken the home yet"
        monkeypatch.setattr(runs, "YOUNG", timedelta(0))
        monkeypatch.setattr(runs, "SETTLE_S", 0.01)
        with monkeypatch.context() as patch:
            patch.setattr(runs, "is_free", lambda _: False)
            assert runs.end_dead_runs(instance, home) == []
        runs.end_dead_commands(instance)
        assert states() == ["FAILURE", "STARTED", "CANCELING"]
        tick = defs.resolve_sensor_def("dead_runs").evaluate_tick(dg.build_sensor_context(instance))
        assert others[0].run_id in tick.skip_message
        assert states() == ["FAILURE", "FAILURE", "CANCELED"]


def reported(run: dg.DagsterRun, event_type: dg.DagsterEventType) -> dg.EventLogEntry:
    event = dg.DagsterEvent(event_type.value, run.job_name)
    return dg.EventLogEntry(None, 10, "", run.run_id, datetime.now(UTC).timestamp(), None, run.job_name, event)


def test_a_home_is_held_by_one_process(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys, pathlib; from pipelines.alone import alone\n"
        "with alone(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "held\n"
        assert not is_free(tmp_path)
        with pytest.raises(SourceError, match="another refresh is at work here"), alone(tmp_path, wait_s=0.1):
            pass
    finally:
        other.communicate()
    assert is_free(tmp_path)
