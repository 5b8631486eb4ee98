"""core.models: the models we know by id, with their sizes. assets/reference/models.csv."""

from assets import columns as c
from pipelines.sources.reference import read_reference
from pipelines.tables.contract import Table
from pipelines.wiring import reference_asset

TABLE = Table(
    name="core.models",
    description="Language models: total and active parameters, each with the page it was read from.",
    grain=("model_id",),
    columns=(
        c.model_id,
        c.text("model_name", "Names it goes by."),
        c.quantity("total_params_b", "1e9", "Parameters, billions.", 0.01, 10_000),
        c.quantity("active_params_b", "1e9", "Parameters used for one token, billions.", 0.01, 10_000),
        c.text("native_precision", "Precision of the published weights; empty: not read.").optional(),
        c.source_url,
        c.confidence,
        c.text("note", "Where sources disagree.").optional(),
    ),
    published=True,
)

models = reference_asset(
    TABLE, "reference/models.csv", lambda content, path: read_reference(content, path, TABLE.schema)
)
