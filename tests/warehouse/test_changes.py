"""The history of a table from what each release began and ended, by hand."""

import polars as pl

from pipelines.warehouse.changes import history, states

KEY = ["id"]


def table(**figures: float) -> pl.DataFrame:
    return pl.DataFrame({"id": list(figures), "wh": list(figures.values())})


def test_states_begin_end_and_come_back():
    releases = [table(a=1.0, b=2.0, c=3.0), table(a=1.5, b=2.0), table(a=1.5, b=2.0, c=3.0, d=4.0)]
    parts = [
        states(releases[i - 1] if i else None, release, KEY, i + 1) for i, release in enumerate(releases)
    ]  # fmt: skip
    assert [part.height for part in parts] == [3, 2, 2]
    found = history(pl.concat(parts, how="diagonal_relaxed"), KEY, "wh").sort("id", "release_from")
    assert found.select("id", "wh", "release_from", "release_to").rows() == [
        ("a", 1.0, 1, 1), ("a", 1.5, 2, None), ("b", 2.0, 1, None), ("c", 3.0, 1, 1), ("c", 3.0, 3, None),
        ("d", 4.0, 3, None),
    ]  # fmt: skip


def test_the_last_bits_begin_no_state():
    assert states(table(a=1.0), table(a=1.0 + 1e-14), KEY, 2).is_empty()
    assert states(table(a=1.0), table(a=1.0 + 1e-9), KEY, 2).height == 1


def test_a_new_column_begins_a_state_of_every_row():
    before = table(a=1.0, b=2.0)
    now = before.with_columns(pue=pl.lit(1.2))
    parts = [states(None, before, KEY, 1), states(before, now, KEY, 2)]
    found = history(pl.concat(parts, how="diagonal_relaxed"), KEY, "wh")
    assert found.filter(pl.col("release_from") == 1)["pue"].null_count() == 2
    assert found.filter(pl.col("release_from") == 2)["release_to"].null_count() == 2
