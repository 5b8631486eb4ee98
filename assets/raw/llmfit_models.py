"""raw.llmfit_models: models on Hugging Face with sizes as llmfit counts or estimates them, one row a model."""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import load_json, read_fields
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import raw_asset

_MEMORY = {"unit": "GB", "low": 0, "high": 1e6}
_OF_EXPERTS = ("is_moe", "num_experts", "active_experts", "active_parameters")
TABLE = Table(
    name="raw.llmfit_models",
    description="llmfit, hf_models.json: parameters, context and memory of models on Hugging Face. Active parameters "
    "are ESTIMATED from the share of active experts; quantised copies print the packed count; test models are in it.",
    grain=KEY,
    identity=("name",),
    columns=(
        *PROVENANCE,
        Column("name", pl.String, "Repository on Hugging Face."),
        Column("provider", pl.String, "Its owner as printed."),
        Column("parameter_count", pl.String, "Parameters, rounded, as printed."),
        Column("parameters_raw", pl.Int64, "Parameters; packed where quantised, and often wrong.", low=1, high=1e15),
        Column("min_ram_gb", pl.Float64, "Least memory, llmfit's reckoning.", **_MEMORY),
        Column("recommended_ram_gb", pl.Float64, "Memory it advises, its reckoning.", **_MEMORY),
        Column("min_vram_gb", pl.Float64, "Least GPU memory, its reckoning.", **_MEMORY),
        Column("quantization", pl.String, "Quantisation it reckons with; not that of the repository."),
        Column("context_length", pl.Int64, "Context, tokens; sometimes a default.", unit="token", low=1, high=1e10),
        Column("use_case", pl.String, "Use as printed."),
        Column("pipeline_tag", pl.String, "Task on Hugging Face."),
        Column("architecture", pl.String, "Architecture as printed."),
        Column("hf_downloads", pl.Int64, "Downloads on the day it was made.", low=0, high=1e12),
        Column("hf_likes", pl.Int64, "Likes on that day.", low=0, high=1e10),
        Column("release_date", pl.String, "Day of the repository's creation.", nullable=True),
        Column("_discovered", pl.Boolean, "Whether found by search; empty: listed by hand.", nullable=True),
        Column("gguf_sources", pl.String, "Repositories of GGUF copies, by '; '.", nullable=True),
        Column("is_moe", pl.Boolean, "True for mixtures of experts; empty for others.", nullable=True),
        Column("num_experts", pl.Int64, "Experts.", low=1, high=1e6, nullable=True),
        Column("active_experts", pl.Int64, "Experts used for one token.", low=1, high=1e6, nullable=True),
        Column("active_parameters", pl.Int64, "Estimated, not the maker's figure.", low=1, high=1e15, nullable=True),
    ),
    min_rows=200,
    rules=(
        Rule(
            "What is said of experts is said in full or not at all",
            pl.sum_horizontal(pl.col(name).is_not_null() for name in _OF_EXPERTS).is_in([0, len(_OF_EXPERTS)]),
            check="contract",
            show="name",
        ),
        Rule(
            "What is active is at most what there is",
            (pl.col("active_experts") <= pl.col("num_experts"))
            & (pl.col("active_parameters") <= pl.col("parameters_raw")),
            check="contract",
            show="name",
        ),
    ),
)
_SCHEMA = {column.name: column.dtype for column in TABLE.columns[len(PROVENANCE) :]}
_PRINTED = {name: dtype for name, dtype in _SCHEMA.items() if name != "gguf_sources"}
_OPTIONAL = frozenset({"release_date", "_discovered", *_OF_EXPERTS})
_COPY = {"repo": pl.String, "provider": pl.String}
_REMEDY = "If llmfit changed the format, edit assets/raw/llmfit_models.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All models. Raises SourceError with the JSON pointer."""
    printed = load_json(content, source.source_id, document.release)
    if not isinstance(printed, list) or not printed:
        raise SourceError(source.source_id, f"{document.release}, /", "is not a list of models", _REMEDY)
    rows = []
    for i, model in enumerate(printed):
        place = f"{document.release}, /{i}"
        left_out = frozenset({"gguf_sources"})
        row = read_fields(
            source.source_id, place, model, _PRINTED, optional=_OPTIONAL, left_out=left_out, remedy=_REMEDY
        )
        copies = _copies(source.source_id, f"{place}/gguf_sources", model.get("gguf_sources"))
        rows.append({"locator": f"/{i}", "gguf_sources": copies} | row)
    return pl.DataFrame(rows, schema={"locator": pl.String} | _SCHEMA)


def _copies(source_id: str, place: str, printed: object) -> str | None:
    """The repositories as one text. Their provider is the first part of the repository's name."""
    if printed is None:
        return None
    if not isinstance(printed, list):
        raise SourceError(source_id, place, "is not a list", _REMEDY)
    copies = [read_fields(source_id, f"{place}/{i}", copy, _COPY, remedy=_REMEDY) for i, copy in enumerate(printed)]
    for i, copy in enumerate(copies):
        if not copy["repo"].startswith(f"{copy['provider']}/"):
            problem = f"{copy['repo']!r} is not a repository of {copy['provider']!r}"
            raise SourceError(source_id, f"{place}/{i}", problem, _REMEDY)
    return "; ".join(copy["repo"] for copy in copies) or None


llmfit_models = raw_asset(TABLE, parse)
