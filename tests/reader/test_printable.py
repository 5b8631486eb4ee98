"""What sources wrote does not reach the terminal as commands, and JSON stays JSON."""

import json
import shutil

import duckdb
import pytest

from pipelines.home import FILE_NAME
from pipelines.reader.errors import ReaderError
from pipelines.reader.printable import escaped, printable
from pipelines.reader.show import show_json

WILD = "a\x1b[31mred\x07\x9b2J\u202eb"


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("command", ["estimate", "explain", "sources"])
def test_control_characters_of_a_source_are_not_printed(run, book, tmp_path, terminal, command, monkeypatch):
    shutil.copy(book / FILE_NAME, tmp_path / FILE_NAME)
    with duckdb.connect(str(tmp_path / FILE_NAME)) as changed:
        changed.execute("update sources set publisher = $1, licence = $1, source_title = $1, url = $1", [WILD])
        changed.execute("update serving_measurements set caveat = $1", [WILD])
    monkeypatch.setattr("pipelines.reader.show.is_terminal", lambda: terminal)
    monkeypatch.setenv("COLUMNS", "200")
    words = () if command == "sources" else ("llama-3.1-405b",)
    done = run(command, *words, home=tmp_path)
    assert done.exit_code == 0, done.output
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.stdout)
    assert "a\ufffd[31mred" in done.stdout


def test_breaks_become_spaces():
    assert printable("a\n\tb\r\x85c") == "a b c"


def test_json_says_the_same_with_controls_escaped():
    text = json.dumps({"a": WILD}, ensure_ascii=False)
    assert json.loads(escaped(text)) == {"a": WILD}
    assert not {"\x9b", "\u202e"} & set(escaped(text))


def test_json_holds_no_number_without_end():
    with pytest.raises(ReaderError, match="without end"):
        show_json({"a": float("inf")})


def test_an_error_repeats_no_escape_sequence(run):
    done = run("estimate", "x\x9b2J\x07")
    assert done.exit_code == 2
    assert not {"\x9b", "\x07"} & set(done.stderr)
