"""One run at a time in a home: two would publish each other's tables. The lock dies with the process that holds it.

What a run does, and the queue that Dagster's daemon keeps besides, belong elsewhere: this holds whatever started it.
"""

import fcntl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.sources.errors import SourceError

POLL_S = 0.5
_held: dict[Path, int] = {}
_guard = threading.Lock()


@contextmanager
def alone(home: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the home; a process that holds it already goes on at once. Raises SourceError after `wait_s` in vain."""
    home.mkdir(parents=True, exist_ok=True)
    with _guard:
        _held[home] = _held.get(home, 0) + 1
        is_first = _held[home] == 1
    try:
        with (home / "refresh.lock").open("w") as lock:
            if is_first:
                _take(lock, home, time.monotonic() + wait_s)
            yield
    finally:
        with _guard:
            _held[home] -= 1


def is_free(home: Path) -> bool:
    """Whether no process holds the home."""
    try:
        with alone(home):
            return True
    except SourceError:
        return False


def _take(lock: object, home: Path, until: float) -> None:
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if time.monotonic() >= until:
                problem = "another refresh is at work here"
                raise SourceError("home", str(home), problem, "Wait until it has ended.") from error
        time.sleep(POLL_S)
