"""`joulebook models`, `accelerators`, `workloads`: what can be asked, each with a figure to begin with."""

from pipelines.reader.book import Book
from pipelines.reader.question import DEFAULT_MODEL
from pipelines.reader.show import between, number, show_note, show_table, tokens

ASKED = "method = 'serving-time' and boundary = 'facility' and load = 1"
_DEFAULTS = f"""
    from default_configurations d join energy_per_query e
        using (source_id, source_release, model_id, accelerator_id, n_accelerators, parallelism, precision, framework,
            scenario)
    where e.concurrency is not distinct from d.concurrency and {ASKED}
"""
_MODELS = f"""
    select e.*, m.total_params_b, m.active_params_b,
        (select count(distinct accelerator_id) from energy_per_query o where o.model_id = e.model_id) as n_known_on
    from (select e.* {_DEFAULTS} and workload_id = 'traditional') e join models m using (model_id)
    order by e.model_id
"""
_ACCELERATORS = f"""
    with asked as (from energy_per_query where {ASKED} and workload_id = 'traditional'),
    most as (
        select model_id from asked group by model_id order by count(distinct accelerator_id) desc, model_id limit 1
    )
    select a.accelerator_id, a.accelerator_name, a.tdp_w, n.power_max_w_per_accelerator,
        count(distinct e.model_id) as n_models, (from most) as model_id,
        min(e.energy_wh_per_query_p50) filter (where e.model_id = (from most)) as wh
    from accelerators a join asked e using (accelerator_id)
    left join nodes n on n.accelerator_id = a.accelerator_id and n.is_default
    group by all order by a.accelerator_id
"""
_WORKLOADS = f"""
    select e.workload_id, e.energy_wh_per_query_p50 as wh, e.is_extrapolated {_DEFAULTS} and e.model_id = ? order by wh
"""
_LENGTHS = """
    select sum(n_requests) as n, sum(n_requests * input_tokens) / sum(n_requests) as input_tokens,
        sum(n_requests * output_tokens) / sum(n_requests) as output_tokens,
        sum(n_requests * cached_tokens) / sum(n_requests) as cached_tokens
    from request_lengths where source_id = ? and source_release = ? and output_tokens > 0
"""


def print_models(book: Book) -> None:
    rows = book.rows(_MODELS)
    show_table(
        ("model", "params, b", "active, b", "default configuration", "Wh", "90 % interval", "boards"),
        [
            (
                row["model_id"],
                number(row["total_params_b"]),
                number(row["active_params_b"]),
                f"{row['n_accelerators']} {row['accelerator_id']}, {row['precision']}",
                number(row["energy_wh_per_query_p50"]),
                between(row["energy_wh_per_query_p50_lo90"], row["energy_wh_per_query_p50_hi90"]),
                str(row["n_known_on"]),
            )
            for row in rows
        ],
        numeric=(1, 2, 4, 6),
    )
    show_note("Wh per query: median of workload traditional, facility, load 1, method serving-time.")


def print_accelerators(book: Book) -> None:
    rows = book.rows(_ACCELERATORS)
    model = rows[0]["model_id"] if rows else ""
    show_table(
        ("accelerator", "name", "TDP, W", "server, W each", "models", f"Wh, {model}"),
        [
            (
                row["accelerator_id"],
                row["accelerator_name"],
                number(row["tdp_w"]),
                number(row["power_max_w_per_accelerator"]),
                str(row["n_models"]),
                number(row["wh"]),
            )
            for row in rows
        ],
        numeric=(2, 3, 4, 5),
    )
    show_note(f"Least median of {model} there, the model benchmarked on most: traditional, facility, load 1.")


def print_workloads(book: Book) -> None:
    show_table(
        ("workload", "what it is", "Wh per query", "extrapolated"),
        [
            (row["workload_id"], _lengths(book, row["workload_id"]), number(row["wh"]), _yes(row["is_extrapolated"]))
            for row in book.rows(_WORKLOADS, DEFAULT_MODEL)
        ],
        numeric=(2,),
    )
    show_note(f"Median of {DEFAULT_MODEL} on its default configuration, facility, load 1.")


def _lengths(book: Book, workload_id: str) -> str:
    from pipelines.energy.workloads import EXPONENTIAL, TRACES  # noqa: PLC0415  (NumPy, where it is needed)

    if workload_id in EXPONENTIAL:
        assumed = book.assumptions()
        names = ("input_tokens", "output_tokens_median")
        given, median = (assumed.value(f"workload.{workload_id}.{name}") for name in names)
        return f"{tokens(given)} tokens in, exponential output, median {tokens(median)}"
    if workload_id not in TRACES:
        return "not known to this version of joulebook"
    row = book.rows(_LENGTHS, *TRACES[workload_id])[0]
    cached = f", {row['cached_tokens']:.0f} of them cached" if row["cached_tokens"] else ""
    requests = f"{row['n']:,.0f} requests of {TRACES[workload_id][0]}"
    return f"{requests}: mean {row['input_tokens']:.0f} tokens in{cached}, {row['output_tokens']:.0f} out"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
