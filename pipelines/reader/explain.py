"""`joulebook explain`: one estimate taken back to the published cells it came from, and computed again from them.

Everything is read from the published file: the rows that were fitted, where each stands and what was corrected, the
fit, the assumptions, and the formula with the numbers put in.
"""

import math
import re
from collections import Counter

import numpy as np

from pipelines.energy.assumed import half_width_id, paper_node_power_id, prior_of
from pipelines.energy.oviedo2026 import Factors
from pipelines.energy.serving_time import TERMS, Points, fit_serving_time
from pipelines.energy.specifications import RATINGS, SPECIFICATIONS, deployments_of
from pipelines.energy.throughput import fit_rule
from pipelines.energy.units import JOULES_PER_WH
from pipelines.energy.workloads import TRACES
from pipelines.reader.benchmarks import PAPER_SOURCE, benchmark_rows
from pipelines.reader.book import Book, FiledAssumptions, same
from pipelines.reader.compute import Computed, Serving, compute
from pipelines.reader.errors import ReaderError
from pipelines.reader.estimate import defaults_line
from pipelines.reader.explain_impacts import impacts_behind, print_impacts
from pipelines.reader.question import KEY, OVIEDO, SERVING_TIME, Asked, Question, ask, stored_row
from pipelines.reader.show import Column, Fact, number, show_facts, show_json, show_table, show_title

ESTIMATE_ID = re.compile("[0-9a-f]{12}")
AGREES = 1e-9
PRIOR = "serving-time.prior."
TABLES = {SERVING_TIME: "serving_fits", OVIEDO: "throughput_rules"}
COEFFICIENTS = ("b0", "b1", "b2", "cap_output_tokens_per_s")
STATISTICS = ("p05", "p25", "p50", "p75", "p95", "mean", "p50_lo90", "p50_hi90", "mean_lo90", "mean_hi90")
_BENCHMARK = (
    "locator", "input_tokens", "output_tokens", "printed_value", "printed_unit", "token_basis", "accelerator_basis",
    "n_basis", "output_tokens_per_s", "caveat",
)  # fmt: skip


def print_explanation(book: Book, estimate: str, options: dict, as_json: bool) -> None:
    found = explain(book, asked_of(book, estimate, options))
    if as_json:
        show_json(found)
        return
    _print(found)


def asked_of(book: Book, estimate: str, options: dict) -> Asked:
    """What is explained: an estimate_id, or a model with the options of a question."""
    if not ESTIMATE_ID.fullmatch(estimate):
        return ask(book, Question(estimate, **options))
    if any(value is not None for value in options.values()):
        raise ReaderError(f"estimate_id {estimate} says all: leave the other options out, or name a model")
    rows = book.rows("from energy_per_query where estimate_id = ?", estimate)
    if not rows:
        raise ReaderError(f"no estimate {estimate}: energy_per_query has the ids, and joulebook estimate prints one")
    row = rows[0]
    key = [row[name] for name in KEY]
    configuration = _only(book, book.rows(f"from {TABLES[row['method']]} where {same(KEY)}", *key), "fit")
    question = Question(row["model_id"])
    return Asked(
        question, configuration, "as named", row["method"], row["workload_id"], row["boundary"], row["load"], ""
    )


def _only(book: Book, rows: list[dict], what: str) -> dict:
    """The row that a whole file has. Raises ReaderError for a file that someone took rows out of."""
    if not rows:
        raise ReaderError(f"{book.file} has lost the {what} behind this estimate: run joulebook refresh --offline")
    return rows[0]


def explain(book: Book, asked: Asked) -> dict:
    """The estimate, everything it was made of, and the same computed again."""
    assumed = book.assumptions()
    computed = compute(book, assumed, asked)
    stored = stored_row(book, asked)
    _also_behind(assumed, asked)
    rows = benchmark_rows(book, asked.configuration, asked.method)
    return {
        "estimate_id": stored and stored["estimate_id"],
        "what": f"{asked.what_runs}, {_workload(asked)}, boundary {asked.boundary}, load {asked.load:g}, "
        f"{asked.method}",
        "defaults": asked.defaults,
        "energy_wh_per_query": _beside(computed, stored),
        "largest_relative_difference": _largest_difference(computed, stored),
        "formula": _serving_formula(computed.serving) if computed.serving else _oviedo_formula(assumed, asked),
        "fit": _refit(assumed, book, asked, rows),
        "source": _source(book, asked),
        "other_sources": _other_sources(book, asked),
        "benchmarks": [{name: row[name] for name in _BENCHMARK} for row in rows],
        "corrections": _corrections(book, asked, rows),
        "hardware": _hardware(book, asked),
        "impacts": impacts_behind(book, asked, computed.row, assumed),
        "checks": _checks(book, asked),
        "assumptions": [row | {"has_effect": _has_effect(row, computed.serving)} for row in assumed.used.values()],
    }


def _also_behind(assumed: FiledAssumptions, asked: Asked) -> None:
    """Asks for the assumptions that are in the fit already, so that they are listed with the others."""
    c = asked.configuration
    if asked.method == SERVING_TIME:
        assumed.value(half_width_id(c["n_length_pairs"]))
    elif c["source_id"] == PAPER_SOURCE:
        assumed.value(paper_node_power_id(c["model_id"]))


def _has_effect(row: dict, made: Serving | None) -> bool:
    """Whether this estimate would be another with another value: some are asked for and not needed."""
    if made is None:
        return True
    name, at = row["assumption_id"], made.estimate
    widths = (made.time.half_width_ln_at_median[0], made.time.half_width_ln_at_mean[0])
    is_by_boards = made.saturated.half_width_ln[0] == made.constants.gpu_power_half_width_ln
    needed = {
        "serving-time.half_width_ln.": row["value"] in widths,
        "serving-time.pue": at.boundary == "facility",
        "serving-time.node_power_share": at.boundary != "gpu" and not is_by_boards,
        "serving-time.gpu_power": is_by_boards,
        "idle.gpu_share_of_tdp": at.boundary == "gpu" and at.power.load < 1,
        "idle.node_share_of_max": at.boundary != "gpu" and at.power.load < 1,
        "impacts.": at.boundary == "facility",
    }
    return bool(next((needed[start] for start in needed if name.startswith(start)), True))


def _workload(asked: Asked) -> str:
    q = asked.question
    if not q.is_one_query:
        return f"workload {asked.workload}"
    return f"one query of {q.input_tokens} tokens in ({q.cached_tokens or 0} cached) and {q.output_tokens} out"


def _beside(computed: Computed, stored: dict | None) -> dict:
    names = [f"energy_wh_per_query_{name}" for name in STATISTICS]
    return {
        name.removeprefix("energy_wh_per_query_"): {
            "stored": stored and stored[name], "recomputed": computed.row.get(name),
        }
        for name in names
    }  # fmt: skip


def _largest_difference(computed: Computed, stored: dict | None) -> float | None:
    if stored is None:
        return None
    both = [(stored[name], value) for name, value in computed.row.items() if name.startswith("energy_")]
    return max(abs(again / kept - 1) for kept, again in both)


def _serving_formula(made: Serving) -> dict:
    """Of the median query and of the mean: x, the terms, accelerator-seconds, power, PUE, Wh."""
    theta, at = made.found.fit.theta[0], made.estimate
    steps = {}
    for name, x in (("p50", made.time.median_work[0]), ("mean", made.time.mean_work[0])):
        terms = np.exp(theta) * x
        watts = float(at.power.w[0] / made.found.n_accelerators[0])
        seconds = float(terms.sum())
        steps[name] = {
            "x": x.tolist(), "terms_accelerator_s": terms.tolist(), "accelerator_s": seconds,
            "energy_wh": at.pue.median * watts * seconds / at.power.load / JOULES_PER_WH,
        }  # fmt: skip
    n, share = float(made.found.n_accelerators[0]), made.constants.node_power_share.median
    by_share = at.boundary != "gpu" and math.isclose(
        float(made.saturated.w[0]), float(made.found.node_power_max_w[0]) * share
    )
    rated = float(made.found.node_power_max_w[0]) if by_share else float(made.found.tdp_w[0]) * n
    return {
        "method": "E = PUE · P/n · (s n) / load / 3600, s n = Σ exp(theta) x, "
        "x = (L_in - C, L_out, L_out (L_in + L_out/2), (L_in - C)(L_in + C))",
        "theta": dict(zip(TERMS, theta.tolist(), strict=True)),
        "power_saturated_w": float(made.saturated.w[0]),
        "power_is": "share of the server's rated maximum" if by_share else "share of the boards' TDP, by utilisation",
        "rated_w": rated,
        "share_of_rated": float(made.saturated.w[0]) / rated,
        "power_w": float(at.power.w[0]),
        "n_accelerators": n,
        "load": at.power.load,
        "pue": at.pue.median,
        "of": steps,
    }


def _oviedo_formula(assumed: FiledAssumptions, asked: Asked) -> dict:
    factors, c = Factors.of(assumed, asked.boundary), asked.configuration
    return {
        "method": "E = PUE · P_max · PU · L_out / TPS / 3600, TPS = min(cap, exp(b0 + b1 ln L_in + b2 ln L_out)); "
        "quantiles over lengths, PU and PUE, both log-normal",
        **{name: c[name] for name in COEFFICIENTS},
        "node_power_max_w": c["node_power_max_w"],
        "power_utilisation_median": factors.power_utilisation.median,
        "pue_median": factors.pue.median,
        "factor_mean": factors.product.mean,
    }


def _refit(assumed: FiledAssumptions, book: Book, asked: Asked, rows: list[dict]) -> dict:
    """The fit as stored, and fitted again to the printed rows."""
    arrays = (np.array([row[name] for row in rows], dtype=float) for name in ("input_tokens", "output_tokens"))
    l_in, l_out = arrays
    tps = np.array([row["output_tokens_per_s"] for row in rows])
    c = asked.configuration
    if asked.method == OVIEDO:
        rule = fit_rule(l_in, l_out, tps)
        again = dict(zip(COEFFICIENTS, (rule.b0, rule.b1, rule.b2, rule.cap_tokens_per_s), strict=True))
        stored = {name: c[name] for name in COEFFICIENTS}
    else:
        points = Points.of(np.zeros(len(rows)), 1, l_in, l_out, tps, np.full(len(rows), c["n_accelerators"]))
        prior = prior_of(assumed)
        fit = fit_serving_time(points, prior.mean(deployments_of([_specifications(book, asked)])), prior.covariance)
        again = dict(zip(TERMS, fit.theta[0].tolist(), strict=True))
        stored = {term: c[f"ln_{term}"] for term in TERMS}
    return {
        "stored": stored,
        "refitted": again,
        "largest_difference": max(abs(again[name] - stored[name]) for name in stored),
    }


def _specifications(book: Book, asked: Asked) -> dict:
    c = asked.configuration
    rows = book.rows(
        f"select {', '.join(f'm.{name}' for name in SPECIFICATIONS)}, {', '.join(f'a.{name}' for name in RATINGS)}"
        " from models m, accelerators a where m.model_id = ? and a.accelerator_id = ?",
        c["model_id"],
        c["accelerator_id"],
    )
    row = _only(book, rows, "model or accelerator")
    return row | {name: c[name] for name in ("precision", "n_accelerators")}


def _source(book: Book, asked: Asked) -> dict:
    columns = "source_id, source_release, source_title, publisher, url, licence, revised_on, snapshot_sha256"
    c = asked.configuration
    rows = book.rows(
        f"select {columns} from sources where source_id = ? and source_release = ?", c["source_id"], c["source_release"]
    )
    return _only(book, rows, "source")


def _other_sources(book: Book, asked: Asked) -> list[dict]:
    """Whose files say how long queries are, and what the board draws."""
    columns = "source_id, source_release, source_title, publisher, url, licence, revised_on, snapshot_sha256"
    board = "select tdp_source from accelerators where accelerator_id = ?"
    found = book.rows(
        f"select {columns} from sources where source_id = ({board})", asked.configuration["accelerator_id"]
    )
    found = [{"says": "the board's power", **row} for row in found]
    if asked.workload in TRACES and not asked.question.is_one_query:
        named = "source_id = ? and source_release = ?"
        trace = book.rows(f"select {columns} from sources where {named}", *TRACES[asked.workload])
        found = [{"says": f"lengths of {asked.workload}", **row} for row in trace] + found
    return found


def _checks(book: Book, asked: Asked) -> list[dict]:
    """What the tables on the way were checked for and passed; empty of a file that has no such table."""
    if not book.rows("from duckdb_tables() where table_name = 'checks' and schema_name = 'main'"):
        return []
    tables = ["serving_measurements", "models", "accelerators", "nodes", TABLES[asked.method], "energy_per_query"]
    if asked.workload in TRACES:
        tables.insert(1, "request_lengths")
    return book.rows("from checks where list_contains(?, table_name) order by list_position(?, table_name), promise",
                     tables, tables)  # fmt: skip


def _corrections(book: Book, asked: Asked, rows: list[dict]) -> list[dict]:
    """Those of the rows that were fitted, and what was left out of the same document."""
    columns = "correction_id, locator, action, column_name, old_value, new_value, reason, evidence"
    c = asked.configuration
    found = book.rows(
        f"select {columns} from corrections where source_id = ? and source_release = ? and is_applied order by locator",
        c["source_id"],
        c["source_release"],
    )
    fitted = {row["locator"] for row in rows}
    return [row for row in found if row["locator"] in fitted or row["action"] == "exclude"]


def _hardware(book: Book, asked: Asked) -> list[dict]:
    """Where the figures of model, accelerator and server stand."""
    c = asked.configuration
    model = book.rows(
        "select total_params_b, active_params_b, source_url from models where model_id = ?", c["model_id"]
    )
    board = book.rows("select tdp_w, tdp_source, locator, source_url from accelerators where accelerator_id = ?",
                      c["accelerator_id"])  # fmt: skip
    found = [{"what": c["model_id"], **row} for row in model] + [{"what": c["accelerator_id"], **row} for row in board]
    if asked.boundary != "gpu" and c["node_id"] is not None:
        node = book.rows("select power_max_w, accelerators_per_node, power_max_quantity, power_idle_w, source_url"
                         " from nodes where node_id = ?", c["node_id"])  # fmt: skip
        found += [{"what": c["node_id"], **row} for row in node]
    return found


def _print(found: dict) -> None:
    show_title(f"{found['estimate_id'] or 'not stored'}: {found['what']}")
    defaults = [("defaults", defaults_line(found["defaults"]))]
    show_facts(
        [
            *_energy_facts(found),
            *(defaults if found["defaults"] else []),
            *_formula_facts(found["formula"]),
            *_fit_facts(found["fit"]),
        ]
    )
    source = found["source"]
    show_title("Source")
    show_facts([
        (source["source_id"], f"release {source['source_release']}, {source['source_title']}, {source['publisher']}, "
                              f"{source['licence']}, revised {source['revised_on'] or 'not said'}"),
        ("url", source["url"]),
        ("sha256", source["snapshot_sha256"]),
    ])  # fmt: skip
    for other in found["other_sources"]:
        show_facts([
            (other["source_id"], f"{other['says']}; release {other['source_release']}, {other['publisher']}, "
                                 f"{other['licence']}"),
            ("url", other["url"]),
            ("sha256", other["snapshot_sha256"] or "not known"),
        ])  # fmt: skip
    show_title("Printed rows that were fitted")
    show_table(
        (
            "where",
            Column("in", numeric=True),
            Column("out", numeric=True),
            Column("printed", numeric=True),
            Column("unit", leave_out=1),
            Column("basis", leave_out=3),
            Column("output tokens/s", numeric=True, leave_out=2),
        ),
        [_benchmark_cells(row) for row in found["benchmarks"]],
    )
    notes = [(row["locator"], row["caveat"]) for row in found["benchmarks"] if row["caveat"]]
    notes += [
        (row["correction_id"], f"{row['action']}, {row['locator']}: {row['reason']}") for row in found["corrections"]
    ]
    if notes:
        show_title("Caveats and corrections")
        show_facts(notes)
    show_title("Model and hardware")
    show_facts([(row["what"], _figures(row)) for row in found["hardware"]])
    if found["impacts"] is not None:
        print_impacts(found["impacts"])
    show_title("Checks passed on the way (the table checks has each in words)")
    n_checks = Counter(row["table_name"] for row in found["checks"])
    show_facts([("checks", ", ".join(f"{n} of {table}" for table, n in n_checks.items()) or "not in this file")])
    show_title("Assumptions used")
    prior = [row for row in found["assumptions"] if row["assumption_id"].startswith(PRIOR)]
    shown = [(row["assumption_id"], _assumption(row)) for row in found["assumptions"] if row not in prior]
    if prior:
        named = f"{len(prior)} constants (--json and table assumptions list them), from {prior[0]['valid_from']}: "
        shown.append((f"{PRIOR}*", named + prior[0]["source"]))
    show_facts(shown)


def _energy_facts(found: dict) -> list[Fact]:
    facts = []
    for name, both in found["energy_wh_per_query"].items():
        if both["recomputed"] is not None:
            stored = "" if both["stored"] is None else f", stored {both['stored']:.12g}"
            facts.append((name, f"{both['recomputed']:.12g} Wh computed again{stored}"))
    difference = found["largest_relative_difference"]
    if difference is not None:
        verdict = "agree" if difference < AGREES else "DIFFER: code or assumptions are newer than the file, refresh"
        facts.append(("stored", f"and computed again {verdict}; largest relative difference {difference:.1e}"))
    return facts


def _formula_facts(formula: dict) -> list[Fact]:
    facts = [("formula", formula["method"])]
    if "of" not in formula:
        numbers = {name: value for name, value in formula.items() if name != "method"}
        return [*facts, ("numbers", ", ".join(f"{name} = {value:.6g}" for name, value in numbers.items()))]
    f = formula
    facts += [
        ("theta", ", ".join(f"{term} {value:.6f}" for term, value in f["theta"].items())),
        ("power", f"{f['share_of_rated']:.4g} * {f['rated_w']:,.6g} W = {f['power_saturated_w']:,.6g} W saturated "
                  f"({f['power_is']}); {f['power_w']:,.6g} W at load {f['load']:g}"),
    ]  # fmt: skip
    for name, step in f["of"].items():
        terms = " + ".join(f"{term:.6g}" for term in step["terms_accelerator_s"])
        x = ", ".join(f"{value:.6g}" for value in step["x"])
        facts += [
            (f"{name}: s n", f"x = ({x}); s n = {terms} = {step['accelerator_s']:.6g} accelerator-seconds"),
            (f"{name}: E", f"{f['pue']:.6g} * {f['power_w']:.6g}/{f['n_accelerators']:g} * "
                           f"{step['accelerator_s']:.6g} / {f['load']:g} / 3600 = {step['energy_wh']:.9g} Wh"),
        ]  # fmt: skip
    return facts


def _fit_facts(fit: dict) -> list[Fact]:
    again = ", ".join(f"{name} {value:.6f}" for name, value in fit["refitted"].items())
    return [("fitted again", f"{again}; largest difference from the stored fit {fit['largest_difference']:.1e}")]


def _benchmark_cells(row: dict) -> tuple[str, ...]:
    basis = f"{row['token_basis']}, {row['accelerator_basis']} * {row['n_basis']}"
    lengths = (f"{row[name]:g}" for name in ("input_tokens", "output_tokens"))
    return (
        row["locator"], *lengths, f"{row['printed_value']:,.10g}", row["printed_unit"], basis,
        f"{row['output_tokens_per_s']:,.10g}",
    )  # fmt: skip


def _figures(row: dict) -> str:
    return ", ".join(
        f"{name} {number(value) if isinstance(value, float) else value}"
        for name, value in row.items()
        if name != "what" and value is not None
    )


def _assumption(row: dict) -> str:
    low, high = row["low"], row["high"]
    between = "" if low is None else f" ({low:g} to {high:g})"
    effect = "" if row["has_effect"] else "no effect here; "
    return f"{effect}{row['value']:g}{between} {row['unit']}, from {row['valid_from']}: {row['source']}"
