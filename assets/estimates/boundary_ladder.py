"""estimates.boundary_ladder: one query from the boards to the building, and published figures each on its rung."""

from collections.abc import Iterator

import polars as pl

from assets import columns as c
from assets.estimates.throughput_rules import KEY
from assets.raw.published_estimates import BOUNDARIES
from pipelines.energy.boundaries import rungs_of_shares
from pipelines.energy.errors import EnergyInputError
from pipelines.energy.serving_time import METHOD
from pipelines.tables.contract import Coverage, Rule, Table
from pipelines.wiring import model_asset

OURS, GOOGLE, OTHERS = LADDERS = ("llama-3.1-405b", "Google Gemini Apps", "published and metered")
MODEL, WORKLOAD, BELOW_SATURATION = "llama-3.1-405b", "traditional", 0.5
GOOGLE_SUBJECT = "Google Gemini Apps median text prompt"
GOOGLE_SHARES = {
    "energy_share_accelerators": ("accelerators in production", "gpu"),
    "energy_share_host_cpu_memory": ("and their hosts", "node"),
    "energy_share_idle_machines": ("and idle machines", "node"),
    "energy_share_datacenter_overhead": ("and the building", "facility"),
}
METERED = (
    (
        "mlenergy_v3", "llama-3.1-405b-fp8", "h100-sxm", "gpu",
        "The same weights on eight of the same boards, metered under vLLM, at the least energy of a sweep that ends at "
        "256 requests in flight: not saturated",
    ),
    (
        "mlperf_inference", "llama-3.1-405b", "b200-sxm", "node",
        "Wall power of eight B200 on a task of long inputs, ours are 500 tokens; the results do not print the lengths",
    ),
)  # fmt: skip
ORDER = {"gpu": 1, "node": 2, "facility": 3}
STATISTICS = {"median": "energy_wh_per_query_p50", "mean": "energy_wh_per_query_mean"}
BASES = ("benchmarked", "derived", "measured", "modelled", "stated", "assumed")

TABLE = Table(
    name="estimates.boundary_ladder",
    description="Energy of one query by boundary. Ours: Llama 3.1 405B on its default configuration, traditional, from "
    "boards to node, to a node at half load, to facility. Google's: the prompt of its report "
    "taken apart by its shares (they sum to 101). Others: each published or metered figure beside ours of the same "
    "boundary, with what explains the rest.",
    grain=("ladder", "rung_order", "rung"),
    columns=(
        c.text("ladder", "Whose figures.", LADDERS),
        c.count("rung_order", "From the innermost boundary outward; of other figures 1 boards, 2 node, 3 facility.", 1),
        c.text("rung", "What is inside, or whose figure it is."),
        c.text("estimate_boundary", "What it covers; unspecified: not said.", BOUNDARIES),
        c.workload_id.but(meaning="Which queries of ours it is beside; empty: none.").optional(),
        c.load.optional(),
        c.energy_wh_per_query,
        c.quantity("step_ratio", "dimensionless", "Energy over that of the rung below.", 0.1, 1e3).optional(),
        c.text("statistic", "Which of ours it is compared with; empty: none.", tuple(STATISTICS)).optional(),
        c.quantity("ratio_to_ours", "dimensionless", "Energy over ours within this boundary.", 1e-4, 1e4).optional(),
        c.text("estimate_basis", "How it is known.", BASES),
        c.source_id.but(meaning="Whose metered figure it is; empty: ours, or that of the page.").optional(),
        c.source_url.optional(),
        c.text("explanation", "What the step adds, or what explains the difference from ours."),
    ),
    rules=(
        Rule(
            "A wider boundary holds no less energy",
            (pl.col("ladder") == OTHERS) | (pl.col("step_ratio") >= 1 - 1e-9).fill_null(True),
            check="contract",
            show="step_ratio",
        ),
    ),
    coverage=(Coverage("ladder", LADDERS),),
    published=True,
)


def boundary_ladder_of(
    energy_per_query: pl.DataFrame,
    default_configurations: pl.DataFrame,
    published_estimates: pl.DataFrame,
    energy_measurements: pl.DataFrame,
    ladder: pl.DataFrame,
) -> pl.DataFrame:
    """The rungs of all three ladders."""
    ours = energy_per_query.join(default_configurations.select(KEY), on=KEY, nulls_equal=True)
    ours = ours.filter((pl.col("method") == METHOD) & (pl.col("model_id") == MODEL))
    asked = ours.filter(pl.col("workload_id") == WORKLOAD)
    rows = [
        *_own(asked),
        *_google(published_estimates),
        *_published(published_estimates, ladder, ours.filter(pl.col("load") == 1)),
        *_metered(energy_measurements, asked.filter(pl.col("load") == 1)),
    ]
    return pl.DataFrame(rows, schema=TABLE.schema)


def _own(ours: pl.DataFrame) -> Iterator[dict]:
    """Boards and node at saturation, node and facility at half load, facility at saturation."""
    steps = (
        ("boards", "gpu", 1.0, "The accelerator boards of the server, saturated"),
        ("server", "node", 1.0, "Processors, memory, network, fans and power supplies of the server"),
        (
            "server at half load",
            "node",
            BELOW_SATURATION,
            "Power that does not fall with the queries, borne by half as many",
        ),
        ("building, server at half load", "facility", BELOW_SATURATION, "Cooling and power distribution: PUE"),
        ("building, server saturated", "facility", 1.0, "Saturated: the default of an answer"),
    )
    below = None
    for order, (rung, boundary, load, adds) in enumerate(steps, 1):
        row = ours.filter((pl.col("boundary") == boundary) & (pl.col("load") == load)).row(0, named=True)
        energy = row["energy_wh_per_query_p50"]
        is_step = order < len(steps)
        yield {
            "ladder": OURS, "rung_order": order, "rung": rung, "estimate_boundary": boundary,
            "workload_id": WORKLOAD, "load": load,
            "energy_wh_per_query": energy, "step_ratio": energy / below if below and is_step else None,
            "estimate_basis": "benchmarked" if load == 1 else "assumed", "explanation": adds,
        }  # fmt: skip
        below = energy


def _published_wh(published_estimates: pl.DataFrame, subject: str, quantity: str) -> dict:
    """The row of published_estimates. Raises EnergyInputError where there is none."""
    found = published_estimates.filter((pl.col("subject") == subject) & (pl.col("quantity_as_printed") == quantity))
    if found.height != 1:
        raise EnergyInputError(
            f"assets/reference/ladder.csv: {subject}, {quantity} stands {found.height} times in "
            "assets/reference/published_estimates.csv; name a row that is there once"
        )
    return found.row(0, named=True)


def _google(published_estimates: pl.DataFrame) -> Iterator[dict]:
    narrow = _published_wh(published_estimates, GOOGLE_SUBJECT, "energy_per_prompt_active_accelerator_only")
    full = _published_wh(published_estimates, GOOGLE_SUBJECT, "energy_per_prompt")
    shares = [
        _published_wh(published_estimates, GOOGLE_SUBJECT, quantity)["value_as_printed"] for quantity in GOOGLE_SHARES
    ]
    energies = rungs_of_shares(full["energy_wh_per_query"], shares)
    below = narrow["energy_wh_per_query"]
    same = {"ladder": GOOGLE, "source_url": full["source_url"]}
    yield same | {
        "rung_order": 1, "rung": "active accelerators", "estimate_boundary": "gpu", "energy_wh_per_query": below,
        "estimate_basis": "measured", "source_url": narrow["source_url"],
        "explanation": "As printed: accelerators while they work, nothing else",
    }  # fmt: skip
    adds = (
        "Accelerators as they are used in production: what the report's shares leave over; our boards would take as "
        "much more at a load of 0.2 if they parked between bursts, of 0.7 if they kept their batches small",
        "Host processors and memory, by its share",
        "Machines kept ready, by its share",
        "Overhead of the data center, by its share; the sum is the printed full figure",
    )
    for order, ((rung, boundary), energy, what) in enumerate(
        zip(GOOGLE_SHARES.values(), energies, adds, strict=True), 2
    ):
        yield same | {
            "rung_order": order, "rung": rung, "estimate_boundary": boundary, "energy_wh_per_query": float(energy),
            "step_ratio": float(energy) / below, "estimate_basis": "derived", "explanation": what,
        }  # fmt: skip
        below = float(energy)


def _published(published_estimates: pl.DataFrame, ladder: pl.DataFrame, ours: pl.DataFrame) -> Iterator[dict]:
    """Medians and averages as printed, over ours of the same workload and boundary (facility if none is said)."""
    for line in ladder.iter_rows(named=True):
        row = _published_wh(published_estimates, line["subject"], line["quantity"])
        boundary = row["estimate_boundary"]
        same = (pl.col("workload_id") == line["workload_id"]) & (pl.col("boundary") == _compared_boundary(boundary))
        compared = ours.filter(same)[STATISTICS[line["statistic"]]].item()
        yield {
            "ladder": OTHERS, "rung_order": ORDER[_compared_boundary(boundary)],
            "rung": f"{line['subject']}: {line['quantity']}",
            "estimate_boundary": boundary, "workload_id": line["workload_id"], "statistic": line["statistic"],
            "energy_wh_per_query": row["energy_wh_per_query"],
            "ratio_to_ours": row["energy_wh_per_query"] / compared, "estimate_basis": row["estimate_basis"],
            "source_url": row["source_url"], "explanation": line["explanation"],
        }  # fmt: skip


def _metered(energy_measurements: pl.DataFrame, ours: pl.DataFrame) -> Iterator[dict]:
    """Metered runs at their least energy per output token, for as many tokens as our mean query has, over our mean."""
    for source_id, model_id, accelerator_id, boundary, explanation in METERED:
        rows = energy_measurements.filter(
            (pl.col("source_id") == source_id)
            & (pl.col("model_id") == model_id)
            & (pl.col("accelerator_id") == accelerator_id)
            & (pl.col("boundary") == boundary)
        )
        for least in rows.sort("energy_j_per_output_token", "locator").head(1).iter_rows(named=True):
            mine = ours.filter(pl.col("boundary") == boundary).row(0, named=True)
            ratio = least["energy_j_per_output_token"] / mine["energy_j_per_output_token"]
            yield {
                "ladder": OTHERS, "rung_order": ORDER[boundary], "estimate_boundary": boundary, "workload_id": WORKLOAD,
                "rung": f"{source_id} {least['source_release']}, {least['locator']}: our mean query",
                "energy_wh_per_query": ratio * mine["energy_wh_per_query_mean"], "ratio_to_ours": ratio,
                "statistic": "mean",
                "estimate_basis": "measured", "source_id": source_id, "explanation": explanation,
            }  # fmt: skip


def _compared_boundary(boundary: str) -> str:
    return boundary if boundary in ORDER else "facility"


boundary_ladder = model_asset(
    TABLE,
    boundary_ladder_of,
    {
        "energy_per_query": "estimates.energy_per_query",
        "default_configurations": "estimates.default_configurations",
        "published_estimates": "core.published_estimates",
        "energy_measurements": "core.energy_measurements",
        "ladder": "raw.ladder",
    },
)
