"""Corrections: known errors found by their match, guarded by their count; a mistake in the file names the entry."""

import polars as pl
import pytest
import yaml

from assets.core.corrections import PATH
from assets.core.corrections import TABLE as CORRECTIONS
from pipelines.sources.catalogue import REPOSITORY
from pipelines.sources.errors import SourceError
from pipelines.tables.corrections import corrected_rows, load_corrections
from pipelines.tables.validate import validate
from pipelines.warehouse.store import Warehouse

ENTRY = {
    "id": "made-up-unit",
    "table": "raw.made_up",
    "match": {"model": "aster", "speed": 5.0},
    "action": "override",
    "column": "unit",
    "value": "Tokens/s",
    "expect": 2,
    "reason": "The label is wrong.",
    "evidence": "We made it so.",
}
RAW = pl.DataFrame(
    {
        "source_id": ["made_up"] * 4,
        "source_release": ["1.0"] * 4,
        "locator": ["/0", "/1", "/2", "/3"],
        "model": ["aster", "aster", "aster", None],
        "speed": [5.0, 5.0, 6.0, 5.0],
        "unit": ["Queries/s", None, "Tokens/s", "Queries/s"],
    }
)


def load(*entries: object):
    return load_corrections(yaml.safe_dump(list(entries)).encode(), PATH)


def rows_of(*entries: object) -> list[dict]:
    return corrected_rows(load(*entries), {"raw.made_up": RAW}, PATH)


def test_each_row_concerned_is_named_with_its_old_and_new_value():
    first, second = rows_of(ENTRY)
    assert [row["locator"] for row in (first, second)] == ["/0", "/1"]
    assert (first["old_value"], second["old_value"], first["new_value"]) == ("Queries/s", None, "Tokens/s")
    assert first["is_applied"]
    assert (first["expected_rows"], first["found_rows"]) == (2, 2)
    assert pl.DataFrame([first, second], schema=CORRECTIONS.schema).height == 2


@pytest.mark.parametrize(("expect", "match"), [(1, {}), (3, {}), (1, {"speed": 7.0})])
def test_an_entry_whose_guard_fails_is_not_applied(expect, match):
    (row,) = rows_of(ENTRY | {"expect": expect, "match": ENTRY["match"] | match})
    assert not row["is_applied"]
    assert row["expected_rows"] == expect
    assert (row["source_id"], row["source_release"], row["locator"]) == (None, None, None)


def test_a_guard_that_fails_is_a_failing_check():
    frame = pl.DataFrame(rows_of(ENTRY | {"expect": 3}), schema=CORRECTIONS.schema)
    sentence = "Each correction still finds the error that it corrects"
    (failure,) = [f for f in validate(CORRECTIONS, CORRECTIONS.conform(frame)) if f.expectation == sentence]
    assert failure.check == "plausibility"
    assert "made-up-unit" in failure.found


def test_an_override_with_nothing_empties_the_cell():
    assert rows_of(ENTRY | {"value": None})[0]["new_value"] is None


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"table": "raw.unknown"}, "made-up-unit: names the unknown table raw.unknown"),
        ({"match": {"modell": "aster"}}, r"made-up-unit: names unknown columns \['modell'\]"),
        ({"column": "units"}, r"made-up-unit: names unknown columns \['units'\]"),
        ({"match": {"speed": "fast"}}, "made-up-unit: cannot be matched"),
    ],
)
def test_what_an_entry_names_must_exist(changes, named):
    with pytest.raises(SourceError, match=f"{PATH}: {named}"):
        rows_of(ENTRY | changes)


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        (ENTRY | {"colour": "blue"}, "colour"),
        ({k: v for k, v in ENTRY.items() if k != "evidence"}, "evidence"),
        (ENTRY | {"action": "delete"}, "action"),
        (ENTRY | {"expect": 0}, "expect"),
        (ENTRY | {"match": "aster"}, "match"),
        ("just text", "is not a correction"),
        (None, "is not a correction"),
    ],
)
def test_a_mistake_names_the_entry_and_the_field(entry, named):
    with pytest.raises(SourceError, match=f"{PATH}: entry 2: .*") as caught:
        load(ENTRY, entry)
    assert named in caught.value.problem


EXCLUDE = {name: value for name, value in ENTRY.items() if name not in ("column", "value")} | {"action": "exclude"}


@pytest.mark.parametrize("entry", [ENTRY, EXCLUDE], ids=["override", "exclude"])
def test_two_entries_that_correct_one_row_are_an_error(entry):
    with pytest.raises(SourceError, match=rf"{PATH}: again: and made-up-unit both {entry['action']} /0 of release 1.0"):
        rows_of(entry, entry | {"id": "again"})


def test_two_flags_of_one_row_are_none():
    rows = rows_of(EXCLUDE | {"action": "flag"}, EXCLUDE | {"action": "flag", "id": "again"})
    assert [row["correction_id"] for row in rows] == ["made-up-unit"] * 2 + ["again"] * 2


def test_a_file_that_is_not_yaml_is_an_error():
    with pytest.raises(SourceError, match=f"{PATH}: whole file: is not YAML"):
        load_corrections(b"- id: [", PATH)


def test_an_empty_file_corrects_nothing():
    assert load_corrections(b"# nothing known\n", PATH) == []


def test_every_entry_of_the_repository_finds_its_rows(book):
    entries = load_corrections((REPOSITORY / PATH).read_bytes(), PATH)
    made = Warehouse(book).read("core.corrections")
    found = dict(made.group_by("correction_id").len().rows())
    # a source that is absent offline has nothing to correct
    absent = [entry.id for entry in entries if Warehouse(book).read(entry.table).is_empty()]
    assert absent == ["inferencex-mi355x-atom-failed-run"]
    assert found == {entry.id: entry.expect for entry in entries if entry.id not in absent}
    assert made["is_applied"].all()


def test_sql_knows_what_to_do_with_every_override():
    # an override is joined where the column is read: one that no SQL file names would do nothing
    sql = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "sql" / "core").glob("*.sql"))
    for entry in load_corrections((REPOSITORY / PATH).read_bytes(), PATH):
        if entry.action == "override":
            assert f"column_name = '{entry.column}'" in sql, entry.id
