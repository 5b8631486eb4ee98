"""Which columns of which tables each column of a SQL file is made from, read from DuckDB's own parse of it.

Only what a value is computed of counts: the conditions of joins and filters decide which rows there are, not what
stands in them. Nothing is executed, and nothing here knows what the tables mean.
"""

import json
from collections.abc import Callable, Iterator

import duckdb

Origin = tuple[str, str]
"""A table (`layer.table`) and a column of it."""
Columns = dict[str, set[Origin]]
"""The columns of a table or query, in order, each with what it is made from."""


class LineageError(Exception):
    """SQL whose columns cannot be followed: an unknown column or table, or a form that is not known here."""


def column_lineage(sql: str, columns_of: Callable[[str], list[str]]) -> Columns:
    """The result's columns with their origins. `columns_of` gives the columns of a base table."""
    serialised = duckdb.execute("select json_serialize_sql(?::varchar)", [sql]).fetchall()[0][0]
    tree = json.loads(serialised)
    if tree.get("error"):
        raise LineageError(tree.get("error_message"))
    return _Query(columns_of, {}, []).of(tree["statements"][0]["node"])


class _Query:
    """A query with the named queries it may read (`named`) and the tables of the queries around it (`around`)."""

    def __init__(
        self, columns_of: Callable[[str], list[str]], named: dict[str, Columns], around: list[dict[str, Columns]]
    ) -> None:
        self.columns_of, self.named, self.around = columns_of, dict(named), around

    def of(self, node: dict) -> Columns:
        for entry in node["cte_map"]["map"]:
            query = entry["value"]["query_node"]
            self.named[entry["key"]] = _Query(self.columns_of, self.named, self.around).of(query)
        if node["type"] == "SET_OPERATION_NODE":
            return self._united(node)
        if node["type"] != "SELECT_NODE":
            raise LineageError(f"a query of type {node['type']}")
        tables: dict[str, Columns] = {}
        self._read(node["from_table"], tables)
        found: Columns = {}
        for expression in node["select_list"]:
            found |= self._selected(expression, tables, found)
        return found

    def _united(self, node: dict) -> Columns:
        parts = [_Query(self.columns_of, self.named, self.around).of(part) for part in _parts(node)]
        if node["setop_type"] == "UNION_BY_NAME":
            names = list(dict.fromkeys(name for part in parts for name in part))
            return {name: set().union(*(part.get(name, set()) for part in parts)) for name in names}
        rows = zip(*(part.values() for part in parts), strict=True)
        return {name: set().union(*origins) for name, origins in zip(parts[0], rows, strict=True)}

    def _read(self, node: dict, tables: dict[str, Columns]) -> None:
        kind = node["type"]
        if kind == "JOIN":
            self._read(node["left"], tables)
            self._read(node["right"], tables)
        elif kind == "SUBQUERY":
            made = _Query(self.columns_of, self.named, self.around).of(node["subquery"]["node"])
            renamed = node["column_name_alias"]
            names = [*renamed, *list(made)[len(renamed) :]]
            tables[node["alias"]] = dict(zip(names, made.values(), strict=True))
        elif kind == "BASE_TABLE" and node["schema_name"]:
            table = f"{node['schema_name']}.{node['table_name']}"
            columns = {name: {(table, name)} for name in self.columns_of(table)}
            tables[node["alias"] or node["table_name"]] = columns
        elif kind == "BASE_TABLE":
            if node["table_name"] not in self.named:
                raise LineageError(f"{node['table_name']} is no query of the file and has no schema")
            tables[node["alias"] or node["table_name"]] = self.named[node["table_name"]]
        elif kind == "EXPRESSION_LIST":
            n = len(node["values"][0])
            names = (node.get("column_name_alias") or []) + [f"col{i}" for i in range(n)]
            tables[node["alias"]] = {name: set() for name in names[:n]}
        elif kind != "EMPTY":
            raise LineageError(f"a table of type {kind}")

    def _selected(self, expression: dict, tables: dict[str, Columns], before: Columns) -> Columns:
        """The columns that one expression of a select list gives; it may name those before it."""
        if expression["class"] == "STAR":
            wanted = [tables[expression["relation_name"]]] if expression["relation_name"] else list(tables.values())
            left_out = {str(name).lower() for name in expression["exclude_list"]}
            columns = {name: set(made) for part in wanted for name, made in part.items() if name not in left_out}
            for entry in expression["replace_list"]:
                columns[entry["key"]] = self._origins(entry["value"], tables, before)
            return columns
        # the first part of a union names the columns; in the others they may have no name
        name = expression["alias"] or (expression.get("column_names") or [f"column {len(before)}"])[-1]
        return {name: self._origins(expression, tables, before)}

    def _origins(self, expression: dict, tables: dict[str, Columns], before: Columns) -> set[Origin]:
        found: set[Origin] = set()
        for node in _leaves(expression):
            if node["class"] == "SUBQUERY":
                inner = _Query(self.columns_of, self.named, [tables, *self.around]).of(node["subquery"]["node"])
                found = found.union(*inner.values())
            else:
                found |= self._column(node["column_names"], [tables, *self.around], before)
        return found

    def _column(self, names: list[str], scopes: list[dict[str, Columns]], before: Columns) -> set[Origin]:
        *table, name = names
        for tables in scopes:
            if table and name in tables.get(table[-1], {}):
                return tables[table[-1]][name]
            holding = [columns[name] for columns in tables.values() if name in columns] if not table else []
            if holding:
                return set().union(*holding)  # several: a column that a join has in common
        if not table and name in before:
            return before[name]
        raise LineageError(f"no table has a column {'.'.join(names)}")


def _parts(node: dict) -> list[dict]:
    return node.get("children") or [node["left"], node["right"]]


def _leaves(node: object) -> Iterator[dict]:
    """The columns and scalar queries in an expression."""
    if isinstance(node, list):
        for item in node:
            yield from _leaves(item)
    elif isinstance(node, dict):
        if node.get("class") in ("COLUMN_REF", "SUBQUERY"):
            yield node
        else:
            for value in node.values():
                yield from _leaves(value)
