"""What a newer revision changed: typed values by the publisher's key, never text, order or place in the file."""

import polars as pl

from pipelines.sources.restatements import keep_proposed, known, propose, restated

IDENTITY = ("name",)


def revision(*rows: tuple, release: str = "1.0") -> pl.DataFrame:
    schema = {"name": pl.String, "speed": pl.Float64, "cards": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(
        source_id=pl.lit("a_source"),
        source_release=pl.lit(release),
        snapshot_sha256=pl.lit("ab"),
        locator=pl.format("line {}", pl.int_range(pl.len())),
    )


def changes(old: pl.DataFrame, new: pl.DataFrame) -> list[tuple]:
    found = restated(old, new, IDENTITY, "2027-01-01T00:00:00Z")
    return sorted(found.select("change", "row", "column_name", "old_value", "new_value").rows(), key=str)


def test_order_and_place_are_no_change():
    assert changes(revision(("a", 1.0, 8), ("b", 2.0, 4)), revision(("b", 2.0, 4), ("a", 1.0, 8))) == []


def test_added_removed_and_restated():
    old, new = revision(("a", 1.0, 8), ("b", 2.0, 4)), revision(("a", 1.5, 8), ("c", 3.0, 1))
    assert changes(old, new) == [
        ("added", "c", None, None, None),
        ("removed", "b", None, None, None),
        ("restated", "a", "speed", "1.0", "1.5"),
    ]


def test_filled_in_and_emptied_cells_count():
    assert changes(revision(("a", None, 8)), revision(("a", 1.0, None))) == [
        ("restated", "a", "cards", "8", None),
        ("restated", "a", "speed", None, "1.0"),
    ]


def test_a_key_that_occurs_twice_is_told_apart_by_order():
    old, new = revision(("a", 1.0, 8), ("a", 2.0, 8)), revision(("a", 1.0, 8), ("a", 2.5, 8))
    assert changes(old, new) == [("restated", "a", "speed", "2.0", "2.5")]


def test_releases_are_not_mixed():
    old = pl.concat([revision(("a", 1.0, 8)), revision(("a", 2.0, 8), release="2.0")])
    new = pl.concat([revision(("a", 1.0, 8)), revision(("a", 9.0, 8), release="2.0")])
    assert changes(old, new) == [("restated", "a", "speed", "2.0", "9.0")]


def test_rows_without_a_key_are_named_by_their_values_so_a_line_inserted_at_the_top_restates_nothing():
    old = revision(("a", 1.0, 8), ("a", 1.0, 8), ("a", 2.0, 8))
    new = revision(("b", 5.0, 8), ("a", 1.0, 8), ("a", 1.0, 8), ("a", 3.0, 8))
    found = restated(old, new, (), "2027-01-01").select("change", "row", "column_name").rows()
    assert sorted(found) == [
        ("added", "a, 3.0, 8", None),
        ("added", "b, 5.0, 8", None),
        ("removed", "a, 2.0, 8", None),
    ]


def test_nothing_recorded_is_lost(tmp_path):
    first = restated(revision(("a", 1.0, 8)), revision(("a", 2.0, 8)), IDENTITY, "2027-01-01T00:00:00Z")
    second = restated(revision(("a", 2.0, 8)), revision(("a", 1.0, 8)), IDENTITY, "2027-01-02T00:00:00Z")
    for found in (first, second, first.clear(), None):
        propose(tmp_path, "a_source", found)
        keep_proposed(tmp_path, "a_source")
    assert known(tmp_path)["accepted_at_utc"].to_list() == ["2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z"]
    assert known(tmp_path / "elsewhere").is_empty()


def test_what_a_candidate_changed_is_known_and_goes_with_it(tmp_path):
    found = restated(revision(("a", 1.0, 8)), revision(("a", 2.0, 8)), IDENTITY, "2027-01-01T00:00:00Z")
    propose(tmp_path, "a_source", found)
    assert known(tmp_path).height == 1
    propose(tmp_path, "a_source", None)
    assert known(tmp_path).is_empty()
