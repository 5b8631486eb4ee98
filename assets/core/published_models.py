"""core.published_models: model sizes as publishers list them, by our ids, beside the sizes of core.models."""

from assets import columns as c
from assets.core.published_throughput import IDENTITY
from pipelines.tables.contract import Table
from pipelines.wiring import sql_asset

TABLE = Table(
    name="core.published_models",
    description="Model sizes as lists publish them (ML.ENERGY: rounded; EcoLogits: stated, or a range, or assumed "
    "where the maker is silent; llmfit: active parameters estimated), by our model ids. core.models has the makers' "
    "sizes, core.conflicts where they differ.",
    grain=("source_id", "source_release", "locator"),
    columns=(
        *IDENTITY,
        c.model_id,
        c.text("model_as_printed", "Model as printed."),
        c.quantity("total_params_b", "1e9", "Parameters, billions.", 0.01, 10_000),
        c.quantity("active_params_b", "1e9", "Parameters used for one token, billions.", 0.01, 10_000),
        c.text("precision_as_printed", "Precision of the weights as printed.").optional(),
        c.text(
            "size_basis",
            "How the list knows the size.",
            ("rounded", "stated", "middle of a range", "assumed", "active ones estimated"),
        ),
    ),
    published=True,
)

published_models = sql_asset(TABLE)
