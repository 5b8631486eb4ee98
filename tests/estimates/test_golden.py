"""Golden figures: estimates that may move with their inputs or a version of the method, and not without."""

import polars as pl
import pytest

from pipelines.warehouse.releases import first_difference
from tests.estimates import golden


def test_figures_move_with_inputs_or_versions_only(book):
    said, figures = golden.read()
    assert said == golden.head(book), (
        "inputs or method versions changed: say old and new in CHANGELOG.md, then python -m tests.estimates.golden"
    )
    difference = first_difference(figures, golden.sample(book))
    assert difference is None, f"{difference}: a number moved without a version; see pipelines/energy/versions.py"


def test_they_are_of_every_kind():
    _, figures = golden.read()
    assert set(figures["method"]) == {"serving-time", "oviedo2026"}
    assert set(figures["boundary"]) == {"gpu", "node", "facility"}
    assert set(figures["load"]) == {0.2, 0.5, 0.8, 1.0}
    assert figures["workload_id"].n_unique() == 5


def test_what_moved_is_not_written(book, tmp_path, monkeypatch):
    said, figures = golden.read()
    moved = tmp_path / "golden.csv"
    comments = "".join(f"# {name}: {value}\n" for name, value in said.items())
    moved.write_text(comments + figures.with_columns(pl.col("energy_wh_per_query_p50") * 1.001).write_csv())
    monkeypatch.setattr(golden, "FILE", moved)
    with pytest.raises(SystemExit, match="not written: energy_wh_per_query_p50 is"):
        golden.write(book)
