"""`joulebook export`: the package passes its official validators, is whole, holds nothing that may not be passed on.

Each validator is also seen to refuse a broken package. No look-up of a host works here: what needs one fails.
"""

import hashlib
import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import duckdb
import frictionless
import jsonschema
import mlcroissant
import pytest
import yaml
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.reader import export as export_module
from pipelines.reader.package import NAMES_A_SOURCE
from pipelines.reader.package_metadata import LICENCES
from pipelines.sources.catalogue import REPOSITORY, load_catalogue

FILE = "joulebook.duckdb"
CFF_SCHEMA = json.loads((REPOSITORY / "tests" / "schemas" / "cff-1.2.0.schema.json").read_text(encoding="utf-8"))
ROWS_VALIDATED = 300
"""Of each table: the validator takes over a minute for all rows."""
FEW_ROWS = 20
WITHHELD = "inferencex"
"""A source that may not be redistributed and has no row in a fresh home."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Any attempt to find a host fails."""

    def refuse(host, *_, **__):
        raise OSError(f"the test asked for {host}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: refuse(address))


def run(home: Path, folder: Path):
    """The command, in this process."""
    return CliRunner().invoke(main, ["export", str(folder), "--home", str(home)])


def export(home: Path, folder: Path) -> Path:
    done = run(home, folder)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def package(book, tmp_path_factory) -> Path:
    """The package of the session book. Read only."""
    return export(book, tmp_path_factory.mktemp("package") / "joulebook")


@pytest.fixture
def broken(package, tmp_path) -> Path:
    """A copy to break."""
    return shutil.copytree(package, tmp_path / "broken")


@pytest.fixture
def home(book, tmp_path) -> Path:
    """A home with a copy of the published file, to change."""
    place = tmp_path / "home"
    place.mkdir()
    shutil.copyfile(book / FILE, place / FILE)
    return place


def change(home: Path, *statements: str) -> None:
    with duckdb.connect(str(home / FILE)) as connection:
        for statement in statements:
            connection.execute(statement).fetchall()


def ask(query: str, *parameters: object) -> list[tuple]:
    with duckdb.connect() as connection:
        return connection.execute(query, parameters).fetchall()


def of_book(home: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(home / FILE), read_only=True) as connection:
        return connection.execute(query).fetchall()


def described(package: Path) -> dict:
    return json.loads((package / "datapackage.json").read_text(encoding="utf-8"))


def resources(package: Path) -> dict[str, dict]:
    return {resource["name"]: resource for resource in described(package)["resources"]}


def set_json(path: Path, *keys: object, value: object) -> None:
    whole = json.loads(path.read_text(encoding="utf-8"))
    inner = whole
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path.write_text(json.dumps(whole), encoding="utf-8")


def frictionless_report(package: Path, rows: int = ROWS_VALIDATED) -> frictionless.Report:
    return frictionless.validate(str(package / "datapackage.json"), limit_rows=rows)


def citation(package: Path) -> dict:
    return yaml.safe_load((package / "CITATION.cff").read_text(encoding="utf-8"))


# The official validators


def test_frictionless_validates_the_package(package):
    report = frictionless_report(package)
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "note"])
    assert {task.name for task in report.tasks} == set(resources(package))


def test_frictionless_refuses_a_value_outside_its_range(broken):
    path = broken / "data" / "accelerators.parquet"
    changed = path.with_name("changed.parquet")
    ask(f"copy (select * replace (-1.0 as tdp_w) from '{path}') to '{changed}'")
    changed.replace(path)
    (task,) = [task for task in frictionless_report(broken, FEW_ROWS).tasks if task.errors]
    assert task.name == "accelerators"
    assert {(error.type, error.field_name) for error in task.errors} == {("constraint-error", "tdp_w")}


def test_frictionless_refuses_a_package_with_a_key_that_is_not_one(broken):
    index = list(resources(broken)).index("headline")
    set_json(broken / "datapackage.json", "resources", index, "schema", "primaryKey", value=["boundary"])
    assert "primary-key" in {error for (error,) in frictionless_report(broken, FEW_ROWS).flatten(["type"])}


def test_mlcroissant_validates_and_reads_every_table(package):
    dataset = mlcroissant.Dataset(str(package / "croissant.json"))
    assert dataset.metadata.ctx.issues.errors == dataset.metadata.ctx.issues.warnings == set()
    assert {record_set.id for record_set in dataset.metadata.record_sets} == set(resources(package))


def test_mlcroissant_gives_the_records_of_the_book(package, book):
    dataset = mlcroissant.Dataset(str(package / "croissant.json"))
    columns = ("model_id", "workload_id", "method", "energy_wh_per_query_p50")
    read = {
        tuple(v.decode() if isinstance(v, bytes) else v for v in (record[f"headline/{name}"] for name in columns))
        for record in dataset.records("headline")
    }
    assert read == set(of_book(book, f"select {', '.join(columns)} from headline"))
    assert len(read) >= 16


def test_mlcroissant_refuses_a_field_of_a_file_that_is_not_there(broken):
    nowhere = {"fileObject": {"@id": "data/nowhere.parquet"}, "extract": {"column": "x"}}
    set_json(broken / "croissant.json", "recordSet", 0, "field", 0, "source", value=nowhere)
    with pytest.raises(mlcroissant.ValidationError, match=r"nowhere\.parquet"):
        mlcroissant.Dataset(str(broken / "croissant.json"))


def test_the_citation_follows_the_schema(package):
    cited = citation(package)
    jsonschema.validate(cited, CFF_SCHEMA)
    assert cited["version"] == described(package)["version"]


def test_the_schema_refuses_a_citation_without_authors(package):
    cited = citation(package)
    del cited["authors"]
    with pytest.raises(jsonschema.ValidationError, match="authors"):
        jsonschema.validate(cited, CFF_SCHEMA)


# What it says of its files


def test_hashes_and_sizes_are_those_of_the_files(package):
    by_croissant = {
        file["contentUrl"]: (file["sha256"], file["contentSize"])
        for file in json.loads((package / "croissant.json").read_text(encoding="utf-8"))["distribution"]
    }
    lying = {f"data/{path.name}": path.read_bytes() for path in (package / "data").iterdir()}
    assert by_croissant == {
        name: (hashlib.sha256(content).hexdigest(), f"{len(content)} B") for name, content in lying.items()
    }
    assert {r["path"]: r["sha256"] for r in resources(package).values()} == {
        name: sha256 for name, (sha256, _) in by_croissant.items()
    }


def test_fields_are_those_of_the_dictionary(package, book):
    listed = {
        (name, field["name"], field.get("unit"), field.get("constraints", {}).get("required", False))
        for name, resource in resources(package).items()
        for field in resource["schema"]["fields"]
    }
    columns = "select table_name, column_name, unit, not may_be_empty from main.columns where kind = 'table'"
    assert listed == set(of_book(book, columns))
    fields = {field["name"]: field for field in resources(package)["energy_per_query"]["schema"]["fields"]}
    assert fields["boundary"]["constraints"]["enum"] == ["gpu", "node", "facility"]
    assert fields["energy_wh_per_query_p50"]["constraints"]["minimum"] > 0
    assert fields["energy_wh_per_query_p50"]["description"].endswith("Unit: Wh.")
    assert fields["n_accelerators"]["constraints"] == {"required": True, "minimum": 0, "maximum": 10000}


def test_a_value_with_a_comma_stays_one(package):
    fields = {field["name"]: field for field in resources(package)["grids"]["schema"]["fields"]}
    assert "life-cycle, average of production" in fields["carbon_method"]["constraints"]["enum"]


def test_two_exports_are_the_same_bytes(package, book, tmp_path):
    again = export(book, tmp_path / "again")
    files = sorted(path.relative_to(package) for path in package.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert [path for path in files if (package / path).read_bytes() != (again / path).read_bytes()] == []


# Licences


def test_every_source_has_its_credit_licence_and_presence(package):
    text = (package / "ATTRIBUTION.md").read_text(encoding="utf-8")
    present = set()
    for source in load_catalogue().values():
        line = next(line for line in text.splitlines() if line.startswith(f"| [{source.source_id}]({source.homepage})"))
        assert f"| {source.title} | {source.publisher} |" in line
        assert f"[{source.licence.name}]({source.licence.url}) | {source.credit} |" in line
        if "| yes: " in line:
            assert source.licence.redistribution == "allowed"
            present.add(source.source_id)
    assert present == {source["source_id"] for source in described(package)["sources"]}
    assert {"trtllm_perf", "epoch_ml_hardware", "owid_carbon_intensity"} <= present


def test_licences_of_all_sources_in_it_are_stated_with_their_texts(package):
    names = {licence["name"] for licence in described(package)["licenses"]}
    used = {source["licenses"][0]["name"] for source in described(package)["sources"]}
    assert names == used | {"CC-BY-4.0"}
    assert {path.stem for path in (package / "licences").iterdir()} == used & {"Apache-2.0", "MIT", "BSD-3-Clause"}
    assert all(f"| {name} | https://" in (package / "LICENSES.md").read_text(encoding="utf-8") for name in used)


def test_every_source_that_may_be_passed_on_has_a_licence_that_was_read():
    """So that a new source does not stop the export of whoever comes next."""
    allowed = {s.licence.name for s in load_catalogue().values() if s.licence.redistribution == "allowed"}
    assert allowed - set(LICENCES) == set()


def test_a_licence_that_nobody_read_stops_the_export(home, tmp_path):
    change(home, "update main.sources set licence = 'CC-BY-SA-4.0' where source_id = 'trtllm_perf'")
    refused(run(home, tmp_path / "out"), "trtllm_perf", "'CC-BY-SA-4.0'", "pipelines/reader/package_metadata.py")
    assert not (tmp_path / "out").exists()


# What may not be passed on


def test_no_row_names_a_source_that_may_not_be_passed_on(package, book):
    """Looked for in every text, not only where the export looks."""
    withheld = of_book(book, "select distinct source_id from main.sources where redistribution <> 'allowed'")
    pattern = rf"\b({'|'.join(source_id for (source_id,) in withheld)})\b"
    found = {}
    for name, resource in resources(package).items():
        if name == "sources":
            continue
        texts = [field["name"] for field in resource["schema"]["fields"] if field["type"] == "string"]
        line = " || '\n' || ".join(f"coalesce(\"{text}\", '')" for text in texts)
        query = f"select count(*) from '{package / resource['path']}' where regexp_matches({line}, ?)"
        if n := ask(query, pattern)[0][0]:
            found[name] = n
    assert len(withheld) >= 5
    assert found == {}


def test_rows_left_out_are_counted_by_table_and_source(package, book):
    text = (package / "README.md").read_text(encoding="utf-8")
    total = 0
    for name, resource in resources(package).items():
        ((n_all,),) = of_book(book, f"select count(*) from main.{name}")
        assert ask(f"select count(*) from '{package / resource['path']}'") == [(resource["rows"],)]
        assert resource["rows"] + resource["rowsLeftOut"] == n_all, name
        for source_id, n in resource["rowsLeftOutBySource"].items():
            assert f"| {name} | {source_id} | {n} |" in text
        total += resource["rowsLeftOut"]
    power = resources(package)["mlperf_power"]
    assert power["rows"] == 0
    assert power["rowsLeftOutBySource"] == {"mlperf_inference": power["rowsLeftOut"]}
    assert f"{total} rows" in text
    assert resources(package)["sources"]["rowsLeftOut"] == 0


def test_rows_of_a_source_taken_online_are_left_out_wherever_they_name_it(package, home, tmp_path):
    change(
        home,
        f"update main.serving_measurements set source_id = '{WITHHELD}' where source_id = 'deepseek_inference_system'",
        f"update main.carbon_and_water set carbon_source_id = '{WITHHELD}' where area_id = 'SWE'",
        f"update main.intervention_pairs set source_id_to = '{WITHHELD}' where rowid = (select min(rowid) from "
        "main.intervention_pairs where source_id_from = 'trtllm_perf')",
        f"update main.coverage set source_ids = source_ids || ', {WITHHELD}' where source_ids = 'trtllm_perf'",
    )
    before, after = resources(package), resources(export(home, tmp_path / "out"))
    more = {
        name: after[name]["rowsLeftOut"] - before[name]["rowsLeftOut"]
        for name in after
        if after[name]["rowsLeftOut"] != before[name]["rowsLeftOut"]
    }
    assert set(more) == {"serving_measurements", "carbon_and_water", "intervention_pairs", "coverage"}
    assert more["intervention_pairs"] == 1
    assert {name: after[name]["rowsLeftOutBySource"][WITHHELD] for name in more} == more
    (stated,) = [source for source in described(tmp_path / "out")["leftOut"] if source["source_id"] == WITHHELD]
    assert stated["rows"] == sum(more.values())
    assert f"{sum(more.values())} rows left out" in (tmp_path / "out" / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert frictionless_report(tmp_path / "out", FEW_ROWS).valid


def test_a_forbidden_source_is_left_out_too_and_a_freed_one_is_in(home, tmp_path):
    change(
        home,
        "update main.sources set redistribution = 'forbidden' where source_id = 'mooncake_traces'",
        "update main.sources set redistribution = 'allowed' where source_id = 'mlperf_inference'",
    )
    out = resources(export(home, tmp_path / "out"))
    assert out["mlperf_power"]["rows"] > 0
    assert set(out["request_lengths"]["rowsLeftOutBySource"]) == {"mooncake_traces"}


@pytest.mark.parametrize("name", ["source_id", "source_ids", "source_id_from", "carbon_source_id", "tdp_source"])
def test_columns_that_name_a_source_are_found(name):
    assert NAMES_A_SOURCE.search(name)


@pytest.mark.parametrize("name", ["source_release", "source_url", "n_source_rows", "resource"])
def test_others_are_not(name):
    assert not NAMES_A_SOURCE.search(name)


# Tables that come and go


def test_the_newest_release_is_the_version(home, tmp_path):
    change(
        home,
        "create or replace table main.releases (release_id varchar, released_at_utc varchar)",
        "insert into main.releases values ('older', '2026-01-01T00:00:00Z'), ('newer', '2026-02-02T00:00:00Z')",
        "delete from main.columns where table_name = 'releases'",
        *(
            "insert into main.columns by name select 'releases' as table_name, "
            f"{position} as position, '{name}' as column_name, 'String' as data_type, 'A word.' as meaning, "
            f"false as may_be_empty, {position == 1} as is_grain"
            for position, name in enumerate(("release_id", "released_at_utc"), 1)
        ),
    )
    out = export(home, tmp_path / "out")
    assert (described(out)["version"], described(out)["created"]) == ("newer", "2026-02-02T00:00:00Z")
    assert (citation(out)["version"], citation(out)["date-released"]) == ("newer", "2026-02-02")
    assert resources(out)["releases"]["schema"]["primaryKey"] == ["release_id"]
    dataset = mlcroissant.Dataset(str(out / "croissant.json"))
    assert dataset.metadata.version.endswith("+newer")
    assert len(list(dataset.records("releases"))) == 2


def test_a_table_that_went_is_not_missed(home, tmp_path):
    change(home, "drop table main.fleet")
    assert "fleet" not in resources(export(home, tmp_path / "out"))


def test_a_table_without_a_dictionary_is_named(home, tmp_path):
    change(home, "create table main.extra (x integer)")
    refused(run(home, tmp_path / "out"), "extra.x", "is not in the table columns", "joulebook refresh")


# What cannot be


def refused(done, *words: str) -> None:
    """One line on stderr that has all the words, exit code 2, no traceback."""
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert [word for word in words if word not in line] == []


def test_an_empty_folder_is_filled(book, tmp_path):
    (tmp_path / "out").mkdir()
    assert (export(book, tmp_path / "out") / "datapackage.json").exists()


def test_a_folder_with_anything_in_it_is_left_alone(book, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    refused(run(book, tmp_path), str(tmp_path), "is not empty")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_is_no_folder(book, tmp_path):
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    refused(run(book, tmp_path / "out"), "is a file")


def test_a_folder_in_no_folder(book, tmp_path):
    refused(run(book, tmp_path / "no" / "out"), f"{tmp_path / 'no'} is no folder")


def test_no_published_file(tmp_path):
    refused(run(tmp_path, tmp_path / "out"), FILE, "does not exist: run joulebook refresh first")


@pytest.mark.parametrize("content", [b"", b"not a database " * 1000], ids=["empty", "other bytes"])
def test_a_damaged_file(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    refused(run(tmp_path, tmp_path / "out"), FILE, "was not packed", "joulebook refresh")
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_file_cut_short(home, tmp_path):
    whole = (home / FILE).read_bytes()
    (home / FILE).write_bytes(whole[: len(whole) // 2])
    refused(run(home, tmp_path / "out"), FILE, "was not packed")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_file_of_an_earlier_version(home, tmp_path):
    change(home, "alter table main.sources drop column licence_url")
    refused(run(home, tmp_path / "out"), "licence_url", "joulebook refresh")


def test_a_failure_on_the_way_leaves_nothing(book, tmp_path, monkeypatch):
    monkeypatch.setattr(export_module, "TEXTS", tmp_path / "TEXTS")
    (tmp_path / "TEXTS" / "MIT.txt").mkdir(parents=True)
    refused(run(book, tmp_path / "out"), "cannot be written")
    assert [path.name for path in tmp_path.iterdir()] == ["TEXTS"]


def test_it_needs_the_published_file_alone(home, tmp_path):
    """No machinery, no validator is imported."""
    code = (
        "import sys\nfrom pipelines.cli import main\n"
        f"try:\n    main(['export', {str(tmp_path / 'out')!r}, '--home', {str(home)!r}])\n"
        "except SystemExit as ended:\n    assert ended.code == 0, ended.code\n"
        "heavy = {'dagster', 'great_expectations', 'scipy', 'pandas', 'frictionless', 'mlcroissant', 'assets'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
