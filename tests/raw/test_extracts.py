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

from pipelines.sources.catalogue import load_catalogue
from pipelines.sources.extracts import EXTRACTS_FOLDER, read_extract
from pipelines.sources.intake import parse_document
from tests.support import MIRROR, newest_mirrored

SOURCES = load_catalogue()
PRINTED_ROWS = {
    ("trtllm_perf", "0.21"): 131,
    ("trtllm_perf", "1.0"): 328,
    ("trtllm_perf", "main"): 150,
    ("mlperf_inference", "v4.1"): 937,
    ("mlperf_inference", "v5.1"): 1448,
    ("oviedo_throughput", "v2"): 25,
    ("epoch_ml_hardware", "latest"): 175,
}
N_SAMPLED = 200
VALUE = {
    "trtllm_perf": "throughput",
    "mlperf_inference": "Performance_Result",
    "oviedo_throughput": "Tokens per Second (TPS)",
    "epoch_ml_hardware": "TDP (W)",
}


def raw_module(source_id):
    return importlib.import_module(f"assets.{SOURCES[source_id].parser}")


def extract_of(source_id):
    return read_extract(EXTRACTS_FOLDER / f"{source_id}.csv", raw_module(source_id).TABLE.schema)


@cache
def published(url: str) -> bytes:
    return (MIRROR / newest_mirrored(url)["path"]).read_bytes()


def test_every_printed_row_is_in_the_extracts():
    rows = Counter()
    for path in EXTRACTS_FOLDER.glob("*.csv"):
        body = "".join(line for line in path.read_text(encoding="utf-8").splitlines(True) if not line.startswith("# "))
        rows.update((row["source_id"], row["source_release"]) for row in csv.DictReader(io.StringIO(body)))
    assert rows == PRINTED_ROWS


def test_only_sources_that_may_be_kept_have_an_extract():
    kept = {source.source_id for source in SOURCES.values() if source.keep_extract}
    assert {path.stem for path in EXTRACTS_FOLDER.iterdir()} == kept
    assert all(SOURCES[source_id].licence.redistribution == "allowed" for source_id in kept)


@pytest.mark.parametrize("source_id", SOURCES)
def test_the_head_names_licence_credit_and_every_document(source_id):
    source, head = SOURCES[source_id], extract_of(source_id)[0]
    assert (head.licence, head.credit, head.publisher) == (source.licence.name, source.credit, source.publisher)
    documents = [(document.place, document.release) for document in source.documents]
    assert [(snapshot.url, snapshot.release) for snapshot in head.snapshots] == documents
    assert all(snapshot.etag is None and snapshot.last_modified is None for snapshot in head.snapshots)


@pytest.mark.parametrize("source_id", SOURCES)
def test_an_extract_keeps_its_contract_and_its_own_snapshots(source_id):
    head, frame = extract_of(source_id)
    assert_frame_equal(raw_module(source_id).TABLE.conform(frame), frame, check_exact=True)
    stated = {(snapshot.release, snapshot.sha256) for snapshot in head.snapshots}
    assert set(frame.select("source_release", "snapshot_sha256").rows()) == stated


@pytest.mark.parametrize("source_id", SOURCES)
def test_parsing_the_published_bytes_gives_the_extract_exactly(source_id):
    source, module = SOURCES[source_id], raw_module(source_id)
    head, frame = extract_of(source_id)
    parts = []
    for document, snapshot in zip(source.documents, head.snapshots, strict=True):
        content = published(document.place)
        assert snapshot.sha256 == hashlib.sha256(content).hexdigest() == newest_mirrored(document.place)["sha256"]
        assert snapshot.size_bytes == len(content)
        assert snapshot.revised_on in (None, newest_mirrored(document.place)["as_of"])
        parts.append(parse_document(module.parse, content, source, document, snapshot.sha256))
    assert_frame_equal(module.TABLE.conform(pl.concat(parts)), frame, check_exact=True)


def test_the_printed_value_stands_where_the_locator_says():
    # an independent route: split lines, the csv and json modules, none of the parsers
    rows = [(source_id, row) for source_id in SOURCES for row in extract_of(source_id)[1].iter_rows(named=True)]
    found_by = {
        "trtllm_perf": in_markdown,
        "mlperf_inference": in_json,
        "oviedo_throughput": in_lines,
        "epoch_ml_hardware": in_records,
    }
    sampled = random.Random(20260914).sample(rows, N_SAMPLED)
    assert {source_id for source_id, _ in sampled} == set(SOURCES)
    for source_id, row in sampled:
        url = next(d.place for d in SOURCES[source_id].documents if d.release == row["source_release"])
        printed = found_by[source_id](published(url), row)
        assert printed == row[VALUE[source_id]], (source_id, row["locator"])


def in_markdown(content: bytes, row: dict) -> float:
    """The cell of the line, below the header that has the column, below the heading: all as the locator says."""
    found = re.fullmatch(r"line (\d+), (.+), row (.+), column (.+)", row["locator"])
    number, heading, lengths, column = int(found[1]), found[2], found[3], found[4]
    lines = content.decode().split("\n")
    above = lines[: number - 1][::-1]
    assert next(line for line in above if line.startswith("#")).lstrip("# ") == heading
    header = next(line for line in above if column in _cells(line))
    assert _cells(lines[number - 1])[0] == lengths
    return float(_cells(lines[number - 1])[_cells(header).index(column)].replace(",", ""))


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("<br/>", " ") for cell in line.strip().strip("|").split("|")]


def in_json(content: bytes, row: dict) -> float:
    result = _results(content)[int(row["locator"].removeprefix("/"))]
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


def in_records(content: bytes, row: dict) -> float | None:
    number, name = re.fullmatch(r"record (\d+), (.+)", row["locator"]).groups()
    record = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))[int(number) - 1]
    assert record["Hardware name"] == name == row["Hardware name"]
    return float(record[VALUE["epoch_ml_hardware"]]) if record[VALUE["epoch_ml_hardware"]] else None
