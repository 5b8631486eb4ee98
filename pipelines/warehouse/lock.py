"""One writer at a time in a home."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.sources.errors import SourceError


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Nobody else refreshes, names or removes releases meanwhile. Raises SourceError where somebody does.

    The system lets go of the lock when the process ends, however it ends.
    """
    with (home / "refresh.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            problem = "another refresh is at work here"
            raise SourceError("JOULEBOOK_HOME", str(home), problem, "Wait until it has ended.") from error
        yield
