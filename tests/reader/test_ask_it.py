"""The commands that README.md shows give an answer."""

import shlex

import pytest

from tests.docs.pages import shell_lines

WRITING = ("refresh", "ui", "tag", "untag", "prune")
OF_TWO_RELEASES = ("changes",)
"""The book of the tests has one."""
SHOWN = [
    words
    for line in shell_lines("README.md")
    if (words := shlex.split(line))[:1] == ["joulebook"]
    and len(words) > 1
    and words[1] not in (*WRITING, *OF_TWO_RELEASES)
]


def test_all_reading_commands_are_shown():
    shown = {words[1] for words in SHOWN}
    assert {"estimate", "explain", "compare", "fleet", "models", "accelerators", "workloads", "sources"} <= shown


@pytest.mark.parametrize("words", [words for words in SHOWN if len(words) > 2], ids=" ".join)
def test_command_answers(run, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # what a command writes is not for the repository
    done = run(*words[1:])
    assert done.exit_code == 0, done.output
    assert done.stdout
