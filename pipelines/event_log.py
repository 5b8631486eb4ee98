"""Where Dagster keeps the events of its runs: its consolidated SQLite storage with one engine for all of them.

Dagster's own opens a new engine for each of the some 700 events and compiles each statement anew: that was
half of a refresh. Nothing of ours is stored or read here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from dagster._core.storage.event_log.sqlite.consolidated_sqlite_event_log import ConsolidatedSqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine, event

BUSY_TIMEOUT_S = 60


class EventLog(ConsolidatedSqliteEventLogStorage):
    """The storage that dagster.yaml of a home names."""

    @cached_property
    def _engine(self) -> Engine:
        engine = create_engine(self._conn_string, connect_args={"timeout": BUSY_TIMEOUT_S})

        @event.listens_for(engine, "connect")
        def _be_quick(connection: Any, _record: object) -> None:
            # with the write-ahead log a crash may lose the last events, and never spoils the file
            connection.execute("PRAGMA synchronous=NORMAL")

        return engine

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection
