"""Profile `oviedo2026`: Oviedo et al., "Energy Use of AI Inference, Efficiency Pathways, and Test-Time Scaling",
Joule 2026, arXiv:2509.20241 v2, exactly as the authors' released code computes it.

What belongs here: the profile's formulas and its stated steps (trimming, pooling, interventions). Its numbers
(power, PUE, gains) are assumptions and come in as arguments; tables and ids belong to `assets/estimates`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipelines.energy.assumed import Assumed
from pipelines.energy.distribution import Energy, Pool, Scaled, quantiles_wh
from pipelines.energy.lengths import OutputLengths
from pipelines.energy.lognormal import ONE, LogNormal
from pipelines.energy.quantiles import evenly_thinned, newton_quantiles_wh
from pipelines.energy.throughput import ThroughputRule
from pipelines.energy.units import JOULES_PER_WH, TOKENS_PER_MILLION
from pipelines.energy.workloads import QUANTILES, Asked, lengths_of

METHOD = "oviedo2026"
BOUNDARIES = ("node", "facility")
"""No `gpu`: the paper's power is that of the node."""
MOST_NODES = 1024
"""A trace has thousands of different requests; so many, evenly spaced in energy, give its quantiles to 0.2 %."""
FRONTIER_MODELS = 3
"""The blend pools the three models with the largest medians (released code)."""
_FIRST_TRIM, _SECOND_TRIM = (0.05, 0.95), (0.10, 0.90)
KEPT_QUANTILES = tuple(_FIRST_TRIM[0] + (_FIRST_TRIM[1] - _FIRST_TRIM[0]) * p for p in _SECOND_TRIM)
"""The blend is trimmed twice: to each model's P5-P95, then the rest to its own P10-P90. Both cuts together keep
what lies between the model's P14 and P86; the published quartiles are of this pool."""


@dataclass(frozen=True)
class Factors:
    """What multiplies the energy at median: power utilisation (share of maximum node power) and PUE."""

    power_utilisation: LogNormal
    pue: LogNormal = ONE

    @classmethod
    def of(cls, assumed: Assumed, boundary: str) -> "Factors":
        """PUE where the boundary is the facility: the one place where it enters."""
        pue = assumed.lognormal("oviedo2026.pue") if boundary == "facility" else ONE
        return cls(assumed.lognormal("oviedo2026.power_utilisation"), pue)

    @property
    def product(self) -> LogNormal:
        return self.power_utilisation * self.pue


def energy_per_query(
    rule: ThroughputRule,
    node_power_max_w: float | np.ndarray,
    factors: Factors,
    input_tokens: float,
    lengths: OutputLengths,
    input_tokens_per_output_token: float | None = None,
) -> Energy:
    """E = PUE · P_max · PU · L_out / TPS(L_in, L_out), in Wh; boundary node, or facility where `factors` has a PUE.

    Args:
        rule, node_power_max_w: of one configuration, or arrays of shape (configurations, 1) for many at once.
            The power is the maximum of exactly the accelerators that TPS was measured on, W.
        input_tokens_per_output_token: where given, L_out in the numerator becomes L_eff = L_out + L_in / it
            (the paper's sensitivity to input length takes 30).
    """
    effective = lengths.tokens
    if input_tokens_per_output_token is not None:
        effective = effective + input_tokens / input_tokens_per_output_token
    seconds = effective / rule.tokens_per_s(input_tokens, lengths.tokens)
    return Energy(node_power_max_w * seconds / JOULES_PER_WH, lengths.weights, factors.product)


def frontier_blend(energies: Mapping[str, Energy]) -> tuple[tuple[str, ...], Pool]:
    """The ">200B" blend: names of the three models with the largest medians, and their twice-trimmed pool."""
    median = {name: quantiles_wh(energy, [0.5])[0] for name, energy in energies.items()}
    names = tuple(sorted(median, key=lambda name: (-median[name], name))[:FRONTIER_MODELS])
    low, high = KEPT_QUANTILES
    return names, Pool(tuple(energies[name] for name in names), (low, high))


def with_intervention(blend: Pool, gain: LogNormal) -> Scaled:
    """The trimmed blend divided by an independent gain (model, serving platform, hardware and datacenter)."""
    return Scaled(blend, gain.inverse)


def pooled_mean_wh(pool: Pool) -> float:
    """Mean of the untrimmed pool, Wh."""
    return float(np.mean([member.mean_wh for member in pool.members]))


def combined_gain(gains: list[LogNormal]) -> LogNormal:
    """The product of independent gains; its P10 and median are the paper's "8-20x" together."""
    product = ONE
    for gain in gains:
        product = product * gain
    return product


def accelerator_s_per_query(
    rule: ThroughputRule, n_accelerators: int | np.ndarray, input_tokens: float, lengths: OutputLengths
) -> np.ndarray:
    """Mean accelerator-seconds that one query takes up: n · E[L_out / TPS]."""
    return n_accelerators * ((lengths.tokens / rule.tokens_per_s(input_tokens, lengths.tokens)) @ lengths.weights)


def joules_per_output_token(mean_wh: np.ndarray, mean_output_tokens: float) -> np.ndarray:
    """Mean energy of a query over its mean output tokens, J: the energy of many queries per token they produce."""
    return mean_wh * JOULES_PER_WH / mean_output_tokens


def wh_per_million_output_tokens(mean_wh: np.ndarray, mean_output_tokens: float) -> np.ndarray:
    """The same per million output tokens, Wh."""
    return mean_wh * TOKENS_PER_MILLION / mean_output_tokens


@dataclass(frozen=True)
class QueryEnergy:
    """One workload on `c` configurations at the node, before any factor: all lengths, and those its quantiles take."""

    asked: Asked
    energy: Energy
    thinned: Energy
    accelerator_s_mean: np.ndarray
    node_power_max_w: np.ndarray

    @classmethod
    def of(
        cls, rule: ThroughputRule, n_accelerators: np.ndarray, node_power_max_w: np.ndarray, asked: Asked
    ) -> "QueryEnergy":
        """`rule` with coefficients (c, 1); the others (c,)."""
        input_tokens, lengths = lengths_of(asked)
        energy = energy_per_query(rule, node_power_max_w[:, None], Factors(ONE), input_tokens, lengths)
        seconds = accelerator_s_per_query(rule, n_accelerators, input_tokens, lengths)
        return cls(asked, energy, evenly_thinned(energy, MOST_NODES), seconds, node_power_max_w)

    def columns(self, factors: Factors) -> dict[str, np.ndarray]:
        """The figures by their names in energy_per_query, each (c,)."""
        mean_wh = replace(self.energy, factor=factors.product).mean_wh
        found = newton_quantiles_wh(replace(self.thinned, factor=factors.product), list(QUANTILES.values()))
        mean_tokens = self.asked.output_tokens_mean
        return {
            **{f"energy_wh_per_query_{name}": found[:, i] for i, name in enumerate(QUANTILES)},
            "energy_wh_per_query_mean": mean_wh,
            "accelerator_s_per_query_mean": self.accelerator_s_mean,
            "energy_j_per_output_token": joules_per_output_token(mean_wh, mean_tokens),
            "energy_wh_per_million_output_tokens": wh_per_million_output_tokens(mean_wh, mean_tokens),
            "power_w": self.node_power_max_w * factors.power_utilisation.median,
            "pue": np.full(len(mean_wh), factors.pue.median),
        }
