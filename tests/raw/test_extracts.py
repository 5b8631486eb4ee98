"""The committed extracts: as many rows as the publishers print, and exactly what their published bytes say.

What needs the published bytes is skipped where a developer does not have the mirror beside the clone.
"""

import csv
import hashlib
import importlib
import io
import json
import random
import re
from collections import Counter
from functools import cache

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.sources.catalogue import Document, load_catalogue
from pipelines.sources.extracts import EXTRACTS_FOLDER, read_extract
from pipelines.sources.intake import parse_document
from pipelines.wiring import version_of_parser
from tests.support import mirror_index, mirrored_bytes

SOURCES = load_catalogue()
KEPT = [source_id for source_id, source in SOURCES.items() if source.keep_extract]
PRINTED_ROWS = {
    ("trtllm_perf", "0.5"): 38,
    ("trtllm_perf", "0.6"): 38,
    ("trtllm_perf", "0.7"): 37,
    ("trtllm_perf", "0.8"): 79,
    ("trtllm_perf", "0.9"): 96,
    ("trtllm_perf", "0.10"): 231,
    ("trtllm_perf", "0.11"): 210,
    ("trtllm_perf", "0.21"): 131,
    ("trtllm_perf", "1.0"): 328,
    ("trtllm_perf", "main"): 150,
    ("mlperf_inference", "v4.1"): 937,
    ("mlperf_inference", "v5.1"): 1448,
    ("mlperf_inference", "v4.0 closed offline"): 125,
    ("mlperf_inference", "v4.0 closed server"): 125,
    ("mlperf_inference", "v4.0 closed-power offline"): 20,
    ("mlperf_inference", "v4.0 closed-power server"): 20,
    ("mlperf_logs", "v4.1"): 4,
    ("mlperf_logs", "v5.1"): 40,
    ("argonne_llm_bench", "all-results"): 4772,
    ("argonne_llm_bench", "fig-16-power"): 48,
    ("oviedo_throughput", "v2"): 25,
    ("epoch_ml_hardware", "latest"): 175,
    ("mlenergy_v3", "gpqa"): 187,
    ("mlenergy_v3", "lm-arena-chat"): 328,
    ("mlenergy_v3", "sourcegraph-fim"): 50,
    ("mlenergy_v3", "image-chat"): 173,
    ("mlenergy_v3", "video-chat"): 100,
    ("mlenergy_models", "v3"): 46,
    ("azure_llm_2023", "code"): 8819,
    ("azure_llm_2023", "conv"): 19366,
    ("mooncake_traces", "conversation"): 12031,
    ("mooncake_traces", "synthetic"): 3993,
    ("deepseek_inference_system", "day-6"): 2,
    ("ecologits_electricity_mixes", "main"): 50,
    ("owid_carbon_intensity", "latest"): 6332,
    ("codecarbon_energy_mix", "b05965e"): 213,
    ("ecologits_models", "main"): 356,
    ("llmfit_models", "main"): 514,
    ("mlenergy_v2", "v2"): 474,
    ("tokenpowerbench", "main"): 185,
}
FETCHED_ONLY = {"ai_energy_score_corinac", "ai_energy_score_feb2025", "gsf_cloud_regions", "inferencex"}
"""Sources whose licence keeps their figures out of the repository."""
N_SAMPLED = 100
"""Rows of each source; all of them where it has fewer."""
VALUE = {
    "trtllm_perf": "throughput",
    "mlperf_inference": "Performance_Result",
    "mlperf_logs": "tokens_per_second",
    "argonne_llm_bench": "Throughput",
    "oviedo_throughput": "Tokens per Second (TPS)",
    "epoch_ml_hardware": "TDP (W)",
    "mlenergy_v3": "energy_per_token_joules",
    "mlenergy_models": "total_params_billions",
    "mlenergy_v2": "Energy/req (J)",
    "tokenpowerbench": "gpu_energy",
    "azure_llm_2023": "GeneratedTokens",
    "mooncake_traces": "n_shared_blocks",
    "deepseek_inference_system": "tokens_per_s_per_node",
    "ecologits_electricity_mixes": "gwp",
    "owid_carbon_intensity": "Carbon intensity of electricity",
    "codecarbon_energy_mix": "carbon_intensity",
    "ecologits_models": "total_params_b",
    "llmfit_models": "parameters_raw",
}


def raw_module(source_id):
    return importlib.import_module(f"assets.{SOURCES[source_id].parser}")


def extract_of(source_id):
    return read_extract(EXTRACTS_FOLDER / f"{source_id}.csv", raw_module(source_id).TABLE.schema)


@cache
def published(document: Document) -> bytes:
    return mirrored_bytes(document)


def test_every_printed_row_is_in_the_extracts():
    rows = Counter()
    for path in EXTRACTS_FOLDER.glob("*.csv"):
        lines = path.read_text(encoding="utf-8").splitlines(True)
        body = "".join(line for line in lines if not line.startswith("# "))
        rows.update((path.stem, row["source_release"]) for row in csv.DictReader(io.StringIO(body)))
    assert rows == PRINTED_ROWS


def test_only_sources_that_may_be_kept_have_an_extract():
    kept = {source.source_id for source in SOURCES.values() if source.keep_extract}
    assert {path.stem for path in EXTRACTS_FOLDER.iterdir()} == kept == set(SOURCES) - FETCHED_ONLY
    not_plainly = {source_id for source_id in kept if SOURCES[source_id].licence.redistribution != "allowed"}
    # the same data stand under Apache-2.0 elsewhere, or the README alone names the licence; no other exception
    assert not_plainly == {"mlenergy_v3", "mlenergy_models", "mlperf_inference", "mlperf_logs", "tokenpowerbench"}
    stated = {"tokenpowerbench": "README says MIT"}
    assert all(stated.get(source_id, "Apache-2.0") in SOURCES[source_id].licence.reason for source_id in not_plainly)


@pytest.mark.parametrize("source_id", KEPT)
def test_the_head_names_licence_credit_and_every_document(source_id):
    source, head = SOURCES[source_id], extract_of(source_id)[0]
    assert (head.licence, head.credit, head.publisher) == (source.licence.name, source.credit, source.publisher)
    documents = [(document.place, document.release) for document in source.documents]
    assert [(snapshot.url, snapshot.release) for snapshot in head.snapshots] == documents
    assert all(snapshot.etag is None and snapshot.last_modified is None for snapshot in head.snapshots)


@pytest.mark.parametrize("source_id", [s for s in KEPT if SOURCES[s].finished])
def test_figures_of_a_finished_source_are_of_today_s_parser(source_id):
    # else every home would ask for hundreds of files once more
    head = extract_of(source_id)[0]
    assert head.parser_version == version_of_parser(raw_module(source_id).parse), "refresh --update-extracts"


@pytest.mark.parametrize("source_id", KEPT)
def test_an_extract_keeps_its_contract_and_its_own_snapshots(source_id):
    head, frame = extract_of(source_id)
    assert_frame_equal(raw_module(source_id).TABLE.conform(frame), frame, check_exact=True)
    stated = {(snapshot.release, snapshot.sha256) for snapshot in head.snapshots}
    assert set(frame.select("source_release", "snapshot_sha256").rows()) == stated


@pytest.mark.parametrize("source_id", KEPT)
def test_parsing_the_published_bytes_gives_the_extract_exactly(source_id):
    source, module = SOURCES[source_id], raw_module(source_id)
    head, frame = extract_of(source_id)
    parts = []
    for document, snapshot in zip(source.documents, head.snapshots, strict=True):
        content = published(document)
        assert snapshot.sha256 == hashlib.sha256(content).hexdigest()
        assert snapshot.size_bytes == len(content)
        dates = {row["as_of"] for row in mirror_index() if row["live_url"].startswith(document.place)}
        assert snapshot.revised_on in {None, *dates}
        parts.append(parse_document(module.parse, content, source, document, snapshot.sha256))
    assert_frame_equal(module.TABLE.conform(pl.concat(parts)), frame, check_exact=True)


def test_the_printed_value_stands_where_the_locator_says():
    # an independent route: split lines, the csv and json modules, none of the parsers
    found_by = {
        "trtllm_perf": in_markdown,
        "mlperf_inference": in_json,
        "mlperf_logs": in_run_logs,
        "argonne_llm_bench": in_plain_lines,
        "oviedo_throughput": in_lines,
        "epoch_ml_hardware": in_records,
        "mlenergy_v3": in_configurations,
        "mlenergy_models": in_models,
        "mlenergy_v2": in_small_file,
        "tokenpowerbench": in_record_of_file,
        "azure_llm_2023": in_trace,
        "mooncake_traces": in_json_lines,
        "deepseek_inference_system": in_prose,
        "ecologits_electricity_mixes": in_grid_mix,
        "owid_carbon_intensity": in_entity_year,
        "codecarbon_energy_mix": in_countries,
        "ecologits_models": in_guessed_models,
        "llmfit_models": in_repositories,
    }
    assert set(found_by) == set(KEPT)
    chance = random.Random(20260914)
    for source_id in KEPT:
        rows = extract_of(source_id)[1].to_dicts()
        check_places(source_id, chance.sample(rows, min(N_SAMPLED, len(rows))), found_by[source_id])


def check_places(source_id, rows, find):
    for row in rows:
        document = next(d for d in SOURCES[source_id].documents if d.release == row["source_release"])
        printed = find(published(document), row)
        assert printed == row[VALUE[source_id]], (source_id, row["locator"])


def in_markdown(content: bytes, row: dict) -> float:
    """The cell of the line, below the header that has the column, below the heading: all as the locator says."""
    if row["source_release"] in ("0.5", "0.6", "0.7", "0.8", "0.9"):
        return in_layout_a(content, row)
    if row["source_release"] in ("0.10", "0.11"):
        return in_layout_b(content, row)
    found = re.fullmatch(r"line (\d+), (.+), row (.+), column (.+)", row["locator"])
    number, heading, lengths, column = int(found[1]), found[2], found[3], found[4]
    lines = content.decode().split("\n")
    above = lines[: number - 1][::-1]
    assert next(line for line in above if line.startswith("#")).lstrip("# ") == heading
    header = next(line for line in above if column in _cells(line))
    assert _cells(lines[number - 1])[0] == lengths
    return float(_cells(lines[number - 1])[_cells(header).index(column)].replace(",", ""))


def in_layout_a(content: bytes, row: dict) -> float:
    number, heading, model, isl, osl = re.fullmatch(
        r"line (\d+), (.+?\)\S*), (.+) (\d+)/(\d+)", row["locator"]
    ).groups()
    lines = content.decode().split("\n")
    assert (
        next(line for line in lines[: int(number) - 1][::-1] if line.startswith("#")).lstrip("# ").rstrip() == heading
    )
    assert heading.startswith(f"{row['gpu']} GPUs ({row['precision']})")
    cells = _cells(lines[int(number) - 1])
    assert cells[:5] == [model, str(row["batch_size"]), str(row["tp"]), isl, osl]
    return float(cells[5].replace(",", ""))


def in_layout_b(content: bytes, row: dict) -> float:
    number, _, model, lengths, tp, column = re.fullmatch(
        r"line (\d+), (.+?), (.+) row (\S+) TP(\d+), column (.+)", row["locator"]
    ).groups()
    lines = content.decode().split("\n")
    upward = [_cells(line) for line in lines[: int(number)][::-1]]
    gpus = next(cells for cells in upward if "**GPU**" in cells)
    precisions = next(cells for cells in upward if "**Precision**" in cells)
    labels = [f"{gpu} {precision}" for gpu, precision in zip(gpus, precisions, strict=True)]
    assert labels.count(column) == 1
    assert upward[0][2] == tp
    assert next(cells[0] for cells in upward if cells[0]) == model == row["model"]
    assert next(cells[1] for cells in upward if cells[1]).replace(", ", "/") == lengths.replace(", ", "/")
    return float(upward[0][labels.index(column)].replace(",", ""))


def at_pointer(content: bytes, pointer: str) -> dict:
    value = _results(content)
    for part in pointer.removeprefix("/").split("/"):
        value = value[int(part)] if isinstance(value, list) else value[part.replace("~1", "/").replace("~0", "~")]
    return value


def in_configurations(content: bytes, row: dict) -> float:
    configuration = at_pointer(content, row["locator"])
    assert (configuration["model_id"], configuration["gpu_model"]) == (row["model_id"], row["gpu_model"])
    return configuration["energy_per_token_joules"]


def in_models(content: bytes, row: dict) -> float:
    assert row["locator"].split("/")[-1].replace("~1", "/") == row["model_id"]
    return at_pointer(content, row["locator"])["total_params_billions"]


def in_trace(content: bytes, row: dict) -> int:
    cells = content.decode().split("\r\n")[int(row["locator"].removeprefix("line ")) - 1].split(",")
    assert cells[:2] == [row["TIMESTAMP"], str(row["ContextTokens"])]
    return int(cells[2])


def in_json_lines(content: bytes, row: dict) -> int:
    number = int(row["locator"].removeprefix("line "))
    blocks = _blocks(content)
    assert len(blocks[number - 1]) == row["n_blocks"]
    return sum(_first_line(content)[block] < number for block in blocks[number - 1])


@cache
def _blocks(content: bytes) -> list[list[int]]:
    return [json.loads(line)["hash_ids"] for line in content.decode().splitlines()]


@cache
def _first_line(content: bytes) -> dict[int, int]:
    """The line on which each block is first seen."""
    return {block: n for n, ids in reversed(list(enumerate(_blocks(content), start=1))) for block in ids}


def in_grid_mix(content: bytes, row: dict) -> float:
    name, _, _, gwp, _ = content.decode().split("\n")[int(row["locator"].removeprefix("line ")) - 1].split(",")
    assert name == row["name"]
    return float(gwp)


def in_entity_year(content: bytes, row: dict) -> float:
    numbers = (1, int(row["locator"].removeprefix("line ")))
    header, cells = csv.reader(content.decode().split("\n")[number - 1] for number in numbers)
    assert header[3].endswith(row["unit"])
    assert cells[:3] == [row["Entity"], row["Code"] or "", str(row["Year"])]
    return float(cells[3])


def in_countries(content: bytes, row: dict) -> float:
    country = at_pointer(content, row["locator"])
    assert country == {name: row[name] for name in country}
    return country["carbon_intensity"]


def in_guessed_models(content: bytes, row: dict) -> float | None:
    model = at_pointer(content, row["locator"])
    assert (model["provider"], model["name"]) == (row["provider"], row["name"])
    printed = model["architecture"]["parameters"]
    total = printed["total"] if isinstance(printed, dict) and "total" in printed else printed
    if not isinstance(total, dict):
        return total
    assert total == {"min": row["total_params_low_b"], "max": row["total_params_high_b"]}
    return None


def in_repositories(content: bytes, row: dict) -> int:
    model = at_pointer(content, row["locator"])
    copies = model.pop("gguf_sources", None)
    assert row["gguf_sources"] == (copies and "; ".join(copy["repo"] for copy in copies))
    assert model == {name: row[name] for name in model}
    return model["parameters_raw"]


def in_prose(content: bytes, row: dict) -> float:
    number, phase = re.fullmatch(r"line (\d+), (.+)", row["locator"]).groups()
    line = content.decode().split("\n")[int(number) - 1]
    of_phase = next(
        part
        for part in line.split(" or ")
        if f"during {phase}" in part.replace("prefilling", "prefill").replace("decoding", "decode")
    )
    return round(1000 * float(re.search(r"~([0-9.]+)k", of_phase)[1]), 6)


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("<br/>", " ") for cell in line.strip().strip("|").split("|")]


def in_json(content: bytes, row: dict) -> float | None:
    result = _results(content)[int(row["locator"].removeprefix("/"))]
    if row["source_release"].startswith("v4.0"):
        assert (result["uid"], result["Model"], result["Scenario"]) == (row["ID"], row["UsedModel"], row["Scenario"])
        assert (result["Result"] is None, result.get("Result_Power")) == (
            row["Power_Result"] is not None, row["Power_Result"],
        )  # fmt: skip
        return result["Result"]
    assert (result["ID"], result["UsedModel"], result["Scenario"]) == (row["ID"], row["UsedModel"], row["Scenario"])
    return float(result["Performance_Result"])


@cache
def _results(content: bytes) -> list[dict]:
    return json.loads(content)


def in_lines(content: bytes, row: dict) -> float:
    lines = content.decode("utf-8-sig").split("\r\n")
    header, cells = csv.reader([lines[0], lines[int(row["locator"].removeprefix("line ")) - 1]])
    assert cells[0] == row["Model"]
    return float(cells[header.index(VALUE["oviedo_throughput"])])


def in_run_logs(content: bytes, row: dict) -> float:
    path, number = re.fullmatch(r"(.+), line (\d+)", row["locator"]).groups()
    assert path.startswith(f"closed/{row['submitter']}/results/{row['system']}/{row['model']}/{row['scenario']}/")
    name, value = _results(content)[path].split("\n")[int(number) - 1].split(":")
    assert name == row["tokens_per_second_line"]
    logs = [other for other in _results(content) if other.startswith(row["run_directory"] + "/")]
    assert len(logs) == (1 if row["mean_watts"] is None else 3)
    return float(value)


def in_plain_lines(content: bytes, row: dict) -> float:
    header, cells = csv.reader(_lines(content)[n - 1] for n in (1, int(row["locator"].removeprefix("line "))))
    printed = dict(zip(header, cells, strict=True))
    assert (printed["Hardware"], printed["Model"]) == (row["Hardware"], row["Model"])
    assert float(printed.get("avg_power", "nan")) == row["avg_power"] or "avg_power" not in printed
    return float(printed["Throughput"])


@cache
def _lines(content: bytes) -> list[str]:
    return content.decode().split("\n")


def in_small_file(content: bytes, row: dict) -> float | None:
    printed = json.loads(_results(content)[row["locator"]])
    family, task, gpu, organisation, model, _ = row["locator"].split("/")
    assert (family, task, gpu) == (row["family"], row["task"], row["gpu_folder"])
    assert f"{organisation}/{model}" == row["model_folder"]
    assert printed == {name: row[name] for name in printed}
    return printed.get("Energy/req (J)")


def in_record_of_file(content: bytes, row: dict) -> float:
    path, pointer = row["locator"].split(", /")
    model, number = pointer.split("/")
    printed = json.loads(_results(content)[path])[model][int(number)]
    *_, batch_sizes, limit, day, time = path.removesuffix(".json").split("_")
    assert (int(batch_sizes.split("-")[int(number)]), int(limit)) == (row["batch_size"], row["max_output_tokens"])
    assert (f"{day}_{time}", model) == (row["saved_at"], row["model"])
    assert {name: printed.get(name) for name in row if name in printed} == {n: row[n] for n in row if n in printed}
    return printed["gpu_energy"]


def in_records(content: bytes, row: dict) -> float | None:
    number, name = re.fullmatch(r"record (\d+), (.+)", row["locator"]).groups()
    record = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))[int(number) - 1]
    assert record["Hardware name"] == name == row["Hardware name"]
    return float(record[VALUE["epoch_ml_hardware"]]) if record[VALUE["epoch_ml_hardware"]] else None
