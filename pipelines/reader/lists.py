"""`joulebook models`, `accelerators`, `workloads`: what can be asked, each with a figure to begin with."""

from pipelines.reader.benchmarks import caveats
from pipelines.reader.book import Book
from pipelines.reader.question import DEFAULT_MODEL, OVIEDO, SERVING_TIME, Question, ask, stored_row
from pipelines.reader.show import MARK, Column, between, marked, number, show_note, show_table, tokens

AT = "facility, load 1"
WH = f"Wh at {AT}"
"""What a figure means, in the heading of a piped table too: it has no note."""
GPU_ONLY = "gpu only"
ASKED = "method = 'serving-time' and boundary = 'facility' and load = 1"
_DEFAULTS = f"""
    from default_configurations d join energy_per_query e
        using (source_id, source_release, model_id, accelerator_id, n_accelerators, parallelism, precision, framework,
            scenario)
    where e.concurrency is not distinct from d.concurrency and {ASKED}
"""
_MODELS = """
    select m.model_id, m.total_params_b, m.active_params_b,
        bool_or(e.method = 'serving-time') as has_serving_time,
        count(distinct e.accelerator_id) filter (where e.method = 'serving-time') as n_accelerators_asked
    from models m join energy_per_query e using (model_id)
    where e.boundary = 'facility' and e.load = 1 and e.workload_id = 'traditional'
    group by all order by m.model_id
"""
# boards without a server whose power is published are asked with --boundary gpu alone
_ACCELERATORS = f"""
    with asked as (
        from energy_per_query
        where method = 'serving-time' and boundary in ('facility', 'gpu') and load = 1 and workload_id = 'traditional'
    ),
    most as (
        select model_id from asked where boundary = 'facility'
        group by model_id order by count(distinct accelerator_id) desc, model_id limit 1
    )
    select a.accelerator_id, a.accelerator_name, a.tdp_w, n.power_max_w_per_accelerator,
        bool_or(e.boundary = 'facility') as has_facility,
        count(distinct e.model_id) as n_models_at_gpu,
        count(distinct e.model_id) filter (where e.boundary = 'facility') as n_models,
        (from most) as model_id,
        min(e.energy_wh_per_query_p50) filter (where e.model_id = (from most) and {ASKED}) as wh
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
    header = (
        Column("model"), Column("params, b", numeric=True, leave_out=6), Column("active, b", numeric=True, leave_out=7),
        Column("on, by default", piped="default configuration"), Column("Wh", numeric=True, piped=f"{WH}, traditional"),
        Column("90 % interval", leave_out=1), Column("rows", numeric=True, leave_out=2, piped="benchmark rows"),
        Column("evidence", leave_out=4), Column("caveats", numeric=True, leave_out=3, piped="rows with a caveat"),
        Column("method", leave_out=5), Column("accelerators", numeric=True, leave_out=8, piped=f"accelerators at {AT}"),
    )  # fmt: skip
    rows = [_model(book, row) for row in book.rows(_MODELS)]
    show_table(header, rows, marked=[row[8] != "0" for row in rows])
    show_note(
        f"Wh per query: median of workload traditional, {AT}, method {SERVING_TIME}; those without an interval answer "
        f"by --method {OVIEDO} alone. {MARK}: not benchmarked, but predicted. Yellow: joulebook estimate MODEL tells "
        "the caveats of its benchmarks."
    )


def _model(book: Book, model: dict) -> tuple[str, ...]:
    method = SERVING_TIME if model["has_serving_time"] else OVIEDO
    asked = ask(book, Question(model["model_id"], method=method))
    c, row = asked.configuration, stored_row(book, asked)
    low, high = row["energy_wh_per_query_p50_lo90"], row["energy_wh_per_query_p50_hi90"]
    return (
        model["model_id"], number(model["total_params_b"]), number(model["active_params_b"]),
        f"{c['n_accelerators']} {c['accelerator_id']} {c['precision']}",
        marked(row["energy_wh_per_query_p50"], row["evidence"]),
        "-" if low is None else between(low, high), str(c["n_rows"]), row["evidence"],
        str(sum(one["n_rows"] for one in caveats(book, c, method))), method, str(model["n_accelerators_asked"]),
    )  # fmt: skip


def print_accelerators(book: Book) -> None:
    rows = book.rows(_ACCELERATORS)
    model = rows[0]["model_id"] if rows else ""
    header = (
        Column("accelerator"), Column("name", wraps=True, leave_out=3), Column("TDP, W", numeric=True, leave_out=2),
        Column("server, W each", numeric=True, leave_out=1), Column("boundary"),
        Column("models", numeric=True, piped=f"models at that boundary, load 1, {SERVING_TIME}"),
        Column(f"Wh, {model}", numeric=True, piped=f"{WH}, traditional, {SERVING_TIME}, {model}"),
    )  # fmt: skip
    cells = [
        (
            row["accelerator_id"], row["accelerator_name"], number(row["tdp_w"]),
            number(row["power_max_w_per_accelerator"]), "any" if row["has_facility"] else GPU_ONLY,
            str(row["n_models"] or row["n_models_at_gpu"]), number(row["wh"]),
        )
        for row in rows
    ]  # fmt: skip
    show_table(header, cells, marked=[row[4] == GPU_ONLY for row in cells])
    show_note(
        f"Least median of {model} there, the model benchmarked on most: traditional, {AT}. {GPU_ONLY}: no power of a "
        "server with it is published, ask with --boundary gpu."
    )


def print_workloads(book: Book) -> None:
    show_table(
        (
            Column("workload"), "what it is",
            Column("Wh per query", numeric=True, piped=f"{WH}, {SERVING_TIME}, {DEFAULT_MODEL}"),
            Column("extrapolated", leave_out=1),
        ),
        [
            (row["workload_id"], _lengths(book, row["workload_id"]), number(row["wh"]), _yes(row["is_extrapolated"]))
            for row in book.rows(_WORKLOADS, DEFAULT_MODEL)
        ],
    )  # fmt: skip
    show_note(f"Median of {DEFAULT_MODEL} on its default configuration, {AT}.")


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
