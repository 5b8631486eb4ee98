"""Validation in a second process beside the run: Great Expectations is imported and works there meanwhile.

Importing it costs over three seconds and running the suites as much again, all in the interpreter. Measured on two
cores, one offline refresh: 20 s in one process, 14 s so. Without `beside()` everything happens in the process of the
run; the results are the same. A plain process with two pipes, because a pool
starts a failing worker again for ever and never answers when one dies.
"""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from queue import SimpleQueue

import polars as pl

from pipelines.tables.contract import Table
from pipelines.tables.validate import Failure, ValidatorError, prepare, validate

DEADLINE_S = 300
"""A suite takes a fraction of a second, the import of the validator a few."""
_worker: "_Worker | None" = None
_announced: dict[tuple[str, str], Future] = {}


class _Worker:
    """The second process: frames go in by a thread of their own, so that nobody waits for it to be ready."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "pipelines.tables.beside"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.requests: SimpleQueue = SimpleQueue()
        self.waiting: SimpleQueue = SimpleQueue()
        for work in (self._send, self._receive):
            threading.Thread(target=work, daemon=True).start()

    def submit(self, table: Table, frame: pl.DataFrame) -> "Future[list[Failure]]":
        request = pickle.dumps((table, frame))  # here, so that what cannot be sent fails where it was asked
        future: Future = Future()
        self.waiting.put(future)
        self.requests.put(request)
        return future

    def _send(self) -> None:
        try:
            while True:
                self.process.stdin.write(self.requests.get())
                self.process.stdin.flush()
        except OSError:
            return  # the process ended: the receiver says so

    def _receive(self) -> None:
        while True:
            future = self.waiting.get()
            try:
                answer = pickle.load(self.process.stdout)
            except (EOFError, OSError, pickle.UnpicklingError):
                answer = ValidatorError(f"the validating process ended with status {self.process.wait()}")
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)


@contextmanager
def beside() -> Iterator[None]:
    """While this is open, validation runs in a process of its own, which starts to import at once.

    Opened again inside, the worker is the same.
    """
    global _worker  # noqa: PLW0603  (the process of a run has one worker)
    if _worker is not None:
        yield
        return
    _worker = _Worker()
    try:
        yield
    finally:
        _worker.process.kill()
        _worker.process.wait()
        _worker = None
        _announced.clear()


def announce(table: Table, frame: pl.DataFrame, version: str) -> None:
    """Start validating a frame that a check will ask about soon; `version` identifies its values."""
    if _worker is not None:
        _announced[table.name, version] = _worker.submit(table, frame)


def failures_of(table: Table, frame: pl.DataFrame, version: str | None = None) -> list[Failure]:
    """What `validate` says of the frame, from the announced work where it is about the same values."""
    if _worker is None:
        return validate(table, frame)
    announced = _announced.pop((table.name, version), None) if version else None
    try:
        return (announced or _worker.submit(table, frame)).result(DEADLINE_S)
    except TimeoutError as error:
        raise ValidatorError(f"{table.name}: the validating process gave no answer in {DEADLINE_S} s") from error


def _serve() -> None:
    """The second process: requests on standard input, answers on standard output, which nothing else may use."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    prepare()
    while True:
        try:
            table, frame = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer: list[Failure] | Exception = validate(table, frame)
        except Exception as error:
            answer = ValidatorError(f"{table.name}: {error}")
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    _serve()
