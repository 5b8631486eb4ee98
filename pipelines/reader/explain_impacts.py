"""Carbon and water of an estimate at the facility, taken back to the factors of its area.

What belongs here: which factors, where they are printed, and how the intervals come about. How an answer computes them
belongs to answer.py.
"""

import math

from pipelines.reader.answer import impacts_of
from pipelines.reader.book import Book, FiledAssumptions
from pipelines.reader.question import WORLD, Asked, find_area
from pipelines.reader.show import between, number, show_facts, show_title

FACTORS = {
    "carbon": ("carbon_gco2e_per_kwh", "is_default_carbon", "g/kWh"),
    "grid water": ("grid_water_l_per_kwh", "is_default_water", "L/kWh"),
}
WUE = "impacts.wue_l_per_kwh"


def impacts_behind(book: Book, asked: Asked, row: dict, assumed: FiledAssumptions) -> dict | None:
    """Figures with their factors and these with their places; None where the boundary is not the facility."""
    if asked.boundary != "facility":
        return None
    area = find_area(book, asked.region or WORLD)
    wue = assumed.lognormal(WUE)
    widths = {name: assumed.value(f"impacts.{name}_half_width_ln") for name in ("carbon", "grid_water")}
    return {
        "figures": impacts_of(row, area, assumed),
        "energy_wh": row["energy_wh_per_query_p50"],
        "pue": row["pue"],
        "wue_l_per_kwh": wue.median,
        "times_or_over": {name: math.exp(width) for name, width in (widths | {"wue": wue.half_width_ln}).items()},
        "factors": [_factor(book, area["area_id"], what, *named) for what, named in FACTORS.items()],
    }


def _factor(book: Book, area_id: str, what: str, column: str, serves: str, unit: str) -> dict:
    rows = book.rows(
        f"select g.{column} as value, g.source_id, g.source_release, g.locator, g.year, g.snapshot_sha256, s.url"
        " from grids g left join sources s using (source_id, source_release)"
        f" where g.area_id = ? and g.{serves}",
        area_id,
    )
    return {"what": what, "unit": unit} | (rows[0] if rows else {"value": None})


def print_impacts(found: dict) -> None:
    figures, width = found["figures"], found["times_or_over"]
    energy, pue, wue = number(found["energy_wh"]), number(found["pue"]), number(found["wue_l_per_kwh"])
    carbon, water = found["factors"]
    show_title(f"Carbon and water, {figures['area_name']} ({figures['area_id']})")
    facts = [
        ("carbon", f"{_of(figures, 'carbon_gco2e')} gCO2e = {energy} Wh * {number(carbon['value'])} g/kWh / 1000; "
                   f"intervals of energy and factor (x{width['carbon']:.2f}) in squares of ln"),
        ("", _place(carbon)),
        ("water on site", f"{_of(figures, 'on_site_water_ml')} mL = {energy} Wh / PUE {pue} * WUE {wue} L/kWh; energy "
                          f"without the PUE, and WUE (x{width['wue']:.2f})"),
    ]  # fmt: skip
    if water["value"] is not None:
        facts += [
            ("grid water", f"{_of(figures, 'grid_water_ml')} mL = {energy} Wh * {number(water['value'])} L/kWh; energy "
                           f"and factor (x{width['grid_water']:.2f})"),
            ("", _place(water)),
        ]  # fmt: skip
    show_facts(facts)


def _of(figures: dict, name: str) -> str:
    one = figures[f"{name}_per_query"]
    interval = "" if one["p50_lo90"] is None else f" ({between(one['p50_lo90'], one['p50_hi90'])})"
    return f"{number(one['p50'])}{interval}"


def _place(factor: dict) -> str:
    year = f", {factor['year']}" if factor["year"] else ""
    return (
        f"factor of {factor['source_id']} {factor['source_release']}, {factor['locator']}{year}; {factor['url']}; "
        f"sha256 {factor['snapshot_sha256']}"
    )
