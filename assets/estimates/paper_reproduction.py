"""estimates.paper_reproduction: the paper's figures beside ours. What does not reproduce is not published."""

import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.core.paper_figures import FIGURE
from assets.estimates.profile import WORKLOADS
from assets.estimates.throughput_rules import PAPER_SOURCE
from pipelines.energy.impacts import on_site_water_ml
from pipelines.energy.oviedo2026 import METHOD
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import model_asset

FIGURE_KEY = ("quantity", "subject", "statistic", "regime")
FLEETS = {
    "paper-traditional": ("traditional", "traditional"),
    "paper-10-long": ("10 % long", "mix"),
    "paper-all-long": ("all long", "test-time"),
}
"""The paper's fleets: what it calls each, and of which queries."""
REFERENCES = ("limit", "authors_code", "published")

TABLE = Table(
    name="estimates.paper_reproduction",
    description="Figures of Oviedo et al. (arXiv:2509.20241) beside ours. `limit` is their value without sampling "
    "noise; the ratio is ours over limit, else over the authors' code, else over the printed figure.",
    grain=FIGURE_KEY,
    columns=(
        *FIGURE,
        Column("ours", pl.Float64, "Our value, in `unit`."),
        c.text("compared_with", "What the ratio compares with.", REFERENCES),
        c.quantity("ratio", "dimensionless", "Ours over that.", 0, 10),
    ),
    min_rows=60,
    rules=(
        Rule(
            "Every figure of the paper is reproduced within its tolerance",
            (pl.col("ratio") - 1).abs() <= pl.col("tolerance"),
            check="contract",
            show="ratio",
        ),
    ),
    published=True,
)


def paper_reproduction_of(
    paper_figures: pl.DataFrame,
    throughput_rules: pl.DataFrame,
    energy_per_query: pl.DataFrame,
    blends: pl.DataFrame,
    interventions: pl.DataFrame,
    fleet: pl.DataFrame,
    input_lengths: pl.DataFrame,
    assumptions: pl.DataFrame,
) -> pl.DataFrame:
    """Each published figure with ours and their ratio; a figure that ours lack stays empty and fails the contract."""
    ours = pl.concat(
        [
            _energies(energy_per_query),
            _blends(blends),
            _interventions(interventions),
            _fleet(fleet),
            _input_lengths(input_lengths),
            _derived(energy_per_query, blends, Assumptions(assumptions)),
            _rules(throughput_rules),
        ]
    )
    reference = pl.coalesce(*REFERENCES)
    compared = pl.coalesce(*[pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in REFERENCES])
    return (
        paper_figures.join(ours, on=FIGURE_KEY, how="left", validate="1:1")
        .with_columns(compared_with=compared, ratio=pl.col("ours") / reference)
        .select(TABLE.schema.keys())
    )


def _long(
    frame: pl.DataFrame, quantity: str, subject: pl.Expr, regime: pl.Expr, values: dict[str, str]
) -> pl.DataFrame:
    """One row a statistic: `values` maps statistic to the column that holds it."""
    return pl.concat(
        [
            frame.select(
                quantity=pl.lit(quantity),
                subject=subject,
                statistic=pl.lit(statistic),
                regime=regime,
                ours=pl.col(column),
            )
            for statistic, column in values.items()
        ]
    )


_QUARTILES = {name: f"energy_wh_per_query_{name}" for name in ("p25", "p50", "p75")}
_MEDIAN = {"p50": "energy_wh_per_query_p50"}
_WORKLOAD = pl.col("workload_id")


def _of_paper(energy_per_query: pl.DataFrame) -> pl.DataFrame:
    return energy_per_query.filter(
        pl.col("source_id") == PAPER_SOURCE,
        pl.col("boundary") == "facility",
        pl.col("method") == METHOD,
        pl.col("workload_id").is_in(WORKLOADS),
    )


def _energies(energy_per_query: pl.DataFrame) -> pl.DataFrame:
    return _long(_of_paper(energy_per_query), "energy_per_query", pl.col("model_id"), _WORKLOAD, _QUARTILES)


def _blends(blends: pl.DataFrame) -> pl.DataFrame:
    version = pl.when(pl.col("profile") == "v2").then(pl.lit("")).otherwise(pl.lit(", arXiv v1"))
    return _long(blends, "energy_per_query", pl.col("blend_id") + version, _WORKLOAD, _QUARTILES)


def _interventions(interventions: pl.DataFrame) -> pl.DataFrame:
    subject = pl.col("intervention")
    combined = interventions.filter((pl.col("intervention") == "combined") & (pl.col("workload_id") == "traditional"))
    gain = {"p10": "gain_p10", "p50": "gain_p50"}
    return pl.concat(
        [
            _long(interventions, "energy_per_query_with_intervention", subject, _WORKLOAD, _MEDIAN),
            _long(interventions, "change_by_intervention", subject, _WORKLOAD, {"p50": "change_of_median"}),
            _long(combined, "combined_gain", pl.lit("all interventions"), pl.lit("any"), gain),
        ]
    )


def _fleet(fleet: pl.DataFrame) -> pl.DataFrame:
    improved = pl.when(pl.col("with_interventions")).then(pl.lit(" with interventions")).otherwise(pl.lit(""))
    theirs = fleet.filter((pl.col("method") == METHOD) & pl.col("fleet_id").is_in(list(FLEETS)))
    subject = pl.col("fleet_id").replace_strict({fleet_id: name for fleet_id, (name, _) in FLEETS.items()}) + improved
    regime = pl.col("fleet_id").replace_strict({fleet_id: regime for fleet_id, (_, regime) in FLEETS.items()})
    return _long(theirs, "fleet_energy", subject, regime, {"mean": "energy_gwh_per_day"})


def _input_lengths(input_lengths: pl.DataFrame) -> pl.DataFrame:
    subject = pl.format(">200B, {} input tokens", pl.col("input_tokens").cast(pl.Int64))
    return _long(input_lengths, "energy_per_query_at_input_length", subject, _WORKLOAD, _MEDIAN)


def _derived(energy_per_query: pl.DataFrame, blends: pl.DataFrame, assumed: Assumptions) -> pl.DataFrame:
    """How far estimates elsewhere lie above the medians, and on-site water."""
    medians = _of_paper(energy_per_query).filter(_WORKLOAD == "traditional")
    rows = []
    for model_id in ("deepseek-r1", "llama-3.1-70b", "mixtral-8x22b"):
        median = medians.filter(pl.col("model_id") == model_id)["energy_wh_per_query_p50"][0]
        elsewhere = assumed.value(f"elsewhere.energy_wh_per_query.{model_id}")
        rows.append(("overstatement_elsewhere", model_id, "p50", "traditional", elsewhere / median))
    blend = blends.filter((pl.col("profile") == "v2") & (_WORKLOAD == "traditional"))["energy_wh_per_query_p50"][0]
    pue, wue = assumed.lognormal("oviedo2026.pue").median, assumed.value("oviedo2026.wue_l_per_kwh")
    water = float(on_site_water_ml(blend, pue, wue))
    rows.append(("on_site_water_per_query", ">200B", "p50", "traditional", water))
    schema = dict.fromkeys(FIGURE_KEY, pl.String) | {"ours": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _rules(throughput_rules: pl.DataFrame) -> pl.DataFrame:
    paper = throughput_rules.filter(pl.col("source_id") == PAPER_SOURCE)
    values = {"b0": "b0", "b1": "b1", "b2": "b2", "cap": "cap_output_tokens_per_s"}
    return _long(paper, "throughput_rule", pl.col("model_id"), pl.lit("any"), values)


paper_reproduction = model_asset(
    TABLE,
    paper_reproduction_of,
    {
        "paper_figures": "core.paper_figures",
        "assumptions": "core.assumptions",
        **{
            name: f"estimates.{name}"
            for name in ("throughput_rules", "energy_per_query", "blends", "interventions", "fleet", "input_lengths")
        },
    },
)
