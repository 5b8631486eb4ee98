"""The published file of the session's book, open, and the command line on it."""

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.home import FILE_NAME
from pipelines.reader.book import Book


@pytest.fixture(scope="module")
def opened(book):
    with Book(book / FILE_NAME) as found:
        yield found


@pytest.fixture
def run(book):
    """`run("estimate", "llama-3.1-405b")`: the command in this process, on the session's book or another home."""

    def call(*words: str, home=book) -> Result:
        return CliRunner().invoke(main, [*words, "--home", str(home)], catch_exceptions=False)

    return call
