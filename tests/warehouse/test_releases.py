"""Releases: what makes a new one, what it says of the one before, and what survives kills, readers and full disks."""

import fcntl
import math
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
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from assets.published import causes as published_causes
from assets.published import release as published_release
from assets.published.joulebook import READ_AS_PUBLISHED, contents, history_table, released_tables
from assets.published.tables import CHANGE_CAUSES, CHANGES, RELEASE_CAUSES
from assets.published.views import VIEWS
from pipelines import cli
from pipelines.definitions import defs as definitions
from pipelines.sources.errors import SourceError
from pipelines.warehouse.publish import publish
from pipelines.warehouse.releases import (
    STATES,
    ReleaseError,
    Releases,
    first_difference,
    identity,
    is_place,
    values_version,
)
from pipelines.warehouse.store import Warehouse
from tests.warehouse import publishing
from tests.warehouse.publishing import TABLES, put, release, release_and_publish, with_pue, with_throughput

FILE = "joulebook.duckdb"
KILLS = int(os.environ.get("JOULEBOOK_TEST_KILLS", "3"))
READERS, PUBLISHED = (
    int(os.environ.get(f"JOULEBOOK_TEST_{what}", n)) for what, n in (("READERS", 3), ("PUBLISHED", 2))
)
"""Kills at random moments, readers in a loop, releases meanwhile: more take longer and show more."""


FASTER = (pl.col("source_id") == "trtllm_perf") & (pl.col("model_id") == "llama-3.1-405b")
MEDIAN = "energy_wh_per_query_p50"


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
    tables = released_tables()
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
    tables, other, methods = released_tables(), dict(frames), {"method a": "1"}
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


def changed_code(monkeypatch, factor: float = 1.1) -> None:
    """As if the method serving-time gave other energies."""
    honest = published_causes.estimates_of

    def other(frames):
        concerned = pl.col("method") == "serving-time"
        return honest(frames).with_columns(pl.when(concerned).then(pl.col(MEDIAN) * factor).otherwise(MEDIAN))

    monkeypatch.setattr(published_causes, "estimates_of", other)
    monkeypatch.setattr(publishing, "estimates_of", other)


def new_version(monkeypatch, **methods: str) -> None:
    versions = dict(published_release.METHOD_VERSIONS) | {name.replace("_", "-"): v for name, v in methods.items()}
    monkeypatch.setattr(published_release, "METHOD_VERSIONS", versions)


def test_a_new_version_makes_a_release_and_is_its_cause(home, monkeypatch):
    changed_code(monkeypatch)
    publishing.remake(Warehouse(home))
    new_version(monkeypatch, serving_time="2099-01-01", scenarios="2099-01-01")
    second, is_new = release(home)
    assert is_new
    causes = second.read(CHANGE_CAUSES.name)
    assert set(causes["cause"]) == {"method serving-time"}
    assert causes["log_ratio"].to_list() == pytest.approx([0.0953101798] * causes.height)
    assert second.manifest["changes"]["causes"] == "+10.0 % method serving-time; method scenarios"


@pytest.mark.parametrize("with_it", ["a figure", "another method's version"])
def test_code_that_moves_behind_something_else_stops(home, monkeypatch, with_it):
    changed_code(monkeypatch)
    warehouse = Warehouse(home)
    if with_it == "a figure":
        with_throughput(warehouse, 1.001, FASTER)
    else:
        publishing.remake(warehouse)
        new_version(monkeypatch, oviedo2026="99")
    with pytest.raises(ReleaseError, match=r"method serving-time: .* the method changed without a version"):
        release(home)


def test_estimates_that_no_input_moves_stop(home):
    warehouse = Warehouse(home)
    put(warehouse, "core.grids", warehouse.read("core.grids").head(-1))
    estimates = warehouse.read("estimates.energy_per_query")
    put(warehouse, "estimates.energy_per_query", estimates.with_columns(pl.col(MEDIAN) * 1.2))
    with pytest.raises(ReleaseError, match=r"11600 medians differ.*without a version"):
        release(home)


def test_the_last_bits_are_no_change_beside_something_else(home):
    warehouse = Warehouse(home)
    put(warehouse, "core.grids", warehouse.read("core.grids").head(-1))
    estimates = warehouse.read("estimates.energy_per_query")
    put(warehouse, "estimates.energy_per_query", estimates.with_columns(pl.col(MEDIAN) * (1 + 1e-11)))
    second, _ = release(home)
    assert second.manifest["changes"]["changed"] == second.manifest["changes"]["otherwise"] == 0
    assert second.read(STATES).is_empty()


def test_scores_that_move_without_a_version_stop(home):
    warehouse = Warehouse(home)
    scores = warehouse.read("estimates.backtest")
    put(warehouse, "estimates.backtest", scores.with_columns(pl.col("error_p50") * (1 + 1e-6)))
    assert release(home)[1] is False
    put(warehouse, "estimates.backtest", scores.with_columns(pl.col("error_p50") * 1.01))
    with pytest.raises(ReleaseError, match=r"estimates\.backtest: error_p50 .* without a version"):
        release(home)


@pytest.mark.parametrize("lacks", ["a constant", "a column"])
def test_a_new_method_may_need_what_the_release_before_has_not(home, monkeypatch, lacks):
    name = "core.assumptions" if lacks == "a constant" else "core.models"
    path = Releases(home).latest().path(name)
    old = pl.read_parquet(path)
    less = old.filter(pl.col("assumption_id") != "load.busy") if lacks == "a constant" else old.drop("active_params_b")
    path.unlink()
    less.write_parquet(path)
    changed_code(monkeypatch)
    publishing.remake(Warehouse(home))
    new_version(monkeypatch, serving_time="2099-01-01")
    second, _ = release(home)
    causes = second.read(CHANGE_CAUSES.name)
    assert set(causes["cause"]) == {"method serving-time"}
    assert causes["is_exact"].all() == (lacks == "a constant")


def test_an_assumption_that_begins_is_the_cause(home, monkeypatch):
    """On the day from which it holds, and no day earlier."""
    warehouse = Warehouse(home)
    assumptions = warehouse.read("core.assumptions")
    pue = assumptions.filter(assumption_id="serving-time.pue")
    later = pue.with_columns(
        *(pl.col(name) * 1.05 for name in ("value", "low", "high")), valid_from=pl.lit("2098-01-01")
    )
    put(warehouse, "core.assumptions", pl.concat([assumptions, later]))
    second, _ = release(home)
    assert second.manifest["changes"]["changed"] == 0

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2098, 1, 1, tzinfo=tz)

    monkeypatch.setattr("assets.core.assumptions.datetime", Later)
    publishing.remake(warehouse)
    third, is_new = release(home)
    assert is_new
    causes = third.read(CHANGE_CAUSES.name)
    assert set(causes["cause"]) == {"assumption serving-time.pue"}
    assert causes["log_ratio"].to_list() == pytest.approx([math.log(1.05)] * causes.height)


def test_a_wider_interval_is_told(home):
    warehouse = Warehouse(home)
    with_pue(warehouse, 1.5)
    row = pl.col("model_id") == "gpt-j-6b"
    estimates = warehouse.read("estimates.energy_per_query")
    high = "energy_wh_per_query_p50_hi90"
    wider = pl.when(row & (pl.col("boundary") == "gpu")).then(pl.col(high) * 2).otherwise(high)
    put(warehouse, "estimates.energy_per_query", estimates.with_columns(wider))
    second, _ = release(home)
    told = second.read(CHANGES.name).filter(change_kind="otherwise")
    assert set(told["model_id"]) == {"gpt-j-6b"}
    assert second.manifest["changes"]["otherwise"] == told.height > 0
    assert set(told["causes"]) == {"assumption serving-time.pue"}


@pytest.mark.parametrize("name", ["raw.fleets", "raw.ladder", "core.rejected"])
def test_what_is_no_input_of_an_estimate_makes_a_release_too(home, name):
    warehouse = Warehouse(home)
    put(warehouse, name, warehouse.read(name).head(-1))
    second, is_new = release(home)
    assert is_new
    expected = {"raw.fleets": "fleets", "raw.ladder": "ladder", "core.rejected": "table rejected"}[name]
    assert second.manifest["changes"]["causes"] == expected


def test_what_estimates_read_as_published_is_released():
    graph = definitions.resolve_asset_graph()
    keys = [key for key in graph.get_all_asset_keys() if key.path[0] == "estimates"]
    read = {parent.path[1] for key in keys for parent in graph.get(key).parent_keys if parent.path[0] == "raw"}
    assert read == set(READ_AS_PUBLISHED)


def test_rows_that_tie_but_for_their_last_bits_have_one_order():
    one = pl.DataFrame({"a": [0.1 + 0.2, 0.3], "b": ["x", "y"]})
    other = pl.DataFrame({"a": [0.3, 0.1 + 0.2], "b": ["x", "y"]})
    assert values_version(one) == values_version(other)


def test_an_unchecked_table_is_not_released(home):
    warehouse = Warehouse(home)
    warehouse.write(TABLES["core.nodes"], warehouse.read("core.nodes").head(5))
    with pytest.raises(Exception, match=r"core\.nodes.*did not pass their checks"):
        release(home)


# What a release says of the one before


def test_what_makes_a_row_the_same_row_are_columns_of_its_table():
    for split, key in (published_causes.INPUTS | published_causes.BESIDE).items():
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
    with_throughput(warehouse, 1.1, FASTER)
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
        (["untag", "nobody"], "no release is named nobody; names are none"),
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


def test_what_earlier_releases_made_is_verified_too(home):
    release_and_publish(home, 1.3)
    path = Releases(home).all()[0].path(STATES)
    states = pl.read_parquet(path)
    states.with_columns(pl.col(MEDIAN) * 3).write_parquet(path)
    with pytest.raises(ReleaseError, match=r"release 1: .*states.parquet is missing or not as it was released"):
        contents(Releases(home), Warehouse(home))


def test_a_damaged_file_that_two_releases_share_is_written_anew(home):
    release_and_publish(home, 1.3)
    second = Releases(home).latest()
    path = second.path("core.grids")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))  # in place: the first release has it too
    with pytest.raises(ReleaseError):
        second.verify()
    shutil.rmtree(second.folder)
    release_and_publish(home, 1.4)
    Releases(home).latest().verify()


def test_new_bytes_with_the_same_figures_keep_the_places_of_the_release(home):
    warehouse = Warehouse(home)
    sources = warehouse.read("core.sources")
    put(
        warehouse,
        "core.sources",
        sources.with_columns(snapshot_sha256=pl.lit("f" * 64), accepted_at_utc=pl.lit("2099")),
    )
    assert release(home)[1] is False
    published = {table.name: frame for table, frame in contents(Releases(home), warehouse)}["core.sources"]
    assert published["snapshot_sha256"].to_list() == sources["snapshot_sha256"].fill_null("f" * 64).to_list()
    assert set(published["accepted_at_utc"]) == {"2099"}


def test_prune_keeps_what_is_served(home):
    release_and_publish(home, 1.3)
    with_pue(Warehouse(home), 1.4)
    release(home)  # and then the power failed
    assert [release.number for release in Releases(home).prune(1)] == [1]
    assert [release.number for release in Releases(home).all()] == [2, 3]


def test_changes_over_pruned_releases_add_up(home):
    for pue in (1.2, 1.3, 1.4):
        release_and_publish(home, pue)
    kept = Releases(home)
    kept.tag(1, "first")
    kept.prune(1)
    release_and_publish(home, 1.5)
    with duckdb.connect(str(home / FILE), read_only=True) as book:
        numbers = book.sql("select distinct release_number from release_causes order by 1").fetchall()
        assert numbers == [(2,), (3,), (4,), (5,)]
    pue = Warehouse(home).read("core.assumptions").filter(assumption_id="serving-time.pue")["value"].item()
    first = kept.all()[0].read("core.assumptions").filter(assumption_id="serving-time.pue")["value"].item()
    told = CliRunner().invoke(cli.main, ["changes", "1", "5", "--home", str(home)]).output
    assert "release 1 to 5: 2940 estimates changed" in told
    assert f"assumption serving-time.pue\tcore.assumptions\t0\t0\t4\t2940\t{100 * (pue / first - 1):+.1f} %" in told


def test_estimates_that_went_and_came_back_are_compared_as_they_are(home):
    warehouse = Warehouse(home)
    measured = warehouse.read("core.serving_measurements")
    put(warehouse, "core.serving_measurements", measured.filter(~FASTER))
    publishing.remake(warehouse)
    release(home)
    put(warehouse, "core.serving_measurements", measured)
    with_throughput(warehouse, 0.5, FASTER)
    release(home)
    publish(home, contents(Releases(home), warehouse), VIEWS)
    gone = CliRunner().invoke(cli.main, ["changes", "1", "2", "--home", str(home)]).output
    assert re.search(r"release 1 to 2: 0 estimates changed, 0 otherwise .*, 0 new, \d{3,} gone", gone)
    both = CliRunner().invoke(cli.main, ["changes", "1", "3", "--home", str(home)]).output
    assert re.search(r"release 1 to 3: \d{3,} estimates changed, 0 otherwise .*, 0 new, 0 gone", both)
    assert "gone and new again in between" in both
    removed = Releases(home).all()[1].read(CHANGES.name).filter(change_kind="removed")
    assert set(removed["causes"]) == {"source trtllm_perf"}


def test_what_was_left_half_written_is_removed(home):
    folder = Releases(home).folder
    (folder / ".aside-deadbeef").write_text("of a full disk")
    (folder / ".aside-12345678").mkdir()
    release(home)
    assert not list(folder.glob(".aside-*"))


def test_names_of_releases(home):
    kept = Releases(home)
    for name in ("", "  ", "a\nb", "x" * 61, "Two Words"):
        with pytest.raises(ReleaseError, match="is no name"):
            kept.tag(1, name)
    kept.tag(1, "paper")
    kept.tag(1, "v1.0")
    publish(home, contents(kept, Warehouse(home)), VIEWS)
    (home / "made_of").write_text("")
    assert CliRunner().invoke(cli.main, ["untag", "paper", "--home", str(home)]).output == (
        "release 1 is not paper any more\n"
    )
    assert not (home / "made_of").exists()
    with duckdb.connect(str(home / FILE), read_only=True) as book:
        assert book.sql("select tag from releases").fetchall() == [("paper, v1.0",)]
    assert kept.tags() == {"v1.0": 1}


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
