"""What a long history costs: `python -m benchmarks.releases [N]`, from a refreshed warehouse.

Twice N releases: each moves the estimates of one release of TensorRT-LLM; or a quarter of all, as another PUE does.
Printed: time to publish after the first and the last, and of `joulebook releases`.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from assets.published.joulebook import contents
from assets.published.views import VIEWS
from pipelines.warehouse.publish import publish
from pipelines.warehouse.releases import Releases
from pipelines.warehouse.store import Warehouse
from tests.warehouse.publishing import release, with_pue, with_throughput

MOVED: dict[str, Callable[[Warehouse, int], None]] = {
    "one benchmark": lambda warehouse, i: with_throughput(
        warehouse, 1.1 if i % 2 else 1 / 1.1, pl.col("source_release") == "0.21"
    ),
    "another PUE": lambda warehouse, i: with_pue(warehouse, 1.2 + 0.01 * (i % 30) + 0.0001 * i),
}
COMMAND = Path(sys.executable).with_name("joulebook")


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """The least of several runs: what else the machine does comes on top."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return min(found)


def main(n: int) -> None:
    for what, move in MOVED.items():
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            shutil.copytree("warehouse", home)
            print(f"{n} releases, each of {what}")
            grow(home, n, move)


def grow(home: Path, n: int, move: Callable[[Warehouse, int], None]) -> None:
    """Release in `home` until there are `n`; print what publishing took before and after."""
    warehouse, kept = Warehouse(home), Releases(home)

    def print_times() -> None:
        publishing = seconds(lambda: publish(home, contents(kept, warehouse), VIEWS))
        listing = seconds(
            lambda: subprocess.run([COMMAND, "releases", "--home", home], check=True, stdout=subprocess.DEVNULL)
        )
        print(f"  {len(kept.all()):3} releases: publish {publishing:.2f} s, joulebook releases {listing:.2f} s")

    print_times()
    for i in range(len(kept.all()), n):
        move(warehouse, i)
        release(home)
    print_times()
    changed = kept.latest().manifest["changes"]["changed"]
    size = sum(path.stat().st_size for path in {p.stat().st_ino: p for p in home.rglob("*.parquet")}.values())
    published = (home / "joulebook.duckdb").stat().st_size
    print(f"  each {changed} estimates; Parquet {size / 1e6:.0f} MB, published {published / 1e6:.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
