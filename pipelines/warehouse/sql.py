"""Running a table's SQL file over Parquet, and reading its inputs from the parsed SQL."""

import hashlib
import json
from pathlib import Path

import duckdb
import polars as pl

from pipelines.sources.catalogue import REPOSITORY
from pipelines.warehouse.store import Warehouse

SQL_FOLDER = REPOSITORY / "sql"


class SqlError(Exception):
    """A SQL file that cannot be read or run. Names the file."""


def sql_path(table_name: str) -> Path:
    """sql/<layer>/<table>.sql."""
    layer, table = table_name.split(".")
    return SQL_FOLDER / layer / f"{table}.sql"


def sql_of(table_name: str) -> str:
    """The text of a table's SQL file."""
    return sql_path(table_name).read_text(encoding="utf-8")


def code_version(table_name: str) -> str:
    """Hash of the SQL text: a code version that cannot be forgotten."""
    return hashlib.sha256(sql_of(table_name).encode()).hexdigest()[:12]


def inputs_of(table_name: str) -> list[str]:
    """The `layer.table` names that a table's SQL reads, from DuckDB's own parse; CTE names have no schema."""
    serialised = duckdb.execute("select json_serialize_sql(?::varchar)", [sql_of(table_name)]).fetchall()[0][0]
    tree = json.loads(serialised)
    if tree.get("error"):
        raise SqlError(f"{sql_path(table_name).name}: {tree.get('error_message')}")
    return sorted(set(_base_tables(tree)))


def _base_tables(node: object) -> list[str]:
    if isinstance(node, list):
        return [name for item in node for name in _base_tables(item)]
    if not isinstance(node, dict):
        return []
    own = [f"{node['schema_name']}.{node['table_name']}"] if _is_base_table(node) else []
    return own + [name for value in node.values() for name in _base_tables(value)]


def _is_base_table(node: dict) -> bool:
    return node.get("type") == "BASE_TABLE" and bool(node.get("schema_name"))


def run_sql(warehouse: Warehouse, table_name: str) -> pl.DataFrame:
    """The result of a table's SQL over the tables it names, in memory."""
    with duckdb.connect() as connection:
        for name in inputs_of(table_name):
            connection.execute(f"create schema if not exists {name.split('.')[0]}")
            parquet = str(warehouse.path(name)).replace("'", "''")
            connection.execute(f"create view {name} as from read_parquet('{parquet}')")
        try:
            return connection.sql(sql_of(table_name)).pl()
        except duckdb.Error as error:
            raise SqlError(f"{sql_path(table_name).name}: {error}") from error
