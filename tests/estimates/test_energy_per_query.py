"""estimates.energy_per_query: hand-computed rows, node power by share, boundaries, and what gets no estimate."""

import hashlib

import duckdb
import numpy as np
import polars as pl
import pytest

from assets.core.assumptions import Assumptions
from assets.estimates.energy_per_query import GRAIN
from assets.estimates.throughput_rules import throughput_rules_of
from pipelines.sources.errors import SourceError
from pipelines.warehouse.store import Warehouse


@pytest.fixture(scope="module")
def published(book):
    with duckdb.connect(str(book / "joulebook.duckdb"), read_only=True) as connection:
        yield connection


def one(published, sql):
    (row,) = published.execute(sql).fetchall()
    return row


def test_a_gb200_configuration_by_hand(published):
    # four of the 72 GPUs of a 120 kW rack
    b0, b1, b2, cap, power = one(
        published,
        "select b0, b1, b2, cap_output_tokens_per_s, node_power_max_w from throughput_rules"
        " where source_release = '1.0' and model_id = 'llama-3.1-405b' and accelerator_id = 'gb200'",
    )
    assert power == pytest.approx(4 / 72 * 120_000)
    generator = np.random.default_rng(3)
    tokens = generator.exponential(300 / np.log(2), 2_000_000)
    tps = np.minimum(cap, np.exp(b0 + b1 * np.log(500) + b2 * np.log(tokens)))
    utilisation = np.exp(generator.normal(np.log(0.6), np.log(0.9 / 0.4) / 3.29, tokens.size))
    joules = power * utilisation * tokens / tps
    row = one(
        published,
        "select energy_wh_per_query_p50, energy_wh_per_query_mean, accelerator_s_per_query_mean,"
        " energy_j_per_output_token from energy_per_query where source_release = '1.0'"
        " and model_id = 'llama-3.1-405b' and accelerator_id = 'gb200' and boundary = 'node'"
        " and workload_id = 'traditional' and method = 'oviedo2026'",
    )
    expected = (
        np.median(joules) / 3600,
        joules.mean() / 3600,
        (4 * tokens / tps).mean(),
        joules.mean() / tokens.mean(),
    )
    assert row == pytest.approx(expected, rel=4e-3)


def test_facility_over_node_is_the_mean_of_pue(published):
    # the batch is part of a configuration where it is published, and empty where it is not
    sql = (
        "select f.energy_wh_per_query_mean / n.energy_wh_per_query_mean from energy_per_query f join energy_per_query n"
        " using (model_id, accelerator_id, n_accelerators, parallelism, precision, framework, source_id,"
        " source_release, scenario, workload_id, method) where f.boundary = 'facility' and n.boundary = 'node'"
        " and f.concurrency is not distinct from n.concurrency and method = 'oviedo2026'"
    )
    n_facility = one(
        published, "select count(*) from energy_per_query where boundary = 'facility' and method = 'oviedo2026'"
    )[0]
    mu, sigma = np.log(1.05 * 1.6) / 2, np.log(1.6 / 1.05) / 3.29
    ratios = [ratio for (ratio,) in published.execute(sql).fetchall()]
    assert len(ratios) == n_facility > 300
    assert ratios == pytest.approx([np.exp(mu + sigma**2 / 2)] * len(ratios))


def test_accelerators_without_a_published_node_power_get_no_estimate_and_say_why(published):
    rows = published.execute(
        "select distinct accelerator_id, no_estimate_because from throughput_rules where node_power_max_w is null"
    ).fetchall()
    assert {accelerator for accelerator, _ in rows} == {"gh200-96gb", "l40s", "rtx-pro-6000-blackwell-server"}
    estimated = published.execute(
        "select distinct accelerator_id from energy_per_query where boundary <> 'gpu'"
    ).fetchall()
    assert not {accelerator for accelerator, _ in rows} & {accelerator for (accelerator,) in estimated}
    assert all(because for _, because in rows)
    assert ("a100-sxm-80gb",) in estimated


def test_an_a100_configuration_of_an_old_release_uses_its_share_of_that_node(published):
    rows = published.execute(
        "select distinct node_id, node_power_max_w / n_accelerators from throughput_rules"
        " where accelerator_id = 'a100-sxm-80gb'"
    ).fetchall()
    assert rows == [("dgx-a100", 6500 / 8)]


def test_nearly_equal_lengths_get_no_estimate(published):
    (n,) = one(
        published,
        "select count(*) from throughput_rules where model_id = 'deepseek-r1-0528' and accelerator_id = 'h200-sxm'"
        " and rule = 'none'",
    )
    assert n == 1


def test_the_papers_models_use_the_papers_power_and_pool_their_sources(published):
    rows = published.execute(
        "select model_id, n_rows, node_power_max_w, rule, framework from throughput_rules"
        " where source_id = 'oviedo_throughput' order by model_id"
    ).fetchall()
    assert rows == [
        ("deepseek-r1", 3, 12800, "log-linear", "pooled"),
        ("llama-3.1-405b", 7, 10200, "log-linear", "pooled"),
        ("llama-3.1-70b", 5, 10200, "log-linear", "pooled"),
        ("llama-3.1-nemotron-ultra-253b", 2, 10200, "constant", "pooled"),
        ("mixtral-8x22b", 5, 10200, "log-linear", "pooled"),
    ]


def test_rows_without_input_length_take_no_part(book):
    warehouse = Warehouse(book)
    tables = {name: warehouse.read(f"core.{name}") for name in ("serving_measurements", "nodes", "assumptions")}
    assert tables["serving_measurements"]["input_tokens"].null_count() > 400  # MLPerf publishes none
    rules = throughput_rules_of(**tables)
    assert rules.filter(pl.col("source_id") == "mlperf_inference").is_empty()


def test_a_missing_assumption_names_the_file_and_the_entry(book):
    assumed = Assumptions(Warehouse(book).read("core.assumptions"))
    with pytest.raises(SourceError, match=r"assumptions\.yaml: oviedo2026\.pu: does not exist"):
        assumed.value("oviedo2026.pu")
    with pytest.raises(SourceError, match="is not log-normal"):
        assumed.lognormal("workload.traditional.input_tokens")


def test_shares_outside_the_benchmarked_outputs(published):
    # exponential with median 5000: P(L > 4096) = 2^(-4096/5000)
    longer, shorter = one(
        published,
        "select share_longer_than_benchmarked, share_shorter_than_benchmarked"
        " from energy_per_query where source_release = '1.0'"
        " and model_id = 'llama-3.1-405b' and accelerator_id = 'h100-sxm' and workload_id = 'test-time'"
        " and boundary = 'node' and method = 'oviedo2026'",
    )
    assert longer == pytest.approx(2 ** (-4096 / 5000))
    assert shorter == pytest.approx(1 - 2 ** (-128 / 5000))


def test_an_estimate_id_is_the_hash_of_its_grain(published):
    names = ", ".join(GRAIN)
    rows = published.execute(f"select estimate_id, {names} from energy_per_query").fetchall()
    assert len({row[0] for row in rows}) == len(rows)
    for found, *values in rows[::500]:
        text = "|".join("" if value is None else str(value) for value in values)
        assert found == hashlib.sha256(text.encode()).hexdigest()[:12]
    # as anyone can compute it: load is printed with its decimal, an empty concurrency as nothing
    key = (
        "llama-3.1-405b|h100-sxm|8|tp8|fp8|tensorrt-llm|trtllm_perf|1.0|offline||traditional|1.0|facility|serving-time"
    )
    (wh,) = one(
        published,
        "select energy_wh_per_query_p50 from energy_per_query"
        f" where estimate_id = '{hashlib.sha256(key.encode()).hexdigest()[:12]}'",
    )
    assert wh == pytest.approx(0.249, abs=5e-4)
