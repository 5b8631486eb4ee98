"""What the report says, in its order. The figures themselves: report_estimates.py, report_savings.py and
report_evidence.py; how their charts look: report_charts.py; the page: report_page.py.
"""

from datetime import UTC, date, datetime

from pipelines.reader.book import Book
from pipelines.reader.report_estimates import (
    energy,
    energy_facts,
    energy_of_pairs,
    fleet_fact,
    fleets,
    longer_answers,
    two_lengths,
    typical_and_long,
)
from pipelines.reader.report_evidence import ages, aims, causes_of_changes, conflicts, estimators, history, ladders
from pipelines.reader.report_parts import Report, Section
from pipelines.reader.report_savings import assumed_gains, several_steps, single_steps


def report_of(book: Book, made_on: date | None = None) -> Report:
    """The report of an open book; ages are counted up to `made_on`, today if it is not given."""
    made_on = made_on or datetime.now(UTC).date()
    releases = book.rows("from releases order by release_number")
    pairs = energy_of_pairs(book)
    lengths = two_lengths(book)
    sections = [
        Section("energy", "Energy per query", (energy(pairs),)),
        Section("long", "Typical and long queries", (typical_and_long(lengths), longer_answers(book))),
        Section("pathways", "What saves energy", (single_steps(book), assumed_gains(book), several_steps(book))),
        Section("fleet", "Fleets", (fleets(book),)),
        Section("errors", "Measured against predicted", (aims(book), estimators(book))),
        Section("ladder", "From the boards to the building", tuple(ladders(book))),
        Section("conflicts", "Where sources conflict", (conflicts(book),)),
        Section("sources", "Sources and their age", (ages(book, made_on),)),
        Section("changes", "Changes since the last release", (causes_of_changes(book, releases), history(releases))),
    ]
    facts = [*energy_facts(lengths), *fleet_fact(book)]
    return Report(releases[-1] if releases else {}, made_on, facts, sections)
