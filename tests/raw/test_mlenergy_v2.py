"""raw.mlenergy_v2: rows of made-up files, every file that must be refused, and what the published files hold."""

import json
from collections import Counter

import polars as pl
import pytest

from assets.raw.mlenergy_v2 import TABLE, parse
from pipelines.sources.catalogue import load_catalogue
from pipelines.sources.intake import parse_document
from pipelines.tables.validate import validate
from tests.made_up import fixture
from tests.support import mirrored_bytes, refusal

GOOD = fixture("mlenergy_v2.json")
CHAT = "llm_text_generation/chat/X100 40GB/made/Boreal-70B-v1/bs64+tp8+pp2.json"
IMAGE = "diffusion/text-to-image/X100 40GB/made/Easel/bs4+steps25.json"
VIDEO = "diffusion/image-to-video/X100 40GB/made/Reel/bs1+steps25+frames14.json"
WATTS = (
    pl.col("Energy/req (J)") * pl.col("Token tput (tok/s)") / pl.col("Avg Output Tokens") / pl.col("TP") / pl.col("PP")
)


@pytest.fixture
def source(catalogue):
    return catalogue["mlenergy_v2"]


def read(source, content):
    return TABLE.conform(parse_document(parse, content, source, source.documents[0], "5" * 64))


def bundle(**changed: object) -> bytes:
    """The chat file alone, with other fields."""
    fields = json.loads(json.loads(GOOD)[CHAT]) | changed
    return json.dumps(
        {CHAT: json.dumps({name: value for name, value in fields.items() if value != "left out"})}
    ).encode()


def test_a_language_model_is_read_as_printed_with_what_its_path_says(source):
    (row,) = read(source, GOOD).filter(locator=CHAT).to_dicts()
    assert list(row.values()) == [
        "mlenergy_v2", "v2", "5" * 64, CHAT, "llm_text_generation", "chat", "X100 40GB", "made/Boreal-70B-v1",
        "made/Boreal-70B-v1", "NVIDIA X100 40GB", 8, 2, 1234.5, 0.125, 900.75, 345.25, 127.5, 128,
        None, None, None, None, None, None,
    ]  # fmt: skip


def test_a_diffusion_model_has_its_own_fields_and_no_others(source):
    frame = read(source, GOOD).filter(family="diffusion")
    assert frame["Token tput (tok/s)"].null_count() == frame["TP"].null_count() == frame.height == 2
    named = ["locator", "Energy/image (J)", "Energy/video (J)", "Batch size", "Denoising steps", "Frames"]
    assert sorted(frame.select(named).rows()) == [
        (VIDEO, None, 5432.1, 1, 25, 14),
        (IMAGE, 321.5, None, 4, 25, None),
    ]


def test_a_suffix_of_the_models_folder_is_kept_beside_the_model(source):
    (row,) = read(source, GOOD).filter(task="code").to_dicts()
    assert (row["Model"], row["model_folder"]) == ("made/Aster-7B", "made/Aster-7B-pp1")


def test_the_rows_keep_every_rule(source):
    assert [str(failure) for failure in validate(TABLE, read(source, GOOD))] == ["at least 400 rows: found 5"]


@pytest.mark.parametrize(
    ("changed", "place", "problem"),
    [
        ({"TP": "left out"}, f"{CHAT}, /TP", "is missing"),
        ({"Watts": 1}, f"{CHAT}, /Watts", "not known"),
        ({"Batch size": 1}, f"{CHAT}, /Batch size", "not known"),
        ({"TP": 8.5}, f"{CHAT}, /TP", "8.5"),
        ({"TP": None}, f"{CHAT}, /TP", "None"),
        ({"Energy/req (J)": "1234.5"}, f"{CHAT}, /Energy/req (J)", "'1234.5'"),
        ({"Energy/req (J)": float("nan")}, f"{CHAT}, /Energy/req (J)", "nan"),
        ({"Avg BS (reqs)": float("inf")}, f"{CHAT}, /Avg BS (reqs)", "inf"),
        ({"Model": 7}, f"{CHAT}, /Model", "7 is not String"),
        ({"Max BS (reqs)": 64}, CHAT, "bs32+tp8+pp2.json"),
        ({"Max BS (reqs)": 129}, CHAT, "bs64.5+tp8+pp2.json"),
        ({"PP": 1}, CHAT, "bs128+tp8+pp1.json"),
        ({"PP": 0}, CHAT, "bs128+tp8+pp0.json"),
        ({"TP": 4}, CHAT, "bs64+tp4+pp2.json"),
    ],
)
def test_a_file_with_other_fields_is_refused(source, changed, place, problem):
    error = refusal(parse, bundle(**changed), source, source.documents[0])
    assert error.place == place
    assert problem in error.problem


@pytest.mark.parametrize(
    ("printed", "instead", "place", "problem"),
    [
        (b"diffusion/text-to-image", b"diffusion/text-to-song", "text-to-song", "is no path"),
        (b"llm_text_generation/chat", b"llm_text_generation", "llm_text_generation/X100", "is no path"),
        (b"made/Easel", b"Easel", "/X100 40GB/Easel/", "is no path"),
        (b"bs4+steps25", b"bs4+steps50", "bs4+steps50", "bs4+steps25.json"),
        (b"+frames14", b"+frames25", "+frames25", "+frames14.json"),
        (b"steps25+frames14.json", b"steps25.json", "steps25.json", "+frames14.json"),
        (b'"{\\n', b'"[\\n', "bs64+tp8+pp2.json, line 2", "is not JSON"),
        (b"{", b"[", "v2, line", "is not JSON"),
    ],
)
def test_a_path_or_document_of_another_form_is_refused(source, printed, instead, place, problem):
    assert printed in GOOD
    error = refusal(parse, GOOD.replace(printed, instead, 1), source, source.documents[0])
    assert place in error.place
    assert problem in error.problem


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"a": 1}', b"null"])
def test_what_is_no_bundle_of_files_is_refused(source, content):
    assert "is not an object of files" in refusal(parse, content, source, source.documents[0]).problem


# What the published files hold


@pytest.fixture(scope="module")
def published():
    source = load_catalogue()["mlenergy_v2"]
    return read(source, mirrored_bytes(source.documents[0]))


def test_every_published_file_is_a_row_and_keeps_every_rule(published):
    assert validate(TABLE, published) == []
    assert Counter(published.select("family", "task").rows()) == {
        ("llm_text_generation", "chat"): 191,
        ("llm_text_generation", "code"): 123,
        ("mllm_text_generation", "chat"): 42,
        ("diffusion", "text-to-image"): 86,
        ("diffusion", "text-to-video"): 16,
        ("diffusion", "image-to-video"): 16,
    }
    assert published.select(TABLE.identity).is_duplicated().sum() == 0


def test_folders_spell_gpu_and_two_models_otherwise_than_the_fields(published):
    assert set(published.select("gpu_folder", "GPU").rows()) == {
        ("H100 80GB HBM3", "NVIDIA H100 80GB HBM3"),
        ("A100-SXM4-40GB", "NVIDIA A100-SXM4-40GB"),
    }
    others = published.filter(pl.col("model_folder") != pl.col("Model"))
    assert others["model_folder"].to_list() == ["mistralai/Mixtral-8x22B-Instruct-v0.1-pp1"] * 2


def test_the_name_has_the_requests_of_one_pipeline_stage(published):
    in_name = pl.col("locator").str.extract(r"/bs(\d+)\+tp").cast(pl.Int64)
    halved = published.filter(in_name != pl.col("Max BS (reqs)"))
    assert halved.height == published.filter(PP=2).height == 17
    assert halved.filter(2 * in_name == pl.col("Max BS (reqs)")).height == 17


def test_the_figures_that_another_source_typed_in(published):
    # 16 GPUs on two nodes, which raw.oviedo_throughput has as 8 on one
    (row,) = published.filter(Model="meta-llama/Meta-Llama-3.1-405B-Instruct", PP=2).filter(
        pl.col("locator").str.ends_with("H100 80GB HBM3/meta-llama/Meta-Llama-3.1-405B-Instruct/bs64+tp8+pp2.json")
    ).to_dicts()  # fmt: skip
    assert (row["TP"] * row["PP"], round(row["Token tput (tok/s)"], 2), round(row["Avg BS (reqs)"], 2)) == (
        16, 579.63, 127.41,
    )  # fmt: skip


def test_whole_run_throughput_implies_low_power(published):
    watts = published.filter(pl.col("TP").is_not_null()).group_by("gpu_folder").agg(
        low=WATTS.min().round(0), median=WATTS.median().round(0), high=WATTS.max().round(0)
    )  # fmt: skip
    assert sorted(watts.rows()) == [("A100-SXM4-40GB", 96, 187, 299), ("H100 80GB HBM3", 168, 278, 447)]
