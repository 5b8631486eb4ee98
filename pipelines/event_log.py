"""Where Dagster keeps the events of its runs: its consolidated SQLite storage with one engine for all of them.

Dagster's own opens a new engine for each of the some 700 events and compiles each statement anew: that was
half of a refresh. Nothing of ours is stored or read here.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from dagster._core.storage.event_log.sqlite.consolidated_sqlite_event_log import ConsolidatedSqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event

BUSY_TIMEOUT_S = 60


class EventLog(ConsolidatedSqliteEventLogStorage):
    """The storage that dagster.yaml of a home names; its file lies below DAGSTER_HOME, wherever that was moved."""

    @classmethod
    def config_type(cls) -> dict:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        return cls(str(Path(os.environ["DAGSTER_HOME"]) / "history"), inst_data=inst_data, **config_value)

    @cached_property
    def _engine(self) -> Engine:
        engine = create_engine(self._conn_string, connect_args={"timeout": BUSY_TIMEOUT_S})

        @event.listens_for(engine, "connect")
        def _be_quick(connection: Any, _record: object) -> None:
            # with the write-ahead log a crash may lose the last events, and never spoils the file
            connection.execute("PRAGMA synchronous=NORMAL")

        return engine

    @cached_property
    def _tables(self) -> set[str]:
        """Tables that were found to be there; they do not go."""
        return set()

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection
