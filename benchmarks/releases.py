"""What a long history costs: `python benchmarks/releases.py [N]`, from a refreshed warehouse.

Each of N releases moves a quarter of all estimates (another PUE). Printed: time to publish after the first and the
last, and time of `joulebook releases`.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from assets.published.joulebook import contents
from assets.published.views import VIEWS
from pipelines.warehouse.publish import publish
from pipelines.warehouse.releases import Releases
from pipelines.warehouse.store import Warehouse
from tests.warehouse.publishing import release, with_pue

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
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree("warehouse", home)
        warehouse, kept = Warehouse(home), Releases(home)

        def publish_all() -> None:
            publish(home, contents(kept, warehouse), VIEWS)

        def list_all() -> None:
            subprocess.run([COMMAND, "releases", "--home", home], check=True, stdout=subprocess.DEVNULL)

        few = len(kept.all())
        print(f"{few} releases: publish {seconds(publish_all):.2f} s, joulebook releases {seconds(list_all):.2f} s")
        for i in range(few, n):
            with_pue(warehouse, 1.2 + 0.01 * (i % 30) + 0.0001 * i)
            release(home)
        size = sum(path.stat().st_size for path in {p.stat().st_ino: p for p in home.rglob("*.parquet")}.values())
        print(f"{n} releases: publish {seconds(publish_all):.2f} s, joulebook releases {seconds(list_all):.2f} s")
        published = (home / "joulebook.duckdb").stat().st_size
        print(f"Parquet of all releases {size / 1e6:.0f} MB, {published / 1e6:.0f} MB published")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
