"""The prior of serving time: physics by hand, features, what it refuses, and learnt back from made-up tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.energy.errors import EnergyInputError
from pipelines.energy.kv_cache import growing_layers, kv_bytes_per_token
from pipelines.energy.precision import fits_in_memory, precision_named
from pipelines.energy.serving_prior import FEATURES, QUICK, Deployments, Prior, fit_prior
from pipelines.energy.serving_time import Points, ServingTime, fit_serving_time, output_tokens_per_s_of

FITTED = Prior(
    np.array(
        [
            [0.8657, -0.1101, 0.1692, 0.3473, 0.2705, -0.2858, -0.0721],
            [1.1789, -0.1062, 0.3406, 0.3766, 0.2303, -0.2748, -0.0065],
            [0.1236, 0.1233, 0.0994, 0.1953, -0.0653, -0.0115, -0.0644],
            [0.2789, -0.0114, 0.2556, 0.6155, 0.2576, -0.3532, -0.1957],
        ]
    ),
    np.diag([0.47, 0.52, 0.27, 0.77]) ** 2,
)
"""The coefficients as fitted in 2026, to check their signs."""


def deployment(precision="fp8", **changed):
    rate = {"fp16": 1e15, "bf16": 1e15, "fp8": 2e15, "fp4": 4e15}
    named = {
        "active_params": 70e9,
        "total_params": 70e9,
        "n_accelerators": 4,
        "flop_per_s": rate.get(precision, 1e15),
        "bandwidth_bytes_per_s": 3.35e12,
        "memory_bytes": 80e9,
        "kv_bytes_per_token": 163_840 * (2 if precision in ("fp16", "bf16") else 1),
    }
    return Deployments(precision=[precision], **{k: np.array([v]) for k, v in (named | changed).items()})


def test_cache_of_llama_70b_by_hand():
    # keys and values · 80 layers · 8 heads · 128 · 1 byte
    assert kv_bytes_per_token(80, 8, 128, 1) == 163_840


def test_cache_of_latent_attention_by_hand():
    # DeepSeek: 61 layers · (512 + 64) · 1 byte, whatever the heads
    assert kv_bytes_per_token(61, 128, 128, 1, latent_dim=576) == 35_136


def test_windows_count_where_they_are_long():
    assert growing_layers(18, 18, 128) == 18  # GPT-OSS
    assert growing_layers(12, 36, 8192) == 48  # Llama 4
    assert growing_layers(80, None, None) == 80


@pytest.mark.parametrize("arguments", [(0, 8, 128, 1), (80, 8, 128, 0), (80, -8, 128, 1), (61, 1, 1, 1, 0)])
def test_a_cache_of_nothing_is_an_error(arguments):
    with pytest.raises(EnergyInputError, match="positive"):
        kv_bytes_per_token(*arguments)


def test_precisions():
    assert precision_named("bf16").arithmetic == "fp16"
    assert precision_named("fp4").weight_bytes == pytest.approx(0.5625)
    assert fits_in_memory(405e9, "fp8", 8, 80e9)
    assert not fits_in_memory(671e9, "fp8", 8, 80e9)
    with pytest.raises(EnergyInputError, match="fp12"):
        precision_named("fp12")


def test_physics_by_hand():
    theta = deployment().theta_of_physics[0]
    # 2 · 70e9 / 2e15 s a token
    assert np.exp(theta[:2]) == pytest.approx([7e-5, 7e-5])
    # 163840 B / 3.35e12 B/s, and weights 70 GB over the 250 GB left of 320
    assert np.exp(theta[2]) == pytest.approx(163_840 / 3.35e12 * (1 + 70 / 250))
    assert np.exp(theta[3]) == pytest.approx(7e-5 / 6e4)


def test_features_by_hand():
    found = deployment("fp4", active_params=7e9).features[0]
    expected = [1, np.log(7), np.log(10), np.log(4), 1, 0, 0]
    assert dict(zip(FEATURES, found, strict=True)) == pytest.approx(dict(zip(FEATURES, expected, strict=True)))
    assert deployment("bf16").features[0, 5] == 1


def test_prior_mean_is_physics_plus_b_z():
    b = np.zeros((4, 7))
    b[2, 3] = 2.0
    prior = Prior(b, np.eye(4))
    expected = deployment().theta_of_physics + np.array([0, 0, 2 * np.log(4), 0])
    assert prior.mean(deployment()) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"flop_per_s": np.nan}, "flop_per_s"),  # an A100 has no FP8 rate
        ({"memory_bytes": 10e9}, "do not fit"),
        ({"active_params": 80e9}, "active exceeds total"),
        ({"kv_bytes_per_token": 0}, "kv_bytes_per_token"),
        ({"n_accelerators": -1}, "n_accelerators"),
    ],
)
def test_impossible_deployments_are_errors(changed, what):
    with pytest.raises(EnergyInputError, match=what):
        deployment(**changed)


def test_an_unknown_precision_is_an_error():
    with pytest.raises(EnergyInputError, match="int2"):
        deployment("int2")


@settings(max_examples=80, deadline=None)
@given(
    st.floats(1e9, 400e9),
    st.floats(1, 10),
    st.sampled_from([1, 2, 4, 8, 16]),
    st.floats(1, 1e5),
    st.floats(1, 1e5),
)
def test_more_bits_are_never_cheaper_in_the_prior_mean(active, ratio, n, l_in, l_out):
    total = active * ratio
    seconds = []
    for name in ("fp4", "fp8", "fp16"):
        one = deployment(name, active_params=active, total_params=total, n_accelerators=n, memory_bytes=20e12)
        mean = FITTED.mean(one)
        seconds.append(ServingTime(mean, np.zeros((1, 4, 4))).accelerator_s(l_in, l_out)[0, 0])
    assert seconds == sorted(seconds)


@pytest.mark.parametrize(
    ("b", "s"),
    [
        (np.zeros((4, 6)), np.eye(4)),
        (np.zeros((4, 7)), -np.eye(4)),
        (np.full((4, 7), np.nan), np.eye(4)),
        (np.zeros((4, 7)), np.triu(np.ones((4, 4)))),
    ],
)
def test_a_prior_that_is_none_is_an_error(b, s):
    with pytest.raises(EnergyInputError):
        Prior(b, s)


def many(n=60, seed=3):
    """Made-up deployments with made-up B and S, and the tables they would publish with 2 % noise."""
    rng = np.random.default_rng(seed)
    active = np.exp(rng.uniform(np.log(3e9), np.log(400e9), n))
    formats = [("fp16", "fp8", "fp4")[i % 3] for i in range(n)]
    rate = {"fp16": 1e15, "fp8": 2e15, "fp4": 4e15}
    deployments = Deployments(
        active_params=active,
        total_params=active * rng.uniform(1, 10, n),
        n_accelerators=rng.choice([1, 2, 4, 8], n),
        precision=formats,
        flop_per_s=np.array([rate[name] for name in formats]),
        bandwidth_bytes_per_s=rng.uniform(1e12, 8e12, n),
        memory_bytes=np.full(n, 20e12),
        kv_bytes_per_token=rng.uniform(3e4, 3e5, n),
    )
    b = np.zeros((4, 7))
    b[:, 0], b[:, 3] = [1.0, 1.3, 0.2, 0.5], [0.4, 0.4, 0.2, 0.3]
    theta = deployments.theta_of_physics + deployments.features @ b.T + rng.normal(0, 0.2, (n, 4))
    lengths = [(128, 128), (128, 4096), (2048, 128), (2048, 2048), (20000, 2000), (1024, 32768), (32768, 64)]
    l_in, l_out = (np.array(column, dtype=float) for column in zip(*lengths, strict=True))
    count = np.repeat(deployments.n_accelerators, len(lengths))
    index = np.repeat(np.arange(n), len(lengths))
    fitted = ServingTime(theta, np.zeros((n, 4, 4)))
    n_each = deployments.n_accelerators[:, None]
    tps = output_tokens_per_s_of(l_out, fitted.accelerator_s(l_in, l_out), n_each).ravel()
    tps = tps * np.exp(rng.normal(0, 0.02, tps.size))
    return Points.of(index, n, np.tile(l_in, n), np.tile(l_out, n), tps, count), deployments, b


def test_a_made_up_prior_is_learnt_back():
    points, deployments, b = many()
    prior = fit_prior(points, deployments)
    known = deployments.features @ (prior.coefficients - b).T
    assert np.abs(known).mean() < 0.12
    assert np.sqrt(np.diag(prior.covariance))[:3] == pytest.approx([0.2, 0.2, 0.2], abs=0.09)


def test_a_quick_fit_predicts_what_a_precise_one_does_within_half_a_percent():
    points, deployments, _ = many()
    seconds = [
        ServingTime(fit_prior(points, deployments, tolerance=tolerance).mean(deployments), np.zeros((60, 4, 4)))
        for tolerance in (1e-9, QUICK)
    ]
    precise, quick = (fit.accelerator_s(np.array([128, 1000, 20000]), np.array([4096, 300, 2000])) for fit in seconds)
    assert quick == pytest.approx(precise, rel=0.005)


def test_a_precise_prior_is_where_expectation_maximisation_stands_still():
    # one plain step, written out: B by ridge regression of θ - θ0 on z, S the mean of squares and posterior covariances
    points, deployments, _ = many()
    prior = fit_prior(points, deployments)
    fitted = fit_serving_time(points, prior.mean(deployments), prior.covariance)
    z, away = deployments.features, fitted.theta - deployments.theta_of_physics
    b = np.linalg.solve(z.T @ z + 10 * np.diag([0, 1, 1, 1, 1, 1, 1]), z.T @ away).T
    away = away - z @ b.T
    s = (away.T @ away + fitted.covariance.sum(0) + 2 * 0.05**2 * np.eye(4)) / (60 + 2)
    assert prior.coefficients == pytest.approx(b, abs=2e-5)
    assert prior.covariance == pytest.approx(s, abs=2e-5)


def test_the_spread_needs_tables_of_five_points():
    points, deployments, _ = many(6)
    with pytest.raises(EnergyInputError, match="5 points"):
        fit_prior(points.only(np.arange(points.is_known.shape[1]) < 4), deployments)


def test_taking_deployments():
    _, deployments, _ = many(6)
    two = deployments.take(np.array([4, 1]))
    assert two.precision == ["fp8", "fp8"]
    assert two.features == pytest.approx(deployments.features[[4, 1]])
