"""Tables at rest: one Parquet file a table below the home folder, written aside and renamed."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.sources.snapshots import write_atomically
from pipelines.tables.contract import Table

SIGNIFICANT_DIGITS = 12


@dataclass(frozen=True)
class Warehouse:
    """The tables of one home."""

    home: Path

    def path(self, name: str) -> Path:
        """Where `layer.table` lies."""
        layer, table = name.split(".")
        return self.home / "tables" / layer / f"{table}.parquet"

    def read(self, name: str) -> pl.DataFrame:
        """The table; raises FileNotFoundError where it was never made."""
        return pl.read_parquet(self.path(name), glob=False)

    def write(self, table: Table, frame: pl.DataFrame) -> pl.DataFrame:
        """Conform and store; returns what was stored. Raises TableError before anything is written."""
        frame = table.conform(frame)
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        write_atomically(self.path(table.name), buffer.getvalue())
        return frame

    def mark_checked(self, name: str, version: str) -> None:
        """Note that the table with this content passed its blocking checks."""
        write_atomically(self._checked(name), version.encode())

    def is_checked(self, name: str) -> bool:
        """Whether the table as it lies there passed its blocking checks."""
        path = self._checked(name)
        return path.exists() and path.read_text(encoding="utf-8") == content_version(self.read(name))

    def _checked(self, name: str) -> Path:
        return self.home / "checked" / name


def content_version(frame: pl.DataFrame) -> str:
    """sha256 of the typed values as canonical text: equal values, equal version, whatever wrote the file.

    Floats are rounded to 12 significant digits, because their last bits differ between machines. The frame comes
    from Table.conform, so columns and rows are already in order.
    """
    floats = pl.selectors.float()
    canonical = frame.with_columns(floats.round_sig_figs(SIGNIFICANT_DIGITS)).write_csv()
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()
