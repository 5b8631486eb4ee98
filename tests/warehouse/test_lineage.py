"""Lineage of columns: every way our SQL writes a query, and every column of every table that SQL makes."""

import dagster as dg
import polars as pl
import pytest

from assets.core.grids import grids
from pipelines import wiring
from pipelines.definitions import all_tables
from pipelines.warehouse.lineage import LineageError, column_lineage
from pipelines.warehouse.sql import inputs_of, sql_of, sql_path
from pipelines.warehouse.store import Warehouse

COLUMNS = {"raw.t": ["k", "x", "y"], "raw.u": ["k", "z"]}
TABLES = {table.name: table for table in all_tables()}


def origins(sql: str) -> dict[str, list[str]]:
    made = column_lineage(sql, COLUMNS.__getitem__)
    return {column: sorted(f"{table}.{name}" for table, name in of) for column, of in made.items()}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select x, y as other from raw.t", {"x": ["raw.t.x"], "other": ["raw.t.y"]}),
        ("select a.x + b.z as s from raw.t as a join raw.u as b on a.k = b.k", {"s": ["raw.t.x", "raw.u.z"]}),
        ("select k from raw.t join raw.u using (k)", {"k": ["raw.t.k", "raw.u.k"]}),
        ("with c as (select x as w from raw.t) select w * 2 as v from c", {"v": ["raw.t.x"]}),
        ("select * exclude (y) replace (x + y as x) from raw.t", {"k": ["raw.t.k"], "x": ["raw.t.x", "raw.t.y"]}),
        ("select x as a, 'b' as b from raw.t union all select z, k from raw.u",
         {"a": ["raw.t.x", "raw.u.z"], "b": ["raw.u.k"]}),
        ("select x as a, 1 as b from raw.t union all select z, 2 from raw.u", {"a": ["raw.t.x", "raw.u.z"], "b": []}),
        ("select (select max(z) from raw.u where u.k = t.k) as m from raw.t", {"m": ["raw.u.z"]}),
        ("select case when x > 0 then y end as c, count(*) as n from raw.t group by all",
         {"c": ["raw.t.x", "raw.t.y"], "n": []}),
        ("select sum(x) over (partition by k order by y) as s from raw.t", {"s": ["raw.t.k", "raw.t.x", "raw.t.y"]}),
        ("select v.b, t.x from (values (1, 2)) as v (a, b) cross join raw.t", {"b": [], "x": ["raw.t.x"]}),
        ("select x as a, a + 1 as b from raw.t", {"a": ["raw.t.x"], "b": ["raw.t.x"]}),
        ("select X, T.Y as other from raw.t", {"x": ["raw.t.x"], "other": ["raw.t.y"]}),
        ("with q as (select z from raw.u) select Q.z from q", {"z": ["raw.u.z"]}),
        ("with q(n, m) as (select k, z from raw.u) select m, n from q", {"m": ["raw.u.z"], "n": ["raw.u.k"]}),
        ("select b.m from raw.u as b(n, m)", {"m": ["raw.u.z"]}),
        ("select * rename (x as a) from raw.t", {"k": ["raw.t.k"], "a": ["raw.t.x"], "y": ["raw.t.y"]}),
        ("select * exclude (K, y) replace (1 as X) from raw.t", {"X": []}),
    ],
)  # fmt: skip
def test_a_query_names_what_its_columns_are_made_of(sql, expected):
    assert origins(sql) == expected


def test_an_unknown_column_is_refused():
    with pytest.raises(LineageError, match=r"no table has a column t\.nothing"):
        origins("select t.nothing from raw.t")


@pytest.mark.parametrize(
    "sql",
    [
        "select list_transform([1], lambda x: x + 1) as a from raw.t",
        "select columns('x|y') from raw.t",
        "select * exclude (t.x) from raw.t",
        "select r.range from range(5) as r",
        "with recursive q as (select 1 as n union all select n + 1 from q where n < 5) select n from q",
    ],
)
def test_a_form_that_is_not_known_is_refused_not_guessed(sql):
    with pytest.raises(LineageError):
        origins(sql)


@pytest.mark.parametrize("name", [name for name in TABLES if sql_path(name).exists()])
def test_every_column_of_a_table_made_by_sql_is_followed(name):
    made = column_lineage(sql_of(name), lambda table: list(TABLES[table].schema))
    assert set(made) == set(TABLES[name].schema)
    for column, of in made.items():
        for table, origin in of:
            assert origin in TABLES[table].schema, f"{name}.{column}"


def test_a_throughput_is_followed_to_what_was_published():
    made = column_lineage(sql_of("core.serving_measurements"), lambda table: list(TABLES[table].schema))
    assert ("core.published_throughput", "output_tokens_per_s") in made["output_tokens_per_s"]


@pytest.mark.parametrize("failing", [LineageError("no table has a column x"), KeyError("query_node")])
def test_a_lineage_that_is_not_known_fails_no_table(tmp_path, monkeypatch, failing):
    def fails(*_: object) -> None:
        raise failing

    monkeypatch.setattr(wiring, "column_lineage", fails)
    name = "core.grids"
    home = Warehouse(tmp_path)
    for input_name in inputs_of(name):
        home.write(TABLES[input_name], pl.DataFrame(schema=TABLES[input_name].schema))
    result = dg.materialize([grids], resources={"book": wiring.Book(home=str(tmp_path))})
    assert result.success
    (made,) = result.asset_materializations_for_node("core__grids")
    assert "lineage not known" in made.metadata["columns_come_from"].value
    assert home.read(name).columns == list(TABLES[name].schema)
