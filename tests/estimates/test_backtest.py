"""estimates.backtest: errors recomputed by SQL, every aim has its row, and the aims that do not hold are known."""

import duckdb
import numpy as np
import polars as pl
import pytest

from assets.core.assumptions import Assumptions
from assets.estimates import backtest
from assets.estimates.backtest import ACCEPTED_MEAN, ACCEPTED_P50, ALL, BARS, ENERGY, METHOD, RATED_AS
from assets.estimates.serving import Benchmarked
from pipelines.warehouse.store import Warehouse

TABLES = ("serving_measurements", "mlperf_power", "models", "accelerators", "nodes", "assumptions")


@pytest.fixture(scope="module")
def core(book):
    return {name: Warehouse(book).read(f"core.{name}") for name in TABLES}


@pytest.fixture(scope="module")
def found(book):
    return Warehouse(book).read("estimates.backtest")


def row(found, **named):
    frame = found.filter([pl.col(name) == value for name, value in named.items()])
    assert frame.height == 1, named
    return frame.row(0, named=True)


def errors_by_sql(core, sql):
    """|predicted / observed - 1| of each run, from two columns of a query on the tables of core."""
    with duckdb.connect() as connection:
        for name, frame in core.items():
            connection.register(name, frame)
        predicted, observed = connection.execute(sql).fetchnumpy().values()
    return np.abs(np.asarray(predicted) / np.asarray(observed) - 1)


def assert_errors(row, errors):
    assert row["n_rows"] == len(errors)
    expected = (np.median(errors), errors.mean(), np.quantile(errors, 0.9))
    assert (row["error_p50"], row["error_mean"], row["error_p90"]) == pytest.approx(expected)


def test_wall_power_by_sql(core, found):
    errors = errors_by_sql(
        core,
        "select 0.6 * power_max_w_per_accelerator * n_accelerators, power_w from mlperf_power join nodes"
        " using (accelerator_id) where is_default and source_release not like 'v4.0%'",
    )
    assert_errors(row(found, target="node_power", part="without v4.0", estimator=METHOD), errors)
    assert len(errors) == 13


def test_energy_of_boards_at_their_tdp_by_sql(core, found):
    errors = errors_by_sql(
        core,
        "select tdp_w * n_accelerators / output_tokens_per_s, power_w / output_tokens_per_s"
        " from serving_measurements join accelerators using (accelerator_id) where source_id = 'mlenergy_v3'",
    )
    assert_errors(row(found, target=ENERGY, source_ids="mlenergy_v3", estimator="tps-x-tdp"), errors)
    assert len(errors) == 838


def test_power_of_a_source_never_seen_by_sql(core, found):
    # A100 and GH200 without the size of their memory: rated as the variants that have one; 16 bits where not stated
    k0, k1 = (Assumptions(core["assumptions"]).value(f"serving-time.gpu_power.{k}") for k in ("k0", "k1"))
    rated_as = " ".join(f"when '{printed}' then '{variant}'" for printed, variant in RATED_AS.items())
    errors = errors_by_sql(
        core,
        f"select tdp_w * least(1, {k0} + {k1} * sqrt(output_tokens_per_s * 2 * active_params_b * 1e9"
        " / (n_accelerators * dense_fp16_tflop_per_s * 1e12))), power_w / n_accelerators"
        " from serving_measurements s join models using (model_id) join accelerators a on a.accelerator_id ="
        f" case s.accelerator_id {rated_as} else s.accelerator_id end"
        " where source_id = 'argonne_llm_bench' and s.power_w is not null",
    )
    kept = {"target": "gpu_power", "source_ids": "argonne_llm_bench", "part": ALL}
    assert_errors(row(found, **kept, estimator=METHOD), errors)
    assert len(errors) == 48


def test_variants_of_an_accelerator_are_rated_alike(core):
    rated = core["accelerators"].select("accelerator_id", "tdp_w", "dense_fp16_tflop_per_s").drop_nulls()
    for family, variant in RATED_AS.items():
        variants = rated.filter(pl.col("accelerator_id").str.starts_with(f"{family}-"))
        assert variant in variants["accelerator_id"].to_list()
        assert variants["tdp_w"].n_unique() == variants["dense_fp16_tflop_per_s"].n_unique() == 1


def test_energy_per_token_errs_as_its_power(found):
    key = ["source_ids", "part", "held_out", "estimator"]
    power = found.filter(pl.col("boundary").is_not_null() & (pl.col("target") != ENERGY))
    both = power.join(found.filter(pl.col("target") == ENERGY), on=key, validate="1:1", suffix="_of_energy")
    assert both.height == power.height > 20
    for name in ("error_p50", "bias_ln", "coverage_of_groups", "bar_error_p50"):
        assert both[name].eq_missing(both[f"{name}_of_energy"]).all()


def test_the_paper_is_judged_on_the_points_where_it_has_a_rule(found):
    longer = {"held_out": "output over 1024"}
    papers = row(found, **longer, estimator="oviedo2026")
    ours = row(found, **longer, part="where oviedo2026 has a rule", prior="in use")
    assert papers["n_rows"] == ours["n_rows"] < row(found, **longer, part=ALL, prior="in use")["n_rows"]
    assert papers["error_p50"] > 4 * ours["error_p50"]


def test_the_paper_has_a_rule_for_every_single_point_left_out(found):
    one = {"held_out": "one point", "part": ALL}
    papers, ours = row(found, **one, estimator="oviedo2026"), row(found, **one, prior="in use")
    assert papers["n_rows"] == ours["n_rows"]
    assert papers["error_p50"] > 5 * ours["error_p50"]


def test_groups_of_the_coverage_are_what_was_held_out(found):
    ours = found.filter(pl.col("estimator") == METHOD)
    few = {"target": "serving_time", "held_out": "all but one point", "part": ALL, "estimator": METHOD}
    n_groups = {prior: row(ours, **few, prior=prior)["n_groups"] for prior in ours.filter(**few)["prior"]}
    assert n_groups == {"without the architecture": 10, "without the family": 4, "without the gpu": 6}
    releases = {"held_out": "release, all but one point", "prior": "without the release"}
    assert row(ours, **releases, part=ALL)["n_groups"] == 6
    assert row(ours, **releases, part="main")["n_groups"] == 1
    boards = {"target": "gpu_power", "source_ids": "mlenergy_v3"}
    assert row(ours, **boards, held_out="gpu")["n_groups"] == 2
    assert row(ours, **boards, held_out="model family")["n_groups"] == 6


def test_what_the_prior_saw_says_nothing_of_a_new_group(found):
    saw = found.filter(pl.col("prior").is_in(["in use", "without these points"]))
    assert saw.height > 10
    assert saw["nested_coverage_of_groups"].null_count() == saw.height
    assert saw["coverage_of_groups"].null_count() == 0
    others = found.filter((pl.col("prior") == "without the architecture") & (pl.col("n_groups") > 1))
    assert others["nested_coverage_of_groups"].null_count() == 0


def test_tables_of_few_lengths_are_tested_each_with_the_interval_of_what_is_left(found):
    widths = {"one of two lengths": 0.394, "one of three lengths": 0.316, "one of four lengths": 0.276}
    for what, half_width_ln in widths.items():
        of_all = row(found, held_out=what, part=ALL)
        assert np.log(of_all["half_width_factor"]) == pytest.approx(half_width_ln)
        parts = found.filter((pl.col("held_out") == what) & (pl.col("part") != ALL))
        assert parts["n_rows"].sum() == of_all["n_rows"]
    assert row(found, held_out="one of four lengths", part=ALL)["n_rows"] > 400


def test_releases_add_up(found):
    whole = found.filter(held_out="release, all points", prior="without the release")
    parts = whole.filter(pl.col("part") != ALL)
    assert set(parts["part"]) >= {"0.10", "0.11", "0.21", "1.0", "main", "v2"}
    assert parts["n_rows"].sum() == whole.filter(pl.col("part") == ALL)["n_rows"].item()


def test_every_aim_and_every_watched_figure_has_its_row(found):
    ours = found.filter(pl.col("estimator") == METHOD)
    key = ["target", "held_out", "prior", "part"]
    rows = set(ours.select(key).iter_rows())
    assert {*BARS, *ACCEPTED_P50, *ACCEPTED_MEAN} <= rows
    assert ours["accepted_error_p50"].count() == len(ACCEPTED_P50)
    assert ours["accepted_error_mean"].count() == len(ACCEPTED_MEAN)


def test_aims_that_do_not_hold_are_known(found):
    missed = found.filter(
        pl.any_horizontal(
            (pl.col(f"error_{s}") > pl.col(f"bar_error_{s}")).fill_null(False) for s in ("p50", "mean", "p90")
        )
    )
    assert set(missed.select("held_out", "part", "prior").iter_rows()) == {
        ("release, all but one point", "main", "without the release"),
        ("all but one point", "all", "without the family"),
        ("all but two points", "all", "without the family"),
    }


def test_only_our_predictions_have_intervals(found):
    assert set(found.filter(pl.col("half_width_factor").is_not_null())["estimator"]) == {METHOD}
    assert found.filter(pl.col("estimator") == METHOD)["half_width_factor"].null_count() == 0


def test_one_architecture_has_one_group(core):
    keys = Benchmarked.of(core["serving_measurements"], core["models"], core["accelerators"]).keys
    ids = set(keys["model_id"])
    assert set(backtest.ARCHITECTURES) <= set(core["models"]["model_id"])
    alike = core["models"].filter(pl.col("model_id").is_in(list(ids))).drop_nulls("n_layers")
    shape = ["n_layers", "n_kv_heads", "head_dim", "total_params_b"]
    for _, twins in alike.group_by(shape):
        groups = {backtest.ARCHITECTURES.get(model_id, model_id) for model_id in twins["model_id"]}
        assert len(groups) == 1, twins["model_id"].to_list()


def test_what_cannot_be_left_out_is_left_out_of_the_table_and_the_rest_stays(core, found):
    one_system = core["mlperf_power"].filter(pl.col("system") == core["mlperf_power"]["system"][0])
    fewer = backtest.backtest_of(**core | {"mlperf_power": one_system})
    assert fewer.filter((pl.col("target") == "node_power") & (pl.col("held_out") == "system")).is_empty()
    boards = pl.col("target") == "gpu_power"
    assert fewer.filter(boards).height == found.filter(boards).height
    no_runs = backtest.backtest_of(**core | {"mlperf_power": one_system.clear()})
    assert "node_power" not in no_runs["target"]
