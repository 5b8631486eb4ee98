"""Bad input from end to end: a refresh against publishers whose files are broken, run as a person runs it.

The publishers are one server on loopback with made-up documents. A bad file costs one line that says where, never
another source, an earlier figure or the published file.
"""

import hashlib
import shutil
import subprocess
import sys

import duckdb
import polars as pl
import pytest

from assets.raw.oviedo_throughput import TABLE
from pipelines import cli
from pipelines.home import FILE_NAME
from pipelines.sources.catalogue import REPOSITORY, load_catalogue
from pipelines.sources.extracts import EXTRACTS_FOLDER, read_extract
from pipelines.sources.intake import PROVENANCE
from pipelines.warehouse.store import Warehouse
from tests.made_up import epoch_cards, fixture, mlperf_round, mlperf_v4_0
from tests.support import Loopback, joulebook

URL = {(s.source_id, d.release): d.place for s in load_catalogue().values() for d in s.documents}
SOURCES = sorted(load_catalogue())
N_RESULTS = 1448
"""As many as the larger round has: a take that lost rows would not be accepted."""
N_CARDS = epoch_cards().count(b"Made-Up")
D_WITH_A_NEW_COLUMN = (
    fixture("trtllm_d.md")
    .replace(b"TP4 (FP8) |\n|---|---|---|", b"TP4 (FP8) | Watts |\n|---|---|---|---|")
    .replace(b"| 14,000 | |", b"| 14,000 | | 700 |")
    .replace(b"| 2,750 |", b"| 2,750 | 700 |")
)


N_OF_V4_0 = 125
"""As many as its larger tables have."""
ROUND_V4_0 = {
    ("mlperf_inference", document.release): mlperf_v4_0(N_OF_V4_0)
    for document in load_catalogue()["mlperf_inference"].documents
    if document.layout == "cm"
}
OLDER_PAGES = {
    ("trtllm_perf", document.release): fixture(f"trtllm_{document.layout.lower()}.md")
    for document in load_catalogue()["trtllm_perf"].documents
    if document.layout in ("A", "B")
}


class Run:
    """One refresh with `documents` served, on a home that had published before."""

    def __init__(self, book, home, documents: dict[tuple[str, str], bytes]):
        shutil.copytree(book, home)
        self.book, self.home = book, home
        with Loopback() as server:
            for document, content in documents.items():
                server.serve(URL[document], content)
            self.done = joulebook(home, "refresh", JOULEBOOK_MIRROR=server.address)

    def problems(self, start: str) -> list[str]:
        lines = [line.removeprefix("problem").strip() for line in self.done.stdout.splitlines() if "problem" in line]
        return [line for line in lines if line.startswith(start)]

    def figures(self, table: str, source_id: str) -> list[tuple]:
        return figures(self.home, table, source_id)


def figures(home, table: str, source_id: str) -> list[tuple]:
    with duckdb.connect(str(home / FILE_NAME), read_only=True) as published:
        return published.execute(f"from {table} where source_id = ? order by all", [source_id]).fetchall()


@pytest.fixture(scope="module")
def all_bad(book, tmp_path_factory):
    """Every publisher serves a broken file at once: nothing new can be accepted."""
    documents = {
        ("mlperf_inference", "v4.1"): mlperf_round(3),
        ("mlperf_inference", "v5.1"): mlperf_round(3)[:-100],
        **ROUND_V4_0,
        **OLDER_PAGES,
        ("trtllm_perf", "0.21"): fixture("trtllm_c.md"),
        ("trtllm_perf", "1.0"): b"<!DOCTYPE html>\n<title>Sign in</title><h1>Please sign in</h1>",
        ("trtllm_perf", "main"): fixture("trtllm_e.md"),
        ("oviedo_throughput", "v2"): b"",
        ("epoch_ml_hardware", "latest"): epoch_cards().replace(b",ML OP/s\r\n", b",ML OP/s,Idle power (W)\r\n", 1),
    }
    return Run(book, tmp_path_factory.mktemp("all_bad") / "home", documents)


@pytest.fixture(scope="module")
def two_bad(book, tmp_path_factory):
    """Two publishers serve a broken file, the two others new figures, each with one name that nobody knows."""
    documents = {
        ("mlperf_inference", "v4.1"): mlperf_round(N_RESULTS),
        ("mlperf_inference", "v5.1"): mlperf_round(N_RESULTS, {"Accelerator": "Made-Up X999"}),
        **ROUND_V4_0,
        **OLDER_PAGES,
        ("trtllm_perf", "0.21"): fixture("trtllm_c.md"),
        ("trtllm_perf", "1.0"): D_WITH_A_NEW_COLUMN,
        ("trtllm_perf", "main"): fixture("trtllm_e.md"),
        ("oviedo_throughput", "v2"): fixture("oviedo.csv").replace(b"2345.60", b"-2345.60"),
        ("epoch_ml_hardware", "latest"): epoch_cards("Made-Up X999"),
    }
    return Run(book, tmp_path_factory.mktemp("two_bad") / "home", documents)


BAD = [
    # run, source, where, what
    ("all_bad", "mlperf_inference", "round v5.1, line 1 column ", "is not JSON"),
    ("all_bad", "trtllm_perf", URL["trtllm_perf", "1.0"], "is an HTML page, expected markdown"),
    ("all_bad", "oviedo_throughput", URL["oviedo_throughput", "v2"], "is empty"),
    ("all_bad", "epoch_ml_hardware", "line 1", "columns differ from the known ones: ['Idle power (W)']"),
    ("two_bad", "trtllm_perf", "release 1.0, line 9, Aster 7B", "column 'Watts' is not GPU, parallelism and precision"),
    ("two_bad", "oviedo_throughput", "line 2, column Tokens per Second (TPS)", "'-2345.60' is not a non-negative"),
]


@pytest.mark.parametrize("name", ["all_bad", "two_bad"])
def test_the_run_publishes_and_shows_no_traceback(request, name):
    done = request.getfixturevalue(name).done
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(("name", "source_id", "place", "problem"), BAD)
def test_one_line_names_the_source_and_the_place(request, name, source_id, place, problem):
    run = request.getfixturevalue(name)
    (line,) = run.problems(f"{source_id}: ")
    assert line.startswith(f"{source_id}: {place}")
    assert problem in line
    ((accepted_at,),) = set(
        Warehouse(run.book).read("core.sources").filter(pl.col("source_id") == source_id)
        .select("accepted_at_utc").rows()
    )  # fmt: skip
    assert line.endswith(f"Served: figures accepted {accepted_at}.")


@pytest.mark.parametrize(("name", "source_id", "place", "problem"), BAD)
def test_its_earlier_figures_are_still_published_and_marked_as_held(request, name, source_id, place, problem):
    run = request.getfixturevalue(name)
    raw = load_catalogue()[source_id].parser
    assert Warehouse(run.home).read(raw).equals(Warehouse(run.book).read(raw))
    table = "rejected" if source_id == "epoch_ml_hardware" else "serving_measurements"
    kept = figures(run.book, table, source_id)
    assert kept
    assert run.figures(table, source_id) == kept
    held = Warehouse(run.home).read("core.sources").filter(pl.col("source_id") == source_id)
    assert set(held["state"]) == {"held"}
    assert all(place in text and problem in text for text in held["problem"])


def test_with_every_source_held_every_figure_is_as_before(all_bad):
    for table in ("energy_per_query", "blends", "paper_reproduction", "accelerators", "mlperf_power"):
        with (
            duckdb.connect(str(all_bad.book / FILE_NAME), read_only=True) as before,
            duckdb.connect(str(all_bad.home / FILE_NAME), read_only=True) as after,
        ):
            query = f"from {table} order by all"
            assert after.execute(query).fetchall() == before.execute(query).fetchall()


def test_the_other_sources_bring_their_new_figures(two_bad):
    sources = Warehouse(two_bad.home).read("core.sources").to_dicts()
    taken = {(row["source_id"], row["source_release"]): (row["state"], row["rows_in"]) for row in sources}
    assert taken["mlperf_inference", "v4.1"] == ("live", N_RESULTS)
    assert taken["mlperf_inference", "v5.1"] == ("live", N_RESULTS + 1)
    assert taken["epoch_ml_hardware", "latest"] == ("live", N_CARDS + 1)
    values = {row["printed_value"] for row in rows_of(two_bad, "serving_measurements", "mlperf_inference")}
    assert values == {1000.5 + i for i in range(N_RESULTS)}


def rows_of(run: Run, table: str, source_id: str) -> list[dict]:
    with duckdb.connect(str(run.home / FILE_NAME), read_only=True) as published:
        return published.sql(f"from {table} where source_id = $1", params=[source_id]).pl().to_dicts()


@pytest.mark.parametrize(
    ("source_id", "locator"),
    [
        ("mlperf_inference", f"/{N_RESULTS}"),
        ("epoch_ml_hardware", f"record {N_CARDS + 1}, Made-Up X999"),
    ],
)
def test_an_unknown_name_rejects_one_row_and_names_the_file_to_edit(two_bad, source_id, locator):
    rejected = {row["locator"]: row for row in rows_of(two_bad, "rejected", source_id)}
    row = rejected[locator]
    assert row["rejection_code"] == "unknown-accelerator"
    assert row["rejected_because"] == (
        "unknown accelerator 'Made-Up X999': add it to assets/reference/aliases.csv, and its id to "
        "assets/reference/accelerators.csv"
    )
    (line,) = two_bad.problems("core.rejected, ")
    assert "'Made-Up X999': add it to assets/reference/aliases.csv" in line


@pytest.fixture(scope="module")
def implausible(book, tmp_path_factory):
    """A publisher serves a file that keeps its contract, with one throughput that the paper's figures do not fit."""
    _, frame = read_extract(EXTRACTS_FOLDER / "oviedo_throughput.csv", TABLE.schema)
    text = frame.drop(*PROVENANCE).write_csv()
    assert text.count(",4572.23,") == 1
    documents = {
        ("oviedo_throughput", "v2"): text.replace(",4572.23,", ",5572.23,").encode(),
        ("epoch_ml_hardware", "latest"): epoch_cards(),
    }
    return Run(book, tmp_path_factory.mktemp("implausible") / "home", documents)


def test_figures_that_a_check_downstream_refuses_are_held_and_the_file_is_published_without_them(implausible):
    assert implausible.done.returncode == 0, implausible.done.stdout + implausible.done.stderr
    assert "Traceback" not in implausible.done.stdout + implausible.done.stderr
    (line,) = implausible.problems("newest figures of oviedo_throughput not accepted: ")
    assert "estimates.paper_reproduction, check " in line
    assert "Every figure of the paper is reproduced within its tolerance" in line
    for table in ("blends", "paper_reproduction", "fleet", "interventions"):
        assert everything(implausible.home, table) == everything(implausible.book, table)
    assert not (implausible.home / "accepted" / "oviedo_throughput.csv").exists()
    assert not list((implausible.home / "candidates").glob("*"))


def everything(home, table: str) -> list[tuple]:
    with duckdb.connect(str(home / FILE_NAME), read_only=True) as published:
        return published.execute(f"from {table} order by all").fetchall()


def test_bytes_that_were_refused_are_kept_but_not_as_accepted(two_bad):
    refused = hashlib.sha256(D_WITH_A_NEW_COLUMN).hexdigest()
    assert (two_bad.home / "snapshots" / refused).exists()
    assert not (two_bad.home / "accepted" / "trtllm_perf.csv").exists()
    assert {path.stem for path in (two_bad.home / "accepted").iterdir()} == {"mlperf_inference", "epoch_ml_hardware"}


OTHER_EXTRACTS = """
import sys
from functools import partial

from pipelines import cli, refresh
from pipelines.wiring import Book

refresh.Book = partial(Book, extracts=sys.argv.pop())
cli.main()
"""
"""The command, with the extracts of another folder."""


def test_where_nothing_can_be_served_the_file_published_before_stays(book, tmp_path):
    home, extracts = tmp_path / "home", tmp_path / "extracts"
    shutil.copytree(book, home)
    shutil.rmtree(home / "tables")
    shutil.copytree(EXTRACTS_FOLDER, extracts)
    broken = extracts / "oviedo_throughput.csv"
    broken.write_text(broken.read_text(encoding="utf-8").replace(",FP8,", ",FP8,much ", 1), encoding="utf-8")
    before = (home / FILE_NAME).read_bytes()
    command = [sys.executable, "-c", OTHER_EXTRACTS, "refresh", "--offline", "--home", str(home), str(extracts)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=REPOSITORY)
    output = done.stdout + done.stderr
    assert done.returncode == cli.EXIT_NOT_PUBLISHED
    assert "Traceback" not in output
    (line,) = [line for line in output.splitlines() if line.startswith("problem")]
    assert "oviedo_throughput.csv: data row " in line
    assert "column Tokens per Second (TPS): 'much " in line
    assert "not published: the file published before stays" in output
    assert (home / FILE_NAME).read_bytes() == before
    made = {path.stem for path in (home / "tables" / "raw").iterdir()}
    from_files = {"accelerators", "models", "nodes", "published_estimates", "published_facts", "fleets", "ladder"}
    assert made == {*from_files, *SOURCES} - {"oviedo_throughput"}
