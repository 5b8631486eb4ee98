"""Taking one published file over HTTP: https only, no redirect elsewhere, a size limit, deadlines.

JOULEBOOK_MIRROR (air-gapped sites, tests) rewrites https://HOST/PATH to MIRROR/HOST/PATH; plain http is accepted
for a mirror on loopback only. What the bytes mean does not belong here.
"""

import os
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3

from pipelines.sources.errors import SourceError

USER_AGENT = "joulebook/0.1 (energy per query of published LLM benchmarks; polite, conditional requests)"
CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 15
TOTAL_DEADLINE_S = 60
CHUNK_BYTES = 64 * 1024
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Answer:
    """What a url answered: `content` is None for 304, the bytes we already have."""

    status: int
    content: bytes | None
    etag: str | None
    last_modified: str | None


def mirrored(url: str) -> str:
    """The address to ask for `url`: itself, or its place on JOULEBOOK_MIRROR."""
    mirror = os.environ.get("JOULEBOOK_MIRROR", "").rstrip("/")
    if not mirror:
        return url
    parts = urlsplit(mirror)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise SourceError(
            "JOULEBOOK_MIRROR", mirror, "is plain http and not on loopback", "Use https, or a mirror on 127.0.0.1."
        )
    asked = urlsplit(url)
    return f"{mirror}/{asked.netloc}{asked.path}" + (f"?{asked.query}" if asked.query else "")


def take(source_id: str, url: str, max_bytes: int, etag: str | None = None, last_modified: str | None = None) -> Answer:
    """GET `url`, conditionally where `etag` or `last_modified` is known. Raises SourceError with the url as place."""
    headers = {"User-Agent": USER_AGENT}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    address = mirrored(url)
    if urlsplit(address).scheme != "https" and not os.environ.get("JOULEBOOK_MIRROR"):
        raise SourceError(source_id, url, "is not https", "Edit the url in assets/sources.yaml.")
    started = time.monotonic()
    try:
        with requests.get(
            address,
            headers=headers,
            timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
            stream=True,
            allow_redirects=False,
        ) as response:
            conditional = bool(etag or last_modified)
            return _answer(source_id, url, response, max_bytes, started, conditional=conditional)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise SourceError(
            source_id, url, f"cannot be reached ({type(error).__name__})", "The last accepted figures are served."
        ) from error


def _answer(
    source_id: str, url: str, response: requests.Response, max_bytes: int, started: float, *, conditional: bool
) -> Answer:
    etag, last_modified = response.headers.get("ETag"), response.headers.get("Last-Modified")
    if response.status_code == requests.codes.not_modified and conditional:
        return Answer(response.status_code, None, etag, last_modified)
    if response.status_code != requests.codes.ok:
        remedy = "The last accepted figures are served; if it persists, edit the url in assets/sources.yaml."
        raise SourceError(source_id, url, f"answered HTTP {response.status_code}, expected 200", remedy)
    content = _read_limited(source_id, url, response, max_bytes, started)
    return Answer(response.status_code, content, etag, last_modified)


def _read_limited(source_id: str, url: str, response: requests.Response, max_bytes: int, started: float) -> bytes:
    content = bytearray()
    # read1 returns what has come: iter_content would wait for a whole chunk, and a byte a second never meet a deadline
    while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
        content += chunk
        if len(content) > max_bytes:
            raise SourceError(
                source_id, url, f"is larger than {max_bytes} bytes", "Raise max_bytes in assets/sources.yaml if meant."
            )
        if time.monotonic() - started > TOTAL_DEADLINE_S:
            raise SourceError(
                source_id, url, f"took over {TOTAL_DEADLINE_S} s", "The last accepted figures are served."
            )
    return bytes(content)
