"""Views and table macros of the published file: contracts of their rows, and arguments. The SQL: sql/published/."""

import polars as pl

from assets import columns as c
from assets.core.assumptions import TABLE as ASSUMPTIONS
from assets.estimates.default_configurations import CHOSEN_AS
from assets.estimates.energy_per_query import TABLE as ENERGY_PER_QUERY
from assets.estimates.fleet import TABLE as FLEET
from assets.estimates.serving_fits import TABLE as SERVING_FITS
from assets.estimates.throughput_rules import CONFIGURATION
from assets.published.tables import HISTORY, release_number
from pipelines.tables.contract import Column, Table
from pipelines.warehouse.views import Parameter, View

_MODEL = "model_id of serving_fits; NULL: every model."
MODEL = Parameter("model", _MODEL)
ACCELERATOR = Parameter("accelerator", "accelerator_id; NULL: of the default configuration.", "NULL")
LOAD = Parameter("load", "share of saturation above 0, up to 1.", "1")
STORED_LOAD = Parameter("load", "share of saturation: 1, 0.8, 0.5 or 0.2.", "1")


def _of_fleet(name: str, **changes: object) -> Column:
    return next(column for column in FLEET.columns if column.name == name).but(**changes)


ASSUMPTIONS_IN_FORCE = View(
    Table(
        name="published.assumptions_in_force",
        description="The assumptions that hold today: what the macros, and joulebook estimate, compute with.",
        grain=("assumption_id",),
        columns=ASSUMPTIONS.columns,
    )
)

ENERGY_PER_QUERY_DEFAULT = View(
    Table(
        name="published.energy_per_query_default",
        description="energy_per_query by default: of each model the default configuration, method serving-time, "
        "boundary facility, load 1. Choose a workload.",
        grain=("model_id", "workload_id"),
        columns=(*ENERGY_PER_QUERY.columns, c.text("chosen_as", "Why this configuration.", CHOSEN_AS)),
    )
)

ENERGY_PER_QUERY_AS_OF = View(
    Table(
        name="published.energy_per_query_as_of",
        description="energy_per_query as it was in an earlier release, to nine digits.",
        grain=ENERGY_PER_QUERY.grain,
        columns=tuple(column for column in HISTORY.columns if not column.name.startswith("release_")),
    ),
    (Parameter(release_number.name, "a release of the table releases."),),
)

CONFIGURATION_OF = View(
    Table(
        name="published.configuration_of",
        description="The row of serving_fits that answers for a model: the default configuration, else the one "
        "benchmarked at the most pairs of lengths, of those whose power within the boundary is known.",
        grain=("model_id", "boundary"),
        columns=(*SERVING_FITS.columns, c.boundary),
    ),
    (MODEL, ACCELERATOR),
)

ENERGY_OF = View(
    Table(
        name="published.energy_of",
        description="Energy of one query of given lengths by method serving-time, with its 90 % interval, as joulebook "
        "estimate computes it. Lengths over ten times the longest benchmarked give an error; of every model, no row.",
        grain=("model_id", "boundary"),
        columns=(
            *CONFIGURATION,
            c.boundary,
            c.energy_wh_per_query,
            c.energy_wh_per_query.but(name="energy_wh_per_query_lo90", meaning="90 % interval of it: low end."),
            c.energy_wh_per_query.but(name="energy_wh_per_query_hi90", meaning="90 % interval of it: high end."),
            c.quantity(
                "accelerator_s_per_query",
                "s",
                "Accelerator-seconds that the query takes up, idle time shared out.",
                1e-6,
                1e7,
            ),
            c.power_w.but(meaning="Central power of the deployment without PUE; node for node and facility."),
            c.quantity("pue", "dimensionless", "Central PUE in the energy; 1 where not the facility.", 1, 3),
            Column("is_extrapolated", pl.Boolean, "Whether a length is outside those benchmarked, or input is cached."),
            c.evidence,
        ),
    ),
    (
        MODEL,
        Parameter("input_tokens", "what is cached included."),
        Parameter("output_tokens", "reasoning tokens included."),
        Parameter("cached_tokens", "part of the input that costs its attention only.", "0"),
        ACCELERATOR,
        LOAD,
    ),
)

BOUNDARY_FACTORS = View(
    Table(
        name="published.boundary_factors",
        description="What to multiply an energy within one boundary by to have it within another, on the hardware of a "
        "model: median over median, central. They leave out how far power and PUE are known.",
        grain=("model_id", "from_boundary", "to_boundary"),
        columns=(
            c.model_id,
            c.accelerator_id,
            c.n_accelerators,
            c.workload_id,
            c.load,
            c.boundary.but(name="from_boundary", meaning="What the given energy covers."),
            c.boundary.but(name="to_boundary", meaning="What the energy times the factor covers."),
            c.quantity("factor", "dimensionless", "Energy at to_boundary over energy at from_boundary.", 0.1, 10),
        ),
    ),
    (
        MODEL,
        ACCELERATOR,
        Parameter("workload", "workload_id: boards draw more where they compute more.", "'traditional'"),
        STORED_LOAD,
    ),
)

FLEET_OF = View(
    Table(
        name="published.fleet_of",
        description="What many queries a day take on the default hardware of a model, part of them long: means of the "
        "workloads traditional and test-time by method serving-time. Carbon and water without their intervals.",
        grain=("model_id",),
        columns=(
            c.model_id,
            c.accelerator_id,
            c.boundary,
            _of_fleet("energy_gwh_per_day"),
            _of_fleet("energy_gwh_per_day_lo90", nullable=False),
            _of_fleet("energy_gwh_per_day_hi90", nullable=False),
            _of_fleet("accelerators_needed", nullable=False),
            _of_fleet("peak_kw", nullable=False),
            _of_fleet("carbon_tco2e_per_day"),
            _of_fleet("on_site_water_m3_per_day"),
            _of_fleet("grid_water_m3_per_day"),
            _of_fleet("mean_share_extrapolated", nullable=False),
        ),
    ),
    (
        Parameter("queries_per_day", "queries a day, evenly over the day."),
        Parameter("long_share", "share of them that are test-time; the others are traditional.", "0"),
        Parameter("model", _MODEL, "'llama-3.1-405b'"),
        ACCELERATOR,
        STORED_LOAD,
        Parameter("area", "area_id of grids, such as SWE; WOR is the world.", "'WOR'"),
    ),
)

VIEWS = (
    ASSUMPTIONS_IN_FORCE,
    ENERGY_PER_QUERY_DEFAULT,
    ENERGY_PER_QUERY_AS_OF,
    CONFIGURATION_OF,
    ENERGY_OF,
    BOUNDARY_FACTORS,
    FLEET_OF,
)
"""In the order in which they are made: each names tables and those before it."""
