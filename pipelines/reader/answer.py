"""One answer: energy with its interval, carbon and water, what is behind it, and what others publish.

As a mapping that `estimate --json` prints, schema in schemas/estimate.schema.json. How it looks belongs to estimate.py.
"""

import math

from pipelines.reader.benchmarks import caveats
from pipelines.reader.book import Book, FiledAssumptions
from pipelines.reader.others import published_of
from pipelines.reader.question import SERVING_TIME, Asked, ask, find_area, stored_row
from pipelines.reader.question import Question as Question  # noqa: PLC0414  (what an answer is asked with)

CAUSES = ("fit", "power", "pue", "load")
STATISTICS = ("p05", "p25", "p50", "p75", "p95", "mean", "p50_lo90", "p50_hi90", "mean_lo90", "mean_hi90")
_ACROSS = ("p05", "p25", "p75", "p95")
BENCHMARKED = ("shortest_input_tokens", "longest_input_tokens", "shortest_output_tokens", "longest_output_tokens")


def answer(book: Book, question: Question) -> dict:
    """The answer to a question. Raises ReaderError where there is none."""
    asked = ask(book, question)
    assumed = book.assumptions()
    area = find_area(book, asked.region) if asked.boundary == "facility" else None
    row = stored_row(book, asked)
    estimate_id = None if row is None else row["estimate_id"]
    if row is None:
        from pipelines.reader.compute import compute  # noqa: PLC0415  (NumPy, where it is needed)

        row = compute(book, assumed, asked).row
    return {
        "estimate_id": estimate_id,
        "question": question_of(asked),
        "defaults": asked.defaults,
        "configuration": {name: asked.configuration[name] for name in _CONFIGURATION} | {"chosen_as": asked.chosen_as},
        "energy_wh_per_query": _energy(row, asked),
        "impacts": None if area is None else impacts_of(row, area, assumed),
        "power_w": row["power_w"],
        "pue": row["pue"],
        "accelerator_s_per_query_mean": row["accelerator_s_per_query_mean"],
        "evidence": row["evidence"],
        "is_extrapolated": row["is_extrapolated"],
        "share_of_queries_beyond": {
            "output_longer": row["share_longer_than_benchmarked"],
            "output_shorter": row["share_shorter_than_benchmarked"],
            "input_outside": row["share_input_outside_benchmarked"],
            "input_cached": row["share_with_cached_input"],
        },
        "mean_share_extrapolated": row.get("mean_share_extrapolated"),
        "benchmarks": _benchmarks(book, asked),
        "uncertainty": _uncertainty(row),
        "published": published_of(book, asked, row["energy_wh_per_query_p50"], row.get("energy_wh_per_query_mean")),
    }


_CONFIGURATION = (
    "model_id", "accelerator_id", "n_accelerators", "parallelism", "precision", "framework", "source_id",
    "source_release", "scenario", "concurrency",
)  # fmt: skip


def question_of(asked: Asked) -> dict:
    """What was asked with its defaults filled in."""
    q = asked.question
    return {
        "method": asked.method, "workload_id": asked.workload, "boundary": asked.boundary, "load": asked.load,
        "input_tokens": q.input_tokens, "output_tokens": q.output_tokens,
        "cached_tokens": (q.cached_tokens or 0) if q.is_one_query else None,
        "region": asked.region if asked.boundary == "facility" else None,
    }  # fmt: skip


def _energy(row: dict, asked: Asked) -> dict:
    """One query by serving-time has no spread across queries; that of oviedo2026 holds power and PUE too."""
    no_spread = asked.question.is_one_query and asked.method == SERVING_TIME
    return {
        name: None if no_spread and name in _ACROSS else row.get(f"energy_wh_per_query_{name}") for name in STATISTICS
    }


def impacts_of(row: dict, area: dict, assumed: FiledAssumptions) -> dict:
    """Carbon and water of one query of a row at the facility, in an area."""
    import numpy as np  # noqa: PLC0415  (where it is needed)

    from pipelines.energy.impacts import ImpactFactors, impacts_with_intervals  # noqa: PLC0415  (NumPy)

    wh, high = row["energy_wh_per_query_p50"], row.get("energy_wh_per_query_p50_hi90")
    has_interval = high is not None
    width, of_pue = (math.log(high / wh), row["interval_share_pue"]) if has_interval else (0.0, 0.0)
    water = area["grid_water_l_per_kwh"]
    found = impacts_with_intervals(
        np.array([wh]), np.array([width]), np.array([of_pue]), row["pue"], np.array([area["carbon_gco2e_per_kwh"]]),
        np.array([np.nan if water is None else water]), ImpactFactors.of(assumed),
    )  # fmt: skip
    figures = {}
    for name, (central, low, high_end) in found.items():
        values = [None if math.isnan(end[0]) else end[0].item() for end in (central, low, high_end)]
        if not has_interval:
            values[1:] = [None, None]
        figures[f"{name}_per_query"] = dict(zip(("p50", "p50_lo90", "p50_hi90"), values, strict=True))
    return area | figures


def _benchmarks(book: Book, asked: Asked) -> dict:
    c = asked.configuration
    source = book.rows(
        "select source_title, publisher, url, revised_on, snapshot_sha256 from sources"
        " where source_id = ? and source_release = ?",
        c["source_id"],
        c["source_release"],
    )
    lengths = {name: c[name] for name in BENCHMARKED}
    known = source[0] if source else dict.fromkeys(("source_title", "publisher", "url", "revised_on"))
    known.pop("snapshot_sha256", None)
    against = {"caveats": caveats(book, c, asked.method)}
    of = {"source_id": c["source_id"], "source_release": c["source_release"], "n_rows": c["n_rows"]}
    return of | known | lengths | against


def _uncertainty(row: dict) -> dict | None:
    """Half-widths in ln of the median's 90 % interval by cause; None for a method without an interval."""
    high = row.get("energy_wh_per_query_p50_hi90")
    if high is None:
        return None
    width = math.log(high / row["energy_wh_per_query_p50"])
    shares = {cause: row[f"interval_share_{cause}"] for cause in CAUSES}
    return {
        "dominant": max(shares, key=shares.get),
        "share": shares,
        "half_width_ln": {cause: width * math.sqrt(share) for cause, share in shares.items()},
    }
