"""`joulebook fleet`: what many queries a day take, part of them long."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipelines.energy.fleet import accelerators_needed, energy_gwh_per_day, peak_kw
from pipelines.energy.impacts import ImpactFactors, impacts_with_intervals
from pipelines.energy.intervals import combined_half_width_ln, interval
from pipelines.energy.units import DAYS_PER_YEAR, GRAMS_PER_TONNE, ML_PER_M3, WH_PER_GWH
from pipelines.reader.benchmarks import caveats
from pipelines.reader.book import Book
from pipelines.reader.compute import Serving, serving_of, workload_named
from pipelines.reader.errors import ReaderError
from pipelines.reader.question import DEFAULT_MODEL, SERVING_TIME, WORLD, check_load, choose, find_area
from pipelines.reader.show import between, number, percent, show_facts, show_title, tokens

SHORT, LONG = "traditional", "test-time"
KW_PER_MW = 1e3
SMALLEST_IN_A_UNIT = 0.01
MOST_QUERIES = 1e13
SMALLEST_SHARE = 0.01
ROUNDING = 1e-9
Figure = tuple[float, float, float]


@dataclass(frozen=True)
class FleetQuestion:
    """Queries a day, and how they are served; None: not given."""

    queries: float
    long_share: float = 0.0
    model: str | None = None
    accelerator: str | None = None
    region: str | None = None
    load: float | None = None

    def __post_init__(self) -> None:
        for name in ("model", "accelerator"):  # ids are lower case, whoever writes them
            given = getattr(self, name)
            object.__setattr__(self, name, given and given.lower())
        if not 0 < self.queries <= MOST_QUERIES:
            raise ReaderError(
                f"--queries {self.queries:g} is impossible: give queries a day, such as 1e9, at most {MOST_QUERIES:g}"
            )
        if not 0 <= self.long_share <= 1:
            raise ReaderError(f"--long-share {self.long_share:g} is impossible: give a share from 0 to 1")
        check_load(self.load)


@dataclass(frozen=True)
class Part:
    """One kind of query: how many a day, served at the mean load, and as it is at saturation."""

    workload: str
    queries_per_day: float
    served: Serving
    saturated: Serving


@dataclass(frozen=True)
class Fleet:
    """Sums over the parts, each central, low and high. The parts share one fit, power and PUE: ends are summed."""

    parts: list[Part]
    load: float

    @cached_property
    def energy_gwh_per_day(self) -> Figure:
        ends = zip(*((p.served.estimate.mean_wh, *p.served.estimate.mean_interval_wh) for p in self.parts), strict=True)
        queries = np.array([part.queries_per_day for part in self.parts])
        return tuple(float(energy_gwh_per_day(np.concatenate(end), queries).sum()) for end in ends)

    @cached_property
    def accelerators(self) -> Figure:
        """Their number is known as well as the fit."""
        return self._summed([(self._needed(p), p.served.time.half_width_ln_at_mean[0]) for p in self.parts])

    @cached_property
    def peak_mw(self) -> Figure:
        """All saturated at once, PUE included."""
        figures = []
        for part in self.parts:
            at = part.saturated.estimate
            each = at.power.w[0] / part.saturated.found.n_accelerators[0]
            width = combined_half_width_ln(at.mean_half_widths_ln)[0]
            figures.append((peak_kw(self._needed(part), each, at.pue.median) / KW_PER_MW, width))
        return self._summed(figures)

    def impacts(self, area: dict, factors: ImpactFactors) -> dict[str, Figure | None]:
        """Carbon in t, water in m3 a day; None where no factor is published."""
        gwh, _, high = self.energy_gwh_per_day
        width, pue = np.log(high / gwh), self.parts[0].served.constants.pue
        water = area["grid_water_l_per_kwh"]
        found = impacts_with_intervals(
            np.array([gwh * WH_PER_GWH]), np.array([width]), np.array([(pue.half_width_ln / width) ** 2]), pue.median,
            np.array([area["carbon_gco2e_per_kwh"]]), np.array([np.nan if water is None else water]), factors,
        )  # fmt: skip
        per = {"carbon_gco2e": GRAMS_PER_TONNE, "on_site_water_ml": ML_PER_M3, "grid_water_ml": ML_PER_M3}
        figures = {name: tuple(float(end[0]) / per[name] for end in ends) for name, ends in found.items()}
        return {name: None if np.isnan(ends[0]) else ends for name, ends in figures.items()}

    def _needed(self, part: Part) -> float:
        return float(accelerators_needed(part.queries_per_day, part.saturated.time.mean_s[0], self.load))

    @staticmethod
    def _summed(figures: list[tuple[float, float]]) -> Figure:
        ends = [(central, *interval(central, width)) for central, width in figures]
        return tuple(float(sum(end)) for end in zip(*ends, strict=True))


def fleet_of(book: Book, question: FleetQuestion) -> tuple[Fleet, dict, str]:
    """The fleet, the configuration that serves it, and why that one."""
    assumed = book.assumptions()
    configuration, chosen_as = choose(
        book, question.model or DEFAULT_MODEL, question.accelerator, SERVING_TIME, "facility"
    )
    load = question.load or 1.0
    parts = []
    for workload, share in ((SHORT, 1 - question.long_share), (LONG, question.long_share)):
        if share > 0:
            queries = workload_named(book, assumed, workload)
            at = [serving_of(assumed, configuration, queries, "facility", level) for level in (load, 1.0)]
            parts.append(Part(workload, question.queries * share, *at))
    return Fleet(parts, load), configuration, chosen_as


def print_fleet(book: Book, question: FleetQuestion) -> None:
    fleet, c, chosen_as = fleet_of(book, question)
    area = find_area(book, question.region or WORLD)
    impacts = fleet.impacts(area, ImpactFactors.of(book.assumptions()))
    gwh, against = fleet.energy_gwh_per_day, caveats(book, c, SERVING_TIME)
    show_title(
        f"{_queries(question.queries)} queries a day, {percent(question.long_share)} of them {LONG}, on "
        f"{c['model_id']} served by {c['accelerator_id']} ({c['precision']}, {c['parallelism']}, {c['framework']})"
    )
    show_facts([
        ("energy", _energy(gwh)),
        ("accelerators", _accelerators(fleet, c)),
        ("peak", _peak(fleet, c)),
        ("carbon", f"{_figure(impacts['carbon_gco2e'])} tCO2e a day, location-based: {area['area_name']} "
                   f"({area['area_id']}), {number(area['carbon_gco2e_per_kwh'])} g/kWh"),
        ("water", f"{_figure(impacts['on_site_water_ml'])} m3 a day on site, {_grid(impacts['grid_water_ml'])}"),
        ("intervals", "90 %, in brackets: fit, power and PUE are taken as common to all queries"),
        ("evidence", "; ".join(_evidence(part) for part in fleet.parts)),
        ("benchmarks", f"{c['n_rows']} rows of {c['source_id']} {c['source_release']}"),
        *(("caveat", f"of {one['n_rows']} of these {c['n_rows']} rows: {one['caveat']}") for one in against),
        ("asked", _asked(question, chosen_as)),
    ])  # fmt: skip


def _queries(queries: float) -> str:
    """As a person counts them."""
    return f"{queries:,.0f}" if queries < 1e6 and queries.is_integer() else number(queries)


def _figure(ends: tuple[float, ...] | list[float]) -> str:
    central, low, high = ends
    return f"{number(central)} ({between(low, high)})"


def _energy(gwh: Figure) -> str:
    """In the unit that a person would take."""
    unit, per_gwh = next(
        (one for one in (("GWh", 1.0), ("MWh", 1e3)) if gwh[0] * one[1] >= SMALLEST_IN_A_UNIT), ("kWh", 1e6)
    )
    day, year = ([end * per_gwh * days for end in gwh] for days in (1, DAYS_PER_YEAR))
    return f"{_figure(day)} {unit} a day, {_figure(year)} {unit} a year"


def _grid(ends: Figure | None) -> str:
    return "not published of the grid there" if ends is None else f"{_figure(ends)} m3 of the grid"


def _accelerators(fleet: Fleet, c: dict) -> str:
    """A model is served by whole deployments: of queries that do not fill one there is still one."""
    n, busy = c["n_accelerators"], fleet.accelerators
    if busy[0] < n:
        used = percent(busy[0] / n) if busy[0] / n >= SMALLEST_SHARE else f"less than {percent(SMALLEST_SHARE)}"
        return f"at least one deployment of {n} {c['accelerator_id']}, of which these queries fill {used}"
    whole = f"{np.ceil(busy[0] / n - ROUNDING):,.0f}"
    return f"{_figure(busy)} {c['accelerator_id']} busy, evenly over the day: {whole} deployments of {n}"


def _peak(fleet: Fleet, c: dict) -> str:
    busy, n = fleet.accelerators[0], c["n_accelerators"]
    if busy < n:
        one = [end / busy * n for end in fleet.peak_mw]
        return f"{number(KW_PER_MW * one[0])} kW with one deployment saturated, building included"
    unit, scale = ("MW", 1) if fleet.peak_mw[0] >= 1 else ("kW", KW_PER_MW)
    return f"{_figure([end * scale for end in fleet.peak_mw])} {unit} with all of them saturated, building included"


def _evidence(part: Part) -> str:
    beyond = part.served.time.mean_share_beyond[0]
    evidence = part.served.estimate.evidence[0]
    return f"{part.workload} {evidence}, {percent(beyond)} of its energy on lengths not benchmarked"


def _asked(question: FleetQuestion, chosen_as: str) -> str:
    """All that was asked, then what was filled in."""
    used = {"model": DEFAULT_MODEL, "accelerator": None, "region": WORLD, "load": 1.0}
    given = {name: getattr(question, name) for name in used}
    shown = {name: tokens(value) if name == "load" else value for name, value in given.items() if value is not None}
    filled_in = [f"{name} {used[name]:g}" if name == "load" else f"{name} {used[name]}"
                 for name, value in given.items() if value is None and used[name] is not None]  # fmt: skip
    filled_in = [f"method {SERVING_TIME}", "boundary facility", *filled_in, f"configuration {chosen_as}"]
    parts = [", ".join(f"{name} {value}" for name, value in shown.items())] if shown else []
    return "; ".join([*parts, f"by default {', '.join(filled_in)}"])
