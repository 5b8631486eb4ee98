"""`joulebook estimate`: one answer on one screen."""

import json

import click

from pipelines.reader.answer import CAUSES, answer
from pipelines.reader.book import Book
from pipelines.reader.question import Question
from pipelines.reader.show import Fact, between, number, percent, show_facts, show_title, tokens

CAUSE_NAMES = {"fit": "throughput fit", "power": "power drawn", "pue": "PUE", "load": "power between queries"}
BOUNDARY_MEANING = {"gpu": "accelerator boards", "node": "whole server", "facility": "server times PUE"}


def print_estimate(book: Book, question: Question, as_json: bool) -> None:
    found = answer(book, question)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
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
    lines += [
        ("evidence", _evidence(found)),
        ("benchmarks", _benchmarks(found["benchmarks"])),
        ("uncertainty", _uncertainty(found)),
        *_others(found["published"]),
        ("asked", _asked(found)),
        ("defaults", defaults_line(found["defaults"])),
    ]
    if found["estimate_id"]:
        lines.append(("back to source", f"joulebook explain {found['estimate_id']}"))
    else:
        lines.append(("back to source", "joulebook explain with the same words and options"))
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
    spread = "" if found["uncertainty"] else " (lengths, power and PUE pooled)"
    interval = "" if e["mean_lo90"] is None else f" ({between(e['mean_lo90'], e['mean_hi90'])})"
    return (
        f"half of the queries take {between(e['p25'], e['p75'])} Wh{spread}, nine tenths {between(e['p05'], e['p95'])};"
        f" mean {number(e['mean'])}{interval}"
    )


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
    beyond = found["share_of_queries_beyond"]
    meaning = {
        "benchmarked": "throughput was published at such lengths; power is rated, not metered",
        "predicted": "beyond the published lengths",
        "assumed": "below saturation: whether servers park or keep their batches small is not known",
    }[found["evidence"]]
    parts = [f"{found['evidence']} ({meaning})"]
    if found["is_extrapolated"]:
        parts.append(
            f"extrapolated: {percent(beyond['output_longer'])} of the queries have longer outputs than any "
            f"benchmarked, {percent(beyond['input_outside'])} an input outside"
        )
        share = found["mean_share_extrapolated"]
        parts += [f"{percent(share)} of the mean rests on such queries"] if share is not None else []
    else:
        parts.append("not extrapolated")
    return "; ".join(parts)


def _benchmarks(b: dict) -> str:
    revised = f", revised {b['revised_on']}" if b["revised_on"] else ""
    return (
        f"{b['n_rows']} rows of {b['source_id']} {b['source_release']} ({b['source_title']}, {b['publisher']}"
        f"{revised}): {b['shortest_input_tokens']} to {b['longest_input_tokens']} tokens in, "
        f"{b['shortest_output_tokens']} to {b['longest_output_tokens']} out"
    )


def _uncertainty(found: dict) -> str:
    known = found["uncertainty"]
    if known is None:
        return "not known by this method: its quartiles pool lengths, power and PUE; how wrong it is: table backtest"
    shares = sorted(CAUSES, key=lambda cause: -known["share"][cause])
    parts = [f"{CAUSE_NAMES[cause]} {percent(known['share'][cause])}" for cause in shares if known["share"][cause] > 0]
    return f"mostly {CAUSE_NAMES[known['dominant']]}; of the interval: {', '.join(parts)}"


def _others(published: list[dict]) -> list[Fact]:
    lines = []
    for i, other in enumerate(published):
        lines.append(
            (
                "others say" if i == 0 else "",
                f"{number(other['energy_wh_per_query'])} Wh, {number(other['ratio_to_this'])} times this: "
                f"{other['rung'].split(': energy_per')[0]} ({other['estimate_basis']}, "
                f"boundary {other['estimate_boundary']})",
            )
        )
    return lines


def _asked(found: dict) -> str:
    q = found["question"]
    power = f"{number(found['power_w'])} W drawn"
    pue = f", PUE {found['pue']:.2f}" if q["boundary"] == "facility" else ""
    return (
        f"method {q['method']}, boundary {q['boundary']} ({BOUNDARY_MEANING[q['boundary']]}: {power}{pue}), "
        f"load {tokens(q['load'])}"
    )


def defaults_line(defaults: dict) -> str:
    shown = {name: tokens(value) if name == "load" else value for name, value in defaults.items()}
    return ", ".join(f"{name} {value}" for name, value in shown.items())
