"""Releases: what makes a new one, what it says of the one before, and what survives kills, readers and full disks."""

import fcntl
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from assets.published import release as published_release
from assets.published.joulebook import contents, history_table, published_tables
from assets.published.tables import CHANGE_CAUSES, CHANGES, RELEASE_CAUSES
from assets.published.views import VIEWS
from pipelines import cli
from pipelines.sources.errors import SourceError
from pipelines.warehouse.publish import publish
from pipelines.warehouse.releases import STATES, ReleaseError, Releases, first_difference, identity, is_place
from pipelines.warehouse.store import Warehouse
from tests.warehouse.publishing import TABLES, put, release, release_and_publish, with_pue

FILE = "joulebook.duckdb"
KILLS = int(os.environ.get("JOULEBOOK_TEST_KILLS", "3"))
READERS, PUBLISHED = (
    int(os.environ.get(f"JOULEBOOK_TEST_{what}", n)) for what, n in (("READERS", 3), ("PUBLISHED", 2))
)
"""Kills at random moments, readers in a loop, releases meanwhile: more take longer and show more."""


@pytest.fixture
def home(book: Path, tmp_path: Path) -> Path:
    """A home of its own with one release."""
    shutil.copytree(book, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture(scope="module")
def frames(book):
    return {name: Warehouse(book).read(name) for name in TABLES}


def released_pue(file: Path) -> tuple[int, float, float]:
    """What a reader sees in one connection: the release, its PUE, and the PUE that is in its estimates."""
    with duckdb.connect(str(file), read_only=True) as book:
        return book.execute(
            "select (select max(release_number) from releases),"
            " (select value from assumptions where assumption_id = 'serving-time.pue'),"
            " (select max(pue) from energy_per_query where method = 'serving-time' and boundary = 'facility')"
        ).fetchone()


# What makes a release a new one


def test_places_and_order_of_rows_do_not_make_a_release(frames):
    tables = published_tables()
    known = identity(tables, frames, {"method a": "1"})
    other = dict(frames)
    for name in ("core.serving_measurements", "core.grids", "core.rejected"):
        moved = frames[name].sample(fraction=1, shuffle=True, seed=1)
        other[name] = moved.with_columns(locator=pl.lit("elsewhere"))
    other["core.sources"] = frames["core.sources"].with_columns(accepted_at_utc=pl.lit("2030-01-01T00:00:00Z"))
    assert identity(tables, other, {"method a": "1"}) == known


def test_a_column_that_changed_its_type_is_one_line(home):
    path = Releases(home).latest().path(STATES)
    pl.read_parquet(path).with_columns(pl.col("concurrency").cast(pl.String)).write_parquet(path)
    with pytest.raises(ReleaseError, match=r"another type in an earlier release.*move the folder releases"):
        history_table(Releases(home))


@pytest.mark.parametrize("what", ["a figure", "a method", "a column", "a row"])
def test_figures_methods_and_columns_do(frames, what):
    tables, other, methods = published_tables(), dict(frames), {"method a": "1"}
    known = identity(tables, frames, methods)
    name = "core.serving_measurements"
    first = pl.int_range(pl.len()) == 0
    if what == "a figure":
        value = pl.when(first).then(pl.col("printed_value") * (1 + 1e-9)).otherwise("printed_value")
        other[name] = frames[name].with_columns(printed_value=value)
    if what == "a row":
        other[name] = frames[name].tail(-1)
    if what == "a method":
        methods = {"method a": "2"}
    if what == "a column":
        tables = [replace(t, columns=t.columns[:-1]) if t.name == "estimates.fleet" else t for t in tables]
    assert identity(tables, other, methods) != known


def test_the_same_tables_make_no_second_release(home):
    first, is_new = release(home)
    assert (first.number, is_new) == (1, False)
    assert [r.number for r in Releases(home).all()] == [1]


def test_a_manifest_says_what_the_release_is(home):
    manifest = Releases(home).latest().manifest
    assert manifest["release_id"].startswith(Releases(home).latest().folder.name[5:])
    assert {entry["table"] for entry in manifest["tables"]} == set(TABLES)
    assert {source["source_id"] for source in manifest["sources"]} >= {"trtllm_perf", "mlenergy_v3"}
    assert any(source["snapshot_sha256"] for source in manifest["sources"])
    assert manifest["method_versions"]["serving-time"]
    assert manifest["backtest"]
    assert manifest["checks"]["core.nodes"]
    assert manifest["headline"]


def test_unchanged_tables_share_their_file(home):
    release_and_publish(home, 1.2)
    first, second = Releases(home).all()
    name = "core.grids"
    assert first.path(name).stat().st_ino == second.path(name).stat().st_ino
    assert first.path("core.assumptions").stat().st_ino != second.path("core.assumptions").stat().st_ino


def test_estimates_that_move_without_a_version_stop(home):
    warehouse = Warehouse(home)
    moved = warehouse.read("estimates.energy_per_query").with_columns(pl.col("energy_wh_per_query_mean") * (1 + 1e-8))
    put(warehouse, "estimates.energy_per_query", moved)
    with pytest.raises(ReleaseError, match=r"energy_wh_per_query_mean is .* the method changed without a version"):
        release(home)
    assert [r.number for r in Releases(home).all()] == [1]


def test_the_last_bits_may_differ(home):
    warehouse = Warehouse(home)
    moved = warehouse.read("estimates.energy_per_query").with_columns(pl.col("energy_wh_per_query_mean") * (1 + 1e-11))
    put(warehouse, "estimates.energy_per_query", moved)
    assert release(home)[1] is False


def test_a_new_version_makes_a_release_and_is_its_cause(home, monkeypatch):
    warehouse = Warehouse(home)
    concerned = pl.col("method") == "serving-time"
    name = "energy_wh_per_query_p50"
    moved = warehouse.read("estimates.energy_per_query")
    put(
        warehouse,
        "estimates.energy_per_query",
        moved.with_columns(pl.when(concerned).then(pl.col(name) * 1.1).otherwise(name)),
    )
    versions = dict(published_release.METHOD_VERSIONS) | {"serving-time": "2099-01-01"}
    monkeypatch.setattr(published_release, "METHOD_VERSIONS", versions)
    second, is_new = release(home)
    assert is_new
    causes = second.read(CHANGE_CAUSES.name)
    assert set(causes["cause"]) == {"method serving-time"}
    assert causes["log_ratio"].to_list() == pytest.approx([0.0953101798] * causes.height)
    assert second.manifest["changes"]["causes"] == "+10.0 % method serving-time"


def test_an_unchecked_table_is_not_released(home):
    warehouse = Warehouse(home)
    warehouse.write(TABLES["core.nodes"], warehouse.read("core.nodes").head(5))
    with pytest.raises(Exception, match=r"core\.nodes.*did not pass their checks"):
        release(home)


# What a release says of the one before


def test_what_makes_a_row_the_same_row_are_columns_of_its_table():
    for split, key in (published_release.INPUTS | published_release.BESIDE).items():
        columns = set(TABLES[split.table].schema)
        assert {*key, *([split.by] if split.by else [])} <= columns, split.table
        assert not any(is_place(name) for name in key)


@pytest.fixture(scope="module")
def two(book, tmp_path_factory):
    """A home with a second release: another PUE, and 10 % more throughput of one model."""
    home = tmp_path_factory.mktemp("two") / "home"
    shutil.copytree(book, home)
    warehouse = Warehouse(home)
    with_pue(warehouse, 1.5)
    faster = (pl.col("source_id") == "trtllm_perf") & (pl.col("model_id") == "llama-3.1-405b")
    rows = warehouse.read("core.serving_measurements")
    tps = pl.when(faster).then(pl.col("output_tokens_per_s") * 1.1).otherwise("output_tokens_per_s")
    put(warehouse, "core.serving_measurements", rows.with_columns(output_tokens_per_s=tps))
    made = published_release.estimates_of({name: warehouse.read(name) for name in TABLES if name.startswith("core.")})
    put(warehouse, "estimates.energy_per_query", TABLES["estimates.energy_per_query"].conform(made))
    release(home)
    publish(home, contents(Releases(home), warehouse), VIEWS)
    return home


def test_causes_are_shared_out_and_add_up(two):
    latest = Releases(two).latest()
    changes, causes = latest.read(CHANGES.name), latest.read(CHANGE_CAUSES.name)
    assert set(causes["cause"]) == {"source trtllm_perf", "assumption serving-time.pue"}
    assert causes["is_exact"].all()
    total = causes.group_by("estimate_id").agg(pl.col("log_ratio").sum().alias("total")).join(changes, on="estimate_id")
    assert total.height == changes.height
    assert total.select((pl.col("total") - pl.col("log_ratio")).abs().max()).item() < 1e-9


def test_a_cause_moves_what_hangs_on_it_alone(two):
    latest = Releases(two).latest()
    both = latest.read(CHANGE_CAUSES.name).join(latest.read(CHANGES.name), on="estimate_id")
    pue = both.filter(pl.col("cause") == "assumption serving-time.pue")
    assert set(pue["boundary"]) == {"facility"}
    assert pue["log_ratio"].to_list() == pytest.approx([pue["log_ratio"][0]] * pue.height)
    assert set(both.filter(pl.col("cause") == "source trtllm_perf")["model_id"]) == {"llama-3.1-405b"}


def test_a_release_counts_rows_and_estimates_by_cause(two):
    found = {row["cause"]: row for row in Releases(two).latest().read(RELEASE_CAUSES.name).iter_rows(named=True)}
    assert found["assumption serving-time.pue"]["n_rows_changed"] == 1
    assert found["source trtllm_perf"]["table_name"] == "core.serving_measurements"
    assert found["source trtllm_perf"]["n_rows_changed"] > 20
    assert found["source trtllm_perf"]["n_rows_added"] == found["source trtllm_perf"]["n_rows_removed"] == 0


def test_the_file_travels_in_time(two):
    first = Releases(two).all()[0].read("estimates.energy_per_query")
    with duckdb.connect(str(two / FILE), read_only=True) as book:
        then = book.sql("from energy_per_query_as_of(1) order by estimate_id").pl()
        now = book.sql("from energy_per_query_as_of(2) order by estimate_id").pl()
        assert first_difference(book.sql("from energy_per_query order by estimate_id").pl(), now) is None
    assert first_difference(first.sort("estimate_id"), then) is None
    assert first_difference(now, then) is not None


def test_the_history_keeps_one_row_a_state(two):
    with duckdb.connect(str(two / FILE), read_only=True) as book:
        rows = book.sql("from energy_per_query_history").pl()
    changes = Releases(two).latest().read(CHANGES.name)
    assert rows.height >= 11_600 + changes.height
    ended = rows.filter(pl.col("release_to").is_not_null())
    assert set(ended["release_to"]) == {1}


def test_the_commands_say_it(two):
    run = CliRunner().invoke(cli.main, ["releases", "--home", str(two)])
    assert run.exit_code == 0
    assert "source trtllm_perf" in run.output.splitlines()[-1]
    run = CliRunner().invoke(cli.main, ["changes", "1", "2", "--home", str(two)])
    assert run.exit_code == 0
    assert "assumption serving-time.pue\tcore.assumptions\t0\t0\t1\t" in run.output
    assert "facility, load" in run.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["changes", "2", "1"], "release 2 is not before release 1"),
        (["changes", "1", "9"], "there is no release 9 in .*; there are 1, 2"),
        (["tag", "9", "x"], "there is no release 9; there are 1, 2"),
        (["prune", "--keep", "0"], "keep at least one release"),
    ],
)
def test_bad_input_is_one_line(two, arguments, says):
    run = CliRunner().invoke(cli.main, [*arguments, "--home", str(two)])
    assert run.exit_code == 2
    assert "Traceback" not in run.output
    (line,) = run.output.splitlines()
    assert re.search(says, line)


def test_without_a_file_the_next_step_is_said(tmp_path):
    for command in (["releases"], ["changes", "1", "2"], ["prune", "--keep", "1"]):
        run = CliRunner().invoke(cli.main, [*command, "--home", str(tmp_path)])
        assert run.exit_code == 2
        assert "run joulebook refresh" in run.output


# What survives


def test_a_release_that_was_touched_is_not_served(home):
    latest = Releases(home).latest()
    before = (home / FILE).read_bytes()
    path = latest.path("core.grids")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(bytes(content))
    with pytest.raises(ReleaseError, match=r"core/grids.parquet is missing or not as it was released"):
        publish(home, contents(Releases(home), Warehouse(home)), VIEWS)
    assert (home / FILE).read_bytes() == before


def test_prune_keeps_the_newest_and_the_named(home):
    for pue in (1.2, 1.3, 1.4):
        release_and_publish(home, pue)
    kept = Releases(home)
    kept.tag(2, "paper")
    assert [release.number for release in kept.prune(1)] == [1, 3]
    assert [release.number for release in kept.all()] == [2, 4]
    release_and_publish(home, 1.5)
    assert kept.latest().number == 5
    with duckdb.connect(str(home / FILE), read_only=True) as book:
        assert book.sql("select release_number, tag from releases order by 1").fetchall() == [
            (2, "paper"), (4, None), (5, None),
        ]  # fmt: skip
        # what the removed ones changed is still told
        began = book.sql("select distinct release_from from energy_per_query_history order by 1").fetchall()
        assert began == [(1,), (2,), (3,), (4,), (5,)]
        pue = "select max(pue) from energy_per_query_as_of(3) where method = 'serving-time' and boundary = 'facility'"
        assert book.sql(pue).fetchall()[0][0] == pytest.approx(1.3, rel=1e-4)


def test_killed_at_any_moment_the_file_is_wholly_old_or_new(home):
    pues = [1.2, 1.4]
    release_and_publish(home, pues[0])
    random.seed(5)
    wait = time.monotonic()
    subprocess.run([sys.executable, "-m", "tests.warehouse.publishing", str(home), "1.3"], check=True)
    whole = time.monotonic() - wait
    for kill in range(KILLS):
        pue = round(1.2 + 0.01 * (kill + 1), 2)
        numbers = [release.number for release in Releases(home).all()]
        was = released_pue(home / FILE)
        child = subprocess.Popen([sys.executable, "-m", "tests.warehouse.publishing", str(home), str(pue)])
        time.sleep(random.uniform(0, whole))
        child.send_signal(signal.SIGKILL)
        child.wait()
        number, assumed, estimated = released_pue(home / FILE)
        assert estimated == pytest.approx(assumed, rel=1e-4)
        assert (number, assumed) == was[:2] or assumed == pytest.approx(pue, rel=1e-3)
        left = Releases(home).all()
        assert [release.number for release in left][: len(numbers)] == numbers
        for one in left:
            one.verify()
    release_and_publish(home, 1.9)
    number, assumed, estimated = released_pue(home / FILE)
    assert (number, assumed) == (Releases(home).latest().number, pytest.approx(1.9, rel=1e-3))
    assert estimated == pytest.approx(assumed, rel=1e-4)
    assert not list(home.glob(f".{FILE}.*"))
    assert not list((home / "releases").glob(".aside-*"))


def test_readers_meanwhile_see_one_release_each(home):
    errors, seen, stop = [], set(), threading.Event()

    def read() -> None:
        while not stop.is_set():
            try:
                number, assumed, estimated = released_pue(home / FILE)
                assert estimated == pytest.approx(assumed, rel=1e-4)
                seen.add(number)
            except Exception as error:
                errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    for i in range(PUBLISHED):
        release_and_publish(home, 1.2 + 0.01 * i)
    stop.set()
    for reader in readers:
        reader.join()
    assert errors == []
    assert seen >= {1, PUBLISHED}


def test_two_at_once_are_refused_in_one_line(home):
    with (home / "refresh.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(SourceError, match="at work here"):
            release_and_publish(home, 1.2)
        run = CliRunner().invoke(cli.main, ["prune", "--keep", "1", "--home", str(home)])
        assert (run.exit_code, "at work here" in run.output) == (2, True)


def test_a_full_disk_leaves_the_published_file(home):
    before = (home / FILE).read_bytes()
    # no file may grow beyond 100 kB: writing fails as on a full disk
    child = subprocess.run(
        [sys.executable, "-m", "tests.warehouse.publishing", str(home), "1.2"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode != 0
    assert "File too large" in child.stderr
    assert (home / FILE).read_bytes() == before
    assert [release.number for release in Releases(home).all()] == [1]


@pytest.mark.parametrize("home", ["/proc/joulebook", "/dev/null/home"])
def test_a_home_that_cannot_be_written_is_one_line(home):
    command = Path(sys.executable).with_name("joulebook")
    run = subprocess.run([command, "refresh", "--offline", "--home", home], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    assert line.startswith("error: ")
    assert home.split("/")[1] in line
