"""What all tests share: one book made offline, the catalogue, a loopback server. No other network is touched."""

import os
from pathlib import Path

import pytest

from pipelines.sources.catalogue import Source, load_catalogue
from tests.support import Loopback, joulebook


@pytest.fixture(scope="session", autouse=True)
def own_environment():
    """A mirror, home or proxy of the person who runs the tests must not decide how they end."""
    patch = pytest.MonkeyPatch()
    for name in list(os.environ):
        if name.startswith(("JOULEBOOK_", "DAGSTER_")) or name.lower().endswith("_proxy"):
            patch.delenv(name)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def book(tmp_path_factory) -> Path:
    """The home of one offline refresh, run once for all tests. Read only: copy it to change it."""
    home = tmp_path_factory.mktemp("book")
    done = joulebook(home, "refresh", "--offline")
    assert done.returncode == 0, done.stdout + done.stderr
    return home


@pytest.fixture(scope="session")
def catalogue() -> dict[str, Source]:
    return load_catalogue()


@pytest.fixture
def loopback(monkeypatch):
    """A server on 127.0.0.1 that answers for every published file: `loopback.replies["host/path"] = Reply(...)`."""
    with Loopback() as server:
        monkeypatch.setenv("JOULEBOOK_MIRROR", server.address)
        yield server
