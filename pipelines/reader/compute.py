"""Estimates computed from the published file, as the tables of it were: the same pure functions on the same figures.

What belongs here: rows of the file put into pipelines/energy. NumPy comes in with it, so import this where needed.
"""

from dataclasses import dataclass

import numpy as np

from pipelines.energy.assumed import ServingConstants
from pipelines.energy.oviedo2026 import Factors, QueryEnergy
from pipelines.energy.power import CentralPower
from pipelines.energy.reach import Reach, share_columns
from pipelines.energy.serving_estimate import (
    Configurations,
    QueryTime,
    ServingEstimate,
    estimate_at,
    power_at,
    saturated_power,
)
from pipelines.energy.throughput import ThroughputRule
from pipelines.energy.workloads import EVIDENCE, EXPONENTIAL, TRACES, Trace, Workload
from pipelines.energy.workloads import Asked as Queries
from pipelines.reader.book import Book, FiledAssumptions
from pipelines.reader.errors import ReaderError
from pipelines.reader.question import OVIEDO, Asked


@dataclass(frozen=True)
class Computed:
    """A row as energy_per_query has it, and for serving-time what it was made of."""

    row: dict
    serving: "Serving | None" = None


@dataclass(frozen=True)
class Serving:
    """The parts of an estimate by serving-time of one configuration."""

    found: Configurations
    time: QueryTime
    saturated: CentralPower
    estimate: ServingEstimate
    constants: ServingConstants


def queries_of(book: Book, assumed: FiledAssumptions, asked: Asked) -> Queries:
    """What is asked, as lengths with weights."""
    question = asked.question
    if question.is_one_query:
        return Trace.of_one_query(question.input_tokens, question.output_tokens, question.cached_tokens or 0)
    return workload_named(book, assumed, asked.workload)


def workload_named(book: Book, assumed: FiledAssumptions, workload_id: str) -> Queries:
    if workload_id in EXPONENTIAL:
        return Workload.of(assumed, workload_id)
    if workload_id not in TRACES:
        raise ReaderError(f"workload {workload_id} is in {book.file}, but not in this version: update joulebook")
    names = ("input_tokens", "cached_tokens", "output_tokens", "n_requests")
    rows = book.rows(
        f"select {', '.join(names)} from request_lengths where source_id = ? and source_release = ?"
        " and output_tokens > 0 order by input_tokens, cached_tokens, output_tokens",
        *TRACES[workload_id],
    )
    return Trace(workload_id, *(np.array([row[name] for row in rows], dtype=float) for name in names))


def compute(book: Book, assumed: FiledAssumptions, asked: Asked) -> Computed:
    """The estimate. For one query the quantiles across queries are all the same."""
    queries = queries_of(book, assumed, asked)
    if asked.method == OVIEDO:
        return Computed(_oviedo_row(assumed, asked, queries))
    serving = serving_of(assumed, asked.configuration, queries, asked.boundary, asked.load)
    return Computed(_first(serving.estimate.columns()) | {"evidence": serving.estimate.evidence[0]}, serving)


def serving_of(assumed: FiledAssumptions, configuration: dict, queries: Queries, boundary: str, load: float) -> Serving:
    """By serving-time, of one configuration: a row of serving_fits."""
    found = Configurations.of(lambda name: _column(configuration[name]))
    constants = ServingConstants.of(assumed)
    time = QueryTime.of(found, queries, constants)
    saturated = saturated_power(found, time, boundary, constants)
    power = power_at(found, saturated, boundary, load, constants)
    return Serving(found, time, saturated, estimate_at(found, time, boundary, power, constants), constants)


def _oviedo_row(assumed: FiledAssumptions, asked: Asked, queries: Queries) -> dict:
    c = asked.configuration
    names = ("b0", "b1", "b2", "cap_output_tokens_per_s")
    rule = ThroughputRule(*(np.array([[c[name]]]) for name in names))
    energy = QueryEnergy.of(rule, _column(c["n_accelerators"]), _column(c["node_power_max_w"]), queries)
    reach = Reach(*(_column(c[name]) for name in Reach.__dataclass_fields__))
    shares = queries.shares_beyond(reach)
    columns = energy.columns(Factors.of(assumed, asked.boundary)) | share_columns(shares)
    return _first(columns) | {"evidence": EVIDENCE[bool(shares.is_extrapolated[0])]}


def _column(value: object) -> np.ndarray:
    return np.array([value]) if isinstance(value, str) else np.array([np.nan if value is None else value], dtype=float)


def _first(columns: dict[str, np.ndarray]) -> dict:
    return {name: values[0].item() for name, values in columns.items()}
