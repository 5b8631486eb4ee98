"""The published rows that a configuration was fitted to, and what is to be said against them.

What belongs here: which rows of serving_measurements a fit took. Taking an estimate back to them belongs to explain.py.
"""

from collections import Counter

from pipelines.reader.book import Book, same
from pipelines.reader.question import KEY, OVIEDO

PAPER_SOURCE, PAPER_PRECISION = "oviedo_throughput", "fp8"


def benchmark_rows(book: Book, configuration: dict, method: str) -> list[dict]:
    """The printed rows that were fitted, as the fits choose them."""
    c = configuration
    order = "input_tokens is not null and output_tokens is not null order by input_tokens, output_tokens, locator"
    if method == OVIEDO and c["source_id"] == PAPER_SOURCE:
        # the paper pools the FP8 rows of a model, whatever their hardware
        where, values = (
            "source_id = ? and model_id = ? and precision = ?",
            (PAPER_SOURCE, c["model_id"], PAPER_PRECISION),
        )
    else:
        where, values = same(KEY), tuple(c[name] for name in KEY)
    return book.rows(f"from serving_measurements where {where} and {order}", *values)


def caveats(book: Book, configuration: dict, method: str) -> list[dict]:
    """What is to be said against fitted rows: each caveat with the number of rows that it is of, most first."""
    found = Counter(row["caveat"] for row in benchmark_rows(book, configuration, method) if row["caveat"])
    return [{"caveat": caveat, "n_rows": n} for caveat, n in found.most_common()]
