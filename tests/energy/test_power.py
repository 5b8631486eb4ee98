"""Power as a share of ratings: by hand, learnt back from made-up runs, and what is refused."""

import numpy as np
import pytest

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.lognormal import LogNormal
from pipelines.energy.power import (
    CentralPower,
    OperatingPower,
    UtilisationPower,
    compute_utilisation,
    node_power,
    operating_features,
    share_of_rating,
)


def test_compute_utilisation_by_hand():
    # 1000 tokens/s · 2 · 70e9 on 2 · 1e15 FLOP/s
    assert compute_utilisation(1000, 70e9, 2, 1e15) == pytest.approx(0.07)


def test_power_over_utilisation_is_learnt_back_and_bounded():
    u = np.array([0.01, 0.04, 0.09])
    found = UtilisationPower.fit(u, 0.5 + 0.8 * np.sqrt(u))
    assert (found.k0, found.k1) == (pytest.approx(0.5), pytest.approx(0.8))
    assert found.share_of_tdp(0.16) == pytest.approx(0.82)
    assert found.share_of_tdp(4.0) == 1


def test_one_utilisation_is_an_error():
    with pytest.raises(EnergyInputError, match="two different"):
        UtilisationPower.fit([0.1, 0.1], [0.5, 0.6])


def test_operating_features_by_hand():
    found = operating_features([8], [64], [10e9], [100e9], ["fp8"])
    assert found[0] == pytest.approx([np.log(8), np.log(64), np.log(10), np.log(10), 1, 0])


def made_up(n=200):
    rng = np.random.default_rng(4)
    features = operating_features(
        rng.choice([1, 2, 4, 8], n), rng.choice([8, 64, 512], n), rng.uniform(3e9, 70e9, n), np.full(n, 70e9),
        rng.choice(["fp16", "fp8"], n),
    )  # fmt: skip
    gpus = rng.choice(["a", "b"], n)
    share = np.exp(-1.5 - 0.1 * features[:, 0] + 0.08 * features[:, 1] + 0.1 * (gpus == "a"))
    return features, gpus, share


def test_operating_power_is_learnt_back():
    features, gpus, share = made_up()
    found = OperatingPower.fit(features, gpus, share, ridge=1e-6)
    assert found.share_of_tdp(features, gpus) == pytest.approx(share, rel=1e-3)


def test_an_unmetered_gpu_is_the_mean_of_the_metered():
    features, gpus, share = made_up()
    found = OperatingPower.fit(features, gpus, share)
    new, a, b = (found.share_of_tdp(features[:1], [name])[0] for name in ("new", "a", "b"))
    assert min(a, b) < new < max(a, b)


SHARE = LogNormal.from_p5_p95(0.45, 0.8)  # median 0.6


def test_node_power_by_hand():
    # 0.6 of 10.2 kW is more than the boards draw; 0.6 of 1667 W is less, and then it is theirs, with their interval
    boards = CentralPower(np.array([5600.0, 1044.0]), np.array([0.4, 0.4]))
    found = node_power(np.array([10_200.0, 1667.0]), SHARE, boards)
    assert found.w == pytest.approx([6120, 1044])
    assert found.half_width_ln == pytest.approx([np.log(0.8 / 0.6), 0.4])


def test_share_of_what_is_rated_by_hand():
    assert share_of_rating(4200.0, 8, 700.0) == pytest.approx(0.75)


@pytest.mark.parametrize(
    "call",
    [
        lambda: compute_utilisation(0, 1, 1, 1),
        lambda: compute_utilisation(np.nan, 1, 1, 1),
        lambda: UtilisationPower(0.5, 0.5).share_of_tdp(-1),
        lambda: operating_features([0], [1], [1], [1], ["fp8"]),
        lambda: OperatingPower.fit(np.ones((1, 6)), ["a"], [0.0]),
        lambda: node_power(np.array([-1.0]), SHARE, CentralPower(np.ones(1), np.ones(1))),
        lambda: node_power(np.ones(1), SHARE, CentralPower(np.zeros(1), np.ones(1))),
        lambda: node_power(np.ones(1), LogNormal(0.1, 0.1), CentralPower(np.ones(1), np.ones(1))),
    ],
)
def test_impossible_figures_are_errors(call):
    with pytest.raises(EnergyInputError):
        call()
