"""Starting the Dagster UI and its daemon on this machine alone. What they show is for the assets and `shown` to say."""

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from pipelines.sources.catalogue import REPOSITORY

LOOPBACK = "127.0.0.1"
SCHEDULE_SWITCH = "JOULEBOOK_SCHEDULE"
"""Read where the code location loads: schedule and sensors start switched on or off."""


class PortTakenError(Exception):
    """Another program listens on the port."""


def serve(home: Path, port: int, schedule: bool) -> NoReturn:
    """Become `dagster dev`: web server, daemon and code location in one process group, ended by Ctrl-C."""
    _refuse_taken(port)
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
            raise PortTakenError(
                f"port {port} of {LOOPBACK} is taken: end what listens there, or give --port"
            ) from error
