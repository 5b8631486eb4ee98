"""Starting the Dagster UI and its daemon on this machine alone. What they show is for the assets and `shown` to say."""

import fcntl
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from pipelines.sources.catalogue import REPOSITORY

LOOPBACK = "127.0.0.1"
SCHEDULE_SWITCH = "JOULEBOOK_SCHEDULE"
"""Read where the code location loads: schedule and sensors start switched on or off."""


class UiError(Exception):
    """Why the UI cannot start here, in a line."""


def prepare(home: Path, port: int) -> None:
    """Hold the home's UI and look at its port, before anything is said of them. Raises UiError.

    Two UIs on a home would be two daemons on one history: each would start what the other starts. Runs that the last
    one left at work when it was killed are ended.
    """
    _hold(home / "dagster" / "ui.lock", f"http://{LOOPBACK}:{port}")
    _refuse_taken(port)
    import dagster as dg  # noqa: PLC0415  (a second, which a UI that cannot start need not take)

    from pipelines.runs import end_dead_runs  # noqa: PLC0415

    with dg.DagsterInstance.get() as instance:
        end_dead_runs(instance, home)


def _hold(path: Path, address: str) -> None:
    """A lock that goes over to the program that this process becomes, and ends with it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        other = os.read(lock, 200).decode(errors="replace").strip()
        os.close(lock)
        raise UiError(f"{path.parents[1]} is open in another UI, {other}: look there, or end it first") from error
    os.ftruncate(lock, 0)
    os.write(lock, address.encode())
    os.set_inheritable(lock, True)


def serve(home: Path, port: int, schedule: bool) -> NoReturn:
    """Become `dagster dev`: web server, daemon and code location in one process group, ended by Ctrl-C."""
    os.environ[SCHEDULE_SWITCH] = "on" if schedule else "off"
    dagster = Path(sys.executable).with_name("dagster")
    arguments = ["dev", "-w", str(REPOSITORY / "workspace.yaml"), "-h", LOOPBACK, "-p", str(port)]
    os.chdir(home)  # what Dagster leaves behind lies in the home
    os.execv(dagster, [str(dagster), *arguments])


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            problem = f"port {port} of {LOOPBACK} cannot be had ({error.strerror}): end what listens there, or give"
            raise UiError(f"{problem} --port") from error
