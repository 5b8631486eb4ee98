"""The rules of the house: import directions, one name for a table everywhere, units in names, nothing undescribed."""

import ast
import hashlib
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pint
import pytest

from assets.published.tables import OF_A_RELEASE, RELEASES
from assets.published.views import VIEWS
from pipelines.definitions import all_tables, defs
from pipelines.shown import GROUPS, SENTENCES
from pipelines.sources.catalogue import REPOSITORY
from pipelines.tables.contract import Column, Table
from pipelines.warehouse.publish import COLUMNS_TABLE, SEPARATOR
from tests.support import MIRROR, mirror_index

TABLES = {table.name: table for table in all_tables()}
OF_THE_FILE = (COLUMNS_TABLE, RELEASES, *OF_A_RELEASE, *(view.table for view in VIEWS))
OURS = [table for table in (*TABLES.values(), *OF_THE_FILE) if table.layer != "raw"]
"""Tables whose column names are ours; raw ones keep the publisher's."""
MAX_LINES_OF_A_FUNCTION = 30

UNIT_OF_SUFFIX = {
    "w": "W", "wh": "Wh", "gwh": "GWh", "j": "J", "s": "s", "days": "day", "gb": "GB", "bytes": "byte",
    "tokens": "token", "b": "1e9", "tflop": "1e12", "l": "L", "ml": "mL", "gco2e": "g", "kw": "kW", "m3": "m^3",
    "tco2e": "t",
}  # fmt: skip
"""Unit words of column names. `b` counts billions, `tflop` 1e12 operations: both are numbers, not units."""
UNIT_OF_THING = {"s": "s", "day": "day", "year": "year", "h": "hour", "kwh": "kWh"}
"""Things after `per` that are units themselves."""
AFTER_THE_UNIT = (
    r"_((p\d\d|mean)(_(lo|hi)90|_before|_after)?|lo90|hi90|maker)$|(?<=^value)_[ab]$|(?<=_per_s)_of_summary$|"
    r"(?<=_w)_of_summary$|(?<=_token)_as_printed$"
)
"""A statistic, whose figure it is, or which of two compared ones, may follow the unit."""
NOT_IN_THE_NAME = {"printed_value": "printed_unit", "value_a": "unit", "value_b": "unit"}
"""Columns that hold several units, and the column beside them that says which."""


def installed(tool: str) -> str:
    return str(Path(sys.executable).with_name(tool))


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def specs():
    return {".".join(spec.key.path): spec for spec in defs.resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def registry():
    registry = pint.UnitRegistry()
    registry.define("token = []")
    return registry


# Machinery


def test_imports_keep_their_directions():
    done = run(installed("lint-imports"))
    assert done.returncode == 0, done.stdout


def test_the_code_location_loads(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    done = run(installed("dagster"), "definitions", "validate", "-w", "workspace.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_asset_says_what_it_is(specs):
    for key, spec in specs.items():
        assert spec.description, key
        assert spec.kinds, key
        assert spec.group_name == GROUPS[key.split(".")[0]], key
        if key in TABLES:
            assert spec.metadata["dagster/column_schema"].columns, key


def test_the_assets_are_those_of_the_committed_list(specs):
    committed = (REPOSITORY / "tests" / "asset_keys.txt").read_text(encoding="utf-8").split()
    assert sorted(specs) == committed, "a table came or went: if that is meant, write tests/asset_keys.txt anew"


def test_every_table_has_an_asset_and_every_check_of_its_declaration(specs):
    assert set(specs) == {*TABLES, "published.release", "published.joulebook", "published.report"}
    checks = defaultdict(set)
    for key in defs.resolve_asset_graph().asset_check_keys:
        checks[".".join(key.asset_key.path)].add(key.name)
    for name, table in TABLES.items():
        assert {SENTENCES[check] for check in table.checks} <= checks[name]
    assert all(len(names) <= 5 for names in checks.values())


# Names


def modules() -> list[Path]:
    """Modules that declare a table."""
    found = [path for layer in ("raw", "core", "estimates") for path in (REPOSITORY / "assets" / layer).glob("*.py")]
    return [path for path in found if re.search(r"^TABLE = ", path.read_text(encoding="utf-8"), re.MULTILINE)]


def test_a_table_has_the_name_of_its_module():
    assert sorted(f"{path.parent.name}.{path.stem}" for path in modules()) == sorted(TABLES)


def test_a_table_made_by_sql_has_the_file_of_its_name_and_no_file_is_left_over():
    by_sql = {
        f"{path.parent.name}/{path.stem}.sql"
        for path in modules()
        if re.search(r"= sql_asset\(TABLE", path.read_text(encoding="utf-8"))
    }
    by_sql |= {f"published/{view.name}.sql" for view in VIEWS}
    folder = REPOSITORY / "sql"
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.sql")} == by_sql


def test_a_sql_file_begins_with_its_grain():
    for path in (REPOSITORY / "sql").rglob("*.sql"):
        assert path.read_text(encoding="utf-8").startswith("-- one row per "), path.name


def test_ids_of_tables_columns_and_sources_are_plain_lower_case():
    for table in OURS:
        names = [*table.name.split("."), *(column.name for column in table.columns)]
        assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) for name in names), table.name


def test_published_tables_have_different_names():
    published = [table.short_name for table in TABLES.values() if table.published]
    names = [*published, *(table.short_name for table in OF_THE_FILE)]
    assert len(set(names)) == len(names)


# Units


def numeric_columns() -> list[tuple[Table, Column]]:
    return [(t, c) for t in OURS for c in t.columns if str(c.dtype) in ("Float64", "Int64")]


def unit_in_the_name(name: str) -> str | None:
    """The unit that a name ends with, as Pint reads it: `<quantity>_<unit>[_per_<thing>]`, None if it has none."""
    quantity, *things = re.sub(AFTER_THE_UNIT, "", name).split("_per_")
    word = quantity.split("_")[-1]
    divisors = [UNIT_OF_THING[thing] for thing in things if thing in UNIT_OF_THING]
    if word in UNIT_OF_SUFFIX and quantity != word:
        # a rate of tokens is a number a second, as every published throughput is
        numerator = "1" if divisors and word == "tokens" else UNIT_OF_SUFFIX[word]
    elif divisors:
        numerator = "1"
    else:
        return None
    return "/".join([numerator, *divisors])


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("power_w", "W"),
        ("power_max_w_per_accelerator", "W"),
        ("energy_wh_per_query_p50", "Wh"),
        ("energy_wh_per_million_output_tokens", "Wh"),
        ("energy_gwh_per_day", "GWh/day"),
        ("energy_gwh_per_day_lo90", "GWh/day"),
        ("energy_gwh_per_year", "GWh/year"),
        ("energy_wh_per_query_p50_hi90", "Wh"),
        ("carbon_tco2e_per_day", "t/day"),
        ("peak_kw", "kW"),
        ("memory_bandwidth_gb_per_s", "GB/s"),
        ("output_tokens_per_s_of_summary", "1/s"),
        ("power_w_of_summary", "W"),
        ("energy_j_per_output_token_as_printed", "J"),
        ("value_b", None),
        ("params_b", "1e9"),
        ("cap_output_tokens_per_s", "1/s"),
        ("queries_per_day", "1/day"),
        ("carbon_gco2e_per_kwh", "g/kWh"),
        ("grid_water_l_per_kwh", "L/kWh"),
        ("dense_fp8_tflop_per_s", "1e12/s"),
        ("longest_input_tokens", "token"),
        ("accelerators_per_node", None),
        ("ratio", None),
    ],
)
def test_how_units_are_read_from_names(name, unit):
    assert unit_in_the_name(name) == unit


def test_every_unit_is_one_and_agrees_with_the_name(registry):
    for table, column in numeric_columns():
        where = f"{table.name}.{column.name}: unit {column.unit}, in its name {unit_in_the_name(column.name)}"
        named = unit_in_the_name(column.name)
        if column.unit is None or named is None:
            has_no_unit = column.unit in (None, "dimensionless") and named is None
            assert has_no_unit or NOT_IN_THE_NAME.get(column.name) in table.schema, where
        else:
            assert registry.Quantity(column.unit) == registry.Quantity(named), where


def test_text_has_no_unit():
    assert not [c.name for t in OURS for c in t.columns if str(c.dtype) in ("String", "Boolean") and c.unit]


def test_units_of_raw_tables_are_units_too(registry):
    for table in TABLES.values():
        for column in table.columns:
            if column.unit is not None:
                registry.Quantity(column.unit)


def test_a_column_name_means_one_thing():
    declared = defaultdict(set)
    for table in OURS:
        for column in table.columns:
            declared[column.name].add((column.unit, str(column.dtype)))
    assert {name: kinds for name, kinds in declared.items() if len(kinds) > 1} == {}


def test_allowed_values_can_be_told_apart_in_the_dictionary():
    assert not [c.name for t in OURS for c in t.columns if any(SEPARATOR.strip() in value for value in c.allowed or ())]


def test_power_and_energy_say_their_boundary():
    for table, column in numeric_columns():
        if column.unit and {"W", "Wh", "J", "GWh"} & set(re.split(r"[/ ]", column.unit)):
            beside = [name for name in table.schema if name.endswith("boundary")]
            assert beside or "boundary" in column.meaning, f"{table.name}.{column.name}"


def test_throughput_says_its_basis():
    for table, column in numeric_columns():
        if unit_in_the_name(column.name) == "1/s":
            assert "output_tokens" in column.name, f"{table.name}.{column.name}"


def test_every_column_has_a_meaning_of_its_own():
    for table in (*TABLES.values(), *OF_THE_FILE):
        for column in table.columns:
            assert re.fullmatch(r".{3,}[.?]", column.meaning), f"{table.name}.{column.name}"


# Code


def test_functions_of_assets_fit_on_a_screen():
    long = {}
    for path in (REPOSITORY / "assets").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if lines > MAX_LINES_OF_A_FUNCTION:
                    long[f"{path.relative_to(REPOSITORY)}:{node.name}"] = lines
    assert long == {}


def repository_files() -> list[Path]:
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard")
    if listed.returncode:
        pytest.skip("not a git clone")
    return [path for name in listed.stdout.splitlines() if (path := REPOSITORY / name).is_file()]


def test_no_published_file_is_kept_in_the_repository():
    mirror_index()
    by_size = defaultdict(list)
    for path in MIRROR.rglob("*"):
        if path.is_file() and path.stat().st_size:
            by_size[path.stat().st_size].append(path)
    for ours in repository_files():
        for theirs in by_size.get(ours.stat().st_size, []):
            assert digest(ours) != digest(theirs), f"{ours} is {theirs}"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
