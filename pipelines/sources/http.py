"""Taking published files over HTTP, politely: https only, no redirect elsewhere, size limits, deadlines, few retries.

A `Web` is one run's dealings with all hosts: it asks for a url once, waits between requests to a host, leaves a host
alone that failed twice, and stops asking altogether when failures have cost too much time, so that a dead network costs
seconds.
JOULEBOOK_MIRROR (air-gapped sites, tests) rewrites https://HOST/PATH to MIRROR/HOST/PATH; plain http is accepted for a
mirror on loopback only. What the bytes mean does not belong here.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

import requests
import urllib3

from pipelines.sources.errors import GoneError, SourceError, UnansweredError

USER_AGENT = "joulebook/0.1 (energy per query of published LLM benchmarks; polite, conditional requests)"
CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 10
TOTAL_DEADLINE_S = 30
FAILURE_BUDGET_S = 45
"""What failures may cost a run in all; then the rest is served from what was accepted before."""
ATTEMPTS = 3
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8
PAUSE_BETWEEN_REQUESTS_S = 0.05
FAILURES_UNTIL_LEFT_ALONE = 2
CHUNK_BYTES = 64 * 1024
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
WORTH_ANOTHER_TRY = {429, 500, 502, 503, 504}
GONE = {404, 410}
_GRACE_S = 0.5
"""What a request may take beyond its deadline to say so itself."""
_SERVED = "The last accepted figures are served."


@dataclass(frozen=True)
class Answer:
    """What a url answered: `content` is None for 304, the bytes we already have."""

    status: int
    content: bytes | None
    etag: str | None
    last_modified: str | None


class _TryAgainError(Exception):
    """An attempt that failed in a way that may pass; `pause_s` is what the host asked for."""

    def __init__(self, problem: str, pause_s: float | None = None):
        super().__init__(problem)
        self.problem, self.pause_s = problem, pause_s


class _HostError(UnansweredError):
    """A failure that speaks against the host, not against the one file: a time-out, no connection, 429, 5xx."""


@dataclass
class _Host:
    """What a run knows of one host."""

    asked_at: float = float("-inf")
    failures: int = 0


@dataclass
class Web:
    """One run's requests. `hosts_allowed` are those of the catalogue; None allows any (tests of single urls)."""

    hosts_allowed: frozenset[str] | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _hosts: dict[str, _Host] = field(default_factory=dict)
    _answers: dict[tuple[str, str | None, str | None], Answer] = field(default_factory=dict)
    _failed_s: float = 0.0
    _session: requests.Session = field(default_factory=requests.Session)

    def take(
        self, source_id: str, url: str, max_bytes: int, etag: str | None = None, last_modified: str | None = None
    ) -> Answer:
        """GET `url`, conditionally where `etag` or `last_modified` is known. Raises SourceError, the url as place."""
        asked = (url, etag, last_modified)
        if asked in self._answers:
            return self._answers[asked]
        host = self._host_of(source_id, url)
        headers = {"User-Agent": USER_AGENT}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        started = self.clock()
        try:
            answer = self._attempts(source_id, url, host, headers, max_bytes, started)
        except _HostError:
            host.failures += 1
            self._failed_s += self.clock() - started
            raise
        host.failures = 0
        self._answers[asked] = answer
        return answer

    def _host_of(self, source_id: str, url: str) -> _Host:
        parts = urlsplit(url)
        if parts.scheme != "https":
            raise SourceError(source_id, url, "is not https", "Edit the url in assets/sources.yaml.")
        if self.hosts_allowed is not None and parts.netloc not in self.hosts_allowed:
            raise SourceError(source_id, url, "is at a host that is not in the catalogue", "Edit assets/sources.yaml.")
        host = self._hosts.setdefault(parts.netloc, _Host())
        if host.failures >= FAILURES_UNTIL_LEFT_ALONE:
            raise UnansweredError(source_id, url, f"not asked: {parts.netloc} failed {host.failures} times", _SERVED)
        if self._failed_s > FAILURE_BUDGET_S:
            problem = f"not asked: failing hosts have cost this run {self._failed_s:.0f} s"
            raise UnansweredError(source_id, url, problem, _SERVED)
        return host

    def _attempts(
        self, source_id: str, url: str, host: _Host, headers: dict[str, str], max_bytes: int, started: float
    ) -> Answer:
        pause, problem = FIRST_PAUSE_S, ""
        for attempt in range(1, ATTEMPTS + 1):
            self.sleep(max(0.0, host.asked_at + PAUSE_BETWEEN_REQUESTS_S - self.clock()))
            host.asked_at = self.clock()
            try:
                return self._ask_in_time(source_id, url, headers, max_bytes, started)
            except _TryAgainError as failed:
                problem = failed.problem
                wait = pause if failed.pause_s is None else failed.pause_s
            out_of_time = self.clock() + wait - started > TOTAL_DEADLINE_S
            if attempt == ATTEMPTS or wait > LONGEST_PAUSE_S or out_of_time:
                break
            self.sleep(wait)
            pause *= 2
        raise _HostError(source_id, url, problem, _SERVED)

    def _ask_in_time(self, source_id: str, url: str, headers: dict[str, str], max_bytes: int, started: float) -> Answer:
        """As _ask, given up at the deadline whatever the host does: headers that drip never end a read."""
        found: list[Answer | Exception] = []

        def ask() -> None:
            try:
                found.append(self._ask(source_id, url, headers, max_bytes, started))
            except Exception as error:
                found.append(error)

        worker = threading.Thread(target=ask, daemon=True)
        worker.start()
        worker.join(TOTAL_DEADLINE_S - (self.clock() - started) + _GRACE_S)
        if not found:
            self._session = requests.Session()  # the other is still in the worker's hands
            raise _HostError(source_id, url, f"took over {TOTAL_DEADLINE_S} s", _SERVED)
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]

    def _ask(self, source_id: str, url: str, headers: dict[str, str], max_bytes: int, started: float) -> Answer:
        try:
            with self._session.get(
                mirrored(url),
                headers=headers,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                stream=True,
                allow_redirects=False,
            ) as response:
                return self._answer(source_id, url, response, headers, max_bytes, started)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise _TryAgainError(f"cannot be reached ({type(error).__name__})") from error

    def _answer(
        self,
        source_id: str,
        url: str,
        response: requests.Response,
        headers: dict[str, str],
        max_bytes: int,
        started: float,
    ) -> Answer:
        status = response.status_code
        etag, last_modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
        if status == requests.codes.not_modified and len(headers) > 1:
            return Answer(status, None, etag, last_modified)
        if status in WORTH_ANOTHER_TRY:
            raise _TryAgainError(f"answered HTTP {status}", _retry_after_s(response.headers.get("Retry-After")))
        if status != requests.codes.ok:
            remedy = f"{_SERVED[:-1]}; if it persists, edit the url in assets/sources.yaml."
            kind = GoneError if status in GONE else SourceError
            raise kind(source_id, url, f"answered HTTP {status}, expected 200", remedy)
        return Answer(status, self._read(source_id, url, response, max_bytes, started), etag, last_modified)

    def _read(self, source_id: str, url: str, response: requests.Response, max_bytes: int, started: float) -> bytes:
        content = bytearray()
        # read1 returns what has come: iter_content would wait for a whole chunk, and a byte a second never meet a
        # deadline
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
            content += chunk
            if len(content) > max_bytes:
                remedy = "Raise max_bytes in assets/sources.yaml if meant."
                raise SourceError(source_id, url, f"is larger than {max_bytes} bytes", remedy)
            if self.clock() - started > TOTAL_DEADLINE_S:
                raise _HostError(source_id, url, f"took over {TOTAL_DEADLINE_S} s", _SERVED)
        return bytes(content)


def mirrored(url: str) -> str:
    """The address to ask for `url`: itself, or its place on JOULEBOOK_MIRROR."""
    mirror = os.environ.get("JOULEBOOK_MIRROR", "").rstrip("/")
    if not mirror:
        return url
    parts = urlsplit(mirror)
    if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in LOOPBACK):
        raise SourceError(
            "JOULEBOOK_MIRROR", mirror, "is plain http and not on loopback", "Use https, or a mirror on 127.0.0.1."
        )
    asked = urlsplit(url)
    path = quote(asked.path, safe="/%+")
    return f"{mirror}/{asked.netloc}{path}" + (f"?{asked.query}" if asked.query else "")


def _retry_after_s(printed: str | None) -> float | None:
    """Seconds that a Retry-After header asks for: a number, or a date; None where it says neither."""
    if printed is None:
        return None
    if printed.strip().isdecimal():
        return float(printed)
    try:
        return max(0.0, parsedate_to_datetime(printed).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
