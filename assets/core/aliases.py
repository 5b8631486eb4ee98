"""core.aliases: how each source spells our models, accelerators, precisions and frameworks. Nothing is guessed."""

from assets import columns as c
from pipelines.sources.reference import read_reference
from pipelines.tables.contract import Table
from pipelines.wiring import reference_asset

TABLE = Table(
    name="core.aliases",
    description="The table of spellings that a person edits: what a source prints, and which of our ids it is.",
    grain=("kind", "source_id", "name_as_printed"),
    columns=(
        c.text("kind", "What is named.", ("model", "accelerator", "precision", "framework", "operator")),
        c.source_id,
        c.text("name_as_printed", "Exactly as the source prints it."),
        c.text("id", "Our id; not-an-llm for models that are known and out of scope."),
    ),
)

aliases = reference_asset(
    TABLE, "reference/aliases.csv", lambda content, path: read_reference(content, path, TABLE.schema)
)
