"""raw.tokenpowerbench: records of made-up files, every file that must be refused, and what the published files hold."""

import json
from collections import Counter

import polars as pl
import pytest

from assets.raw.tokenpowerbench import TABLE, parse
from pipelines.sources.catalogue import load_catalogue
from pipelines.sources.intake import parse_document
from pipelines.tables.validate import validate
from tests.made_up import fixture
from tests.support import mirrored_bytes, refusal

GOOD = fixture("tokenpowerbench.json")
ONE = "vllm_models--Aster-7B_16_100_20310102_030405.json"
TWO = "vllm_models--Aster-7B_8-16_50_20310203_040506.json"
SERVER = "deepspeed_models--models--made--Boreal-1B_64_500_20310304_050607.json"
EMPTY = "vllm_models--Llama-3.2-3B_32-64_200_20250529_035453.json"


@pytest.fixture
def source(catalogue):
    return catalogue["tokenpowerbench"]


def read(source, content):
    return TABLE.conform(parse_document(parse, content, source, source.documents[0], "5" * 64))


def files() -> dict:
    return {name: json.loads(text) for name, text in json.loads(GOOD).items()}


def packed(files: dict) -> bytes:
    return json.dumps({name: json.dumps(printed) for name, printed in files.items()}).encode()


def with_record(**changed: object) -> bytes:
    """The fixture with other fields in the one record of the first file."""
    changed_files = files()
    record = changed_files[ONE]["Aster-7B"][0] | changed
    changed_files[ONE]["Aster-7B"] = [{name: value for name, value in record.items() if value != "left out"}]
    return packed(changed_files)


def test_records_are_read_as_printed_with_what_the_name_says(source):
    frame = read(source, GOOD)
    named = ["locator", "file_name", "record", "max_output_tokens", "saved_at", "engine", "model", "batch_size"]
    assert frame.select(named).rows() == [
        (f"{SERVER}, /models--made--Boreal-1B/0", SERVER, 0, 500, "20310304_050607", "deepspeed",
         "models--made--Boreal-1B", 64),
        (f"{ONE}, /Aster-7B/0", ONE, 0, 100, "20310102_030405", "vllm", "Aster-7B", 16),
        (f"{TWO}, /Aster-7B/0", TWO, 0, 50, "20310203_040506", "vllm", "Aster-7B", 8),
        (f"{TWO}, /Aster-7B/1", TWO, 1, 50, "20310203_040506", "vllm", "Aster-7B", 16),
    ]  # fmt: skip
    (row,) = frame.filter(file_name=ONE).to_dicts()
    printed = files()[ONE]["Aster-7B"][0]
    assert {name: row[name] for name in printed if name in row} == {n: v for n, v in printed.items() if n in row}
    assert (row["gpu_avg_power"], row["gpu_energy"], row["gpu_energy_per_response"]) == (481.75, 2167.875, 240.875)


def test_a_board_that_was_not_metered_is_empty_and_an_unread_counter_stays_0(source):
    boards = [f"gpu{i}_power_watts" for i in range(4)]
    rows = {row["locator"].split(",")[0]: row for row in read(source, GOOD).to_dicts()}
    assert [rows[ONE][board] for board in boards] == [300.25, 60.5, 61.25, 59.75]
    assert [rows[TWO][board] for board in boards] == [250.5, None, None, None]
    assert [rows[SERVER][board] for board in boards] == [200.5, 210.25, None, None]
    assert [rows[ONE][f"{part}_avg_power"] for part in ("cpu", "dram", "total")] == [0, 0, 0]
    assert [rows[SERVER][f"{part}_avg_power"] for part in ("cpu", "dram", "total")] == [150.5, 20.25, 987.5]


def test_the_one_file_without_a_record_gives_none_and_any_other_is_refused(source):
    assert EMPTY in files()
    assert EMPTY not in read(source, GOOD)["file_name"].to_list()
    error = refusal(parse, packed(files() | {ONE: {}}), source, source.documents[0])
    assert (error.place, error.problem) == (f"{ONE}, /", "is not an object of Aster-7B alone")
    error = refusal(parse, packed(files() | {EMPTY: []}), source, source.documents[0])
    assert error.place == f"{EMPTY}, /"


def test_the_rows_keep_every_rule(source):
    assert [str(failure) for failure in validate(TABLE, read(source, GOOD))] == ["at least 150 rows: found 4"]


@pytest.mark.parametrize(
    ("changed", "place", "problem"),
    [
        ({"gpu_avg_power": "left out"}, "/gpu_avg_power", "is missing"),
        ({"gpu0_power_watts": "left out"}, "/gpu0_power_watts", "is missing"),
        ({"gpu4_power_watts": 60.5}, "/gpu4_power_watts", "not known"),
        ({"gpu_energy": "3690.5"}, "/gpu_energy", "'3690.5'"),
        ({"gpu_energy": float("nan")}, "/gpu_energy", "nan"),
        ({"duration": float("inf")}, "/duration", "inf"),
        ({"duration": None}, "/duration", "None"),
        ({"responses": 31.5}, "/responses", "31.5"),
        ({"total_output_tokens": True}, "/total_output_tokens", "True"),
        ({"batch_size": 32}, "/batch_size", "is 32, the file's name says 16"),
        ({"model": "Aster-70B"}, "/model", "is 'Aster-70B', the file's name says 'Aster-7B'"),
        ({"engine": "deepspeed"}, "/engine", "the file's name says 'vllm'"),
    ],
)
def test_a_record_of_another_form_is_refused(source, changed, place, problem):
    error = refusal(parse, with_record(**changed), source, source.documents[0])
    assert error.place == f"{ONE}, /Aster-7B/0{place}"
    assert problem in error.problem


@pytest.mark.parametrize(
    ("printed", "place", "problem"),
    [
        ({"Aster-70B": []}, "/", "is not an object of Aster-7B alone"),
        ({"Aster-7B": [], "Boreal": []}, "/", "is not an object of Aster-7B alone"),
        ([], "/", "is not an object of Aster-7B alone"),
        ({"Aster-7B": {}}, "/Aster-7B", "is not a list of records"),
        ({"Aster-7B": []}, "/Aster-7B", "one for each batch size of (16,)"),
        ({"Aster-7B": [7]}, "/Aster-7B/0", "is not an object"),
    ],
)
def test_a_file_of_another_form_is_refused(source, printed, place, problem):
    error = refusal(parse, packed(files() | {ONE: printed}), source, source.documents[0])
    assert error.place == f"{ONE}, {place}"
    assert problem in error.problem


@pytest.mark.parametrize(
    "name",
    [
        "vllm_models--Aster-7B_16_100.json",
        "vllm_models--Aster-7B_16_100_20310102_0304.json",
        "vllm_models--Aster-7B_16-_100_20310102_030405.json",
        "vllm_models--Aster-7B_1e3_100_20310102_030405.json",
        "vllm_models--Aster-7B_16_9999999_20310102_030405.json",
        "vllm_models--Aster-7B_\u0661\u0666_100_20310102_030405.json",
        "other_models--Aster-7B_16_100_20310102_030405.json",
        "vllm_Aster-7B_16_100_20310102_030405.json",
        "",
    ],
)
def test_a_name_of_another_form_is_refused(source, name):
    error = refusal(parse, packed({name: files()[ONE]}), source, source.documents[0])
    assert (error.place, "is no name of" in error.problem) == (name, True)


def test_a_batch_size_that_has_lost_its_record_is_refused(source):
    changed = files()
    changed[TWO]["Aster-7B"].pop()
    assert refusal(parse, packed(changed), source, source.documents[0]).place == f"{TWO}, /Aster-7B"


# What the published files hold


@pytest.fixture(scope="module")
def published():
    source = load_catalogue()["tokenpowerbench"]
    return read(source, mirrored_bytes(source.documents[0]))


BOARDS = [f"gpu{i}_power_watts" for i in range(4)]
N_BOARDS = pl.sum_horizontal(pl.col(board).is_not_null() for board in BOARDS)


def test_every_published_record_is_a_row_and_keeps_every_rule(published):
    assert validate(TABLE, published) == []
    assert published.height == 185
    assert Counter(published["engine"]) == {"vllm": 183, "deepspeed": 2}
    source = load_catalogue()["tokenpowerbench"]
    assert set(source.documents[0].paths) - set(published["file_name"]) == {EMPTY}
    assert published.group_by("file_name").len().filter(pl.col("len") == 2).height == 4


def test_three_idle_boards_are_counted_where_one_served(published):
    assert dict(published.group_by(N_BOARDS.alias("n")).len().iter_rows()) == {1: 8, 2: 9, 4: 168}
    idle = published.filter(N_BOARDS == 4).select(pl.sum_horizontal(BOARDS[1:])).to_series()
    assert (round(idle.min()), round(idle.max())) == (184, 187)


def test_the_server_was_read_in_nine_records_and_total_means_gpus_in_the_others(published):
    read_too = pl.col("total_avg_power") > 0
    assert published.filter(read_too).height == published.filter(N_BOARDS == 2).height == 9
    parts = pl.col("gpu_avg_power") + pl.col("cpu_avg_power") + pl.col("dram_avg_power")
    beyond = published.filter(read_too).select(pl.col("total_avg_power") - parts).to_series()
    assert beyond.min() > 250
    others = published.filter(~read_too)
    assert others.filter(
        pl.col("cpu_avg_power") + pl.col("dram_avg_power") + pl.col("total_energy_per_token") != 0
    ).is_empty()
    assert others.filter(pl.col("energy_per_token") != pl.col("gpu_energy_per_token")).is_empty()


def test_energy_per_response_is_divided_by_samples_of_half_a_second(published):
    samples = published.select(pl.col("gpu_energy") / pl.col("gpu_energy_per_response")).to_series()
    assert (samples - samples.round()).abs().max() < 1e-9
    of_responses = published.select(
        pl.col("gpu_energy_per_response") * pl.col("responses") / pl.col("gpu_energy")
    ).to_series()
    assert (round(of_responses.min(), 1), round(of_responses.max())) == (0.1, 49)
    assert of_responses.filter((of_responses - 1).abs() < 1e-9).is_empty()


def test_power_of_short_runs_is_diluted_by_idle_seconds(published):
    # samples stand half a second apart and begin before the run: one model on one board, by how long it ran
    one = published.filter(N_BOARDS == 4, model="Llama-3.1-8B")
    short, long = one.filter(pl.col("duration") < 1), one.filter(pl.col("duration") > 30)
    assert short["gpu0_power_watts"].max() < 0.5 * long["gpu0_power_watts"].min()
    metered = 0.5 * pl.col("gpu_energy") / pl.col("gpu_energy_per_response")
    assert one.select((metered - pl.col("duration")).median()).item() > 3
    assert published.filter(pl.col("duration") < 10).height == 147


def test_memory_names_no_gpu(published):
    assert set(published["gpu_memory_total_mb"].drop_nulls()) == {95830.0}
