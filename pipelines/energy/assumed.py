"""The constants that the methods ask for, by the ids that assumptions have. Where the values lie is the caller's."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipelines.energy.lognormal import LogNormal
from pipelines.energy.power import UtilisationPower
from pipelines.energy.serving_prior import FEATURES, Prior
from pipelines.energy.serving_time import N_TERMS, TERMS


class Assumed(Protocol):
    """The assumptions in force."""

    def value(self, assumption_id: str) -> float: ...

    def lognormal(self, assumption_id: str) -> LogNormal: ...


LOAD_NAMES = ("published_benchmarks", "busy", "half", "light")
BEYOND = ("output", "input", "short-output")


@dataclass(frozen=True)
class ServingConstants:
    """What method serving-time takes from assumptions, its prior apart.

    Attributes:
        beyond_half_width_ln: of the fit where outputs, or inputs, are longer than any benchmarked, or outputs shorter.
        gpu_idle, node_idle: power without queries as a share of what is rated, from parked to held at small batches.
    """

    gpu_power: UtilisationPower
    gpu_power_half_width_ln: float
    node_power_share: LogNormal
    pue: LogNormal
    gpu_idle: LogNormal
    node_idle: LogNormal
    beyond_half_width_ln: dict[str, float]

    @classmethod
    def of(cls, assumed: Assumed) -> "ServingConstants":
        return cls(
            UtilisationPower(*(assumed.value(f"serving-time.gpu_power.{name}") for name in ("k0", "k1"))),
            assumed.value("serving-time.gpu_power_half_width_ln"),
            assumed.lognormal("serving-time.node_power_share"),
            assumed.lognormal("serving-time.pue"),
            assumed.lognormal("idle.gpu_share_of_tdp"),
            assumed.lognormal("idle.node_share_of_max"),
            {side: assumed.value(f"serving-time.half_width_ln.beyond-{side}") for side in BEYOND},
        )


def half_width_id(n_length_pairs: int) -> str:
    """Which held-out half-width holds for a fit to so many pairs of lengths."""
    level = {1: "1-point", 2: "2-points", 3: "3-points", 4: "3-points"}.get(n_length_pairs, "table")
    return f"serving-time.half_width_ln.{level}"


def paper_node_power_id(model_id: str, profile: str = "v2") -> str:
    """Maximum node power that the paper takes for a model; `profile` v2 or arxiv-v1."""
    name = "oviedo2026.node_power_max_w" if profile == "v2" else f"oviedo2026.{profile}.node_power_max_w"
    return f"{name}.{model_id}" if model_id == "deepseek-r1" else name


def stored_loads(assumed: Assumed) -> tuple[float, ...]:
    """The default load, and those below saturation."""
    return tuple(assumed.value(f"load.{name}") for name in LOAD_NAMES)


def prior_of(assumed: Assumed) -> Prior:
    """The dated prior: B by term and feature, S by pair of terms."""
    b = [[assumed.value(f"serving-time.prior.b.{term}.{feature}") for feature in FEATURES] for term in TERMS]
    s = np.empty((N_TERMS, N_TERMS))
    for i, first in enumerate(TERMS):
        for j, second in enumerate(TERMS[: i + 1]):
            s[i, j] = s[j, i] = assumed.value(f"serving-time.prior.s.{second}.{first}")
    return Prior(np.array(b), s)
