"""raw.llmfit_models: rows read from a made-up document, and every document that must be refused."""

import polars as pl
import pytest

from assets.raw.llmfit_models import TABLE, parse
from pipelines.sources.intake import parse_document
from tests.made_up import fixture
from tests.support import mirrored_bytes, refusal

GOOD = fixture("llmfit_models.json")
OF_EXPERTS = ("is_moe", "num_experts", "active_experts", "active_parameters")


@pytest.fixture
def source(catalogue):
    return catalogue["llmfit_models"]


def read(source, content):
    return TABLE.conform(parse_document(parse, content, source, source.documents[0], "5" * 64))


def test_rows_are_read_as_printed_with_their_places(source):
    dense, moe = read(source, GOOD).select(TABLE.schema.keys()).rows()
    assert dense[3:] == (
        "/0", "made-up/Aster-7B", "made-up", "7.5B", 7512345678, 4.5, 8.0, 4.0, "Q4_K_M", 4096, "General purpose",
        "text-generation", "aster", 123, 4, None, None, "copies/Aster-7B-GGUF; more/Aster-7B-GGUF",
        None, None, None, None,
    )  # fmt: skip
    assert moe[3:5] == ("/1", "made-up/Cirrus-MoE")
    assert moe[-7:] == ("2031-01-02", True, None, True, 64, 8, 20400000001)


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b'"parameters_raw": 7512345678', b'"parameters_raw": "7.5B"', "/0/parameters_raw", "'7.5B'"),
        (b'"parameters_raw": 7512345678', b'"parameters_raw": 7.5', "/0/parameters_raw", "7.5 is not"),
        (b'"context_length": 4096', b'"context_length": null', "/0/context_length", "None"),
        (b'"context_length"', b'"context"', "/0/context", "not known"),
        (b'"hf_likes": 4,', b"", "/0/hf_likes", "is missing"),
        (b'"is_moe": true', b'"is_moe": "true"', "/1/is_moe", "'true'"),
        (b'{"repo": "copies/', b'{"repository": "copies/', "/0/gguf_sources/0", "not known"),
        (b'"provider": "more"', b'"provider": "less"', "/0/gguf_sources/1", "is not a repository of 'less'"),
        (b'"gguf_sources": [', b'"gguf_sources": "x", "a": [', "/0/a", "not known"),
    ],
)
def test_a_document_of_another_form_is_refused_whole(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem


@pytest.mark.parametrize("content", [b"{}", b"[]", b"[7]", b"[[]]"])
def test_what_is_no_list_of_models_is_refused(source, content):
    assert refusal(parse, content, source, source.documents[0]).place.startswith("main, /")


@pytest.fixture
def published(source):
    return read(source, mirrored_bytes(source.documents[0]))


def test_published_active_parameters_are_of_mixtures_alone_and_estimated(published):
    assert published.height == 514
    moe = published.drop_nulls("active_parameters")
    assert moe.height == 71
    billions = {row["name"]: round(row["active_parameters"] / 1e9, 1) for row in moe.to_dicts()}
    assert billions["deepseek-ai/DeepSeek-V2.5"] == 32.8  # its maker says 21
    assert billions["mistralai/Mixtral-8x22B-Instruct-v0.1"] == 39.1
    assert billions["MaziyarPanahi/Mixtral-8x22B-Instruct-v0.1-AWQ"] == 40.4


def test_published_context_is_sometimes_a_default(published):
    assert published.filter(context_length=4096).height == 77
    assert published.filter(name="meta-llama/Llama-3.1-405B-Instruct")["context_length"].item() == 4096


def test_published_counts_of_quantised_copies_are_packed_and_some_are_wrong(published):
    counts = dict(published.select("name", "parameters_raw").iter_rows())
    assert counts["lmstudio-community/Qwen3-32B-MLX-4bit"] < 0.2 * 32e9
    assert counts["allenai/Olmo-3-7B-Instruct"] == 528_384
    assert published.filter(pl.col("name").str.contains("tiny-random")).height == 14
