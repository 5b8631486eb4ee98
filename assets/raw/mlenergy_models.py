"""raw.mlenergy_models: ML.ENERGY's list of models with their sizes (index.json), one row a model."""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import load_json, read_fields
from pipelines.tables.contract import Column, Table
from pipelines.wiring import raw_asset

TABLE = Table(
    name="raw.mlenergy_models",
    description="Models of the ML.ENERGY Leaderboard v3: total and active parameters (rounded), architecture (absent "
    "for diffusion models), precision.",
    grain=KEY,
    identity=("model_id",),
    columns=(
        *PROVENANCE,
        Column("model_id", pl.String, "Model as printed."),
        Column("nickname", pl.String, "Short name."),
        Column("architecture", pl.String, "Architecture; empty for diffusion models.", nullable=True),
        Column("total_params_billions", pl.Float64, "Parameters, billions.", low=0.1, high=10_000),
        Column("activated_params_billions", pl.Float64, "Active parameters, billions.", low=0.1, high=10_000),
        Column("weight_precision", pl.String, "Precision of the weights."),
    ),
    min_rows=10,
)
_PRINTED = {c.name: c.dtype for c in TABLE.columns[len(PROVENANCE) :] if c.name != "model_id"}
_REMEDY = "If ML.ENERGY changed the format, edit assets/raw/mlenergy_models.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All models. Raises SourceError with the JSON pointer."""
    printed = load_json(content, source.source_id, document.release)
    models = printed.get("models") if isinstance(printed, dict) else None
    if not isinstance(models, dict) or not models:
        raise SourceError(source.source_id, f"{document.release}, /models", "is not an object of models", _REMEDY)
    rows = []
    for model_id, fields in models.items():
        where = "/models/" + model_id.replace("~", "~0").replace("/", "~1")
        place = f"{document.release}, {where}"
        optional = frozenset({"architecture"})
        row = read_fields(source.source_id, place, fields, _PRINTED, optional=optional, remedy=_REMEDY)
        rows.append({"locator": where, "model_id": model_id} | row)
    return pl.DataFrame(rows, schema={"locator": pl.String, "model_id": pl.String} | _PRINTED)


mlenergy_models = raw_asset(TABLE, parse)
