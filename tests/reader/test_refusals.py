"""What cannot be answered is one line with the next step and exit code 2: no traceback, no guess."""

import shutil
import subprocess
import sys

import duckdb
import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.home import FILE_NAME

MODEL = "llama-3.1-405b"
LENGTHS = ("--input-tokens", "500", "--output-tokens", "300")
READING = [
    ("estimate", MODEL), ("explain", MODEL), ("compare", MODEL, MODEL), ("fleet", "--queries", "1e9"), ("models",),
    ("accelerators",), ("workloads",), ("sources",), ("estimate", MODEL, "--on", "all"),
    ("sql", "FROM energy_per_query_default"),
]  # fmt: skip


def refused(done):
    """The one line of a refusal."""
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("estimate", "llama-3.1-405"), "did you mean llama-3.1-405b"),
        (("estimate", "Llama-3.1-405"), "did you mean llama-3.1-405b"),
        (("estimate", "zzzz"), "joulebook models lists all"),
        (("estimate", MODEL, "--on", "H100"), "did you mean h100-sxm? "),
        (("estimate", MODEL, "--on", "a100"), "did you mean a100-sxm"),
        (("estimate", MODEL, "--region", "united"), "did you mean "),
        (("estimate", MODEL, "--region", "us-east-1"), "gsf_cloud_regions, which this file lacks"),
        (("estimate", MODEL, "--load", "1e-320"), "from 0.01 up to 1"),
        (("compare", MODEL, MODEL, "--load", "1e-9"), "from 0.01 up to 1"),
        (("fleet", "--queries", "1e9", "--load", "1e-9"), "from 0.01 up to 1"),
        (("estimate",), "Missing argument 'MODEL': main estimate --help"),
        (("estimate", MODEL, "--input-tokens", "1e3"), "not a valid integer"),
        (("estimate", MODEL, "--boundary", "GPU"), "is not one of"),
        (("estimate", MODEL, "--nonsense"), "No such option"),
        (("nonsense",), "No such"),
        (("tag", "1", ""), "give a word, such as paper"),
        (("tag", "1", "a\x1b[2J"), "give a word, such as paper"),
        (("estimate", MODEL, "--on", "all", "--input-tokens", "500", "--output-tokens", "9999999"), "ask for at most"),
        (("estimate", "llama-3.1-405", "--on", "all"), "did you mean llama-3.1-405b"),
        (("explain", MODEL, "--on", "all"), "no accelerator 'all'"),
        (("sql", "FROM nonsense"), "does not exist! "),
        (("sql", "SELECT nonsense FROM models"), "not found in FROM clause"),
        (("sql", "SELEC 1"), "syntax error"),
        (("sql", "COPY models TO 'models.csv'"), "only to read"),
        (("sql", "DROP TABLE models"), "only to read"),
        (("sql", "FROM models; FROM models"), "one query at a time"),
        (("sql", " "), "no query"),
        (("sql", "FROM energy_of('llama', 500, 300)"), "error: energy_of: no fit of llama"),
        (("estimate", MODEL, "--on", "a100-sxm-80gb"), "it has on"),
        (("estimate", MODEL, "--workload", "traditonal"), "did you mean traditional"),
        (("estimate", MODEL, "--region", "Swedn"), "did you mean SWE (Sweden)"),
        (("estimate", MODEL, "--region", "Atlantis"), "ISO3 code"),
        (("estimate", MODEL, "--load", "0"), "from 0.01 up to 1"),
        (("estimate", MODEL, "--load", "1.2"), "from 0.01 up to 1"),
        (("estimate", MODEL, "--load", "nan"), "from 0.01 up to 1"),
        (("estimate", MODEL, "--input-tokens", "500"), "give --output-tokens too"),
        (("estimate", MODEL, "--output-tokens", "500"), "give --input-tokens too"),
        (("estimate", MODEL, "--cached-tokens", "5"), "give --input-tokens and --output-tokens too"),
        (("estimate", MODEL, "--input-tokens", "-5", "--output-tokens", "300"), "give at least 1"),
        (("estimate", MODEL, "--input-tokens", "500", "--output-tokens", "0"), "give at least 1"),
        (("estimate", MODEL, "--input-tokens", "1000000", "--output-tokens", "300"), "ask for at most 200000"),
        (("estimate", MODEL, "--input-tokens", "500", "--output-tokens", "1000000"), "ask for at most 40960"),
        (("estimate", MODEL, *LENGTHS, "--cached-tokens", "501"), "give 0 to 500"),
        (("estimate", MODEL, *LENGTHS, "--workload", "traditional"), "has its own lengths"),
        (("estimate", MODEL, "--method", "oviedo2026", "--boundary", "gpu"), "ask for node or facility"),
        (("estimate", MODEL, "--method", "oviedo2026", "--load", "0.5"), "leave out --load"),
        (("estimate", MODEL, "--method", "oviedo2026", *LENGTHS, "--cached-tokens", "5"), "ask for serving-time"),
        (("explain", "0123456789ab"), "joulebook estimate prints one"),
        (("explain", "llama-3.1-405"), "did you mean llama-3.1-405b"),
        (("explain", MODEL, "--region", "Swedn"), "did you mean SWE (Sweden)"),
        (("compare", MODEL, f"{MODEL}@h100"), "did you mean"),
        (("fleet", "--queries", "0"), "queries a day"),
        (("fleet", "--queries", "nan"), "queries a day"),
        (("fleet", "--queries", "1e9", "--long-share", "1.1"), "a share from 0 to 1"),
        (("fleet", "--queries", "1e9", "--load", "0"), "from 0.01 up to 1"),
        (("fleet", "--queries", "1e9", "--region", "Swedn"), "did you mean SWE (Sweden)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_question_that_cannot_be_answered(run, words, says):
    assert says in refused(run(*words))


def test_a_model_without_usable_benchmarks_is_not_called_misspelt(run, opened):
    (row,) = opened.rows(
        "select model_id from models where model_id not in (select model_id from energy_per_query) order by 1 limit 1"
    )
    assert "has no benchmark that method serving-time can use" in refused(run("estimate", row["model_id"]))


def test_an_estimate_id_goes_alone(run, opened):
    (row,) = opened.rows("select estimate_id from energy_per_query limit 1")
    assert "leave the other options out" in refused(run("explain", row["estimate_id"], "--load", "0.5"))


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_nothing_published_yet(run, words, tmp_path):
    assert "does not exist: run joulebook refresh --offline first" in refused(run(*words, home=tmp_path))


@pytest.mark.parametrize("words", READING, ids=" ".join)
@pytest.mark.parametrize("damage", ["noise", "empty", "cut"])
def test_a_damaged_file(run, words, damage, book, tmp_path):
    whole = (book / FILE_NAME).read_bytes() if damage == "cut" else b""
    content = {"noise": b"no database " * 1000, "empty": b"", "cut": whole[: len(whole) // 3]}[damage]
    (tmp_path / FILE_NAME).write_bytes(content)
    line = refused(run(*words, home=tmp_path))
    assert "cannot be read" in line
    assert "delete it and run joulebook refresh" in line


@pytest.mark.parametrize(
    "change",
    [
        "drop table default_configurations",
        "alter table energy_per_query drop column estimate_id",
        "alter table serving_fits drop column longest_input_tokens",
        "delete from assumptions where assumption_id = 'impacts.wue_l_per_kwh'",
    ],
)
def test_a_file_of_an_older_version(run, change, book, tmp_path):
    shutil.copy(book / FILE_NAME, tmp_path / FILE_NAME)
    with duckdb.connect(str(tmp_path / FILE_NAME)) as changed:
        changed.execute(change)
    line = refused(run("estimate", MODEL, home=tmp_path))
    assert "was made by another version of joulebook" in line
    assert "run joulebook refresh" in line


def test_reading_imports_neither_dagster_nor_great_expectations_nor_scipy(book, opened):
    (of_trace,) = opened.rows(
        "select estimate_id from energy_per_query where method = 'oviedo2026' and workload_id = 'mooncake-conversation'"
        " order by 1 limit 1"
    )
    commands = [*READING, ("estimate", MODEL, *LENGTHS), ("explain", of_trace["estimate_id"])]
    code = f"""
import sys
from click.testing import CliRunner
from pipelines.cli import main
for words in {commands!r}:
    done = CliRunner().invoke(main, [*words, "--home", {str(book)!r}])
    assert done.exit_code == 0, done.output
    heavy = {{"dagster", "great_expectations", "scipy", "polars", "pandas", "pyarrow", "assets"}} & set(sys.modules)
    assert not heavy, (words, heavy)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_a_file_that_is_being_written_is_not_called_broken(run, book, tmp_path):
    shutil.copy(book / FILE_NAME, tmp_path / FILE_NAME)
    code = f"import duckdb; c = duckdb.connect({str(tmp_path / FILE_NAME)!r}); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as one:
        assert one.stdout.readline() == "open\n"
        line = refused(run("models", home=tmp_path))
        one.communicate("\n")
    assert f"(PID {one.pid})" in line
    assert "close it there" in line
    assert "delete" not in line


@pytest.mark.parametrize(
    "change",
    [
        "delete from sources",
        "delete from models where model_id = 'llama-3.1-405b'",
        "delete from accelerators where accelerator_id = 'h100-sxm'",
    ],
)
def test_explain_of_a_file_that_lost_rows(run, change, book, tmp_path):
    shutil.copy(book / FILE_NAME, tmp_path / FILE_NAME)
    with duckdb.connect(str(tmp_path / FILE_NAME)) as changed:
        changed.execute(change)
    assert "run joulebook refresh" in refused(run("explain", MODEL, home=tmp_path))


def completed(book, *words):
    environment = {
        "_JOULEBOOK_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["joulebook", *words]),
        "COMP_CWORD": str(len(words)), "JOULEBOOK_HOME": str(book),
    }  # fmt: skip
    done = CliRunner().invoke(main, prog_name="joulebook", env=environment, catch_exceptions=False)
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_ids_are_completed_from_the_file(book):
    assert completed(book, "estimate", "llama-3.1-4") == [MODEL]
    on = completed(book, "estimate", MODEL, "--on", "h")
    assert on == ["h100-sxm", "h200-sxm"]
    assert "all" in completed(book, "estimate", MODEL, "--on", "a")
    assert completed(book, "estimate", MODEL, "--workload", "test") == ["test-time"]
    assert completed(book, "estimate", MODEL, "--region", "swe") == ["SWE", "Sweden"]
    assert completed(book, "compare", MODEL, f"{MODEL}@b2") == [f"{MODEL}@b200-sxm"]
    assert completed(book, "fleet", "--model", "deepseek-r1-") == ["deepseek-r1-0528"]


def test_completion_is_silent_without_a_file(tmp_path):
    assert completed(tmp_path, "estimate", "llama") == []


def test_completion_is_there():
    done = CliRunner().invoke(
        main, prog_name="joulebook", env={"_JOULEBOOK_COMPLETE": "bash_source"}, catch_exceptions=False
    )
    assert "complete -o nosort -F _joulebook_completion joulebook" in done.stdout
