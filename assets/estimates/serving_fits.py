"""estimates.serving_fits: serving time of every benchmarked configuration by method serving-time."""

import numpy as np
import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.serving import Benchmarked
from assets.estimates.throughput_rules import CONFIGURATION, KEY, benchmarked_lengths
from pipelines import plots
from pipelines.energy.assumed import half_width_id, prior_of
from pipelines.energy.held_out import n_different_points
from pipelines.energy.intervals import widest_half_width_ln
from pipelines.energy.serving_estimate import PAIRS, posterior_of
from pipelines.energy.serving_time import TERMS, ServingTime, fit_serving_time, largest_residuals_ln
from pipelines.energy.specifications import peak_flop_per_s
from pipelines.energy.units import TRILLION
from pipelines.plots import Chart
from pipelines.tables.contract import Coverage, Rule, Table
from pipelines.wiring import model_asset

N_SHOWN, N_ALONG, SHOWN = 4, 24, "output_tokens_per_s_per_accelerator"
"""Configurations in the chart, points along a line, and what is drawn."""

TABLE = Table(
    name="estimates.serving_fits",
    description="Accelerator-seconds per query of each saturated configuration: s n = sum of exp(theta) x, x = (L_in, "
    "L_out, L_out (L_in + L_out/2), L_in^2), the posterior of theta under the dated prior of assumptions.yaml. "
    "Method serving-time, docs/methods.md.",
    grain=KEY,
    columns=(
        *CONFIGURATION,
        *(
            c.quantity(
                f"ln_{term}", "dimensionless", f"theta of {term.replace('_', ' ')}: ln of accelerator-seconds.", -60, 20
            ).optional()
            for term in TERMS
        ),
        *(
            c.quantity(
                f"cov_{a}_{b}", "dimensionless", f"Posterior covariance of theta: {a}, {b}.", -100, 100
            ).optional()
            for a, b in PAIRS
        ),
        c.count("n_rows", "Benchmark rows fitted.", 1).optional(),
        c.count(
            "n_length_pairs",
            "Different pairs of input and output length; near-duplicates, as 1000/1000 and 1024/1024, count once.",
            1,
        ).optional(),
        c.count("shortest_input_tokens", "Shortest benchmarked input.", 1).but(unit="token").optional(),
        c.count("longest_input_tokens", "Longest benchmarked input.", 1).but(unit="token").optional(),
        c.count("shortest_output_tokens", "Shortest benchmarked output.", 1).but(unit="token").optional(),
        c.count("longest_output_tokens", "Longest benchmarked output.", 1).but(unit="token").optional(),
        c.quantity(
            "residual_ln",
            "dimensionless",
            "Largest residual of a benchmark: ln of the throughput predicted over that printed.",
            -5,
            5,
        ).optional(),
        c.quantity(
            "half_width_ln",
            "dimensionless",
            "Half-width in ln of the 90 % interval, from held-out errors of fits to as many lengths; at least the "
            "residual.",
            0,
            3,
        ).optional(),
        c.quantity("active_params_b", "1e9", "Parameters used for one token, billions.", 0.01, 10_000).optional(),
        c.quantity(
            "dense_tflop_per_s", "1e12/s", "Peak dense rate of one accelerator at the precision, 1e12 FLOP/s.", 0.1, 1e5
        ).optional(),
        c.tdp_w.optional(),
        c.node_id.optional(),
        c.node_power_max_w.optional(),
        c.text("no_fit_because", "Why it cannot be fitted; empty: it can.").optional(),
    ),
    rules=(
        Rule(
            "A configuration has a fit, or says why not",
            pl.col("ln_prefill").is_not_null() != pl.col("no_fit_because").is_not_null(),
            check="contract",
        ),
        Rule(
            "Throughput at every benchmarked pair of lengths is that printed, within a factor of 2.5",
            pl.col("residual_ln").abs() < np.log(2.5),
            show="residual_ln",
        ),
        Rule(
            "The interval holds every benchmark that was fitted",
            pl.col("half_width_ln") >= pl.col("residual_ln").abs(),
            check="contract",
        ),
    ),
    coverage=(Coverage("source_id", ("oviedo_throughput", "trtllm_perf")),),
    published=True,
)


def serving_fits_of(
    serving_measurements: pl.DataFrame,
    models: pl.DataFrame,
    accelerators: pl.DataFrame,
    nodes: pl.DataFrame,
    assumptions: pl.DataFrame,
) -> pl.DataFrame:
    """The posterior of every configuration; those that cannot be fitted with the reason."""
    assumed = Assumptions(assumptions)
    found = Benchmarked.of(serving_measurements, models, accelerators)
    prior, points = prior_of(assumed), found.points
    fitted = fit_serving_time(points, prior.mean(found.deployments), prior.covariance)
    frame = _with_posterior(found.keys, fitted, largest_residuals_ln(points, fitted.theta))
    frame = frame.with_columns(n_length_pairs=pl.Series(n_different_points(points), dtype=pl.Int64))
    frame = _with_benchmarks(frame, found.rows, assumed)
    peaks = [peak_flop_per_s(row) / TRILLION for row in found.keys.iter_rows(named=True)]
    frame = frame.with_columns(dense_tflop_per_s=pl.Series(peaks, dtype=pl.Float64))
    frame = pl.concat([frame, found.left_out], how="diagonal_relaxed")
    return _with_node_power(frame, nodes).select(TABLE.schema.keys())


def _with_posterior(keys: pl.DataFrame, fitted: ServingTime, residual: np.ndarray) -> pl.DataFrame:
    at = {term: i for i, term in enumerate(TERMS)}
    return keys.with_columns(
        **{f"ln_{term}": pl.Series(fitted.theta[:, i]) for term, i in at.items()},
        **{f"cov_{a}_{b}": pl.Series(fitted.covariance[:, at[a], at[b]]) for a, b in PAIRS},
        residual_ln=pl.Series(residual),
    )


def _with_benchmarks(frame: pl.DataFrame, rows: pl.DataFrame, assumed: Assumptions) -> pl.DataFrame:
    counted = rows.group_by("configuration").agg(pl.len().cast(pl.Int64).alias("n_rows"), *benchmarked_lengths())
    joined = frame.join(counted, on="configuration", how="left", validate="1:1", maintain_order="left")
    pairs = joined["n_length_pairs"]
    width = {n: assumed.value(half_width_id(n)) for n in pairs.unique()}
    held_out = np.array([width[n] for n in pairs])
    return joined.with_columns(half_width_ln=widest_half_width_ln(held_out, joined["residual_ln"].to_numpy()))


def _with_node_power(frame: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Maximum node power of exactly the accelerators used: their share of the node they are taken to stand in."""
    default = nodes.filter("is_default").select("accelerator_id", "node_id", "power_max_w_per_accelerator")
    joined = frame.join(default, on="accelerator_id", how="left", validate="m:1", maintain_order="left")
    return joined.with_columns(node_power_max_w=pl.col("power_max_w_per_accelerator") * pl.col("n_accelerators"))


def serving_time_of(fits: pl.DataFrame) -> ServingTime:
    """The posteriors of `fits` as arrays, in its order."""
    return posterior_of(lambda name: fits[name].to_numpy())


def throughput_by_length_of(
    fits: pl.DataFrame, serving_measurements: pl.DataFrame, **_others: pl.DataFrame
) -> Chart | None:
    """The configurations with most lengths, one a model: what was published, and the fit between and beyond."""
    fitted = fits.filter(pl.col("no_fit_because").is_null()).sort(
        "n_length_pairs", *KEY, descending=[True] + [False] * len(KEY)
    )
    chosen = fitted.unique("model_id", keep="first", maintain_order=True).head(N_SHOWN)
    if chosen.is_empty():
        return None
    label = pl.format("{}, {} x {}, {}", "model_id", "n_accelerators", "accelerator_id", "source_release")
    per_one = pl.col("output_tokens_per_s") / pl.col("n_accelerators")
    points = serving_measurements.join(chosen.select(KEY), on=KEY, nulls_equal=True).drop_nulls("input_tokens")
    lengths = ("input_tokens", "output_tokens")
    published = points.select(label.alias("configuration"), *lengths, per_one.alias(SHOWN), kind=pl.lit("published"))
    return plots.throughput_by_length(
        pl.concat([published, _fit_between(chosen.with_columns(configuration=label), published)])
    )


def _fit_between(chosen: pl.DataFrame, published: pl.DataFrame) -> pl.DataFrame:
    """The fit of the chosen configurations at their input lengths, across their output lengths."""
    time, parts = serving_time_of(chosen), []
    for i, name in enumerate(chosen["configuration"]):
        own = published.filter(configuration=name)
        outputs = np.geomspace(own["output_tokens"].min(), own["output_tokens"].max(), N_ALONG)
        for input_tokens in own["input_tokens"].unique().sort():
            tps = outputs / time.take(np.array([i])).accelerator_s(input_tokens, outputs)[0]
            along = pl.DataFrame({"output_tokens": outputs, SHOWN: tps})
            parts.append(along.with_columns(configuration=pl.lit(name), input_tokens=input_tokens, kind=pl.lit("fit")))
    return pl.concat(parts).select(published.columns)


serving_fits = model_asset(
    TABLE,
    serving_fits_of,
    {
        "serving_measurements": "core.serving_measurements",
        "models": "core.models",
        "accelerators": "core.accelerators",
        "nodes": "core.nodes",
        "assumptions": "core.assumptions",
    },
    plot=throughput_by_length_of,
)
