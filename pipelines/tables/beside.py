"""Validation in a second process beside the run: Great Expectations is imported and works there meanwhile.

Importing it costs over three seconds and running the suites as much again, all in the interpreter. Measured on two
cores, one offline refresh: 20 s in one process, 14 s so. Without `beside()` (a run started from the Dagster UI)
everything happens in the process of the run; the results are the same.
"""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.pool import AsyncResult, Pool

import polars as pl

from pipelines.tables.contract import Table
from pipelines.tables.validate import Failure, ValidatorError, prepare, validate

DEADLINE_S = 300
"""A worker that died answers nothing; a suite takes a fraction of a second, the import of the validator a few."""

_Key = tuple[str, str]
_worker: Pool | None = None
_pending: dict[_Key, AsyncResult] = {}


@contextmanager
def beside() -> Iterator[None]:
    """While this is open, validation runs in a process of its own, which starts to import at once."""
    global _worker  # noqa: PLW0603  (the process of a run has one worker)
    _worker = multiprocessing.get_context("spawn").Pool(1, initializer=prepare)
    try:
        yield
    finally:
        _worker.terminate()
        _worker.join()
        _worker = None
        _pending.clear()


def announce(table: Table, frame: pl.DataFrame, version: str) -> None:
    """Start validating a frame that a check will ask about soon; `version` identifies its values."""
    if _worker is not None:
        _pending[table.name, version] = _worker.apply_async(validate, (table, frame))


def failures_of(table: Table, frame: pl.DataFrame, version: str | None = None) -> list[Failure]:
    """What `validate` says of the frame, from the announced work where it is about the same values."""
    if _worker is None:
        return validate(table, frame)
    announced = _pending.pop((table.name, version), None) if version else None
    try:
        return (announced or _worker.apply_async(validate, (table, frame))).get(DEADLINE_S)
    except multiprocessing.TimeoutError as error:
        raise ValidatorError(f"{table.name}: the validating process gave no answer in {DEADLINE_S} s") from error
