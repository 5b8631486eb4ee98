"""The home that the command line makes for Dagster: its settings, events that move with it; and how the UI starts."""

import errno
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

from pipelines.cli import DAGSTER_SETTINGS, _dagster_home, main
from pipelines.home import FILE_NAME, REPOSITORY
from tests.support import joulebook


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


def test_a_second_ui_on_a_home_is_refused_in_a_line_that_names_the_first(tmp_path):
    code = (
        "import os, pathlib, sys; from pipelines.ui import _hold\n"
        "_hold(pathlib.Path(sys.argv[1]), 'http://127.0.0.1:3456')\n"
        "os.execvp('sh', ['sh', '-c', 'echo held; cat'])"
    )
    (tmp_path / "dagster").mkdir()
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "dagster" / "ui.lock")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY,
    )  # fmt: skip
    try:
        assert first.stdout.readline() == "held\n"
        refused = joulebook(tmp_path, "ui", "--port", "3457")
        assert refused.returncode == 2
        assert refused.stderr == (
            f"error: {tmp_path} is open in another UI, http://127.0.0.1:3456: look there, or end it first\n"
        )
        assert not refused.stdout
    finally:
        first.communicate()


def test_a_ui_that_cannot_start_says_so_before_it_gives_an_address(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        (tmp_path / "file").write_text("no folder")
        for arguments, home, said in (
            (["--port", port], tmp_path, f"error: port {port} of 127.0.0.1 cannot be had"),
            (["--port", "99999"], tmp_path, "99999 is not in the range"),
            (["--port", "3457"], tmp_path / "file" / "home", "error: [Errno 20] Not a directory"),
        ):
            refused = subprocess.run(
                [str(Path(sys.executable).with_name("joulebook")), "ui", *arguments, "--home", str(home)],
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert refused.returncode == 2
            assert said in refused.stderr
            assert "Traceback" not in refused.stderr
            assert not refused.stdout


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("insert", {}, sqlite3.OperationalError("database or disk is full")),
        duckdb.FatalException("FATAL Error: database has been invalidated\nand more"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_a_full_disk_is_one_line_and_the_file_of_before_stays(tmp_path, monkeypatch, error):
    (tmp_path / FILE_NAME).write_bytes(b"a book")

    def fails(*_: object, **_named: object) -> None:
        raise error

    monkeypatch.setattr("pipelines.refresh.run_refresh", fails)
    monkeypatch.setattr("pipelines.room.shutil.disk_usage", lambda _: shutil._ntuple_diskusage(2**30, 2**30, 0))
    # what the command sets for the processes that it starts is taken back after the test
    for name in ("JOULEBOOK_HOME", "DAGSTER_HOME", "GX_ANALYTICS_ENABLED"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr("gc.disable", lambda: None)
    done = CliRunner().invoke(main, ["refresh", "--offline", "--home", str(tmp_path)])
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: no space left in {tmp_path} (0 MB free): make room")
    assert line.endswith("the published file is as it was")


@pytest.mark.parametrize("text", ["", "\n"])
def test_settings_that_a_full_disk_emptied_are_written_anew(tmp_path, text):
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text(text, encoding="utf-8")
    assert (_dagster_home(tmp_path) / "dagster.yaml").read_text(encoding="utf-8") == DAGSTER_SETTINGS
