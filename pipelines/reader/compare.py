"""`joulebook compare`: two answers side by side, and their ratio with what is not known of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.reader.answer import impacts_of, question_of
from pipelines.reader.benchmarks import caveats
from pipelines.reader.book import Book, FiledAssumptions
from pipelines.reader.compute import Computed, Serving, compute
from pipelines.reader.estimate import asked_line
from pipelines.reader.question import KEY, Asked, Question, ask_together, find_area
from pipelines.reader.show import Column, Fact, between, number, show_facts, show_table, show_title

HARDWARE = ("accelerator_id", "node_id")
"""Power is a rating times a share whose width is the scatter between systems: one system has one error, whatever it
serves, and another system another."""


@dataclass(frozen=True)
class Ratio:
    """Median of the first over that of the second, and the half-width in ln of its 90 % interval by cause."""

    value: float
    half_width_ln: dict[str, float] | None
    shared: str

    @property
    def interval(self) -> tuple[float, float] | None:
        if self.half_width_ln is None:
            return None
        from pipelines.energy.intervals import combined_half_width_ln, interval  # noqa: PLC0415  (NumPy)

        low, high = interval(self.value, combined_half_width_ln(list(self.half_width_ln.values())))
        return float(low), float(high)


def print_comparison(book: Book, first: str, second: str, options: dict) -> None:
    assumed = book.assumptions()
    asked = ask_together(book, *(_question(given, options) for given in (first, second)))
    computed = [compute(book, assumed, one) for one in asked]
    ratio = ratio_of(asked, computed)
    show_title(f"{asked[0].what_runs} beside {asked[1].what_runs}")
    show_table(("", *(Column(_id(one)) for one in asked)), [
        ("Wh per query", *(number(one.row["energy_wh_per_query_p50"]) for one in computed)),
        ("90 % interval", *(_interval(one.row) for one in computed)),
        ("mean, Wh", *(number(one.row["energy_wh_per_query_mean"]) for one in computed)),
        ("J per output token", *(number(one.row["energy_j_per_output_token"]) for one in computed)),
        *_carbon(book, assumed, asked, computed),
        ("power drawn, W", *(number(one.row["power_w"]) for one in computed)),
        ("evidence", *(one.row["evidence"] for one in computed)),
        ("extrapolated", *(_extrapolated(one.row) for one in computed)),
        ("benchmarks", *(_benchmarks(one) for one in asked)),
        ("configuration", *(one.chosen_as for one in asked)),
    ])  # fmt: skip
    of = "" if ratio.interval is None else f", 90 % interval {between(*ratio.interval)}"
    defaults = {name: value for name, value in asked[0].defaults.items() if name != "configuration"}
    show_facts([
        ("ratio", f"the first takes {number(ratio.value)} times the second{of}"),
        ("shared", ratio.shared),
        *_warnings(book, asked),
        ("asked", asked_line(question_of(asked[0]), defaults)),
    ])  # fmt: skip


def _id(asked: Asked) -> str:
    return f"{asked.configuration['model_id']}@{asked.configuration['accelerator_id']}"


def _extrapolated(row: dict) -> str:
    return "yes" if row["is_extrapolated"] else "no"


def _warnings(book: Book, asked: Sequence[Asked]) -> list[Fact]:
    """What the interval of the ratio does not hold, and what stands against the rows."""
    one, two = (found.configuration for found in asked)
    facts = []
    if (one["source_id"], one["source_release"]) != (two["source_id"], two["source_release"]):
        what = "of two releases of one source" if one["source_id"] == two["source_id"] else "of two sources"
        facts.append(("not alike", f"the benchmarks are {what}: what differs in software and set-up is in the ratio"))
    if one["n_accelerators"] != two["n_accelerators"] and one["accelerator_id"] == two["accelerator_id"]:
        facts.append(("not alike", "the deployments differ in accelerators, and that is in the ratio"))
    return facts + [
        ("caveat", f"{_id(one)}: of {found['n_rows']} of its {one.configuration['n_rows']} rows: {found['caveat']}")
        for one in asked
        for found in caveats(book, one.configuration, one.method)
    ]


def _carbon(
    book: Book, assumed: FiledAssumptions, asked: Sequence[Asked], computed: list[Computed]
) -> list[tuple[str, ...]]:
    """Of the facility alone, as estimate has it."""
    if asked[0].boundary != "facility":
        return []
    area = find_area(book, asked[0].region)
    figures = (impacts_of(one.row, area, assumed)["carbon_gco2e_per_query"]["p50"] for one in computed)
    return [(f"gCO2e, {area['area_name']}", *(number(figure) for figure in figures))]


def ratio_of(asked: Sequence[Asked], computed: list[Computed]) -> Ratio:
    """Errors that both answers have in common leave their ratio: the PUE wholly; that of power, full or idle, only on
    the same hardware. Those of the fits are of different benchmarks."""
    one, two = (found.row["energy_wh_per_query_p50"] for found in computed)
    if computed[0].serving is None:
        return Ratio(one / two, None, "method oviedo2026 has no interval, nor has the ratio")
    first, second = (_half_widths(found.serving) for found in computed)
    same_fit = _agree(asked, KEY)
    same_power = _agree(asked, HARDWARE) and len({_saturated_width(found.serving) for found in computed}) == 1
    is_shared = {"fit": same_fit, "power": same_power, "pue": True, "load": same_power}
    widths = {
        cause: abs(first[cause] - second[cause]) if shared else (first[cause] ** 2 + second[cause] ** 2) ** 0.5
        for cause, shared in is_shared.items()
    }
    return Ratio(one / two, widths, _shared(same_fit, same_power))


def _agree(asked: Sequence[Asked], names: tuple[str, ...]) -> bool:
    return all(asked[0].configuration[name] == asked[1].configuration[name] for name in names)


def _shared(same_fit: bool, same_power: bool) -> str:
    fit = "one fit serves both" if same_fit else "the fits err by themselves"
    power = (
        "power is of the same hardware, so that its error is common"
        if same_power
        else "power is of different hardware, whose errors are taken as separate"
    )
    return f"{fit}; {power}; the PUE is common and leaves the ratio"


def _half_widths(serving: Serving) -> dict[str, float]:
    widths = serving.estimate.median_half_widths_ln[:, 0].tolist()
    return dict(zip(("fit", "power", "pue", "load"), widths, strict=True))


def _saturated_width(serving: Serving) -> float:
    """Says which model the power is by."""
    return serving.saturated.half_width_ln[0].item()


def _question(given: str, options: dict) -> Question:
    model, _, accelerator = given.partition("@")
    return Question(model, **(options | ({"accelerator": accelerator} if accelerator else {})))


def _interval(row: dict) -> str:
    low = row.get("energy_wh_per_query_p50_lo90")
    return "-" if low is None else between(low, row["energy_wh_per_query_p50_hi90"])


def _benchmarks(asked: Asked) -> str:
    c = asked.configuration
    return f"{c['n_rows']} of {c['source_id']} {c['source_release']}"
