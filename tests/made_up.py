"""Whole documents with made-up figures, large enough to be accepted: our names from aliases.csv, our numbers."""

import csv
import io
import json
from functools import cache

from pipelines.sources.catalogue import REPOSITORY
from tests.support import FIXTURES

RESULT = {
    "ID": "9.9-0001", "Submitter": "Made-Up", "Availability": "available", "Category": "closed",
    "Suite": "datacenter", "System": " (8x X100-96GB, Runtime)", "Platform": "8xX100", "UsedModel": "llama2-70b-99",
    "Model": "llama2-70b-99", "Scenario": "Offline", "Accuracy": "ROUGE1: 12.5  TOKENS_PER_SAMPLE: 123.4",
    "Nodes": 1, "Processor": "Made-Up CPU", "host_processors_per_node": 2, "host_processor_core_count": "32",
    "Accelerator": "NVIDIA H100-SXM-80GB", "a#": 8, "Location": "closed/Made-Up", "Software": "vllm",
    "operating_system": "Made-Up OS", "Notes": "", "compliance": 1, "errors": 0, "version": "v9.9", "inferred": 0,
    "has_power": False, "weight_data_types": "fp8", "p#": 2, "Details": "https://example.test/details",
    "Code": "https://example.test/code", "Unique ID (e.g. for Audit)": "datacenter/closed/Made-Up/8xX100",
    "ColorKey": "availableMade-Up", "Performance_Result": 4321.5, "Performance_Units": "Tokens/s",
}  # fmt: skip
POWER = {"has_power": True, "Power_Result": 3456.7, "Power_Units": "Watts"}


def mlperf_round(n_results: int, *others: dict) -> bytes:
    """A round of `n_results` accepted results, the first one metered, and `others` (changes to one) after them."""
    results = [RESULT | {"ID": f"9.9-{i:04}", "Performance_Result": 1000.5 + i} for i in range(n_results)]
    results[0] |= POWER
    return json.dumps([*results, *[RESULT | other for other in others]]).encode()


def mlperf_v4_0(n_results: int) -> bytes:
    """A table of round v4.0, which has other keys: `n_results` runs in samples/s, which are not used."""
    result = json.loads(fixture("mlperf_cm.json"))[0]
    return json.dumps([result | {"uid": f"{i:016x}"} for i in range(n_results)]).encode()


def epoch_cards(*others: str) -> bytes:
    """A row for every card that aliases.csv knows, each by one name, and for `others`."""
    header = next(csv.reader([(FIXTURES / "epoch.csv").read_text(encoding="utf-8").splitlines()[0]]))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, restval="")
    writer.writeheader()
    for i, name in enumerate([*_known_cards(), *others]):
        writer.writerow({"Hardware name": name, "Manufacturer": "Made-Up", "TDP (W)": f"{100 + i}.0"})
    return text.getvalue().encode()


@cache
def _known_cards() -> list[str]:
    """One printed name for each card: aliases.csv also keeps names that the publisher has since changed."""
    with (REPOSITORY / "assets" / "reference" / "aliases.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["source_id"] == "epoch_ml_hardware"]
    return list({row["id"]: row["name_as_printed"] for row in rows}.values())


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()
