"""Which columns of which tables each column of a SQL file is made from, read from DuckDB's own parse of it.

Only what a value is computed of counts: the conditions of joins and filters decide which rows there are, not what
stands in them. Nothing is executed, and nothing here knows what the tables mean. A form that is not known here is
refused, never guessed: what is shown of it is for whoever asks.
"""

import json
from collections.abc import Callable, Iterator

import duckdb

Origin = tuple[str, str]
"""A table (`layer.table`) and a column of it."""
Columns = dict[str, set[Origin]]
"""The columns of a table or query, in order, each with what it is made from."""
Tables = dict[str, Columns]
"""The tables of a query, by the name they have in it, in lower case: SQL does not tell `Q` from `q`."""


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

    def __init__(self, columns_of: Callable[[str], list[str]], named: Tables, around: list[Tables]) -> None:
        self.columns_of, self.named, self.around = columns_of, dict(named), around

    def of(self, node: dict) -> Columns:
        for entry in node["cte_map"]["map"]:
            made = _Query(self.columns_of, self.named, self.around).of(_query_of(entry["value"]))
            self.named[entry["key"].lower()] = _renamed(made, entry["value"]["aliases"])
        if node["type"] == "SET_OPERATION_NODE":
            return self._united(node)
        if node["type"] != "SELECT_NODE":
            raise LineageError(f"a query of type {node['type']}")
        tables: Tables = {}
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

    def _read(self, node: dict, tables: Tables) -> None:
        kind, alias = node["type"], node["alias"].lower()
        if kind == "JOIN":
            self._read(node["left"], tables)
            self._read(node["right"], tables)
        elif kind == "SUBQUERY":
            made = _Query(self.columns_of, self.named, self.around).of(node["subquery"]["node"])
            tables[alias] = _renamed(made, node["column_name_alias"])
        elif kind == "BASE_TABLE" and node["schema_name"]:
            table = f"{node['schema_name']}.{node['table_name']}"
            columns = {name: {(table, name)} for name in self.columns_of(table)}
            tables[alias or node["table_name"].lower()] = _renamed(columns, node["column_name_alias"])
        elif kind == "BASE_TABLE":
            query = node["table_name"].lower()
            if query not in self.named:
                raise LineageError(f"{node['table_name']} is no query of the file and has no schema")
            tables[alias or query] = _renamed(self.named[query], node["column_name_alias"])
        elif kind == "EXPRESSION_LIST":
            n = len(node["values"][0])
            names = (node.get("column_name_alias") or []) + [f"col{i}" for i in range(n)]
            tables[alias] = {name: set() for name in names[:n]}
        elif kind != "EMPTY":
            raise LineageError(f"a table of type {kind}")

    def _selected(self, expression: dict, tables: Tables, before: Columns) -> Columns:
        """The columns that one expression of a select list gives; it may name those before it."""
        if expression["class"] == "STAR":
            return self._starred(expression, tables, before)
        if expression["class"] == "COLUMN_REF" and not expression["alias"]:
            name, origins = self._column(expression["column_names"], [tables, *self.around], before)
            return {name: origins}
        # the first part of a union names the columns; in the others they may have no name
        return {expression["alias"] or f"column {len(before)}": self._origins(expression, tables, before)}

    def _starred(self, star: dict, tables: Tables, before: Columns) -> Columns:
        """The columns of `*` or `table.*`, without those left out, with those computed or named anew."""
        if star["columns"] or star["expr"] or star["qualified_exclude_list"]:
            raise LineageError("a star that picks columns by a pattern or leaves out those of one table")
        table = star["relation_name"].lower()
        if table and table not in tables:
            raise LineageError(f"{table}.* is of no table of the query")
        left_out = {str(name).lower() for name in star["exclude_list"]}
        anew = {entry["key"].lower(): entry for entry in star["replace_list"]}
        names = {entry["key"]["column"].lower(): entry["value"] for entry in star["rename_list"]}
        found: Columns = {}
        for part in [tables[table]] if table else tables.values():
            for name, made in part.items():
                if (key := name.lower()) in left_out:
                    continue
                origins = self._origins(anew[key]["value"], tables, before) if key in anew else set(made)
                found[anew[key]["key"] if key in anew else names.get(key, name)] = origins
        return found

    def _origins(self, expression: dict, tables: Tables, before: Columns) -> set[Origin]:
        found: set[Origin] = set()
        for node in _leaves(expression):
            if node["class"] == "SUBQUERY":
                inner = _Query(self.columns_of, self.named, [tables, *self.around]).of(node["subquery"]["node"])
                found = found.union(*inner.values())
            else:
                found |= self._column(node["column_names"], [tables, *self.around], before)[1]
        return found

    def _column(self, names: list[str], scopes: list[Tables], before: Columns) -> tuple[str, set[Origin]]:
        """A column as its table spells it, and what it is made from."""
        *table, wanted = (name.lower() for name in names)
        for tables in scopes:
            among = [tables.get(table[-1], {})] if table else tables.values()
            holding = [(name, made) for columns in among for name, made in columns.items() if name.lower() == wanted]
            if holding:  # several: a column that a join has in common
                return holding[0][0], set().union(*(made for _, made in holding))
        for name, made in before.items():
            if not table and name.lower() == wanted:
                return name, made
        raise LineageError(f"no table has a column {'.'.join(names)}")


def _query_of(named: dict) -> dict:
    """A query of WITH: DuckDB 1 wraps it in a statement, DuckDB 2 does not."""
    return named["query_node"] if "query_node" in named else named["query"]["node"]


def _renamed(columns: Columns, names: list[str]) -> Columns:
    """The columns with the first of them named anew, as in `q(n, m)`."""
    return dict(zip([*names, *list(columns)[len(names) :]], columns.values(), strict=True))


def _parts(node: dict) -> list[dict]:
    return node.get("children") or [node["left"], node["right"]]


def _leaves(node: object) -> Iterator[dict]:
    """The columns and scalar queries in an expression."""
    if isinstance(node, list):
        for item in node:
            yield from _leaves(item)
    elif isinstance(node, dict):
        if node.get("class") == "LAMBDA":
            raise LineageError("a lambda, whose parameters look like columns")
        if node.get("class") in ("COLUMN_REF", "SUBQUERY"):
            yield node
        else:
            for value in node.values():
                yield from _leaves(value)
