"""Deployments from rows of specifications: what a model and an accelerator are, put into the units of the formulas.

A row is a mapping with the columns SPECIFICATIONS and RATINGS, precision and n_accelerators; None: not published.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from pipelines.energy.kv_cache import growing_layers, kv_bytes_per_token
from pipelines.energy.precision import PRECISIONS, peak_rate
from pipelines.energy.serving_prior import Deployments
from pipelines.energy.units import BILLION, TRILLION

SPECIFICATIONS = (
    "total_params_b", "active_params_b", "n_kv_heads", "head_dim", "kv_lora_rank", "rope_head_dim",
    "n_kv_cache_layers", "n_kv_window_layers", "kv_window_tokens",
)  # fmt: skip
RATINGS = (
    "memory_gb", "memory_bandwidth_gb_per_s", "dense_fp16_tflop_per_s", "dense_fp8_tflop_per_s",
    "dense_fp4_tflop_per_s", "tdp_w",
)  # fmt: skip


def peak_flop_per_s(row: Mapping) -> float | None:
    """Peak dense FLOP/s of one accelerator at the precision of `row`, or the next wider; None where none is known."""
    rates = {name: row[f"dense_{name}_tflop_per_s"] for name in ("fp16", "fp8", "fp4")}
    found = peak_rate(row["precision"], rates)
    return None if found is None else found * TRILLION


def deployments_of(rows: Sequence[Mapping]) -> Deployments:
    """Deployments of rows whose specifications are all known."""

    def column(name: str) -> np.ndarray:
        return np.array([row[name] for row in rows], dtype=float)

    return Deployments(
        active_params=column("active_params_b") * BILLION,
        total_params=column("total_params_b") * BILLION,
        n_accelerators=column("n_accelerators"),
        precision=[row["precision"] for row in rows],
        flop_per_s=np.array([peak_flop_per_s(row) for row in rows], dtype=float),
        bandwidth_bytes_per_s=column("memory_bandwidth_gb_per_s") * BILLION,
        memory_bytes=column("memory_gb") * BILLION,
        kv_bytes_per_token=np.array([_kv_bytes_per_token(row) for row in rows], dtype=float),
    )


def _kv_bytes_per_token(row: Mapping) -> float:
    latent = None if row["kv_lora_rank"] is None else row["kv_lora_rank"] + row["rope_head_dim"]
    layers = growing_layers(row["n_kv_cache_layers"], row["n_kv_window_layers"], row["kv_window_tokens"])
    bytes_per_value = PRECISIONS[row["precision"]].kv_bytes
    return kv_bytes_per_token(layers, row["n_kv_heads"], row["head_dim"], bytes_per_value, latent)
