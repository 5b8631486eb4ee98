"""Taking a file over HTTP, against a real server on loopback: what is accepted, and what is refused naming the url."""

import contextlib
import gzip
import socket
import threading
import time

import pytest
import requests

from pipelines.sources import http
from pipelines.sources.errors import SourceError
from pipelines.sources.http import Web

URL = "https://published.test/folder/file.csv?raw=true"
PATH = "published.test/folder/file.csv?raw=true"


def refused(url: str = URL, max_bytes: int = 1000, **condition: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        Web(sleep=lambda _: None).take("a_source", url, max_bytes, **condition)
    assert (caught.value.source_id, caught.value.place) == ("a_source", url)
    return caught.value


def test_bytes_come_with_their_validators(loopback):
    day = "Tue, 02 Feb 2027 03:04:05 GMT"
    loopback.serve(URL, b"a,b\n1,2\n", headers={"ETag": '"one"', "Last-Modified": day})
    assert Web(sleep=lambda _: None).take("a_source", URL, 1000) == http.Answer(200, b"a,b\n1,2\n", '"one"', day)
    ((path, headers),) = loopback.requests
    assert path == PATH
    assert headers["User-Agent"].startswith("joulebook/")
    assert "If-None-Match" not in headers
    assert "If-Modified-Since" not in headers


def test_what_we_have_is_asked_for_conditionally(loopback):
    loopback.serve(URL, b"new", headers={"ETag": '"one"'})
    answer = Web(sleep=lambda _: None).take(
        "a_source", URL, 1000, etag='"one"', last_modified="Tue, 02 Feb 2027 03:04:05 GMT"
    )
    assert (answer.status, answer.content) == (304, None)
    headers = loopback.requests[0][1]
    assert headers["If-Modified-Since"] == "Tue, 02 Feb 2027 03:04:05 GMT"


def test_new_bytes_come_in_spite_of_a_condition(loopback):
    loopback.serve(URL, b"new", headers={"ETag": '"two"'})
    assert Web(sleep=lambda _: None).take("a_source", URL, 1000, etag='"one"').content == b"new"


def test_not_modified_without_a_condition_is_an_error(loopback):
    loopback.serve(URL, b"", status=304)
    assert "answered HTTP 304" in refused().problem


@pytest.mark.parametrize("status", [204, 400, 403, 404, 410, 429, 500, 503])
def test_any_other_status_is_refused(loopback, status):
    loopback.serve(URL, b"", status=status)
    assert f"answered HTTP {status}" in refused().problem


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed(loopback, status):
    elsewhere = f"{loopback.address.replace('127.0.0.1', 'localhost')}/elsewhere"
    loopback.serve(URL, b"", status=status, headers={"Location": elsewhere})
    loopback.serve("https://elsewhere", b"caught")
    assert f"answered HTTP {status}" in refused().problem
    assert [path for path, _ in loopback.requests] == [PATH]


def test_more_than_the_limit_is_refused(loopback):
    loopback.serve(URL, b"x" * 1001)
    assert "larger than 1000 bytes" in refused(max_bytes=1000).problem
    assert len(Web(sleep=lambda _: None).take("a_source", URL, 1001).content) == 1001


def test_the_limit_counts_after_decompression(loopback):
    bomb = gzip.compress(b"0" * 5_000_000)
    assert len(bomb) < 10_000
    loopback.serve(URL, bomb, headers={"Content-Encoding": "gzip"})
    assert "larger than 10000 bytes" in refused(max_bytes=10_000).problem


def test_compressed_bytes_are_opened(loopback):
    content = b"".join(b"%d\n" % i for i in range(50_000))
    loopback.serve(URL, gzip.compress(content), headers={"Content-Encoding": "gzip"})
    assert Web(sleep=lambda _: None).take("a_source", URL, 1_000_000).content == content


def test_damaged_compression_is_refused(loopback):
    loopback.serve(URL, b"not gzip at all", headers={"Content-Encoding": "gzip"})
    assert "cannot be reached (DecodeError)" in refused().problem


def test_a_body_that_ends_too_early_is_refused(loopback):
    loopback.serve(URL, b"half of i", declared_bytes=18)
    assert "cannot be reached" in refused().problem


def test_a_byte_at_a_time_meets_the_deadline(loopback, monkeypatch):
    monkeypatch.setattr(http, "TOTAL_DEADLINE_S", 0.3)
    loopback.serve(URL, b"x" * 200, pause_s=0.02)
    started = time.monotonic()
    assert "took over 0.3 s" in refused().problem
    assert time.monotonic() - started < 2


def test_headers_that_drip_meet_the_deadline_too(monkeypatch):
    monkeypatch.setattr(http, "TOTAL_DEADLINE_S", 0.3)
    monkeypatch.setattr(http, "_GRACE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 500:
                    connection.send(bytes([byte]))
                    time.sleep(0.02)

        threading.Thread(target=drip, daemon=True).start()
        monkeypatch.setenv("JOULEBOOK_MIRROR", f"http://127.0.0.1:{server.getsockname()[1]}")
        started = time.monotonic()
        assert "took over 0.3 s" in refused().problem
        assert time.monotonic() - started < 3


def test_silence_ends_too(loopback, monkeypatch):
    monkeypatch.setattr(http, "READ_TIMEOUT_S", 0.2)
    loopback.serve(URL, b"x", pause_s=2)
    assert "cannot be reached" in refused().problem


def test_nobody_listening_is_refused(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("JOULEBOOK_MIRROR", f"http://127.0.0.1:{port}")
    assert "cannot be reached (ConnectionError)" in refused().problem


@pytest.fixture
def no_request(monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a request left the machine")

    monkeypatch.setattr(requests.Session, "request", fail)


@pytest.mark.usefixtures("no_request")
@pytest.mark.parametrize("mirror", ["http://mirror.test", "http://127.0.0.1.mirror.test", "http://192.0.2.1:8080/"])
def test_a_mirror_without_https_must_be_on_loopback(monkeypatch, mirror):
    monkeypatch.setenv("JOULEBOOK_MIRROR", mirror)
    with pytest.raises(SourceError, match=r"JOULEBOOK_MIRROR: .* is plain http and not on loopback"):
        Web(sleep=lambda _: None).take("a_source", URL, 1000)


@pytest.mark.usefixtures("no_request")
@pytest.mark.parametrize("mirror", [None, ""])
def test_a_published_address_without_https_is_refused(monkeypatch, mirror):
    if mirror is not None:
        monkeypatch.setenv("JOULEBOOK_MIRROR", mirror)
    assert "is not https" in refused("http://published.test/file.csv").problem


@pytest.mark.parametrize(
    ("mirror", "address"),
    [
        ("", URL),
        ("https://mirror.test", f"https://mirror.test/{PATH}"),
        ("https://mirror.test/kept/", f"https://mirror.test/kept/{PATH}"),
        ("http://localhost:8080", f"http://localhost:8080/{PATH}"),
        ("http://[::1]:8080", f"http://[::1]:8080/{PATH}"),
    ],
)
def test_a_mirror_has_host_and_path_below_it(monkeypatch, mirror, address):
    monkeypatch.setenv("JOULEBOOK_MIRROR", mirror)
    assert http.mirrored(URL) == address


class Clock:
    """A clock that only sleeping moves; it keeps what was slept."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if seconds > http.PAUSE_BETWEEN_REQUESTS_S:
            self.slept.append(seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def web(clock):
    return Web(sleep=clock.sleep, clock=clock)


def test_what_may_pass_is_tried_again_with_growing_pauses(loopback, web, clock):
    loopback.serve(URL, b"at last")
    loopback.serve_in_turn(URL, 503, 502)
    assert web.take("a_source", URL, 1000).content == b"at last"
    assert clock.slept == [http.FIRST_PAUSE_S, 2 * http.FIRST_PAUSE_S]


def test_retry_after_is_honoured(loopback, web, clock):
    loopback.serve(URL, b"at last")
    loopback.serve_in_turn(URL, 429, **{"Retry-After": "3"})
    assert web.take("a_source", URL, 1000).content == b"at last"
    assert clock.slept == [3.0]


def test_a_date_beyond_all_calendars_in_retry_after_is_no_date(loopback, web):
    loopback.serve(URL, b"at last")
    loopback.serve_in_turn(URL, 503, **{"Retry-After": "Mon, 01 Jan 99999999999 00:00:00 GMT"})
    assert web.take("a_source", URL, 100).content == b"at last"


def test_a_host_that_asks_for_an_hour_is_not_waited_for(loopback, web, clock):
    loopback.serve(URL, b"", status=503, headers={"Retry-After": "3600"})
    with pytest.raises(SourceError, match="answered HTTP 503"):
        web.take("a_source", URL, 1000)
    assert clock.slept == []
    assert len(loopback.requests) == 1


def test_what_will_not_pass_is_asked_once(loopback, web):
    with pytest.raises(SourceError, match="answered HTTP 404"):
        web.take("a_source", URL, 1000)
    assert len(loopback.requests) == 1


def test_a_host_that_failed_twice_is_left_alone_and_others_are_not(loopback, web):
    for name in ("a", "b", "c"):
        loopback.serve(f"https://broken.test/{name}", b"", status=500)
    loopback.serve("https://well.test/file", b"well")
    for name in ("a", "b"):
        with pytest.raises(SourceError, match="answered HTTP 500"):
            web.take(name, f"https://broken.test/{name}", 1000)
    asked = len(loopback.requests)
    with pytest.raises(SourceError, match=r"not asked: broken\.test failed 2 times"):
        web.take("c", "https://broken.test/c", 1000)
    assert len(loopback.requests) == asked == 2 * http.ATTEMPTS
    assert web.take("d", "https://well.test/file", 1000).content == b"well"


def test_files_that_are_gone_do_not_speak_against_their_host(loopback, web):
    for name in ("a", "b", "c"):
        with pytest.raises(SourceError, match="answered HTTP 404"):
            web.take(name, f"https://well.test/{name}", 1000)
    loopback.serve("https://well.test/file", b"well")
    assert web.take("d", "https://well.test/file", 1000).content == b"well"


def test_a_dead_network_costs_seconds(monkeypatch, clock):
    class Dead(requests.Session):
        def get(self, *_: object, **__: object) -> requests.Response:
            clock.now += 20  # a time-out
            raise requests.ConnectTimeout

    web = Web(sleep=clock.sleep, clock=clock, _session=Dead())
    for i in range(50):
        with pytest.raises(SourceError):
            web.take("a_source", f"https://host-{i}.test/file", 1000)
    assert clock.now < 2 * http.FAILURE_BUDGET_S


def test_only_hosts_of_the_catalogue_are_asked(loopback):
    web = Web(frozenset({"published.test"}))
    loopback.serve(URL, b"here")
    assert web.take("a_source", URL, 1000).content == b"here"
    with pytest.raises(SourceError, match="not in the catalogue"):
        web.take("a_source", "https://elsewhere.test/file", 1000)
    assert len(loopback.requests) == 1
