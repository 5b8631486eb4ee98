"""How long a refresh takes and how much memory, how fast the energy code is, how long the code location loads.

`make bench` runs it. It prints a table; nothing passes or fails. Times are wall-clock seconds of this machine as it is:
other work on it counts.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import plain_numpy
import polars as pl
from rich.console import Console
from rich.table import Table

from assets.core.assumptions import Assumptions
from assets.estimates.blends import BLEND, blends_of
from assets.estimates.energy_per_query import energy_per_query_of
from assets.estimates.input_lengths import input_lengths_of
from assets.estimates.interventions import gains, interventions_of
from assets.estimates.profile import INTERVENTIONS, paper_energies, workloads
from assets.estimates.throughput_rules import PAPER_SOURCE, throughput_rules_of
from pipelines.energy.distribution import Distribution, quantiles_wh
from pipelines.energy.fleet import energy_gwh_per_day
from pipelines.energy.oviedo2026 import frontier_blend, pooled_mean_wh, with_intervention
from pipelines.energy.workloads import Workload
from pipelines.warehouse.store import Warehouse

REPOSITORY = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
RUNS = 3
DRAWS, MANY_DRAWS, SEED = 10_000, 1_000_000, 20260609
QUERIES_PER_DAY = 1e9
"""Of the paper's fleet."""
SAMPLE_EVERY_S = 0.02
KIB_PER_MB = 1e6 / 1024
NOTES = f"""\
Every time is the median of {RUNS} runs; the first refresh and {MANY_DRAWS:,} draws are run once.
Peak memory is the kernel's high-water mark of resident pages of each process (VmHWM of /proc), read until
it ends: `run` is the process of the command, `validator` its largest child, where Great Expectations works.
Libraries that both have loaded count in each, so the sum is an upper bound. n/a: there is no /proc.
`medians differ`, `all differ`: largest relative difference from ours, of medians, and of all figures."""
Figures = dict[tuple[str, ...], float]
Result = TypeVar("Result")


def main() -> None:
    """All parts, one after the other, in a temporary home."""
    console = Console(highlight=False, markup=False, width=110)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        console.print(_refresh_table(home), "")
        console.print(_energy_table(Warehouse(home)), "")
        console.print(_loading_table(home), "")
    console.print(NOTES)


# Whole refreshes


def _refresh_table(home: Path) -> Table:
    """The command as a whole process: the first time into an empty home, then again into the same one."""
    first = measured_refresh(home, "--offline")
    later = [measured_refresh(home, "--offline") for _ in range(RUNS)]
    table = _table("joulebook refresh --offline", "wall s", "peak MB: run", "validator", "sum")
    table.add_row("first run, empty home", *_refresh_cells([first]))
    table.add_row("later runs, same home", *_refresh_cells(later))
    return table


def _refresh_cells(runs: list[tuple[float, tuple[float, float] | None]]) -> list[str]:
    seconds = f"{statistics.median(seconds for seconds, _ in runs):.1f}"
    peaks = [peak for _, peak in runs if peak]
    if not peaks:
        return [seconds, "n/a", "n/a", "n/a"]
    run, validator = (statistics.median(values) for values in zip(*peaks, strict=True))
    return [seconds, *(f"{value:.0f}" for value in (run, validator, run + validator))]


def measured_refresh(home: Path, *how: str, **environment: str) -> tuple[float, tuple[float, float] | None]:
    """Wall seconds of one refresh, and peak resident MB of its process and of its largest child, the validator.

    `how`: further arguments of the command.
    """
    command = [str(BIN / "joulebook"), "refresh", *how, "--home", str(home)]
    peaks: dict[int, float] = {}
    started = time.perf_counter()
    surroundings = os.environ | environment
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, env=surroundings) as process:
        while process.poll() is None:
            peaks |= _peaks_now(process.pid)
            time.sleep(SAMPLE_EVERY_S)
        seconds = time.perf_counter() - started
        said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"joulebook refresh ended with {process.returncode}:\n{said}")
    run = peaks.pop(process.pid, None)
    return seconds, (run, max(peaks.values())) if run and peaks else None


def _peaks_now(pid: int) -> dict[int, float]:
    """Peak MB so far of a process and its descendants. Empty where there is no /proc."""
    found = {}
    for one in _family(pid):
        try:
            status = Path(f"/proc/{one}/status").read_text()
        except OSError:
            continue  # ended in between
        peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")), None)
        if peak:
            found[one] = int(peak) / KIB_PER_MB
    return found


def _family(pid: int) -> list[int]:
    """The process and all that it started, itself first."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return [pid]
    return [pid, *(one for text in lists for child in text.split() for one in _family(int(child)))]


# The energy code


def _energy_table(warehouse: Warehouse) -> Table:
    """The paper's figures by plain sampling and by quadrature, in this process, fits included."""
    tables = [warehouse.read(f"core.{name}") for name in ("serving_measurements", "nodes", "assumptions")]
    rest = {name: warehouse.read(name) for name in ("estimates.serving_fits", "core.request_lengths")}
    plain_s, sampled = timed(lambda: plain_numpy.figures(DRAWS, SEED))
    ours_s, ours = timed(lambda: our_figures(*tables))
    many_s, many = timed(lambda: plain_numpy.figures(MANY_DRAWS, SEED), runs=1)
    all_s, n_rows = timed(lambda: all_estimates(*tables, *rest.values()))
    table = _table(f"the paper's {len(ours)} figures", "ms", "x plain", "medians differ", "all differ")
    for name, seconds, other in (
        (f"plain NumPy, {DRAWS:,} draws", plain_s, sampled),
        (f"plain NumPy, {MANY_DRAWS:,} draws", many_s, many),
    ):
        medians, everything = largest_differences(ours, other)
        table.add_row(name, _ms(seconds), f"{seconds / plain_s:.2f}", f"{medians:.2%}", f"{everything:.2%}")
    table.add_row("ours, by quadrature, the same", _ms(ours_s), f"{ours_s / plain_s:.2f}", "-", "-")
    table.add_row(f"ours, all {n_rows} rows of estimates", _ms(all_s), f"{all_s / plain_s:.2f}", "-", "-")
    return table


def our_figures(serving_measurements: pl.DataFrame, nodes: pl.DataFrame, assumptions: pl.DataFrame) -> Figures:
    """The figures of plain_numpy.figures from this project's own code, the fit of the throughput rules included."""
    assumed = Assumptions(assumptions)
    paper = serving_measurements.filter(pl.col("source_id") == PAPER_SOURCE)
    rules = throughput_rules_of(paper, nodes, assumptions)
    found: Figures = {}
    for asked in workloads(assumed):
        found |= _figures_of_workload(rules, assumed, asked)
    return found | _fleet(rules, assumed)


def _fleet(rules: pl.DataFrame, assumed: Assumptions) -> Figures:
    overhead = assumed.value("oviedo2026.fleet.overhead")
    found: Figures = {}
    for mix, long_share in plain_numpy.FLEET_LONG_SHARE.items():
        for improved, statistic in ((False, "mean"), (True, "mean with interventions")):
            parts = []
            for asked, share in zip(workloads(assumed), (1 - long_share, long_share), strict=True):
                mean_wh = pooled_mean_wh(frontier_blend(paper_energies(rules, assumed, asked))[1])
                gain = assumed.lognormal(f"oviedo2026.fleet.serving_gain.{asked.workload_id}") if improved else None
                parts.append(float(energy_gwh_per_day(mean_wh, share * QUERIES_PER_DAY, overhead, gain)))
            found["fleet", mix, statistic] = sum(parts)
    return found


def _figures_of_workload(rules: pl.DataFrame, assumed: Assumptions, asked: Workload) -> Figures:
    energies = paper_energies(rules, assumed, asked)
    _, blend = frontier_blend(energies)
    found: Figures = {}
    for subject, distribution in (energies | {BLEND: blend}).items():
        found |= _quartiles(subject, asked.workload_id, distribution)
    for name in INTERVENTIONS:
        improved = with_intervention(blend, gains(assumed)[name])
        found[name, asked.workload_id, "p50"] = float(quantiles_wh(improved, [0.5])[0])
    return found


def _quartiles(subject: str, workload: str, distribution: Distribution) -> Figures:
    values = quantiles_wh(distribution, [0.25, 0.5, 0.75])
    return {(subject, workload, name): float(v) for name, v in zip(("p25", "p50", "p75"), values, strict=True)}


def all_estimates(
    serving_measurements: pl.DataFrame,
    nodes: pl.DataFrame,
    assumptions: pl.DataFrame,
    serving_fits: pl.DataFrame,
    request_lengths: pl.DataFrame,
) -> int:
    """The estimates of both methods, and the tables that are the paper's alone; how many rows they have."""
    rules = throughput_rules_of(serving_measurements, nodes, assumptions)
    estimates = energy_per_query_of(rules, serving_fits, request_lengths, assumptions)
    makers = (blends_of, interventions_of, input_lengths_of)
    return rules.height + estimates.height + sum(make(rules, assumptions).height for make in makers)


def largest_differences(ours: Figures, other: Figures) -> tuple[float, float]:
    """The largest relative difference of medians, and of all figures."""
    if set(ours) != set(other):
        raise SystemExit(f"the two sets of figures differ: {sorted(set(ours) ^ set(other))}")
    differences = {key: abs(other[key] / ours[key] - 1) for key in ours}
    return max(value for key, value in differences.items() if key[-1] == "p50"), max(differences.values())


def timed(work: Callable[[], Result], runs: int = RUNS) -> tuple[float, Result]:
    """Median wall seconds of `runs` calls, and the result; before several, one call that is not counted."""
    if runs > 1:
        work()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), result


# The code location


def _loading_table(home: Path) -> Table:
    table = _table("code location, fresh process", "wall s")
    validate = [str(BIN / "dagster"), "definitions", "validate", "-w", "workspace.yaml"]
    for name, command in (
        ("python -c pass", [sys.executable, "-c", "pass"]),
        ("import pipelines.definitions", [sys.executable, "-c", "import pipelines.definitions"]),
        ("dagster definitions validate", validate),
    ):
        table.add_row(name, f"{timed(lambda command=command: _run(command, home))[0]:.2f}")
    return table


def _run(command: list[str], home: Path) -> None:
    environment = os.environ | {"DAGSTER_HOME": str(home / "dagster"), "JOULEBOOK_HOME": str(home)}
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)


# Printing


def _table(title: str, *columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(title, min_width=38)
    for column in columns:
        table.add_column(column, justify="right", min_width=9)
    return table


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


if __name__ == "__main__":
    main()
