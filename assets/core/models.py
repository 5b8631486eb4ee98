"""core.models: the models we know by id, with their sizes and what they cache for a token of context."""

import polars as pl

from assets import columns as c
from pipelines.tables.contract import Column, Table
from pipelines.wiring import sql_asset


def _count(name: str, meaning: str, low: int, high: int, unit: str | None = None) -> Column:
    return Column(name, pl.Int64, meaning, unit=unit, low=low, high=high, nullable=True)


TABLE = Table(
    name="core.models",
    description="Language models: total and active parameters, layers and key-value heads, each with the page it was "
    "read from.",
    grain=("model_id",),
    columns=(
        c.model_id,
        c.text("model_name", "Names it goes by."),
        c.text("family", "Models of one maker's line, and what others trained from them: `llama`, `qwen`."),
        c.text("weights_of", "The model whose weights these are, in another precision; empty: its own.").optional(),
        c.quantity("total_params_b", "1e9", "Parameters, billions.", 0.01, 10_000),
        c.quantity("active_params_b", "1e9", "Parameters used for one token, billions.", 0.01, 10_000),
        c.text("native_precision", "Precision of the published weights; empty: not read.").optional(),
        _count("n_layers", "Layers, whatever they are made of; empty: not read.", 1, 1000),
        _count("n_kv_heads", "Key-value heads of a layer, after up-projection where attention is latent.", 1, 1024),
        _count("head_dim", "Size of a key or value of one head.", 1, 1024),
        _count("kv_lora_rank", "Latent attention: size of what is cached for keys and values together.", 1, 10_000),
        _count("rope_head_dim", "Latent attention: size of the key part that is cached beside it.", 1, 1024),
        _count("n_kv_cache_layers", "Layers that cache every token of the context.", 1, 1000),
        _count("n_kv_window_layers", "Layers that cache only the last kv_window_tokens; empty: none.", 1, 1000),
        _count("kv_window_tokens", "Sliding window, or chunk, of these layers.", 1, 10_000_000, "token"),
        _count(
            "kv_values_per_token",
            "Values that each token adds to the cache, however long the context: 2 x n_kv_cache_layers x n_kv_heads x "
            "head_dim, with latent attention n_kv_cache_layers x (kv_lora_rank + rope_head_dim).",
            1,
            100_000_000,
        ),
        _count(
            "kv_window_values_per_token",
            "Values that each of the last kv_window_tokens adds beside these: 2 x n_kv_window_layers x n_kv_heads x "
            "head_dim; 0: no layer has a window.",
            0,
            100_000_000,
        ),
        c.text("attention_note", "Windows and layers without attention, as printed.").optional(),
        c.text("architecture_note", "How the architecture was read, and where pages disagree.").optional(),
        c.text("architecture_url", "The page that the architecture was read from; empty: not read.").optional(),
        c.source_url,
        c.confidence,
        c.text("note", "Where sources disagree about the parameters.").optional(),
    ),
    published=True,
)

models = sql_asset(TABLE)
