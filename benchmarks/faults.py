"""What a refresh costs when the web fails: each fault on every source at once, with the real deadlines.

    python benchmarks/faults.py ../shared/serve_mirror.py

The server answers with the published files, or with a fault (its own text lists them). Each fault is met by a refresh
in a home of its own. It prints seconds, memory, and whether the published tables are those of a refresh that asked
nobody; nothing passes or fails.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
from refresh import measured_refresh
from rich.console import Console
from rich.table import Table

from pipelines.warehouse.publish import FILE_NAME

FAULTS = (
    "404",
    "410",
    "429",
    "500",
    "503",
    "truncate",
    "garble",
    "html",
    "empty",
    "redirect",
    "endless",
    "slow",
    "hang",
)
HOW_IT_WAS_TAKEN = {"sources": ("state", "problem", "accepted_at_utc", "revised_on")}
"""Columns that say how a source was taken this time: they differ on purpose."""


def main(server: str) -> None:
    """Every fault, then a refresh where all is well and a second one with nothing new."""
    console = Console(highlight=False, markup=False, width=110)
    table = Table("every source answers with", "wall s", "peak MB: run", "validator", "tables as without the web")
    with tempfile.TemporaryDirectory() as folder:
        offline = Path(folder) / "offline"
        table.add_row("(nobody asked)", *_cells(offline, offline, "--offline"))
        for fault in FAULTS:
            home = Path(folder) / fault
            with _serving(server, fault) as address:
                table.add_row(fault, *_cells(home, offline, JOULEBOOK_MIRROR=address))
        home = Path(folder) / "well"
        with _serving(server, None) as address:
            for name in ("the published files", "the same again"):
                table.add_row(name, *_cells(home, offline, JOULEBOOK_MIRROR=address))
    console.print(table)


class _serving:  # noqa: N801  (reads as a statement)
    """The server with one fault on everything; its address."""

    def __init__(self, server: str, fault: str | None):
        self.command = [sys.executable, server, "--port", "0", *(["--fault", f"https={fault}"] if fault else [])]

    def __enter__(self) -> str:
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return self.process.stdout.readline().strip() if self.process.stdout else ""

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def _cells(home: Path, offline: Path, *how: str, **environment: str) -> list[str]:
    seconds, peaks = measured_refresh(home, *how, **environment)
    run, validator = peaks or (float("nan"), float("nan"))
    differing = [name for name in _tables(offline) if _rows(home, name) != _rows(offline, name)]
    return [f"{seconds:.1f}", f"{run:.0f}", f"{validator:.0f}", "yes" if not differing else ", ".join(differing)]


def _tables(home: Path) -> list[str]:
    with duckdb.connect(str(home / FILE_NAME), read_only=True) as published:
        return [name for (name,) in published.execute("select table_name from duckdb_tables() order by all").fetchall()]


def _rows(home: Path, name: str) -> list[tuple]:
    left_out = HOW_IT_WAS_TAKEN.get(name)
    columns = f"* exclude ({', '.join(left_out)})" if left_out else "*"
    with duckdb.connect(str(home / FILE_NAME), read_only=True) as published:
        return published.execute(f"select {columns} from {name} order by all").fetchall()


if __name__ == "__main__":
    main(*sys.argv[1:])
