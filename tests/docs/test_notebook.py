"""docs/notebook.py runs as a script and as a notebook, and holds the figures of the published file."""

import runpy
import subprocess
import sys

import duckdb
import pytest

from pipelines.sources.catalogue import REPOSITORY

NOTEBOOK = REPOSITORY / "docs" / "notebook.py"


@pytest.fixture(scope="module")
def ran(book):
    """Outputs of the cells, and what they defined."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOULEBOOK_HOME", str(book))
        return runpy.run_path(str(NOTEBOOK))["app"].run()


def test_it_runs_as_a_script(book, monkeypatch):
    monkeypatch.setenv("JOULEBOOK_HOME", str(book))
    done = subprocess.run([sys.executable, NOTEBOOK], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_marimo_finds_nothing_to_mend():
    command = [sys.executable, "-m", "marimo", "check", "--strict", NOTEBOOK]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_cell_shows_something(ran):
    outputs, _ = ran
    assert [output is None for output in outputs] == [True, False, False, False, False, False, False]


def test_the_energies_are_those_of_the_file(ran, book):
    _, found = ran
    with duckdb.connect(str(book / "joulebook.duckdb"), read_only=True) as connection:
        rows = connection.sql(
            "SELECT model_id, energy_wh_per_query FROM energy_of(NULL, 500, 300) WHERE boundary = 'facility'"
        ).fetchall()
        (shares,) = connection.sql(
            "SELECT round(avg(interval_share_fit), 2), round(avg(interval_share_power), 2) "
            "FROM energy_per_query_default WHERE workload_id = 'traditional'"
        ).fetchall()
        carbon = connection.sql("SELECT carbon_tco2e_per_day FROM fleet_of(1e6, long_share := 0.1, area := 'SWE')")
        ((in_sweden,),) = carbon.fetchall()
    energies = dict(found["energies"].select("model_id", "energy_wh_per_query").iter_rows())
    assert energies == pytest.approx(dict(rows), rel=1e-12)
    assert found["causes"].row(0)[:2] == pytest.approx(shares)
    by_area = dict(found["fleets"].select("area_id", "carbon_tco2e_per_day").iter_rows())
    assert list(by_area) == ["SWE", "FRA", "USA", "IND"]
    assert by_area["SWE"] == pytest.approx(in_sweden, rel=1e-12)


def test_the_chart_has_a_mark_for_every_model(ran):
    _, found = ran
    drawn = found["chart"].to_dict(format="vega")
    (points,) = [rows["values"] for rows in drawn["data"] if rows.get("values")]
    assert {point["model_id"] for point in points} == set(found["energies"]["model_id"])
