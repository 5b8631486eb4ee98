"""How wrong the estimators are, how exact and fast the quantiles, how long all estimates take.

    python benchmarks/estimator.py [--home warehouse]

Reads the tables of the last refresh in a home, or makes them offline in a temporary one, and prints. Nothing passes or
fails; `estimates.backtest` is printed as it lies there, with its aims.
"""

import argparse
import tempfile
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
from refresh import measured_refresh
from rich.console import Console
from rich.table import Table as Printed
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr

import assets.estimates
from assets.published.joulebook import table_modules
from pipelines.energy.distribution import Energy
from pipelines.energy.lengths import exponential
from pipelines.energy.lognormal import LogNormal
from pipelines.energy.quantiles import newton_quantiles_wh
from pipelines.home import resolve_home
from pipelines.warehouse.store import Warehouse

FACTOR = LogNormal.from_p5_p95(0.4, 0.9) * LogNormal.from_p5_p95(1.05, 1.6)
"""Power utilisation and PUE of the paper, together."""
N_ESTIMATES, EVERY = 1000, 50
PROBABILITIES = (0.05, 0.25, 0.5, 0.75, 0.95)
STATISTICS = ("p50", "mean", "p90")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", help="home of the last refresh")
    home = parser.parse_args().home
    if home:
        report(Warehouse(resolve_home(home)))
        return
    with tempfile.TemporaryDirectory() as folder:
        measured_refresh(Path(folder), "--offline")
        report(Warehouse(Path(folder)))


def report(warehouse: Warehouse) -> None:
    """All parts, one after the other."""
    console = Console(highlight=False, markup=False, width=220)
    errors = warehouse.read("estimates.backtest").filter(pl.col("target") != "energy_per_token")
    for (target, sources), rows in errors.group_by("target", "source_ids", maintain_order=True):
        console.print(backtest_table(f"{target}: {sources}", rows), "")
    console.print("Energy per token at a given throughput errs as its power does: not printed again.\n")
    console.print(quantile_table(), "")
    console.print(seconds_table(warehouse))


def backtest_table(title: str, rows: pl.DataFrame) -> Printed:
    """Errors in per cent, and the aims that were set for them: held, or ABOVE."""
    table = _printed(title)
    for name in ("not seen", "prior", "predicted", "estimator"):
        table.add_column(name, no_wrap=True)
    for name in ("rows", "median", "mean", "p90", "<2x", "bias", "in rows", "in groups", "nested", "width", "learnt"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("aims", no_wrap=True)
    for row in rows.sort("held_out", "part", "prior", "estimator").iter_rows(named=True):
        errors = [_percent(row[f"error_{statistic}"]) for statistic in STATISTICS]
        covered = [_percent(row[f"{kind}_of_{of}"]) for kind, of in COVERAGES]
        widths = [_times(row[name]) for name in ("half_width_factor", "learnt_half_width_factor")]
        named = [row[name] for name in ("held_out", "prior", "part", "estimator")]
        figures = [str(row["n_rows"]), *errors, _percent(row["share_within_2x"]), f"{row['bias_ln']:+.3f}"]
        table.add_row(*named, *figures, *covered, *widths, _aims(row))
    return table


COVERAGES = (("coverage", "rows"), ("coverage", "groups"), ("nested_coverage", "groups"))


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _times(factor: float | None) -> str:
    return "" if factor is None else f"x{factor:.2f}"


def _aims(row: dict) -> str:
    bars = {statistic: row[f"bar_error_{statistic}"] for statistic in STATISTICS}
    found = [
        f"{'held' if row[f'error_{statistic}'] <= bar else 'ABOVE'} {bar:.0%} {statistic}"
        for statistic, bar in bars.items()
        if bar is not None
    ]
    return ", ".join(found)


def quantile_table() -> Printed:
    """Newton on quadrature nodes against adaptive integration at 1e-10, random serving times."""
    k = np.exp(np.random.default_rng(0).normal([-3, -7.3, -15.3], [1, 0.6, 0.6], (N_ESTIMATES, 3)))
    table = _printed(f"five quantiles of each of {N_ESTIMATES} estimates")
    for name in ("median output tokens", "ms an estimate", "off by at most"):
        table.add_column(name, justify="right")
    for median in (300, 5000, 50_000):
        lengths = exponential(median)
        energy = Energy(k[:, :1] + k[:, 1:2] * lengths.tokens + k[:, 2:] * lengths.tokens**2, lengths.weights, FACTOR)
        started = time.process_time()
        found = newton_quantiles_wh(energy, PROBABILITIES)
        milliseconds = (time.process_time() - started) / N_ESTIMATES * 1e3
        worst = max(
            abs(found[i, j] / exact_quantile_wh(k[i], median / np.log(2), PROBABILITIES[j]) - 1)
            for i in range(0, N_ESTIMATES, EVERY)
            for j in (0, 2, 4)
        )
        table.add_row(f"{median}", f"{milliseconds:.3f}", f"{worst:.4%}")
    return table


def exact_quantile_wh(k: np.ndarray, scale: float, p: float) -> float:
    """Quantile of factor · (k0 + k1 L + k2 L²), L exponential, by adaptive integration and a root."""

    def cdf(ln_wh: float) -> float:
        def integrand(t: float) -> float:
            ln_g = np.log(k[0] + k[1] * t * scale + k[2] * (t * scale) ** 2)
            return ndtr((ln_wh - FACTOR.mu - ln_g) / FACTOR.sigma) * np.exp(-t)

        return sum(quad(integrand, *ends, epsabs=1e-12, epsrel=1e-10, limit=400)[0] for ends in ((0, 1), (1, 60)))

    return float(np.exp(brentq(lambda x: cdf(x) - p, -40, 40, xtol=1e-13)))


def seconds_table(warehouse: Warehouse) -> Printed:
    """Each table of estimates made anew from the tables that lie there, without storing or checking it."""
    table = _printed("seconds to make the estimates")
    table.add_column("table", min_width=38)
    table.add_column("seconds", justify="right")
    table.add_column("rows", justify="right", min_width=9)
    total = 0.0
    for module in table_modules(assets.estimates):
        started = time.perf_counter()
        n_rows = made(module, warehouse).height
        seconds = time.perf_counter() - started
        total += seconds
        table.add_row(module.TABLE.name, f"{seconds:.2f}", f"{n_rows}")
    table.add_row("together", f"{total:.2f}", "")
    return table


def made(module: ModuleType, warehouse: Warehouse) -> pl.DataFrame:
    """The table of a module: its function `<table>_of`, given the tables named as its parameters."""
    function = getattr(module, f"{module.TABLE.short_name}_of")
    names = [name for name in function.__annotations__ if name != "return"]
    return function(*(warehouse.read(_table_named(name, warehouse)) for name in names))


def _table_named(short_name: str, warehouse: Warehouse) -> str:
    """`core.<name>` or `estimates.<name>`: no two tables that readers see have one name."""
    names = [f"{layer}.{short_name}" for layer in ("core", "estimates")]
    return next((name for name in names if warehouse.path(name).exists()), names[0])


def _printed(title: str) -> Printed:
    return Printed(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), pad_edge=False)


if __name__ == "__main__":
    main()
