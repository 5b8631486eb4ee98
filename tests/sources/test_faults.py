"""Every way a publisher's answer can be broken, on every source, as a server of the real published files gives it.

What was accepted before must serve, whatever comes; garbled bytes must never pass as figures. Deadlines are shortened
here; benchmarks/faults.py shows the real ones.
"""

import importlib
import random
import subprocess
import sys

import polars as pl
import pytest

from pipelines.sources import http
from pipelines.sources.catalogue import Source, load_catalogue
from pipelines.sources.errors import SourceError
from pipelines.sources.extracts import EXTRACTS_FOLDER, read_extract
from pipelines.sources.http import Web
from pipelines.sources.intake import Places, Reading, parse_document, take_source
from pipelines.tables.validate import validate
from tests.support import MIRROR, mirror_index, mirrored_bytes

SOURCES = load_catalogue()
# fault: what the problem says of it
FAULTS = {
    "404": "answered HTTP 404",
    "410": "answered HTTP 410",
    "429": "answered HTTP 429",
    "500": "answered HTTP 500",
    "503": "answered HTTP 503",
    "truncate": "cannot be reached (",
    "html": "is an HTML page",
    "empty": "is empty",
    "slow": "took over ",
    "endless": "",  # too large, or too late, whichever comes first
    "redirect": "answered HTTP 302",
    "hang": "cannot be reached (ReadTimeout)",
    "garble": "",
}


@pytest.fixture
def served_with(monkeypatch):
    """Returns a function that starts the server of published files with one fault on everything."""
    mirror_index()
    servers = []

    def start(fault: str, read_timeout_s: float = 0.3, total_deadline_s: float = 1.5) -> None:
        command = [sys.executable, str(MIRROR.parent / "serve_mirror.py"), "--port", "0"]
        command += ["--fault", f"https={fault}"]
        servers.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        monkeypatch.setenv("JOULEBOOK_MIRROR", servers[-1].stdout.readline().strip())
        monkeypatch.setattr(http, "READ_TIMEOUT_S", read_timeout_s)
        monkeypatch.setattr(http, "TOTAL_DEADLINE_S", total_deadline_s)

    yield start
    for server in servers:
        server.kill()
        server.wait()


def reading_of(source: Source) -> Reading:
    """How the source is read, with its whole contract, as its asset does."""
    module = importlib.import_module(f"assets.{source.parser}")

    def accept(frame: pl.DataFrame) -> pl.DataFrame:
        frame = module.TABLE.conform(frame)
        if failures := validate(module.TABLE, frame):
            raise SourceError(source.source_id, module.TABLE.name, str(failures[0]), "The last accepted figures serve.")
        return frame

    return Reading(module.parse, accept, module.TABLE.schema, "of this test", module.TABLE.identity)


def kept_figures(source: Source, reading: Reading) -> pl.DataFrame:
    """The figures that the repository keeps; none of a source that may not be redistributed."""
    path = EXTRACTS_FOLDER / f"{source.source_id}.csv"
    return read_extract(path, reading.schema)[1] if source.keep_extract else pl.DataFrame(schema=reading.schema)


def same(left: pl.DataFrame, right: pl.DataFrame) -> bool:
    """Whether the rows are the same, in whatever order."""
    return left.sort(left.columns, nulls_last=True).equals(right.sort(right.columns, nulls_last=True))


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_the_fault_the_accepted_figures_serve_and_the_problem_is_named(served_with, tmp_path, fault):
    served_with(fault, *((3, 1) if fault == "slow" else ()))  # a byte a second is no silence: only the deadline helps
    for source in SOURCES.values():
        reading = reading_of(source)
        # each source with its own Web: a host that one source found dead is left alone by the others
        frame, taken = take_source(source, reading, Places(tmp_path), Web(sleep=lambda _: None), ask_all=True)
        assert same(frame, kept_figures(source, reading)), source.source_id
        assert taken.state == ("held" if source.keep_extract else "absent"), source.source_id
        assert taken.problem.startswith(f"{source.source_id}: "), taken.problem
        assert FAULTS[fault] in taken.problem
        assert not Places(tmp_path).candidate(source.source_id).exists()


def test_a_host_that_is_busy_twice_is_asked_again_and_its_figures_are_accepted(served_with, tmp_path):
    served_with("flaky", total_deadline_s=30)
    for source in SOURCES.values():
        reading = reading_of(source)
        frame, taken = take_source(source, reading, Places(tmp_path), Web(sleep=lambda _: None), ask_all=True)
        assert (taken.state, taken.problem) == ("live", None)
        if source.keep_extract:
            assert same(frame, kept_figures(source, reading)), source.source_id


@pytest.mark.parametrize("source_id", SOURCES)
def test_bytes_broken_in_many_places_give_one_typed_error_or_the_figures_printed(source_id):
    source = SOURCES[source_id]
    reading = reading_of(source)
    for document in source.documents:
        content = mirrored_bytes(document)
        printed = parse_document(reading.parse, content, source, document, "0" * 64)
        for seed in range(3):
            try:
                frame = parse_document(reading.parse, garbled(content, seed), source, document, "0" * 64)
            except SourceError as error:
                assert error.source_id == source_id
            else:
                assert same(frame, printed), (document.release, seed)


def garbled(content: bytes, seed: int) -> bytes:
    """One bit flipped in one byte of 200, and in twelve at least: one flipped in a digit may pass for a figure."""
    rng, noisy = random.Random(seed), bytearray(content)
    for i in rng.sample(range(len(noisy)), max(12, len(noisy) // 200)):
        noisy[i] ^= 1 << rng.randrange(8)
    return bytes(noisy)
