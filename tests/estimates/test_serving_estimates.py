"""Method serving-time: fits, estimates and the headline, by hand from the tables they are made of."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from assets.core.assumptions import Assumptions
from assets.estimates.serving import (
    NO_ARCHITECTURE,
    NO_MEMORY,
    NO_PRECISION,
    NO_RATING,
    benchmarks,
    with_specifications,
)
from assets.estimates.serving_estimates import serving_estimates
from assets.estimates.serving_fits import serving_time_of
from assets.estimates.throughput_rules import KEY
from assets.estimates.workloads import traces
from pipelines.energy.assumed import prior_of
from pipelines.energy.serving_estimate import CAUSES
from pipelines.energy.workloads import TRACES
from pipelines.warehouse.store import Warehouse

LN_MEDIAN_OVER_SCALE = np.log(2)
CONFIGURATION = {
    "source_id": "trtllm_perf", "source_release": "1.0", "model_id": "llama-3.1-405b", "accelerator_id": "h100-sxm",
}  # fmt: skip


@pytest.fixture(scope="module")
def read(book):
    return Warehouse(book).read


@pytest.fixture(scope="module")
def estimates(read):
    """Saturated; other loads are in test_scenarios."""
    return read("estimates.energy_per_query").filter((pl.col("method") == "serving-time") & (pl.col("load") == 1))


@pytest.fixture(scope="module")
def fit(read) -> dict:
    return read("estimates.serving_fits").row(by_predicate=matching(**CONFIGURATION), named=True)


def matching(**values: object) -> pl.Expr:
    return pl.all_horizontal(pl.col(name) == value for name, value in values.items())


def accelerator_s(fit: dict, l_in: float, l_out: np.ndarray, cached: float = 0.0) -> np.ndarray:
    a, b, c, e = (np.exp(fit[f"ln_{term}"]) for term in ("prefill", "decode", "decode_attention", "prefill_attention"))
    return a * (l_in - cached) + b * l_out + c * l_out * (l_in + l_out / 2) + e * (l_in**2 - cached**2)


@pytest.mark.parametrize(
    ("boundary", "workload", "median_tokens"), [("node", "traditional", 300), ("facility", "test-time", 5000)]
)
def test_a_configuration_by_hand(estimates, fit, boundary, workload, median_tokens):
    row = estimates.row(by_predicate=matching(**CONFIGURATION, boundary=boundary, workload_id=workload), named=True)
    # eight H100 of a node of 10.2 kW at 0.6 of its maximum; PUE log-normal from 1.08 to 1.58
    power_w, pue = 0.6 * 10_200, np.sqrt(1.08 * 1.58) if boundary == "facility" else 1.0
    assert row["power_w"] == pytest.approx(power_w, rel=1e-4)
    assert row["pue"] == pytest.approx(pue, rel=1e-4)
    wh_per_accelerator_s = pue * power_w / 8 / 3600
    for name, p in (("p05", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95)):
        length = -median_tokens / np.log(2) * np.log(1 - p)
        expected = wh_per_accelerator_s * accelerator_s(fit, 500, length)
        assert row[f"energy_wh_per_query_{name}"] == pytest.approx(expected, rel=1e-3)
    lengths = (np.arange(200_000) + 0.5) / 200_000
    mean = wh_per_accelerator_s * accelerator_s(fit, 500, -median_tokens / np.log(2) * np.log(lengths)).mean()
    assert row["energy_wh_per_query_mean"] == pytest.approx(mean, rel=2e-3)
    assert row["energy_j_per_output_token"] == pytest.approx(mean * 3600 / (median_tokens / np.log(2)), rel=2e-3)


def test_boards_draw_a_share_of_their_tdp_that_grows_with_the_arithmetic(estimates, fit):
    row = estimates.row(by_predicate=matching(**CONFIGURATION, boundary="gpu", workload_id="traditional"), named=True)
    tokens_per_s = 8 * (300 / np.log(2)) / row["accelerator_s_per_query_mean"]
    utilisation = tokens_per_s * 2 * 405e9 / (8 * fit["dense_tflop_per_s"] * 1e12)
    assert row["power_w"] == pytest.approx(8 * 700 * (0.5823 + 0.7942 * np.sqrt(utilisation)), rel=2e-2)
    assert row["node_id"] is None


def test_a_cached_token_costs_its_attention_only(read, estimates, fit):
    by_id = {asked.workload_id: asked for asked in traces(read("core.request_lengths"))}
    asked = by_id["mooncake-conversation"]
    assert (asked.cached_tokens < asked.input_tokens).all()
    assert 0.3 < (asked.cached_tokens @ asked.weights) / (asked.input_tokens @ asked.weights) < 0.5
    row = estimates.row(
        by_predicate=matching(**CONFIGURATION, boundary="node", workload_id="mooncake-conversation"), named=True
    )
    seconds = accelerator_s(fit, asked.input_tokens, asked.output_tokens, asked.cached_tokens) @ asked.weights
    assert row["accelerator_s_per_query_mean"] == pytest.approx(seconds, rel=1e-9)
    uncached = accelerator_s(fit, asked.input_tokens, asked.output_tokens) @ asked.weights
    assert seconds < 0.85 * uncached


def test_traces_are_those_published_without_requests_that_failed(read):
    found = {asked.workload_id: asked for asked in traces(read("core.request_lengths"))}
    assert set(found) == set(TRACES)
    assert round(found["azure-conv-2023"].output_tokens_mean, 1) == 211.1
    assert round(found["azure-code-2023"].output_tokens_mean, 1) == 27.9
    assert all((asked.output_tokens > 0).all() for asked in found.values())


def test_every_estimate_has_its_intervals_and_causes(estimates):
    low, mid, high = (estimates[f"energy_wh_per_query_p50{end}"].to_numpy() for end in ("_lo90", "", "_hi90"))
    assert np.log(high / mid) == pytest.approx(np.log(mid / low))  # as wide above as below, in ln
    assert estimates.select(
        pl.sum_horizontal(f"interval_share_{cause}" for cause in CAUSES)
    ).to_series().to_numpy() == (pytest.approx(1))
    at_node = estimates.filter(pl.col("boundary") == "node")
    assert (at_node["interval_share_pue"] == 0).all()
    assert (estimates.filter(pl.col("boundary") == "facility")["interval_share_pue"] > 0).all()


def test_a_configuration_with_fewer_points_is_known_less_well_and_a_misfit_worse(read):
    fits = read("estimates.serving_fits").drop_nulls("half_width_ln")
    residual = pl.col("residual_ln").abs()
    misfits = fits.filter(pl.col("half_width_ln") == residual)
    assert 0 < misfits.height < 15
    width = {
        n: set(part["half_width_ln"])
        for (n,), part in fits.join(misfits, on=fits.columns, how="anti", nulls_equal=True).group_by("n_length_pairs")
    }
    assert {n: widths for n, widths in width.items() if n < 6} == {2: {0.316}, 3: {0.276}, 4: {0.276}, 5: {0.266}}


def test_an_interval_holds_the_worst_row_of_its_fit_by_hand(read):
    fits = read("estimates.serving_fits")
    of_falcon = matching(model_id="falcon-180b", source_release="0.10") & (pl.col("residual_ln").abs() > 0.5)
    worst = fits.filter(of_falcon).sort(pl.col("residual_ln").abs(), descending=True).row(0, named=True)
    same = [pl.col(name).eq_missing(pl.lit(worst[name])) for name in KEY]
    rows = benchmarks(read("core.serving_measurements")).filter(*same)
    l_in, l_out, tps = (rows[name].to_numpy() for name in ("input_tokens", "output_tokens", "output_tokens_per_s"))
    predicted = worst["n_accelerators"] * l_out / accelerator_s(worst, l_in, l_out)
    ratio = np.log(predicted / tps)
    assert worst["residual_ln"] == pytest.approx(ratio[np.abs(ratio).argmax()])
    assert worst["half_width_ln"] == pytest.approx(np.abs(ratio).max())


def test_the_order_of_a_trace_does_not_matter(read):
    fits, assumed, requests = (
        read("estimates.serving_fits").drop_nulls("ln_prefill"),
        Assumptions(read("core.assumptions")),
        read("core.request_lengths"),
    )
    few = pl.concat([fits.head(3), fits.filter(matching(**CONFIGURATION)), fits.tail(3)])
    published, shuffled = (
        pl.concat(serving_estimates(few, list(traces(rows)), assumed, (1.0, 0.5)))
        for rows in (requests, requests.sample(fraction=1, shuffle=True, seed=1))
    )
    assert_frame_equal(published, shuffled, rel_tol=1e-9)


def test_near_duplicate_lengths_count_once(read):
    row = read("estimates.serving_fits").row(
        by_predicate=matching(
            source_release="main", model_id="gpt-oss-120b", accelerator_id="h100-sxm", n_accelerators=4
        ),
        named=True,
    )
    assert (row["n_rows"], row["n_length_pairs"]) == (5, 4)


def test_far_beyond_the_benchmarks_the_interval_widens_and_the_row_says_so(estimates):
    one = estimates.filter(matching(**CONFIGURATION, boundary="node"))
    near, far = (
        one.row(by_predicate=pl.col("workload_id") == workload, named=True) for workload in ("traditional", "test-time")
    )
    assert (near["is_extrapolated"], far["is_extrapolated"]) == (False, True)
    assert far["mean_share_extrapolated"] > 0.9
    assert (near["evidence"], far["evidence"]) == ("benchmarked", "predicted")
    assert near["mean_share_extrapolated"] < 0.15  # of outputs below 128
    assert far["share_longer_than_benchmarked"] == pytest.approx(2 ** (-4096 / 5000))


@pytest.mark.parametrize(
    ("workload", "half_width_ln"),
    # 405B on eight H100: up to 20000 tokens in, 128 to 4096 out. 5000 is beyond, so is the mean; code is below
    [
        ("traditional", (0.266, 0.266)), ("test-time", (0.324, 0.324)), ("azure-conv-2023", (0.266, 0.266)),
        ("azure-code-2023", (0.432, 0.432)),
    ],
)  # fmt: skip
def test_the_width_of_the_fit_within_and_beyond_the_outputs(estimates, workload, half_width_ln):
    row = estimates.row(by_predicate=matching(**CONFIGURATION, boundary="node", workload_id=workload), named=True)
    of_power = np.log(0.76923 / 0.468) / 2
    for name, expected in zip(("p50", "mean"), half_width_ln, strict=True):
        width = np.log(row[f"energy_wh_per_query_{name}_hi90"] / row[f"energy_wh_per_query_{name}"])
        assert np.sqrt(width**2 - of_power**2) == pytest.approx(expected, rel=1e-3)


def test_beyond_the_inputs_the_interval_is_wider_still(read, estimates):
    short = read("estimates.serving_fits").filter(pl.col("longest_input_tokens") < 4000).select(*KEY)
    found = estimates.join(short, on=KEY, nulls_equal=True).filter(
        matching(workload_id="mooncake-conversation", boundary="gpu")
    )
    width = np.log((found["energy_wh_per_query_p50_hi90"] / found["energy_wh_per_query_p50"]).to_numpy())
    assert found.height > 100
    assert (np.sqrt(width**2 - 0.414**2) > 0.4099).all()  # all their medians have more than 4000 tokens in


def test_a_node_draws_what_its_boards_do_where_its_share_is_less(estimates):
    keys = matching(accelerator_id="gb200", model_id="llama-3.3-70b", workload_id="traditional")
    boards, nodes = (
        estimates.filter(keys & (pl.col("boundary") == boundary)).sort(KEY) for boundary in ("gpu", "node")
    )
    by_share = 0.6 * nodes["node_power_max_w"].to_numpy()
    expected = np.maximum(by_share, boards["power_w"].to_numpy())
    assert nodes["power_w"].to_numpy() == pytest.approx(expected, rel=1e-4)
    assert (expected > 1.01 * by_share).any()


def test_accelerators_without_a_node_have_estimates_of_their_boards_alone(estimates):
    boards = estimates.filter(pl.col("accelerator_id").is_in(["l40s", "gh200-96gb", "rtx-pro-6000-blackwell-server"]))
    assert set(boards["boundary"]) == {"gpu"}


def test_configurations_that_cannot_be_fitted_say_why(read):
    left_out = read("estimates.serving_fits").filter(pl.col("no_fit_because").is_not_null())
    found = {(row["model_id"], row["no_fit_because"]) for row in left_out.to_dicts()}
    # 16 accelerators called 8, and a model whose layers differ from one another
    assert found == {
        ("deepseek-r1", NO_MEMORY),
        ("llama-3.1-nemotron-ultra-253b", NO_ARCHITECTURE),
    }
    assert left_out["ln_prefill"].null_count() == left_out.height


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"precision": "unstated"}, NO_PRECISION),
        ({"precision": "int4"}, NO_PRECISION),
        ({"accelerator_id": "sn40l"}, NO_RATING),
        ({"n_accelerators": 1}, NO_MEMORY),
        ({}, None),
    ],
)
def test_what_a_configuration_must_state(read, change, because):
    key = {"model_id": "llama-3.1-405b", "accelerator_id": "h100-sxm", "n_accelerators": 8, "precision": "fp8"} | change
    described = with_specifications(pl.DataFrame([key]), read("core.models"), read("core.accelerators"))
    assert described["no_fit_because"].to_list() == [because]


def test_the_prior_is_the_dated_one_of_assumptions(read):
    prior = prior_of(Assumptions(read("core.assumptions")))
    assert prior.coefficients.shape == (4, 7)
    assert prior.coefficients[0, 0] == 0.884398
    assert (prior.covariance == prior.covariance.T).all()
    assert prior.covariance[0, 1] > 0.5 * np.sqrt(prior.covariance[0, 0] * prior.covariance[1, 1])


def test_fits_come_back_from_the_table_as_they_were(read):
    fits = read("estimates.serving_fits").drop_nulls("ln_prefill")
    found = serving_time_of(fits)
    assert found.covariance.shape == (fits.height, 4, 4)
    assert np.allclose(found.covariance, found.covariance.transpose(0, 2, 1))
    assert (np.linalg.eigvalsh(found.covariance) > 0).all()


HEADLINE = [
    # Wh per query: lower quartile, median, upper quartile, as worked out when the method was found
    ("llama-3.1-405b", "traditional", 0.175, 0.254, 0.398),
    ("llama-3.1-405b", "test-time", 1.22, 3.90, 11.7),
    ("llama-3.1-70b", "traditional", None, 0.065, None),
    ("llama-3.1-70b", "test-time", None, 0.998, None),
    ("mixtral-8x22b", "traditional", None, 0.043, None),
    ("mixtral-8x22b", "test-time", None, 0.691, None),
]


@pytest.mark.parametrize(("model", "workload", *("p25", "p50", "p75")), HEADLINE)
def test_the_headline_is_within_five_per_cent_of_what_was_worked_out(read, model, workload, p25, p50, p75):
    row = read("estimates.headline").row(
        by_predicate=matching(model_id=model, workload_id=workload, method="serving-time"), named=True
    )
    for name, expected in (("p25", p25), ("p50", p50), ("p75", p75)):
        if expected is not None:
            assert row[f"energy_wh_per_query_{name}"] == pytest.approx(expected, rel=0.05)


def test_the_papers_rule_in_the_headline_is_the_papers(read):
    row = read("estimates.headline").row(
        by_predicate=matching(model_id="llama-3.1-405b", workload_id="traditional", method="oviedo2026"), named=True
    )
    assert (row["energy_wh_per_query_p50"], row["ratio_to_oviedo2026"]) == (pytest.approx(0.392, rel=2e-3), 1.0)
