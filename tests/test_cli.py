"""The home that the command line makes for Dagster: its settings, and events that move with it."""

import shutil

import dagster as dg
import pytest

from pipelines.cli import DAGSTER_SETTINGS, _dagster_home


@pytest.mark.parametrize(
    "earlier", [None, DAGSTER_SETTINGS + "\n", "telemetry:\n  enabled: false\nnux:\n  enabled: true\n"]
)
def test_settings_of_ours_are_those_of_today(tmp_path, earlier):
    if earlier is not None:
        (tmp_path / "dagster").mkdir()
        (tmp_path / "dagster" / "dagster.yaml").write_text(earlier, encoding="utf-8")
    assert (_dagster_home(tmp_path) / "dagster.yaml").read_text(encoding="utf-8") == DAGSTER_SETTINGS


def test_settings_of_the_owner_stay(tmp_path):
    own = "run_coordinator:\n  module: dagster.core.run_coordinator\n  class: QueuedRunCoordinator\n"
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text(own, encoding="utf-8")
    assert (_dagster_home(tmp_path) / "dagster.yaml").read_text(encoding="utf-8") == own


@dg.op
def nothing() -> None:
    return None


@dg.job
def a_job() -> None:
    nothing()


def n_events(home, monkeypatch) -> int:
    """Events in the log of a home, after one more run there."""
    monkeypatch.setenv("DAGSTER_HOME", str(_dagster_home(home)))
    with dg.DagsterInstance.get() as instance:
        run = a_job.execute_in_process(instance=instance)
        assert instance.all_logs(run.run_id)
        return sum(len(instance.all_logs(record.dagster_run.run_id)) for record in instance.get_run_records())


def test_a_copied_home_writes_into_its_own_log(tmp_path, monkeypatch):
    first = n_events(tmp_path / "one", monkeypatch)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    kept = (tmp_path / "one" / "dagster" / "history" / "event_log.db").stat().st_mtime_ns
    assert n_events(tmp_path / "two", monkeypatch) == 2 * first
    assert (tmp_path / "one" / "dagster" / "history" / "event_log.db").stat().st_mtime_ns == kept
    assert n_events(tmp_path / "one", monkeypatch) == 2 * first
