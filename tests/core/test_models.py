"""core.models: sizes as before, and what a token of context adds to the cache, by the kind of attention."""

import csv

import polars as pl
import pytest

from assets.core import models
from assets.raw import models as raw_models
from pipelines.warehouse.sql import run_sql
from pipelines.warehouse.store import Warehouse
from tests.support import MIRROR

NOT_READ = {
    "aquila-7b", "bloom-7b1", "chameleon-30b", "chameleon-7b", "codegemma-1.1-2b", "codegemma-7b", "codellama-13b",
    "codellama-34b", "codellama-70b", "codellama-7b", "decilm-7b", "gemma-2-27b", "gemma-2-2b", "gemma-2-9b",
    "llama-3.1-nemotron-ultra-253b", "llama-3.2-1b", "llama-3.2-3b", "llama-7b", "llama3-llava-next-8b",
    "llava-1.5-13b", "llava-1.5-7b", "mistral-7b-v0.3", "mistral-large-2", "mistral-nemo", "opt-6.7b", "phi-3-medium",
    "phi-3-mini", "phi-3-small", "phi-3-vision", "qwen1.5-7b", "qwen2-72b", "qwen2-7b", "starcoder2-15b",
    "starcoder2-3b", "starcoder2-7b",
}  # fmt: skip
"""Models in use whose layers and heads nobody has read yet: filling one in is meant to fail here."""
MODEL = {
    "locator": "line 2", "model_id": "aster-7b", "model_name": "Aster", "total_params_b": 7.0, "active_params_b": 7.0,
    "source_url": "https://published.test/aster", "confidence": "high",
}  # fmt: skip
LAYERS = {"n_layers": 30, "n_kv_heads": 8, "head_dim": 100}


@pytest.fixture(scope="module")
def known(book):
    return {row["model_id"]: row for row in Warehouse(book).read("core.models").to_dicts()}


@pytest.mark.parametrize(
    ("printed", "cached", "in_window"),
    [
        # every layer keeps keys and values of all heads; only some have attention; some keep a window; one vector
        (LAYERS | {"n_kv_cache_layers": 30}, 48_000, 0),
        (LAYERS | {"n_kv_cache_layers": 4}, 6_400, 0),
        (LAYERS | {"n_kv_cache_layers": 5, "n_kv_window_layers": 25, "kv_window_tokens": 128}, 8_000, 40_000),
        (LAYERS | {"n_kv_cache_layers": 30, "kv_lora_rank": 512, "rope_head_dim": 64}, 17_280, 0),
        ({}, None, None),
    ],
    ids=["full", "hybrid", "window", "latent", "not read"],
)
def test_values_that_a_token_adds_to_the_cache(tmp_path, printed, cached, in_window):
    warehouse = Warehouse(tmp_path)
    warehouse.write(raw_models.TABLE, pl.DataFrame([MODEL | printed], schema=raw_models.TABLE.schema))
    (row,) = warehouse.write(models.TABLE, run_sql(warehouse, "core.models")).to_dicts()
    assert (row["kv_values_per_token"], row["kv_window_values_per_token"]) == (cached, in_window)


@pytest.mark.parametrize(
    ("model_id", "cached", "in_window", "window"),
    [
        ("llama-3.1-70b", 2 * 80 * 8 * 128, 0, None),
        ("deepseek-r1", 61 * (512 + 64), 0, None),
        ("nemotron-nano-9b-v2", 2 * 4 * 8 * 128, 0, None),
        ("nemotron-nano-12b-v2-vl", 2 * 6 * 8 * 128, 0, None),
        ("gpt-oss-120b", 2 * 18 * 8 * 64, 2 * 18 * 8 * 64, 128),
        ("gemma-3-27b", 2 * 10 * 16 * 128, 2 * 52 * 16 * 128, 1024),
        ("llama-4-scout", 2 * 12 * 8 * 128, 2 * 36 * 8 * 128, 8192),
    ],
)
def test_models_of_each_kind(known, model_id, cached, in_window, window):
    row = known[model_id]
    found = (row["kv_values_per_token"], row["kv_window_values_per_token"], row["kv_window_tokens"])
    assert found == (cached, in_window, window)


def test_every_model_that_a_source_names_has_its_architecture_or_is_listed_as_not_read(book, known):
    aliases = Warehouse(book).read("core.aliases").filter(pl.col("kind") == "model")
    named = set(aliases["id"]) - {"not-an-llm"}
    assert named <= set(known)
    assert {model_id for model_id in known if known[model_id]["kv_values_per_token"] is None} == NOT_READ


def test_an_fp8_twin_caches_as_its_base_does(known):
    twins = [model_id for model_id in known if model_id.endswith("-fp8")]
    assert len(twins) == 6
    for model_id in twins:
        assert known[model_id]["kv_values_per_token"] == known[model_id.removesuffix("-fp8")]["kv_values_per_token"]


def test_no_collected_figure_was_lost_or_changed(known):
    facts = MIRROR.parent / "facts" / "model_architecture.csv"
    if not facts.exists():
        pytest.skip("the collected facts are not beside this clone")
    with facts.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 46
    for row in rows:
        ours = known[row["model_id"]]
        for name in ("n_layers", "n_kv_heads", "head_dim", "kv_lora_rank", "rope_head_dim"):
            assert str(ours[name] or "") == row[name], (row["model_id"], name)
        assert (ours["total_params_b"], ours["active_params_b"]) == (
            float(row["total_params_b"]), float(row["active_params_b"]),
        )  # fmt: skip
        assert ours["attention_note"] == row["sliding_window_or_linear_layers"]
        assert ours["architecture_url"] == row["source_url"]
