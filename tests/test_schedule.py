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

from pipelines import automation
from pipelines.alone import alone, is_free
from pipelines.definitions import defs
from pipelines.shown import ACCEPTED, ANSWERED
from pipelines.sources import http
from pipelines.sources.catalogue import load_catalogue
from pipelines.sources.errors import SourceError
from pipelines.sources.extracts import EXTRACTS_FOLDER, read_extract
from pipelines.sources.intake import PROVENANCE
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
        taken = self._run(request.asset_selection, request.tags)
        found = dg.evaluate_automation_conditions(defs, self.instance, cursor=self.cursor)
        wanted = [key for key in self.repository.asset_graph.get_all_asset_keys() if found.get_num_requested(key)]
        followed = self._run(wanted, {automation.STARTED_BY: "after_new_figures"}) if wanted else set()
        again = dg.evaluate_automation_conditions(defs, self.instance, cursor=found.cursor)
        assert again.total_requested == 0, "what followed was not all that hangs on what changed"
        self.cursor = again.cursor
        return taken, followed

    def _run(self, keys: list[dg.AssetKey], tags: dict[str, str]) -> set[str]:
        job = defs.resolve_job_def("refresh")
        run = job.execute_in_process(instance=self.instance, asset_selection=list(keys), tags=tags)
        events = self.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        return {".".join(entry.dagster_event.asset_key.path) for entry in events}

    def check(self, source_id: str, name: str) -> dg.AssetCheckEvaluation:
        key = dg.AssetCheckKey(automation.source_key(source_id), name)
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
        failed = job.execute_in_process(instance=instance, asset_selection=keys, raise_on_error=False)
        assert not failed.success
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
        assert "estimates.paper_reproduction" in held.description
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


def test_an_edited_file_is_read_anew_and_others_are_not(home, monkeypatch):
    monkeypatch.setattr(automation, "digest_of", lambda path: "edited" if path.name == "fleets.csv" else real(path))
    from pipelines.wiring import digest_of as real

    with dg.DagsterInstance.get() as instance:
        context = dg.build_sensor_context(instance, repository_def=defs.get_repository_def())
        found = defs.resolve_sensor_def("edited_files").evaluate_tick(context)
        (request,) = found.run_requests
        assert request.asset_selection == [dg.AssetKey(["raw", "fleets"])]
        monkeypatch.setattr(automation, "digest_of", real)
        assert not defs.resolve_sensor_def("edited_files").evaluate_tick(context).run_requests


def test_refresh_source_makes_one_source_and_what_hangs_on_it(home):
    with dg.DagsterInstance.get() as instance:
        config = {"ops": {"refresh_one_source": {"config": {"source_id": CHANGING, "offline": True}}}}
        done = defs.resolve_job_def("refresh_source").execute_in_process(instance=instance, run_config=config)
        assert done.success
        (child,) = instance.get_runs(dg.RunsFilter(tags={"dagster/parent_run_id": done.run_id}))
        events = instance.all_logs(child.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        made = {".".join(entry.dagster_event.asset_key.path) for entry in events}
        assert made == downstream(CHANGING) | {f"raw.{CHANGING}"}


def test_a_run_that_a_kill_left_as_started_does_not_hold_the_queue(home):
    with dg.DagsterInstance.get() as instance:
        job = defs.resolve_job_def("publish")
        run = instance.create_run_for_job(job, tags={automation.STARTED_BY: automation.COMMAND_LINE})
        instance.handle_new_event(started(run))
        with alone(home):
            pass
        automation.end_dead_runs(instance, home)
        assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE


def started(run: dg.DagsterRun) -> dg.EventLogEntry:
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name)
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
