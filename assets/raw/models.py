"""raw.models: the models we know by id, with sizes and architecture as their pages print them.

The file is assets/reference/models.csv.
"""

import polars as pl

from pipelines.sources.reference import read_reference
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import reference_asset


def _count(name: str, meaning: str, high: int, unit: str | None = None) -> Column:
    return Column(name, pl.Int64, meaning, unit=unit, low=1, high=high, nullable=True)


TABLE = Table(
    name="raw.models",
    description="Our vocabulary of language models: every id that any source may be mapped to, with parameters, layers "
    "and attention heads, each with the page it was read from. Empty: not read.",
    grain=("model_id",),
    columns=(
        Column("locator", pl.String, "Line of assets/reference/models.csv."),
        Column("model_id", pl.String, "Our id."),
        Column("model_name", pl.String, "Names it goes by."),
        Column("family", pl.String, "Models of one maker's line, and what others trained from them: `llama`."),
        Column("weights_of", pl.String, "The model whose weights these are, in another precision.", nullable=True),
        Column("total_params_b", pl.Float64, "Parameters, billions.", unit="1e9", low=0.01, high=10_000),
        Column("active_params_b", pl.Float64, "Parameters used for one token.", unit="1e9", low=0.01, high=10_000),
        Column("native_precision", pl.String, "Precision of the published weights.", nullable=True),
        _count("n_layers", "Layers, whatever they are made of.", 1000),
        _count("n_kv_heads", "Key-value heads of a layer, after up-projection where attention is latent.", 1024),
        _count("head_dim", "Size of a key or value of one head.", 1024),
        _count("kv_lora_rank", "Latent attention: size of what is cached for keys and values together.", 10_000),
        _count("rope_head_dim", "Latent attention: size of the key part that is cached beside it.", 1024),
        _count("n_kv_cache_layers", "Layers that cache every token of the context.", 1000),
        _count("n_kv_window_layers", "Layers that cache only the last kv_window_tokens.", 1000),
        _count("kv_window_tokens", "Sliding window, or chunk, of these layers.", 10_000_000, "token"),
        Column("attention_note", pl.String, "Windows and layers without attention, as printed.", nullable=True),
        Column("architecture_note", pl.String, "How it was read, and where pages disagree.", nullable=True),
        Column("architecture_url", pl.String, "The page that the architecture was read from.", nullable=True),
        Column("source_url", pl.String, "The page that the parameters were read from."),
        Column("confidence", pl.String, "How sure.", allowed=("high", "medium", "low")),
        Column("note", pl.String, "Where sources disagree about the parameters.", nullable=True),
    ),
    min_rows=40,
    rules=(
        Rule(
            "Layers that cache the whole context or a window of it are no more than all layers",
            pl.col("n_kv_cache_layers") + pl.col("n_kv_window_layers").fill_null(0) <= pl.col("n_layers"),
            check="contract",
        ),
        Rule(
            "A window has its layers, and a latent rank its second part",
            (pl.col("n_kv_window_layers").is_null() == pl.col("kv_window_tokens").is_null())
            & (pl.col("kv_lora_rank").is_null() == pl.col("rope_head_dim").is_null()),
            check="contract",
        ),
        Rule(
            "Layers, heads and their size stand together, with the page they were read from",
            pl.all_horizontal(
                pl.col("n_layers").is_null() == pl.col(name).is_null()
                for name in ("n_kv_heads", "head_dim", "n_kv_cache_layers", "architecture_url")
            ),
            check="contract",
        ),
    ),
)

models = reference_asset(
    TABLE, "reference/models.csv", lambda content, path: read_reference(content, path, TABLE.schema)
)
