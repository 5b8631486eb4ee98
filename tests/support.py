"""What several test modules use: the command line as a process, a server on loopback, the mirror of published files."""

import contextlib
import csv
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipelines.sources.bundles import pack
from pipelines.sources.catalogue import REPOSITORY, Document, Source
from pipelines.sources.errors import SourceError
from pipelines.sources.intake import Parse, parse_document

FIXTURES = REPOSITORY / "tests" / "fixtures"
MIRROR = REPOSITORY.parent / "shared" / "mirror"
"""Raw copies of the published files, where a developer has them. They are never part of the repository."""


def joulebook(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run the command as a person does, from a folder that is not the repository."""
    command = Path(sys.executable).with_name("joulebook")
    return subprocess.run(
        [str(command), *arguments, "--home", str(home)],
        env={**os.environ, "NO_COLOR": "1", **environment},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def refusal(parse: Parse, content: bytes, source: Source, document: Document) -> SourceError:
    """The one error that the parser of `source` raises on `content`; any other exception fails the test."""
    with pytest.raises(SourceError) as caught:
        parse_document(parse, content, source, document, "0" * 64)
    assert caught.value.source_id == source.source_id
    return caught.value


def mirror_index() -> list[dict[str, str]]:
    """The rows of the mirror's index; the test is skipped, and says so, where there is no mirror."""
    path = MIRROR / "index.csv"
    if not path.exists():
        pytest.skip("the mirror of published files is not beside this clone")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def newest_mirrored(url: str) -> dict[str, str]:
    """The newest revision of a live URL: its row of the index."""
    return max((row for row in mirror_index() if row["live_url"] == url), key=lambda row: row["as_of"])


def mirrored_bytes(document: Document) -> bytes:
    """The newest published bytes of a document, as a live take has them; pinned files lie at their own path."""
    rows = mirror_index()
    if document.files is None:
        return _mirrored_file(document.place, rows)
    return pack({path: _mirrored_file(document.place + path, rows) for path in document.paths}, "mirror")


def _mirrored_file(url: str, rows: list[dict[str, str]]) -> bytes:
    revisions = [row for row in rows if row["live_url"] == url]
    if revisions:
        return (MIRROR / max(revisions, key=lambda row: row["as_of"])["path"]).read_bytes()
    return (MIRROR / url.removeprefix("https://")).read_bytes()


@dataclass
class Reply:
    """What the server answers for a path. `declared_bytes` lies about the length, `pause_s` waits before each byte."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    declared_bytes: int | None = None
    pause_s: float = 0


class Loopback:
    """A real HTTP server on a free port of 127.0.0.1; 404 for what it was given no reply for."""

    def __init__(self):
        self.replies: dict[str, Reply] = {}
        self.first: dict[str, list[Reply]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Loopback":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve_in_turn(self, url: str, *statuses: int, **headers: str) -> None:
        """Before the reply that `url` has, answer it with these statuses, one a request."""
        self.first[url.removeprefix("https://")] = [Reply(b"", status, dict(headers)) for status in statuses]

    def serve(self, url: str, body: bytes, **others: object) -> None:
        """Answer `url` (https://HOST/PATH, as in the catalogue) with `body`."""
        self.replies[url.removeprefix("https://")] = Reply(body, **others)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replies, requests, first = self.replies, self.requests, self.first

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                path = self.path.lstrip("/")
                requests.append((path, dict(self.headers)))
                reply = first[path].pop(0) if first.get(path) else replies.get(path, Reply(b"nothing here", 404))
                etag = reply.headers.get("ETag")
                if etag and self.headers.get("If-None-Match") == etag:
                    reply = Reply(status=304, headers=reply.headers)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.status != 304:
                    self.send_header("Content-Length", str(reply.declared_bytes or len(reply.body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # the client may have had enough
                    for part in _parts(reply):
                        self.wfile.write(part)
                        self.wfile.flush()

        return Handler


def _parts(reply: Reply) -> Iterator[bytes]:
    if not reply.pause_s:
        yield reply.body
        return
    for i in range(len(reply.body)):
        time.sleep(reply.pause_s)
        yield reply.body[i : i + 1]
