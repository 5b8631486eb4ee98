"""`joulebook estimate`: one answer on one screen."""

from pipelines.reader.answer import CAUSES, answer
from pipelines.reader.book import Book
from pipelines.reader.question import Question
from pipelines.reader.show import Fact, between, number, percent, show_facts, show_json, show_title, tokens

CAUSE_NAMES = {"fit": "throughput fit", "power": "power drawn", "pue": "PUE", "load": "power between queries"}
BOUNDARY_MEANING = {"gpu": "accelerator boards", "node": "whole server", "facility": "server times PUE"}
POWER_MEANING = {
    "gpu": "power a share of the boards' rating, fitted to other runs",
    "node": "power rated, not metered",
    "facility": "power rated, not metered",
}
SMALLEST_SHARE = 0.005
"""What rounds to nothing is not worth words."""
BEYOND = {
    "output_longer": "a longer output",
    "output_shorter": "a shorter output",
    "input_outside": "an input outside",
    "input_cached": "cached input",
}
SMALLEST_BEYOND = dict.fromkeys(BEYOND, SMALLEST_SHARE) | {"output_shorter": 0.5}
"""Shares of queries above which a side is told: of shorter outputs, where they make an estimate extrapolated."""
MOST_OTHERS = 2
"""Figures of others that are shown; `--json` has all."""


def print_estimate(book: Book, question: Question, as_json: bool) -> None:
    found = answer(book, question)
    if as_json:
        show_json(found)
        return
    show_title(title(found))
    show_facts(facts(found))


def title(found: dict) -> str:
    c = found["configuration"]
    return (
        f"{c['model_id']} on {c['n_accelerators']} {c['accelerator_id']} ({c['precision']}, {c['parallelism']}, "
        f"{c['framework']}), {what_is_asked(found)}"
    )


def what_is_asked(found: dict) -> str:
    q = found["question"]
    if q["workload_id"] is not None and q["input_tokens"] is None:
        return f"workload {q['workload_id']}"
    cached = f" ({q['cached_tokens']} of them cached)" if q["cached_tokens"] else ""
    return f"one query of {q['input_tokens']} tokens in{cached} and {q['output_tokens']} out"


def facts(found: dict) -> list[Fact]:
    lines = [("energy", energy_line(found))]
    across = _across(found)
    lines += [("across", across)] if across else []
    lines += _impact_lines(found["impacts"])
    lines += [("evidence", _evidence(found)), ("benchmarks", _benchmarks(found["benchmarks"]))]
    lines += [("caveat", _caveat(one, found["benchmarks"])) for one in found["benchmarks"]["caveats"]]
    lines += [
        ("uncertainty", _uncertainty(found)),
        *_others(found["published"]),
        ("asked", asked_line(found["question"], found["defaults"], _power(found))),
    ]
    if found["estimate_id"]:
        lines.append(("to its source", f"joulebook explain {found['estimate_id']}"))
    else:
        lines.append(("to its source", "joulebook explain with the same words and options"))
    return lines


def energy_line(found: dict) -> str:
    e = found["energy_wh_per_query"]
    statistic = "" if found["question"]["input_tokens"] is not None else ", median"
    if e["p50_lo90"] is None:
        return f"{number(e['p50'])} Wh per query{statistic}; method {found['question']['method']} has no interval"
    return f"{number(e['p50'])} Wh per query{statistic}; 90 % interval {between(e['p50_lo90'], e['p50_hi90'])}"


def _across(found: dict) -> str | None:
    e = found["energy_wh_per_query"]
    if e["p25"] is None:
        return None
    half, nine_tenths = between(e["p25"], e["p75"]), between(e["p05"], e["p95"])
    if found["question"]["input_tokens"] is not None:  # one query: only the method spreads it
        return f"by their power and PUE half of the servers {half} Wh, nine tenths {nine_tenths}"
    spread = "" if found["uncertainty"] else " (lengths, power and PUE pooled)"
    interval = "" if e["mean_lo90"] is None else f" ({between(e['mean_lo90'], e['mean_hi90'])})"
    return f"half of the queries {half} Wh{spread}, nine tenths {nine_tenths}; mean {number(e['mean'])}{interval}"


def _impact_lines(impacts: dict | None) -> list[Fact]:
    if impacts is None:
        return [("carbon, water", "only of the facility: leave out --boundary")]
    carbon, site, grid = (
        impacts[f"{name}_per_query"] for name in ("carbon_gco2e", "on_site_water_ml", "grid_water_ml")
    )
    year = f", {impacts['year']}" if impacts["year"] else ""
    of_grid = "not published of the grid there" if grid["p50"] is None else f"{_with_interval(grid)} mL of the grid"
    return [
        (
            "carbon",
            f"{_with_interval(carbon)} gCO2e, location-based: {impacts['area_name']} ({impacts['area_id']}), "
            f"{number(impacts['carbon_gco2e_per_kwh'])} g/kWh{year}",
        ),
        ("water", f"{_with_interval(site)} mL on site, {of_grid}"),
    ]


def _with_interval(figure: dict) -> str:
    if figure["p50_lo90"] is None:
        return number(figure["p50"])
    return f"{number(figure['p50'])} ({between(figure['p50_lo90'], figure['p50_hi90'])})"


def _evidence(found: dict) -> str:
    """The word of the book, and what it means at this boundary and load."""
    q = found["question"]
    parts = [] if found["is_extrapolated"] else ["throughput published at such lengths"]
    parts.append(POWER_MEANING[q["boundary"]])
    if q["load"] < 1:
        parts.append(f"load {tokens(q['load'])} published by nobody: servers may park, or keep batches small")
    return "; ".join([f"{found['evidence']} ({', '.join(parts)})", *_beyond(found)])


def _beyond(found: dict) -> list[str]:
    beyond = found["share_of_queries_beyond"]
    if not found["is_extrapolated"]:
        share = found["mean_share_extrapolated"]
        beside = f" ({percent(share)} of the mean rests on lengths beyond)" if share and share >= SMALLEST_SHARE else ""
        return [f"not extrapolated{beside}"]
    is_one_query = found["question"]["input_tokens"] is not None
    sides = {side: words for side, words in BEYOND.items() if beyond[side] > SMALLEST_BEYOND[side]}
    if is_one_query:
        return [f"extrapolated: beyond any benchmark by {' and '.join(sides.values())}"]
    share = found["mean_share_extrapolated"]
    has = ", ".join(f"{percent(beyond[side])} by {words}" for side, words in sides.items())
    return [
        f"extrapolated: beyond any benchmark are {has.replace(' by', ' of the queries by', 1)}",
        *([f"{percent(share)} of the mean rests on them"] if share is not None else []),
    ]


def _benchmarks(b: dict) -> str:
    return (
        f"{b['n_rows']} rows of {b['source_id']} {b['source_release']} ({b['publisher']}): "
        f"{b['shortest_input_tokens']} to {b['longest_input_tokens']} tokens in, "
        f"{b['shortest_output_tokens']} to {b['longest_output_tokens']} out"
    )


def _caveat(one: dict, benchmarks: dict) -> str:
    return f"of {one['n_rows']} of these {benchmarks['n_rows']} rows: {one['caveat']}"


def _uncertainty(found: dict) -> str:
    known = found["uncertainty"]
    if known is None:
        return "not known by this method; how wrong it is: table backtest"
    shares = sorted(CAUSES, key=lambda cause: -known["share"][cause])
    parts = [f"{CAUSE_NAMES[cause]} {percent(known['share'][cause])}" for cause in shares if known["share"][cause] > 0]
    cached = found["share_of_queries_beyond"]["input_cached"] > SMALLEST_SHARE
    beside = "; the error of a cache is not in it" if cached else ""
    return f"of the interval: {', '.join(parts)}{beside}"


def _others(published: list[dict]) -> list[Fact]:
    """Of the same model, and else of the same kind of query. Where there is neither, one is shown with its lengths."""
    same = [other for other in published if other["is_same_model"]][:1]
    rest = [other for other in published if not other["is_same_model"]]
    comparable = [other for other in rest if other["ratio_to_this"] is not None][: MOST_OTHERS - len(same)]
    shown = [*same, *comparable] or rest[:1]
    return [("" if i else "others say", _other(other)) for i, other in enumerate(shown)]


def _other(other: dict) -> str:
    model = "the same model" if other["is_same_model"] else "another model"
    ratio = other["ratio_to_this"]
    beside = f", {number(ratio)} times this" if ratio is not None else ""
    return (
        f"{number(other['energy_wh_per_query'])} Wh{beside}, of {model}, {_lengths(other)}: "
        f"{other['rung'].split(': energy_per')[0]} ({other['estimate_basis']}, {other['estimate_boundary']})"
    )


def _lengths(other: dict) -> str:
    if other["is_same_lengths"]:
        return "of the same lengths"
    known = [f"{tokens(other[f'{side}_tokens'])} {word}" for side, word in (("input", "in"), ("output", "out"))
             if other[f"{side}_tokens"] is not None]  # fmt: skip
    return f"{', '.join(known)}" if known else "lengths not published"


def _power(found: dict) -> str:
    pue = f" * PUE {found['pue']:.2f}" if found["question"]["boundary"] == "facility" else ""
    return f": {number(found['power_w'])} W{pue}"


def asked_line(q: dict, defaults: dict, power: str = "") -> str:
    """All that was asked: what was given, then what was filled in. Without it no energy means anything."""
    values = {
        "method": q["method"],
        "workload": q["workload_id"],
        "boundary": f"{q['boundary']} ({BOUNDARY_MEANING[q['boundary']]}{power})",
        "load": tokens(q["load"]),
        "region": q["region"],
    }
    given = [f"{name} {value}" for name, value in values.items() if name not in defaults and value is not None]
    if q["input_tokens"] is not None:
        given = [what_is_asked({"question": q}), *(one for one in given if not one.startswith("workload "))]
    filled_in = [f"{name} {values.get(name, value)}" for name, value in defaults.items()]
    parts = [", ".join(given)] if given else []
    return "; ".join([*parts, *([f"by default {', '.join(filled_in)}"] if filled_in else [])])


def defaults_line(defaults: dict) -> str:
    shown = {name: tokens(value) if name == "load" else value for name, value in defaults.items()}
    return ", ".join(f"{name} {value}" for name, value in shown.items())
