"""The profile's formulas with hand-computed energies: units, boundaries."""

import numpy as np
import pytest

from pipelines.energy.distribution import Energy, quantiles_wh
from pipelines.energy.lengths import OutputLengths, exponential
from pipelines.energy.lognormal import ONE, LogNormal
from pipelines.energy.oviedo2026 import (
    KEPT_QUANTILES,
    Factors,
    accelerator_s_per_query,
    combined_gain,
    energy_per_query,
    frontier_blend,
    joules_per_output_token,
    wh_per_million_output_tokens,
)
from pipelines.energy.throughput import ThroughputRule

CONSTANT = ThroughputRule(np.log(1000), 0.0, 0.0, 1000.0)
ONE_LENGTH = OutputLengths(np.array([360.0]), np.array([1.0]))
CERTAIN = Factors(LogNormal(np.log(0.5), 0.0))


def test_energy_by_hand():
    # 360 tokens at 1000 tokens/s take 0.36 s; half of 10 kW for 0.36 s is 1800 J, 0.5 Wh
    energy = energy_per_query(CONSTANT, 10_000, CERTAIN, 500, ONE_LENGTH)
    assert energy.mean_wh == pytest.approx(0.5)


def test_facility_is_node_times_pue():
    pue = LogNormal(np.log(1.2), 0.0)
    node = energy_per_query(CONSTANT, 10_000, CERTAIN, 500, ONE_LENGTH).mean_wh
    facility = energy_per_query(CONSTANT, 10_000, Factors(CERTAIN.power_utilisation, pue), 500, ONE_LENGTH).mean_wh
    assert facility / node == pytest.approx(1.2)


def test_input_tokens_count_as_a_thirtieth_where_asked():
    plain = energy_per_query(CONSTANT, 10_000, CERTAIN, 1080, ONE_LENGTH)
    priced = energy_per_query(CONSTANT, 10_000, CERTAIN, 1080, ONE_LENGTH, input_tokens_per_output_token=30)
    assert priced.mean_wh / plain.mean_wh == pytest.approx((360 + 36) / 360)


def test_twice_the_power_or_half_the_throughput_is_twice_the_energy():
    lengths, factors = exponential(300), Factors(LogNormal.from_p5_p95(0.4, 0.9))
    rule = ThroughputRule(9.0, -0.5, 0.2, 5000.0)
    half = ThroughputRule(9.0 - np.log(2), -0.5, 0.2, 2500.0)
    base = quantiles_wh(energy_per_query(rule, 10_000, factors, 500, lengths), [0.5])[0]
    assert quantiles_wh(energy_per_query(rule, 20_000, factors, 500, lengths), [0.5])[0] == pytest.approx(2 * base)
    assert quantiles_wh(energy_per_query(half, 10_000, factors, 500, lengths), [0.5])[0] == pytest.approx(2 * base)


def test_longer_inputs_and_outputs_take_more_energy():
    factors, rule = Factors(LogNormal.from_p5_p95(0.4, 0.9)), ThroughputRule(9.0, -0.5, 0.2, 5000.0)
    medians = [
        quantiles_wh(energy_per_query(rule, 10_000, factors, n_in, exponential(n_out)), [0.5])[0]
        for n_in, n_out in ((500, 300), (5000, 300), (5000, 5000))
    ]
    assert medians == sorted(medians)


def test_double_trim_keeps_p14_to_p86():
    assert pytest.approx((0.14, 0.86)) == KEPT_QUANTILES


def test_blend_takes_the_three_largest_medians():
    weights = np.array([1.0])
    factor = LogNormal.from_p5_p95(0.4, 0.9)
    energies = {name: Energy(np.array([wh]), weights, factor) for name, wh in zip("abcd", (1, 4, 3, 2), strict=True)}
    names, pool = frontier_blend(energies)
    assert names == ("b", "c", "d")
    assert len(pool.members) == 3


def test_energy_per_token_by_hand():
    assert joules_per_output_token(0.5, 360) == pytest.approx(5)  # 1800 J over 360 tokens
    assert wh_per_million_output_tokens(0.5, 360) == pytest.approx(1388.888888888889)


def test_accelerator_seconds_by_hand():
    assert accelerator_s_per_query(CONSTANT, 8, 500, ONE_LENGTH) == pytest.approx(2.88)


def test_combined_gain_multiplies_medians():
    gains = [LogNormal.from_p5_p95(1.5, high) for high in (10, 5, 2.5)]
    assert combined_gain(gains).median == pytest.approx(np.prod([gain.median for gain in gains]))
    assert combined_gain([]) == ONE
