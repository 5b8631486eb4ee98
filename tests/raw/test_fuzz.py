"""Any bytes at all: a parser returns a frame of its table or raises SourceError with its own id, nothing else."""

import importlib
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.sources.catalogue import load_catalogue
from pipelines.sources.errors import SourceError
from pipelines.sources.intake import parse_document
from tests.made_up import fixture, mlperf_round
from tests.raw.made_up_sources import DOCUMENTS

SOURCES = load_catalogue()
N_EXAMPLES = int(os.environ.get("JOULEBOOK_FUZZ_EXAMPLES", "300"))
TRTLLM = {"A": "0.5", "B": "0.10", "C": "0.21", "D": "1.0", "E": "main"}
CASES = {
    **{name: (name, SOURCES[name].documents[0].release, content) for name, content in DOCUMENTS.items()},
    **{f"trtllm_{x}": ("trtllm_perf", r, fixture(f"trtllm_{x.lower()}.md")) for x, r in TRTLLM.items()},
    "oviedo_throughput": ("oviedo_throughput", "v2", fixture("oviedo.csv")),
    "epoch_ml_hardware": ("epoch_ml_hardware", "latest", fixture("epoch.csv")),
    "mlenergy_v2": ("mlenergy_v2", "v2", fixture("mlenergy_v2.json")),
    "tokenpowerbench": ("tokenpowerbench", "main", fixture("tokenpowerbench.json")),
    "ai_energy_score_feb2025": (
        "ai_energy_score_feb2025",
        "text_generation",
        fixture("ai_energy_score_feb2025.csv"),
    ),
    "ai_energy_score_corinac": ("ai_energy_score_corinac", "main", fixture("ai_energy_score_corinac.csv")),
    "gsf_cloud_regions": ("gsf_cloud_regions", "main", fixture("gsf_cloud_regions.csv")),
    "ecologits_electricity_mixes": (
        "ecologits_electricity_mixes",
        "main",
        fixture("ecologits_electricity_mixes.csv"),
    ),
    "owid_carbon_intensity": ("owid_carbon_intensity", "latest", fixture("owid_carbon_intensity.csv")),
    "codecarbon_energy_mix": ("codecarbon_energy_mix", "b05965e", fixture("codecarbon_energy_mix.json")),
    "ecologits_models": ("ecologits_models", "main", fixture("ecologits_models.json")),
    "llmfit_models": ("llmfit_models", "main", fixture("llmfit_models.json")),
    "mlperf_inference": ("mlperf_inference", "v5.1", mlperf_round(2)),
    "mlperf_inference_cm": ("mlperf_inference", "v4.0 closed-power offline", fixture("mlperf_cm.json")),
    "mlperf_logs": ("mlperf_logs", "v4.1", fixture("mlperf_logs.json")),
    "argonne_llm_bench": ("argonne_llm_bench", "all-results", fixture("argonne_llm_bench.csv")),
    "argonne_llm_bench_power": ("argonne_llm_bench", "fig-16-power", fixture("argonne_llm_bench_power.csv")),
}
INSERTED = (
    b"\0", b"\x0b", b"\x1c", b"\x85", b"\r", b"\n", b"\xff", b'"', b"|", b",", "\u2028".encode(), "\u0663".encode(),
    b"9" * 400, b"9" * 5000, b"1e308", b"1e999", b"-1", b"NaN", b"Infinity", b"null", b"true", b"[" * 20_000,
    b'{"a":' * 20_000, b"> " * 500, b"\\ud800", b"\\u0000",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, content: bytes) -> bytes:
    """`content` after one to four changes."""
    for _ in range(draw(st.integers(1, 4))):
        content = draw(st.sampled_from(CHANGES))(draw, content)
    return content


def _flip(draw: st.DrawFn, content: bytes) -> bytes:
    at = draw(st.integers(0, max(0, len(content) - 1)))
    return content[:at] + bytes([draw(st.integers(0, 255))]) + content[at + 1 :]


def _cut(draw: st.DrawFn, content: bytes) -> bytes:
    return content[: draw(st.integers(0, len(content)))]


def _insert(draw: st.DrawFn, content: bytes) -> bytes:
    at = draw(st.integers(0, len(content)))
    return content[:at] + draw(st.sampled_from(INSERTED)) + content[at:]


def _lines(draw: st.DrawFn, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at = draw(st.integers(0, len(lines) - 1))
    return b"\n".join(lines[:at] + lines[at : at + 1] * draw(st.sampled_from((0, 2))) + lines[at + 1 :])


def _cells(draw: st.DrawFn, content: bytes) -> bytes:
    """Two cells change places, or one takes an inserted value."""
    separator = draw(st.sampled_from((b",", b"|", b": ")))
    cells = content.split(separator)
    i, j = (draw(st.integers(0, len(cells) - 1)) for _ in range(2))
    cells[i], cells[j] = cells[j], draw(st.sampled_from((cells[i], *INSERTED)))
    return separator.join(cells)


CHANGES = (_flip, _cut, _insert, _lines, _cells)


@pytest.mark.parametrize("case", CASES)
def test_any_bytes_give_a_frame_of_the_table_or_one_typed_error(case):
    source_id, release, content = CASES[case]
    source = SOURCES[source_id]
    module = importlib.import_module(f"assets.{source.parser}")
    document = next(document for document in source.documents if document.release == release)

    @settings(
        max_examples=N_EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(mutated(content))
    def check(changed: bytes) -> None:
        try:
            frame = parse_document(module.parse, changed, source, document, "5" * 64)
        except SourceError as error:
            assert error.source_id == source_id
        else:
            module.TABLE.conform(frame)

    module.TABLE.conform(parse_document(module.parse, content, source, document, "5" * 64))
    check()
