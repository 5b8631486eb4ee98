"""Taking a source: accepted as a whole or not at all, the last accepted figures served meanwhile, nothing lost.

A made-up source of two documents, each a column of numbers, served from loopback.
"""

import polars as pl
import pytest

from pipelines.sources import intake
from pipelines.sources.catalogue import Document, Licence, Source
from pipelines.sources.cells import number, utf8
from pipelines.sources.errors import SourceError
from pipelines.sources.extracts import read_extract, read_head
from pipelines.sources.http import Web
from pipelines.sources.intake import (
    Places,
    Reading,
    mark_released,
    promote,
    read_taken,
    record_taken,
    serves_what_was_accepted,
    take_source,
)
from pipelines.sources.restatements import known
from pipelines.sources.snapshots import SnapshotStore
from tests.support import Reply

URLS = {"1.0": "https://published.test/1.0.csv", "2.0": "https://published.test/2.0.csv"}
SCHEMA = dict.fromkeys(intake.PROVENANCE, pl.String) | {"speed": pl.Float64}
SOURCE = Source(
    source_id="a_source",
    title="A made-up source",
    publisher="Made-Up",
    homepage="https://published.test/",
    licence=Licence(name="MIT", url="https://published.test/licence", redistribution="allowed", reason="Ours."),
    credit="Made-Up",
    keep_extract=True,
    cadence_days=7,
    parser="raw.a_source",
    format="csv",
    boundary="none",
    basis="made up",
    max_bytes=1000,
    max_row_loss_share=0.5,
    documents=tuple(Document(url=url, release=release, layout="csv") for release, url in URLS.items()),
)


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    lines = utf8(content, source.source_id, document.place).split()
    rows = [(f"line {i}", number(line, source.source_id, f"line {i}")) for i, line in enumerate(lines, start=1)]
    return pl.DataFrame(rows, schema={"locator": pl.String, "speed": pl.Float64}, orient="row")


def accept(frame: pl.DataFrame) -> pl.DataFrame:
    if frame["speed"].max() > 1000:
        raise SourceError("a_source", "raw.a_source", "speed between 0 and 1000: 1 rows", "The last figures serve.")
    return frame.select(SCHEMA.keys())


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "home", tmp_path / "extracts")


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A second passes at every look."""
    ticks = (f"2027-02-03T04:{i // 60:02}:{i % 60:02}Z" for i in range(3600))
    monkeypatch.setattr(intake, "now_utc", lambda: next(ticks))


@pytest.fixture
def publish(loopback):
    """Let the publisher serve these bytes, by release."""

    def publish(**by_release: bytes) -> None:
        for name, content in by_release.items():
            release = name.removeprefix("r").replace("_", ".")
            loopback.serve(URLS[release], content, headers={"ETag": f'"{content[:5].hex()}"'})

    return publish


def publish_release(places: Places, taken: intake.Taken) -> None:
    """A release with these figures, and the file of it."""
    mark_released(places.home, {taken.source_id: taken.accepted_at_utc})
    promote(places)


@pytest.fixture
def take(places):
    def take(offline: bool = False, source: Source = SOURCE, schema: intake.Schema = SCHEMA, published: bool = True):
        reading = Reading(parse, accept, schema, "v1", ("locator",))
        answer = take_source(source, reading, places, None if offline else Web(sleep=lambda _: None))
        if published:
            publish_release(places, answer[1])
        return answer

    return take


def speeds(frame: pl.DataFrame) -> list[tuple[str, float]]:
    return frame.select("source_release", "speed").rows()


def test_live_bytes_are_accepted_with_their_provenance(publish, take, places):
    publish(r1_0=b"1\n2\n", r2_0=b"3\n")
    frame, taken = take()
    assert speeds(frame) == [("1.0", 1.0), ("1.0", 2.0), ("2.0", 3.0)]
    assert (taken.state, taken.problem) == ("live", None)
    store = SnapshotStore(places.home)
    for snapshot in taken.snapshots:
        rows = frame.filter(pl.col("source_release") == snapshot.release)
        assert set(rows["snapshot_sha256"]) == {snapshot.sha256}
        assert len(store.get(snapshot.sha256)) == snapshot.size_bytes
    head, kept = read_extract(places.accepted("a_source"), SCHEMA)
    assert kept.equals(frame)
    assert head.accepted_at_utc == taken.accepted_at_utc
    assert [(row.url, row.status, row.problem) for row in store.ledger()] == [(url, 200, None) for url in URLS.values()]


def test_the_same_bytes_again_are_asked_for_conditionally_and_keep_their_date(publish, take, places, loopback):
    publish(r1_0=b"1\n2\n", r2_0=b"3\n")
    first, accepted = take()
    again, taken = take()
    assert again.equals(first)
    assert (taken.state, taken.problem) == ("unchanged", None)
    assert taken.accepted_at_utc == accepted.accepted_at_utc
    assert taken.snapshots == accepted.snapshots
    assert all("If-None-Match" in headers for _, headers in loopback.requests[2:])
    assert [row.status for row in SnapshotStore(places.home).ledger()] == [200, 200, 304, 304]


def test_the_same_bytes_from_a_server_without_validators_are_unchanged_too(loopback, take):
    for url in URLS.values():
        loopback.serve(url, b"1\n")
    accepted = take()[1]
    taken = take()[1]
    assert (taken.state, taken.accepted_at_utc) == ("unchanged", accepted.accepted_at_utc)


def test_the_repository_s_extract_makes_live_bytes_unchanged(publish, take, places):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    accepted = take()[1]
    places.extracts.mkdir()
    places.accepted("a_source").rename(places.extracts / "a_source.csv")
    taken = take()[1]
    assert (taken.state, taken.accepted_at_utc) == ("unchanged", accepted.accepted_at_utc)


def test_one_changed_document_makes_the_source_live_again_with_all_its_rows(publish, take):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    accepted = take()[1]
    publish(r2_0=b"4\n")
    frame, taken = take()
    assert speeds(frame) == [("1.0", 1.0), ("2.0", 4.0)]
    assert taken.state == "live"
    assert taken.accepted_at_utc > accepted.accepted_at_utc


REFUSED = {
    # name: (what the second document is answered with, what the problem names)
    "cells that do not parse": (Reply(b"n/a\n"), "line 1: 'n/a' is not a non-negative number"),
    "a broken contract": (Reply(b"5000\n"), "raw.a_source: speed between 0 and 1000"),
    "an empty file": (Reply(b""), "2.0.csv: is empty"),
    "a sign-in page": (Reply(b"<!doctype html><h1>Sign in</h1>"), "2.0.csv: is an HTML page, expected csv"),
    "forbidden": (Reply(b"", 403), "2.0.csv: answered HTTP 403"),
    "cut short": (Reply(b"4\n", declared_bytes=9), "2.0.csv: cannot be reached"),
    "too large": (Reply(b"4\n" * 501), "2.0.csv: is larger than 1000 bytes"),
    "moved": (Reply(b"", 302, {"Location": "https://elsewhere.test/"}), "2.0.csv: answered HTTP 302"),
    "not modified, unasked": (Reply(b"", 304), "2.0.csv: answered HTTP 304"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_one_bad_document_of_two_holds_the_whole_source(publish, take, places, loopback, case):
    reply, named = REFUSED[case]
    publish(r1_0=b"1\n2\n")
    loopback.serve(URLS["2.0"], b"3\n")
    first, accepted = take()
    kept = places.accepted("a_source").read_bytes()
    publish(r1_0=b"7\n8\n")
    loopback.replies[URLS["2.0"].removeprefix("https://")] = reply
    if case == "not modified, unasked":
        (places.home / "snapshots" / accepted.snapshots[1].sha256).unlink()
    frame, taken = take()
    assert frame.equals(first)
    assert taken.state == "held"
    assert taken.problem.startswith("a_source: ")
    assert named in taken.problem
    assert (taken.accepted_at_utc, taken.snapshots) == (accepted.accepted_at_utc, accepted.snapshots)
    assert places.accepted("a_source").read_bytes() == kept
    publish(r2_0=b"9\n")
    mended, taken = take()
    assert (speeds(mended), taken.state) == ([("1.0", 7.0), ("1.0", 8.0), ("2.0", 9.0)], "live")


@pytest.mark.parametrize("status", [404, 410])
def test_a_document_that_was_withdrawn_keeps_its_rows_and_the_others_are_new(publish, take, loopback, status):
    publish(r1_0=b"1\n2\n", r2_0=b"3\n")
    take()
    publish(r1_0=b"7\n8\n")
    loopback.replies[URLS["2.0"].removeprefix("https://")] = Reply(b"", status)
    frame, taken = take()
    assert (speeds(frame), taken.state) == ([("1.0", 7.0), ("1.0", 8.0), ("2.0", 3.0)], "live")
    assert f"2.0.csv: answered HTTP {status}" in taken.problem
    assert [snapshot.release for snapshot in taken.snapshots] == ["1.0", "2.0"]
    again, taken = take()
    assert (again.equals(frame), taken.state, "2.0.csv" in taken.problem) == (True, "unchanged", True)


def test_a_source_all_of_whose_documents_were_withdrawn_is_held(publish, take, loopback):
    publish(r1_0=b"1\n2\n", r2_0=b"3\n")
    first, _ = take()
    loopback.replies.clear()
    frame, taken = take()
    assert (frame.equals(first), taken.state) == (True, "held")


def test_a_withdrawn_document_that_was_never_accepted_holds_the_source(publish, take):
    publish(r1_0=b"1\n2\n")
    with pytest.raises(SourceError, match=r"2\.0\.csv: answered HTTP 404"):
        take()


@pytest.mark.parametrize("date", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "yesterday"])
def test_no_header_of_a_publisher_ends_the_run(publish, take, loopback, date):
    publish(r2_0=b"3\n")
    loopback.serve(URLS["1.0"], b"1\n", headers={"Last-Modified": date})
    assert take()[1].snapshots[0].revised_on is None


def test_what_the_web_brings_and_nobody_foresaw_is_held_against_the_source_alone(publish, places, take):
    class Odd(Web):
        def take(self, *_: object, **__: object) -> None:
            raise ZeroDivisionError("odd")

    publish(r1_0=b"1\n", r2_0=b"3\n")
    first, _ = take()
    reading = Reading(parse, accept, SCHEMA, "v1", ("locator",))
    frame, taken = take_source(SOURCE, reading, places, Odd())
    assert (frame.equals(first), taken.state) == (True, "held")
    assert "a_source: could not be taken (ZeroDivisionError: odd)" in taken.problem


@pytest.mark.parametrize(("status", "is_unanswered", "is_withdrawn"), [(500, True, False), (404, False, True)])
def test_a_take_that_asks_nobody_keeps_the_problem_of_the_one_before(
    publish, take, places, loopback, status, is_unanswered, is_withdrawn
):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    take()
    for url in URLS.values():
        loopback.replies[url.removeprefix("https://")] = Reply(b"", status)
    _, held = take()
    record_taken(places.home, held)
    assert (held.state, held.is_unanswered, held.is_withdrawn) == ("held", is_unanswered, is_withdrawn)
    _, offline = take(offline=True)
    record_taken(places.home, offline)
    assert offline == held
    publish(r1_0=b"1\n", r2_0=b"3\n")
    assert take()[1].problem is None


def test_figures_accepted_elsewhere_meanwhile_end_the_problem_offline(publish, take, places, loopback):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    take()
    loopback.replies.clear()
    record_taken(places.home, take()[1])
    text = places.accepted("a_source").read_text(encoding="utf-8")
    places.extracts.mkdir()
    newer = text.replace("accepted_at_utc: '2027-02-03", "accepted_at_utc: '2028-02-03")
    (places.extracts / "a_source.csv").write_text(newer, encoding="utf-8")
    assert (take(offline=True)[1].problem, take(offline=True)[1].state) == (None, "offline")


def test_a_problem_names_the_document_it_is_of(publish, take, loopback):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    take()
    for reply in (Reply(b"n/a\n"), Reply(b"", 404), Reply(b"", 500)):
        loopback.replies[URLS["2.0"].removeprefix("https://")] = reply
        _, taken = take()
        assert taken.problem_url == URLS["2.0"]
        assert taken.problem.endswith(taken.remedy)


FINISHED = SOURCE.model_copy(update={"finished": True, "cadence_days": 1})


@pytest.fixture
def at(monkeypatch):
    """Let it be this time."""
    return lambda time: monkeypatch.setattr(intake, "now_utc", lambda: time)


def test_a_finished_source_is_asked_once_a_cadence(publish, places, take, loopback, at):
    publish(r1_0=b"1\n", r2_0=b"3\n")

    def asked(time: str) -> tuple[str, int]:
        at(time)
        before = len(loopback.requests)
        _, taken = take(source=FINISHED)
        record_taken(places.home, taken)
        return taken.state, len(loopback.requests) - before

    assert asked("2027-02-03T00:00:00Z") == ("live", 2)
    assert asked("2027-02-03T12:00:00Z") == ("finished", 0)
    assert serves_what_was_accepted(FINISHED, places, Web())
    assert len(loopback.requests) == 2
    assert asked("2027-02-04T12:00:00Z") == ("unchanged", 2)
    assert asked("2027-02-05T00:00:00Z") == ("finished", 0)  # it answered half a day ago
    assert asked("2027-02-05T13:00:00Z") == ("unchanged", 2)


def test_a_finished_source_is_asked_by_a_new_parser_for_a_new_document_and_on_demand(publish, places, take):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    one = FINISHED.model_copy(update={"documents": FINISHED.documents[:1], "cadence_days": 10_000})
    both = one.model_copy(update={"documents": FINISHED.documents})
    assert [take(source=one)[1].state for _ in range(2)] == ["live", "finished"]
    assert [take(source=both)[1].state for _ in range(2)] == ["live", "finished"]
    reading = Reading(parse, accept, SCHEMA, "v2", ("locator",))
    taken = take_source(both, reading, places, Web())[1]
    assert taken.state == "live"
    publish_release(places, taken)
    assert take_source(both, reading, places, Web())[1].state == "finished"
    assert take_source(both, reading, places, Web(), ask_all=True)[1].state == "unchanged"


def test_figures_of_the_repository_that_came_meanwhile_are_new(publish, places, take):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    finished = FINISHED.model_copy(update={"cadence_days": 10_000})
    record_taken(places.home, take(source=finished)[1])
    assert serves_what_was_accepted(finished, places, Web())
    text = places.accepted("a_source").read_text(encoding="utf-8")
    places.extracts.mkdir()
    newer = text.replace("accepted_at_utc: '2027-02-03", "accepted_at_utc: '2028-02-03")
    assert newer != text
    (places.extracts / "a_source.csv").write_text(newer, encoding="utf-8")
    assert not serves_what_was_accepted(finished, places, Web())


def test_an_extract_without_a_document_that_is_asked_for_gives_way_to_one_that_has_it(publish, places, take):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    take()
    places.extracts.mkdir()
    (places.extracts / "a_source.csv").write_bytes(places.accepted("a_source").read_bytes())
    one = SOURCE.model_copy(update={"documents": SOURCE.documents[:1]})
    publish(r1_0=b"2\n")
    assert take(source=one)[1].state == "live"  # newer, and of one document
    frame, taken = take(offline=True)
    assert speeds(frame) == [("1.0", 1.0), ("2.0", 3.0)]
    assert [snapshot.release for snapshot in taken.snapshots] == ["1.0", "2.0"]


def test_rows_of_a_document_that_is_asked_for_no_more_do_not_serve(publish, take):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    take()
    frame, taken = take(offline=True, source=SOURCE.model_copy(update={"documents": SOURCE.documents[:1]}))
    assert speeds(frame) == [("1.0", 1.0)]
    assert [snapshot.release for snapshot in taken.snapshots] == ["1.0"]


def test_a_damaged_answer_is_asked_for_again(publish, take, loopback):
    # its ETag is not ours: with it the publisher would say that nothing changed
    publish(r1_0=b"1\n", r2_0=b"3\n")
    take()
    publish(r2_0=b"n/a\n")
    assert [take()[1].state for _ in range(2)] == ["held", "held"]
    asked = [headers.get("If-None-Match") for path, headers in loopback.requests if path.endswith("2.0.csv")]
    accepted = '"' + b"3\n".hex() + '"'
    assert asked == [None, accepted, accepted]


def test_why_a_take_failed_stands_in_the_ledger(publish, take, places, loopback):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    take()
    del loopback.replies["published.test/2.0.csv"]
    take()
    last = SnapshotStore(places.home).ledger()[-1]
    assert (last.url, last.status, last.sha256) == (URLS["2.0"], None, None)
    assert "answered HTTP 404" in last.problem


def test_offline_asks_nobody(publish, take, loopback):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    first, accepted = take()
    loopback.requests.clear()
    frame, taken = take(offline=True)
    assert frame.equals(first)
    assert (taken.state, taken.problem, taken.accepted_at_utc) == ("offline", None, accepted.accepted_at_utc)
    assert loopback.requests == []


def test_without_any_extract_offline_is_an_error(take):
    with pytest.raises(SourceError, match="a_source: last accepted figures: has no extract"):
        take(offline=True)


def test_without_any_extract_a_bad_answer_is_an_error(publish, take, places):
    publish(r1_0=b"1\n", r2_0=b"n/a\n")
    with pytest.raises(SourceError, match="a_source: line 1: 'n/a'"):
        take()
    assert not places.accepted("a_source").exists()


def test_the_extract_accepted_last_serves(publish, take, places):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    take()
    places.extracts.mkdir()
    old = places.accepted("a_source").read_bytes()
    (places.extracts / "a_source.csv").write_bytes(old)
    publish(r1_0=b"2\n")
    take()
    assert speeds(take(offline=True)[0])[0] == ("1.0", 2.0)
    # a newer clone brings newer figures than this home's
    (places.extracts / "a_source.csv").write_bytes(places.accepted("a_source").read_bytes())
    places.accepted("a_source").write_bytes(old)
    assert speeds(take(offline=True)[0])[0] == ("1.0", 2.0)


def test_snapshots_that_rotted_are_asked_for_without_condition(publish, take, places, loopback):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    first, taken = take()
    for snapshot in taken.snapshots:
        (places.home / "snapshots" / snapshot.sha256).write_bytes(b"rot")
    loopback.requests.clear()
    frame, again = take()
    assert frame.equals(first)
    assert again.state == "unchanged"
    assert not any("If-None-Match" in headers for _, headers in loopback.requests)


def test_a_release_renamed_in_the_catalogue_renames_its_rows(publish, take):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    take()
    last = SOURCE.documents[1].model_copy(update={"release": "2.0.1"})
    renamed = SOURCE.model_copy(update={"documents": (SOURCE.documents[0], last)})
    frame, taken = take(source=renamed)
    assert speeds(frame) == [("1.0", 1.0), ("2.0.1", 3.0)]
    assert [snapshot.release for snapshot in taken.snapshots] == ["1.0", "2.0.1"]


def test_a_damaged_extract_of_the_home_is_mended_by_new_bytes(publish, take, places):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    first = take()[0]
    places.accepted("a_source").write_text("# half a he", encoding="utf-8")
    with pytest.raises(SourceError, match=r"a_source\.csv: lines 1-1: .* refresh online"):
        take(offline=True)
    frame, taken = take()
    assert frame.equals(first)
    assert taken.state == "live"
    assert read_head(places.accepted("a_source")).accepted_at_utc == taken.accepted_at_utc


def test_an_extract_with_columns_of_before_is_made_anew_from_the_same_bytes(publish, take, places):
    publish(r1_0=b"1\n", r2_0=b"3\n")
    take()
    path = places.accepted("a_source")
    path.write_bytes(path.read_bytes().replace(b"locator,speed", b"locator,velocity"))
    frame, taken = take()
    assert speeds(frame) == [("1.0", 1.0), ("2.0", 3.0)]
    assert taken.state == "live"


def test_how_a_source_was_taken_is_kept(publish, take, places):
    assert read_taken(places.home, "a_source") is None
    publish(r1_0=b"1\n", r2_0=b"3\n")
    taken = take()[1]
    record_taken(places.home, taken)
    assert read_taken(places.home, "a_source") == taken


@pytest.mark.parametrize(
    ("last_modified", "revised_on"),
    [("Tue, 02 Feb 2027 23:04:05 GMT", "2027-02-02"), (None, None), ("yesterday", None)],
)
def test_the_day_of_a_revision_is_the_publisher_s(loopback, take, last_modified, revised_on):
    headers = {"Last-Modified": last_modified} if last_modified else {}
    for url in URLS.values():
        loopback.serve(url, b"1\n", headers=headers)
    assert {snapshot.revised_on for snapshot in take()[1].snapshots} == {revised_on}


def test_rows_of_an_older_parser_are_parsed_again_from_the_same_bytes(publish, places, take):
    publish(r1_0=b"1 2", r2_0=b"3")
    frame, first = take()

    def parse_anew(content: bytes, source: Source, document: Document) -> pl.DataFrame:
        return parse(content, source, document).with_columns(speed=pl.col("speed") * 10)

    reading = Reading(parse_anew, accept, SCHEMA, "v2", ("locator",))
    anew, second = take_source(SOURCE, reading, places, Web())
    assert (first.state, second.state) == ("live", "live")
    assert anew["speed"].to_list() == [10 * speed for speed in frame["speed"]]
    assert known(places.home).is_empty()  # the publisher restated nothing


def test_rows_that_our_parser_drops_from_the_same_bytes_are_no_loss_of_the_publisher_s(publish, places, take):
    publish(r1_0=b"1 2 4 5", r2_0=b"3")
    take()

    def parse_fewer(content: bytes, source: Source, document: Document) -> pl.DataFrame:
        return parse(content, source, document).head(1)

    frame, taken = take_source(SOURCE, Reading(parse_fewer, accept, SCHEMA, "v2", ("locator",)), places, Web())
    assert (frame.height, taken.state) == (2, "live")


def test_a_source_that_may_not_be_kept_is_absent_until_it_is_taken(publish, places, take):
    fetched = SOURCE.model_copy(update={"keep_extract": False})
    frame, taken = take(offline=True, source=fetched)
    assert (frame.height, frame.schema.names()) == (0, list(SCHEMA))
    assert (taken.state, taken.snapshots) == ("absent", ())
    frame, taken = take(source=fetched)  # nothing is served yet
    assert (frame.height, taken.state) == (0, "absent")
    assert "answered HTTP 404" in taken.problem
    publish(r1_0=b"1 2", r2_0=b"3")
    assert take(source=fetched)[0].height == 3
    assert take(offline=True, source=fetched)[1].state == "offline"


def test_a_newer_revision_leaves_a_record_of_what_it_restated(publish, places, take):
    publish(r1_0=b"1 2", r2_0=b"3")
    take()
    publish(r1_0=b"1 5 6")
    take()
    changes = (
        known(places.home).select("source_release", "change", "row", "column_name", "old_value", "new_value").rows()
    )
    assert sorted(changes, key=str) == [
        ("1.0", "added", "line 3", None, None, None),
        ("1.0", "restated", "line 2", "speed", "2.0", "5.0"),
    ]


def test_figures_that_were_not_published_are_not_accepted(publish, places, take):
    publish(r1_0=b"1 2", r2_0=b"3")
    take()
    publish(r1_0=b"7 8")
    frame, taken = take(published=False)
    assert (frame["speed"].to_list(), taken.state) == ([7.0, 8.0, 3.0], "live")
    frame, taken = take(offline=True)
    assert (frame["speed"].to_list(), taken.state) == ([1.0, 2.0, 3.0], "offline")


def test_figures_that_checks_downstream_refused_are_held(publish, places, take):
    publish(r1_0=b"1 2", r2_0=b"3")
    take()
    publish(r1_0=b"7 8")
    take(published=False)
    reading = Reading(parse, accept, SCHEMA, "v1", ("locator",))
    frame, taken = take_source(SOURCE, reading, places, Web(), refused="the blend moved")
    publish_release(places, taken)
    assert (frame["speed"].to_list(), taken.state, taken.problem) == ([1.0, 2.0, 3.0], "held", "the blend moved")
    assert known(places.home).is_empty()  # what was refused was restated by nobody
    assert take(offline=True)[0]["speed"].to_list() == [1.0, 2.0, 3.0]


def test_figures_that_no_release_holds_are_not_accepted(publish, places, take):
    publish(r1_0=b"1 2", r2_0=b"3")
    _, before = take(published=False)
    promote(places)
    assert not places.accepted("a_source").exists()  # of a home without a release
    publish_release(places, before)
    publish(r1_0=b"7 8")
    _, proposed = take(published=False)
    promote(places)
    assert read_head(places.accepted("a_source")).accepted_at_utc == before.accepted_at_utc
    publish_release(places, proposed)
    assert take(offline=True)[0]["speed"].to_list() == [7.0, 8.0, 3.0]


def test_a_damaged_extract_of_the_home_gives_way_to_that_of_the_repository(publish, places, take):
    publish(r1_0=b"1 2", r2_0=b"3")
    take()
    places.extracts.mkdir(parents=True)
    (places.extracts / "a_source.csv").write_bytes(places.accepted("a_source").read_bytes())
    places.accepted("a_source").write_text("# cut", encoding="utf-8")
    assert take(offline=True)[0]["speed"].to_list() == [1.0, 2.0, 3.0]


def test_a_parser_that_fails_unforeseen_holds_its_own_source(publish, places, take):
    publish(r1_0=b"1 2", r2_0=b"3")
    take()
    publish(r1_0=b"4 5")

    def broken(content: bytes, source: Source, document: Document) -> pl.DataFrame:
        raise KeyError("speed")

    frame, taken = take_source(SOURCE, Reading(broken, accept, SCHEMA, "v2", ("locator",)), places, Web())
    assert (frame["speed"].to_list(), taken.state) == ([1.0, 2.0, 3.0], "held")
    assert "could not be parsed (KeyError: 'speed')" in taken.problem


def test_whether_publishers_serve_what_was_accepted(publish, places, take):
    publish(r1_0=b"1 2", r2_0=b"3")
    _, taken = take()
    record_taken(places.home, taken)
    assert serves_what_was_accepted(SOURCE, places, Web())
    publish(r2_0=b"4")
    assert not serves_what_was_accepted(SOURCE, places, Web())


def test_a_take_that_lost_too_many_rows_is_held_and_names_the_release(publish, places, take):
    publish(r1_0=b"1 2 4 5", r2_0=b"3")
    first, _ = take()
    publish(r1_0=b"1")  # a file cut between two lines parses, and keeps its contract
    frame, taken = take()
    assert frame.equals(first)
    assert taken.state == "held"
    lost = "a_source: release 1.0: has 1 rows where 4 were accepted, a loss of over 50%. Open the url"
    assert taken.problem.startswith(lost)
    assert not places.candidate("a_source").exists()


def test_a_loss_within_the_limit_is_accepted(publish, take):
    publish(r1_0=b"1 2 4 5", r2_0=b"3")
    take()
    publish(r1_0=b"1 2")  # just the half that the source may lose
    assert take()[1].state == "live"


def test_a_document_may_have_a_limit_of_its_own(publish, take):
    publish(r1_0=b"1 2 4 5", r2_0=b"3 4")
    first = SOURCE.documents[0].model_copy(update={"max_row_loss_share": 0.8})
    source = SOURCE.model_copy(update={"documents": (first, SOURCE.documents[1]), "max_row_loss_share": 0})
    take(source=source)
    publish(r1_0=b"1")
    assert take(source=source)[1].state == "live"
    publish(r2_0=b"3")
    assert take(source=source)[1].state == "held"


def test_the_loss_is_measured_against_the_accepted_take_not_the_refused_one(publish, take):
    publish(r1_0=b"1 2 4 5", r2_0=b"3")
    take()
    publish(r1_0=b"1")
    assert [take()[1].state for _ in range(2)] == ["held", "held"]


def test_a_document_that_lost_all_its_rows_is_held_too(publish, places, take):
    publish(r1_0=b"1 2", r2_0=b"3")
    first, _ = take()
    publish(r2_0=b"0")

    def parse_moving(content: bytes, source: Source, document: Document) -> pl.DataFrame:
        return parse(content, source, document).filter(pl.col("speed") > 0)

    reading = Reading(parse_moving, accept, SCHEMA, "v1", ("locator",))
    frame, taken = take_source(SOURCE, reading, places, Web())
    assert frame.equals(first)
    assert taken.problem.startswith("a_source: release 2.0: has 0 rows where 1 were accepted")
