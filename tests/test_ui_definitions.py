"""What the UI is given: every asset described, owned, checked, linked; jobs, schedule, sensors; and it loads fast."""

import re
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import polars as pl
import pytest
import yaml

from assets.published.joulebook import published_tables, released_tables
from pipelines import automation
from pipelines.cli import DAGSTER_SETTINGS
from pipelines.definitions import all_tables, defs
from pipelines.shown import (
    ACCEPTED,
    ANSWERED,
    COUNTS,
    CURRENT,
    GROUPS,
    SENTENCES,
    currency_result,
    preview,
    source_results,
)  # fmt: skip
from pipelines.sources.catalogue import REPOSITORY, load_catalogue
from pipelines.sources.extracts import Snapshot
from pipelines.sources.intake import Taken, is_worth_asking
from pipelines.tables.contract import Table
from pipelines.tables.validate import Failure
from pipelines.warehouse.sql import sql_path
from pipelines.wiring import FILE, SOURCE

TABLES = {table.name: table for table in all_tables()}
SPECS = {".".join(spec.key.path): spec for spec in defs.resolve_all_asset_specs()}
SOURCES = load_catalogue()


def code_versions() -> dict[str, str | None]:
    graph = defs.resolve_asset_graph()
    return {".".join(key.path): graph.get(key).code_version for key in graph.get_all_asset_keys()}


@pytest.mark.parametrize("name", sorted(SPECS))
def test_an_asset_tells_a_stranger_what_it_is(name):
    spec = SPECS[name]
    assert "**One row per**" in spec.description
    assert "**Made by**" in spec.description
    assert spec.group_name == GROUPS[name.split(".")[0]]
    assert spec.owners
    assert spec.kinds
    if name in TABLES:
        assert all(column.description for column in spec.metadata["dagster/column_schema"].columns)
    else:  # a file has tables, not columns
        assert "dagster/column_schema" not in spec.metadata
    for reference in spec.metadata["dagster/code_references"].code_references:
        assert (REPOSITORY / reference.label).is_file(), reference.label


@pytest.mark.parametrize(
    ("name", "tables"), [("published.release", released_tables()), ("published.joulebook", published_tables())]
)
def test_a_published_file_lists_its_tables(name, tables):
    listed = SPECS[name].metadata["tables"].records
    assert [record.data["table"] for record in listed] == [table.name for table in tables]
    assert all(record.data["one_row_per"] and record.data["holds"] for record in listed)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_units_stand_in_the_description_and_beside_the_column(name):
    shown = {column.name: column.description for column in SPECS[name].metadata["dagster/column_schema"].columns}
    for column in TABLES[name].columns:
        if column.unit not in (None, "dimensionless"):
            words = COUNTS.get(column.unit, column.unit)
            assert shown[column.name].endswith(f"[{words}]")
            assert words in SPECS[name].description


@pytest.mark.parametrize("name", sorted(TABLES))
def test_no_unit_is_mangled_or_a_bare_number(name):
    schema = SPECS[name].metadata["dagster/column_schema"]
    for column in schema.columns:
        assert "unit" not in column.tags  # a tag cannot hold g/kWh
        assert not re.search(r"\[1(e\d+)?(/\w+)?\]$", column.description)
    (units,) = re.findall(r"\*\*Units:\*\* ([^\n]*)", SPECS[name].description)
    assert not re.search(r"\b1(e\d+|/)", units)


def test_every_source_names_publisher_licence_and_page():
    of_sources = {spec.metadata[SOURCE]: spec for spec in SPECS.values() if SOURCE in spec.metadata}
    assert set(of_sources) == set(SOURCES)
    for source_id, source in SOURCES.items():
        for said in (str(source.homepage), source.publisher, source.licence.name):
            assert said in of_sources[source_id].description


def test_an_asset_of_sql_links_to_its_sql_and_a_file_that_is_edited_is_linked_too():
    for name, spec in SPECS.items():
        labels = [reference.label for reference in spec.metadata["dagster/code_references"].code_references]
        if name in TABLES and sql_path(name).exists():
            assert labels[0] == f"sql/{name.replace('.', '/')}.sql"
        if FILE in spec.metadata:
            assert spec.metadata[FILE] in labels


def test_what_code_makes_has_the_version_of_that_code():
    by_code = {name for name, spec in SPECS.items() if FILE not in spec.metadata}
    versions = code_versions()
    assert {name for name in by_code if not versions[name]} <= {"raw.snapshots", "core.restatements"}


def test_checks_read_as_sentences_and_say_what_they_promise():
    found: dict[str, set[str]] = {name: set() for name in SPECS}
    for checks in defs.resolve_asset_graph().asset_check_keys:
        found[".".join(checks.asset_key.path)].add(checks.name)
    extra = {"core.coverage": {"covers_all_it_covered"}, "estimates.backtest": {"is_no_worse_than_before"}}
    extra |= {source.parser: {ANSWERED, ACCEPTED} for source in SOURCES.values()}
    extra["published.joulebook"] = {CURRENT}
    for name, checks in found.items():
        promised = TABLES[name].checks if name in TABLES else ()
        assert checks == {SENTENCES[check] for check in promised} | extra.get(name, set()), name
    for checks in (
        spec for asset in defs.get_repository_def().asset_checks_defs_by_key.values() for spec in asset.check_specs
    ):
        assert re.fullmatch(r"[a-z]+(_[a-z]+){2,4}", checks.name)
        assert checks.description
        # longer names are cut short in the list of checks
        assert len(checks.name) <= 25


def test_a_failing_check_shows_twenty_rows_and_how_to_mend():
    from pipelines.shown import check_result

    table: Table = TABLES["core.grids"]
    rows = tuple(f"('area {i}',) has {i}" for i in range(20))
    failure = Failure("contract", "carbon between 0 and 1", "25 rows: " + "; ".join(rows), rows)
    result = check_result(table, dg.AssetKey(["core", "grids"]), "contract", [failure])
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.ERROR
    assert result.metadata["carbon between 0 and 1"].value.count("\n- ") + 1 == 20
    assert "sql/core/grids.sql" in result.metadata["how_to_mend"].value


NOW = datetime.now(UTC)
MOVED = "https://published.test/the_third.csv"


def taken(source_id: str, days: int = 0, **problem) -> Taken:
    """A take whose publisher answered `days` ago."""
    answered = f"{NOW - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    snapshot = Snapshot(url=MOVED, release="1", sha256="0" * 64, size_bytes=1)
    return Taken(
        source_id, "held", "2030-01-01T00:00:00Z", snapshots=(snapshot,), asked_at_utc=answered,
        answered_at_utc=answered, **({"problem": None} | problem),
    )  # fmt: skip


REMEDY = "The last accepted figures are served; if it persists, edit the url in assets/sources.yaml."
GONE = {
    "problem": f"mooncake_traces: {MOVED}: answered HTTP 404, expected 200. {REMEDY}",
    "problem_url": MOVED,
    "remedy": REMEDY,
}


@pytest.mark.parametrize(
    ("problem", "failing", "said", "unsaid"),
    [
        (GONE | {"is_withdrawn": True}, ACCEPTED, "Withdrawn since", "mooncake_traces.py"),
        (GONE | {"is_unanswered": True}, ANSWERED, "asked again tomorrow", "if it persists"),
        (GONE, ACCEPTED, "if it persists, edit the url", "mooncake_traces.py"),
        (GONE | {"remedy": None}, ACCEPTED, "edit assets/raw/mooncake_traces.py", "tomorrow"),
    ],
)
def test_an_alert_of_a_source_names_the_file_it_is_of_and_one_thing_to_do(problem, failing, said, unsaid):
    source = SOURCES["mooncake_traces"]
    results = {result.check_name: result for result in source_results(source, taken(source.source_id, **problem))}
    assert [name for name, result in results.items() if not result.passed] == [failing]
    words = results[failing].description
    assert said in words
    assert unsaid not in words
    assert words.count("Next:") == 1
    assert MOVED in words.split("Next:")[1]
    assert str(source.documents[0].url) not in words
    assert results[failing].metadata["url"].value == MOVED


@pytest.mark.parametrize(("days_late", "passes"), [(0, True), (2, True), (3, False)])
def test_a_source_that_was_not_asked_for_too_long_warns(days_late, passes):
    source = SOURCES["trtllm_perf"]
    answered = source_results(source, taken(source.source_id, source.cadence_days + days_late))[0]
    assert (answered.check_name, answered.passed) == (ANSWERED, passes)
    assert passes or "refresh_source for trtllm_perf" in answered.description


def test_alerts_of_all_sources_stand_in_one_place():
    moved, well = SOURCES["mooncake_traces"], SOURCES["trtllm_perf"]
    both = [(moved, taken(moved.source_id, **GONE)), (well, taken(well.source_id))]
    result = currency_result(both)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert "1 of 2 sources" in result.description
    assert set(result.metadata) == {"mooncake_traces"}
    assert "Next: open" in result.metadata["mooncake_traces"].value
    assert currency_result(both[1:]).passed


def test_freshness_is_the_cadence_of_each_source():
    for spec in SPECS.values():
        if SOURCE in spec.metadata:
            window = spec.freshness_policy.warn_window.to_timedelta()
            assert window == timedelta(days=SOURCES[spec.metadata[SOURCE]].cadence_days + 1)
        else:
            assert spec.freshness_policy is None


def test_retries_are_for_steps_that_go_to_the_network_alone():
    repository = defs.get_repository_def()
    for definition in repository.assets_defs_by_key.values():
        source = any(SOURCE in spec.metadata for spec in definition.specs)
        assert (definition.op.retry_policy is not None) == source, definition.key


def test_the_jobs_schedule_and_sensors_are_there_and_off():
    repository = defs.get_repository_def()
    assert {"refresh", "refresh_source", "publish"} <= set(repository.job_names)
    (schedule,) = repository.schedule_defs
    assert (schedule.name, schedule.execution_timezone) == ("daily", "UTC")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert {sensor.name for sensor in repository.sensor_defs} == {
        "after_new_figures",
        "dead_runs",
        "edited_files",
        "refused_figures",
    }
    on = {sensor.name for sensor in repository.sensor_defs if sensor.default_status == dg.DefaultSensorStatus.RUNNING}
    assert on == {"dead_runs"}, "the queue waits for dead runs with the schedule off too"
    for thing in (schedule, *repository.sensor_defs):
        assert thing.description


def test_one_flag_turns_them_on(monkeypatch):
    monkeypatch.setenv("JOULEBOOK_SCHEDULE", "on")
    assert automation.daily_schedule().default_status == dg.DefaultScheduleStatus.RUNNING


def test_one_run_at_a_time():
    settings = yaml.safe_load(DAGSTER_SETTINGS)
    assert settings["concurrency"]["runs"]["max_concurrent_runs"] == 1
    deployed = yaml.safe_load((REPOSITORY / "docs" / "deploy" / "dagster.yaml").read_text(encoding="utf-8"))
    assert deployed["concurrency"] == settings["concurrency"]
    assert deployed["telemetry"] == settings["telemetry"] == {"enabled": False}


def test_containers_are_open_on_this_machine_alone_and_have_no_password_of_ours():
    compose = yaml.safe_load((REPOSITORY / "docs" / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
    for service in compose["services"].values():
        assert service["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_what_the_container_installs_is_pinned_by_hash():
    lock = (REPOSITORY / "docs" / "deploy" / "requirements-postgres.lock").read_text(encoding="utf-8")
    assert re.findall(r"^([\w-]+)==[\d.]+ \\\n    --hash=sha256:", lock, re.MULTILINE) == [
        "dagster-postgres",
        "psycopg2-binary",
    ]
    dockerfile = (REPOSITORY / "docs" / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    for command in re.findall(r"pip install [^\n]*", dockerfile):
        assert "--require-hashes" in command or "--no-deps --no-build-isolation -e ." in command, command


def test_containers_find_the_code_in_a_service_of_its_own_so_that_runs_can_be_stopped():
    services = yaml.safe_load((REPOSITORY / "docs" / "deploy" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    workspace = yaml.safe_load((REPOSITORY / "docs" / "deploy" / "workspace.yaml").read_text(encoding="utf-8"))
    (location,) = workspace["load_from"]
    served = location["grpc_server"]
    command = services[served["host"]]["command"]
    assert command[command.index("-p") + 1] == str(served["port"])
    own = yaml.safe_load((REPOSITORY / "workspace.yaml").read_text(encoding="utf-8"))["load_from"][0]["python_module"]
    assert command[command.index("-m") + 1] == own["module_name"]
    assert served["location_name"] == own["location_name"]  # what was switched on stays so
    for name in ("ui", "daemon"):
        assert "docs/deploy/workspace.yaml" in services[name]["command"]
        assert set(services[name]["depends_on"]) == {"database", "code"}
    for name in ("code", "ui", "daemon"):
        assert services[name]["healthcheck"]["test"][0] == "CMD"
        assert services[name]["init"] is True
        assert services[name]["stop_grace_period"] == "2m"
    checks = [tuple(service["healthcheck"]["test"]) for service in services.values()]
    assert len(set(checks)) == len(checks)


def test_a_file_with_the_password_stays_out_of_the_image():
    assert "**/.env*" in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").split()


def test_the_storage_in_the_container_is_that_of_the_locked_dagster():
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    minor, patch = re.search(r"^dagster==1\.(\d+)\.(\d+)", lock, re.MULTILINE).groups()
    dagster_postgres = f"dagster-postgres==0.{int(minor) + 16}.{patch}"
    for name in ("requirements-postgres.in", "requirements-postgres.lock"):
        assert dagster_postgres in (REPOSITORY / "docs" / "deploy" / name).read_text(encoding="utf-8")
    # dagster-postgres brings psycopg2; what SQLAlchemy takes by default is not installed
    deployed = yaml.safe_load((REPOSITORY / "docs" / "deploy" / "dagster.yaml").read_text(encoding="utf-8"))
    assert deployed["storage"]["postgres"]["postgres_db"]["scheme"] == "postgresql+psycopg2"


@pytest.mark.parametrize(
    ("answered", "on", "expected"),
    [
        (None, date(2031, 1, 1), True),
        ("2031-01-01T05:17:59Z", date(2031, 1, 7), False),
        ("2031-01-01T05:17:59Z", date(2031, 1, 8), True),  # seven days, though 50 seconds short of them
    ],
)
def test_a_source_is_asked_no_more_often_than_its_cadence(answered, on, expected):
    source = SOURCES["trtllm_perf"]
    assert source.cadence_days == 7
    taken = Taken("trtllm_perf", "unchanged", "2030-01-01T00:00:00Z", None, (), answered, answered)
    assert is_worth_asking(source, taken, on) is expected


def test_a_preview_opens_with_figures_and_ends_with_where_they_stand():
    frame = pl.DataFrame(
        {
            "source_id": ["a"],
            "snapshot_sha256": ["0123456789ab" + "c" * 52],
            "locator_from": ["line 1"],
            "output_tokens_per_s": [1.5],
            "source_url": ["https://example.org"],
            "caveat": ["x" * 100],
        }
    )
    shown = preview(frame)
    assert [column.name for column in shown.schema.columns] == [
        "source_id", "output_tokens_per_s", "caveat", "snapshot_sha256", "locator_from", "source_url",
    ]  # fmt: skip
    (record,) = shown.records
    assert list(record.data) == [column.name for column in shown.schema.columns]
    assert record.data["snapshot_sha256"] == "0123456789ab"
    assert record.data["caveat"] == "x" * 80 + " …"
