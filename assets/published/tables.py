"""Contracts of the published tables that are about releases. They are made in assets/published/release.py."""

import polars as pl

from assets import columns as c
from assets.estimates.energy_per_query import TABLE as ENERGY_PER_QUERY
from pipelines.tables.contract import Column, Table

release_number = c.count("release_number", "The release, counted from 1.", 1)
cause = c.text("cause", "What changed: a source, an assumption, a table of references, or a method.")
log_ratio = c.quantity("log_ratio", "dimensionless", "Part of ln(after / before) that it makes.", -30, 30)

RELEASES = Table(
    name="published.releases",
    description="The releases of this home: checked tables frozen as Parquet below releases/, never rewritten. One "
    "is new when figures, assumptions, method versions or columns are; its id is their hash.",
    grain=("release_number",),
    columns=(
        release_number,
        c.text("release_id", "Hash of what decides the estimates: the same wherever it is made."),
        c.text("released_at_utc", "When this home released it."),
        c.text("tag", "Its names, given by joulebook tag; empty: none.").optional(),
        c.text("code_commit", "Commit of the code, + where files were changed; empty: no repository.").optional(),
        c.text("method_versions", "Version of each method."),
        c.count("n_estimates", "Rows of energy_per_query."),
        c.count("n_changed", "Estimates that differ from the release before."),
        c.count("n_otherwise", "Estimates whose median is the same and whose interval, mean or evidence is not."),
        c.count("n_added", "Estimates that the release before did not have."),
        c.count("n_removed", "Estimates of the release before that are gone."),
        c.text("causes", "What changed, with the change of the median estimate that it made."),
        c.energy_quantile(
            "p50", "Llama 3.1 405B on its default configuration, traditional, by serving-time; boundary facility."
        ).optional(),
        c.quantity(
            "backtest_error_p50", "dimensionless", "Median held-out error of serving time, one point left out.", 0, 10
        ).optional(),
        c.count("n_checks", "Checks of its tables, all passed but warnings."),
        c.text("folder", "Its folder, below the folder of the published file."),
    ),
    published=True,
)

CHANGES = Table(
    name="published.changes",
    description="Estimates that a release changed, added or removed, with what caused it: median before and after, "
    "ln of their ratio, and its causes, largest first. The shares of causes are in change_causes.",
    grain=("release_number", "estimate_id"),
    columns=(
        release_number,
        c.estimate_id,
        *(column for column in ENERGY_PER_QUERY.columns if column.name in ENERGY_PER_QUERY.grain),
        c.text(
            "change_kind",
            "What happened to it; otherwise: its median is the same, its interval, mean or evidence is not.",
            ("changed", "added", "removed", "otherwise"),
        ),
        c.energy_quantile("p50", "Median before; empty: it is new.")
        .but(name="energy_wh_per_query_p50_before")
        .optional(),
        c.energy_quantile("p50", "Median after; empty: it is gone.")
        .but(name="energy_wh_per_query_p50_after")
        .optional(),
        c.quantity("log_ratio", "dimensionless", "ln of after over before.", -30, 30).optional(),
        c.text("causes", "What made the change, with the part of each; without parts: what may have.").optional(),
    ),
    min_rows=0,
    published=True,
)

CHANGE_CAUSES = Table(
    name="published.change_causes",
    description="Each change of an estimate shared out over its causes: parts of ln(after / before) that add up to it. "
    "Exactly where one thing changed, else as Shapley values; a change of method comes first.",
    grain=("release_number", "estimate_id", "cause"),
    columns=(
        release_number,
        c.estimate_id,
        cause,
        log_ratio,
        Column("is_exact", pl.Boolean, "Whether all orders of the causes were tried; false: one was."),
    ),
    min_rows=0,
    published=True,
)

RELEASE_CAUSES = Table(
    name="published.release_causes",
    description="What differs between a release and the one before: rows of each source, assumptions, reference tables "
    "and methods, and how many estimates each moved.",
    grain=("release_number", "cause", "table_name"),
    columns=(
        release_number,
        cause,
        c.text("table_name", "The table whose rows differ; methods: of the estimates."),
        c.count("n_rows_added", "Rows that were not there."),
        c.count("n_rows_removed", "Rows that are gone."),
        c.count("n_rows_changed", "Rows of the same thing with another figure."),
        c.count("n_estimates_moved", "Estimates in whose change it has a part."),
    ),
    min_rows=0,
    published=True,
)

HISTORY = Table(
    name="published.energy_per_query_history",
    description="energy_per_query in every release: each state of each estimate with the releases it held in. "
    "FROM energy_per_query_as_of(3) gives the table of release 3.",
    grain=("estimate_id", "release_from"),
    columns=(
        *(
            column.but(nullable=column.nullable or column.name not in ENERGY_PER_QUERY.grain)
            for column in ENERGY_PER_QUERY.columns
        ),
        c.count("release_from", "The first release with this state.", 1),
        c.count("release_to", "The last release with this state; empty: it still holds.", 1).optional(),
    ),
    published=True,
)

CHECKS = Table(
    name="published.checks",
    description="What the tables of the latest release were checked for and passed, but for warnings: a sentence that "
    "holds of every row, or one of the checks that every table has.",
    grain=("table_name", "promise"),
    columns=(
        c.text("table_name", "The table."),
        c.text("promise", "What was checked."),
    ),
    published=True,
)

OF_A_RELEASE = (CHANGES, CHANGE_CAUSES, RELEASE_CAUSES, HISTORY, CHECKS)
"""Made of what each release keeps of itself."""
