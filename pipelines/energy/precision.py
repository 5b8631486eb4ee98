"""Number formats of a deployment: bytes of a weight and of a cached value, and whose peak rate counts."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.energy.errors import EnergyInputError


@dataclass(frozen=True)
class Precision:
    """A number format.

    Attributes:
        weight_bytes: of one parameter, block scales included (NVFP4: one byte for 16 values; MXFP4: one for 32).
        kv_bytes: of one cached value. TensorRT-LLM's FP8 and FP4 checkpoints keep the cache in FP8.
        arithmetic: whose peak rate counts: fp16, fp8 or fp4.
    """

    name: str
    weight_bytes: float
    kv_bytes: float
    arithmetic: str


PRECISIONS = {
    precision.name: precision
    for precision in (
        Precision("fp16", 2.0, 2.0, "fp16"),
        Precision("bf16", 2.0, 2.0, "fp16"),
        Precision("fp8", 1.0, 1.0, "fp8"),
        Precision("fp4", 0.5 + 1 / 16, 1.0, "fp4"),
        Precision("mxfp4", 0.5 + 1 / 32, 1.0, "fp4"),
    )
}


def precision_named(name: str) -> Precision:
    """Raises EnergyInputError for a precision that the method does not cover."""
    try:
        return PRECISIONS[name]
    except KeyError:
        raise EnergyInputError(f"unknown precision {name!r}; the method covers {', '.join(PRECISIONS)}") from None


def fits_in_memory(total_params: float, precision: str, n_accelerators: int, memory_bytes: float) -> bool:
    """Whether the weights leave room for any cache. A published row that says otherwise miscounts its accelerators."""
    return total_params * precision_named(precision).weight_bytes < n_accelerators * memory_bytes


_NEXT_WIDER = {"fp4": ("fp4", "fp8", "fp16"), "fp8": ("fp8", "fp16"), "fp16": ("fp16",)}


def peak_rate(precision: str, rates: Mapping[str, float | None]) -> float | None:
    """The peak rate that counts for a precision, in the unit of `rates` (by fp16, fp8, fp4).

    Weights narrower than any unit of the accelerator (FP4 on Hopper) are computed in the next wider format that it has.
    None where none is known. Raises EnergyInputError for an unknown precision.
    """
    wider = _NEXT_WIDER[precision_named(precision).arithmetic]
    return next((rates[name] for name in wider if rates.get(name)), None)
