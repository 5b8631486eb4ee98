"""The one function for notebooks: frames as the file has them, and one line for what it has not."""

import shutil
import subprocess
import sys

import duckdb
import polars as pl
import pytest

from pipelines.home import FILE_NAME
from pipelines.reader.errors import ReaderError
from pipelines.reader.frames import table

MODEL = "llama-3.1-405b"


@pytest.fixture(autouse=True)
def home(book, monkeypatch):
    monkeypatch.setenv("JOULEBOOK_HOME", str(book))


def test_every_table_and_view_comes_as_the_file_has_it(book):
    listed = table("columns").filter(pl.col("kind") != "table macro")["table_name"].unique().sort()
    with duckdb.connect(str(book / FILE_NAME), read_only=True) as connection:
        for name in listed:
            assert table(name).equals(connection.sql(f"FROM {name}").pl()), name
    assert len(listed) > 40


def test_by_file_folder_or_home(book, tmp_path):
    expected = table("models")
    assert table("models", path=book).equals(expected)
    assert table("models", path=str(book / FILE_NAME)).equals(expected)
    renamed = tmp_path / "another.duckdb"
    shutil.copyfile(book / FILE_NAME, renamed)
    assert table("energy_of", MODEL, 500, 300, path=renamed).height == 3


def test_a_macro_takes_its_arguments():
    found = table("energy_of", MODEL, 500, 300, cached_tokens=100, load=0.5)
    assert found["boundary"].to_list() == ["gpu", "node", "facility"]
    assert found["energy_wh_per_query"].is_sorted()
    assert found.schema["energy_wh_per_query"] == pl.Float64
    every = table("energy_of", None, 500, 300)
    assert every["model_id"].n_unique() > 15


def test_an_earlier_release_by_number_or_tag(book):
    estimates = table("energy_per_query")
    earlier = table("energy_per_query", release=1)
    assert earlier.columns == estimates.columns
    assert earlier.sort("estimate_id")["estimate_id"].equals(estimates.sort("estimate_id")["estimate_id"])
    assert table("grids", release=1).height == table("grids").height


@pytest.mark.parametrize(
    ("arguments", "named", "says"),
    [
        (("model",), {}, "no table 'model': did you mean models"),
        (("models; drop table models",), {}, "no table"),
        (("models", 1), {}, "models is a table and takes no arguments"),
        (("energy_of", MODEL, 500, 300), {"lode": 1}, "energy_of has no argument lode: it has accelerator, cached"),
        (("energy_of", "llama", 500, 300), {}, "energy_of: no fit of llama, see model_id"),
        (("energy_of", MODEL, 500, 300), {"release": 1}, "energy_of is computed from the latest release"),
        (("models",), {"release": 99}, "no release 99"),
        (("columns",), {"release": 1}, "no table of a release 'columns'"),
        (("models",), {"path": "nowhere.duckdb"}, "nowhere.duckdb does not exist"),
        (("models",), {"release": True}, "no release True"),
        (("energy_of", 405, 500, 300), {}, "energy_of does not take these arguments: "),
        (("energy_of", MODEL), {}, "energy_of does not take these arguments: "),
        (("energy_of", MODEL, "long", 300), {}, "energy_of(model, input_tokens, output_tokens, cached_tokens := 0"),
    ],
)
def test_what_is_not_there_is_one_line(arguments, named, says):
    with pytest.raises(ReaderError) as refused:
        table(*arguments, **named)
    assert says in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_file_open_for_writing_in_the_same_program_is_not_called_broken(book, tmp_path):
    shutil.copyfile(book / FILE_NAME, tmp_path / FILE_NAME)
    with (
        duckdb.connect(str(tmp_path / FILE_NAME)),
        pytest.raises(ReaderError, match="open it there with read_only=True"),
    ):
        table("models", path=tmp_path)


def test_a_file_apart_from_its_releases_says_so(book, tmp_path):
    shutil.copyfile(book / FILE_NAME, tmp_path / FILE_NAME)
    with pytest.raises(ReaderError, match="releases lie beside the published file"):
        table("models", path=tmp_path, release=1)


def test_it_needs_neither_pandas_nor_the_machinery(book):
    code = (
        "import sys; from pipelines.reader.frames import table; table('models');"
        "print([name for name in ('pandas', 'dagster', 'great_expectations', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
