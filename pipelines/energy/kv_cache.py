"""Bytes that one token of context leaves in the key-value cache: what attention reads again for every token decoded."""

from pipelines.energy.errors import EnergyInputError

KEY_AND_VALUE = 2
SHORT_WINDOW_TOKENS = 4096
"""A layer that attends to fewer tokens than this keeps a small cache whatever the context; one with a longer window or
chunk (Llama 4: 8192) fills it within the contexts that are benchmarked, and counts as one that grows."""


def growing_layers(n_full_layers: int, n_window_layers: int | None, window_tokens: int | None) -> int:
    """Layers whose cache grows with the context: those that attend to all of it, and those with a long window."""
    long_window = window_tokens is not None and window_tokens >= SHORT_WINDOW_TOKENS
    return n_full_layers + (n_window_layers or 0 if long_window else 0)


def kv_bytes_per_token(
    n_layers: int, n_kv_heads: int, head_dim: int, bytes_per_value: float, latent_dim: int | None = None
) -> float:
    """Bytes that one more token of context adds to the cache of the whole model.

    Args:
        n_layers: layers whose cache grows with the context, see `growing_layers`. Layers with a short window (128
            tokens of GPT-OSS, 1024 of Gemma 3) or a fixed state (Mamba) do not count.
        bytes_per_value: of the cache, see `precision.Precision.kv_bytes`.
        latent_dim: of multi-head latent attention, compressed width plus the rotary part (DeepSeek: 512 + 64). One
            such vector a layer replaces keys and values of all heads.

    Raises EnergyInputError unless every figure is positive.
    """
    values = n_layers * (latent_dim if latent_dim is not None else KEY_AND_VALUE * n_kv_heads * head_dim)
    if not (values > 0 and bytes_per_value > 0):
        raise EnergyInputError(
            f"a cache of {n_layers} layers, {n_kv_heads} heads of {head_dim}, latent {latent_dim}, "
            f"{bytes_per_value} bytes a value: each must be positive"
        )
    return float(values * bytes_per_value)
