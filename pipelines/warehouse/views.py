"""What of the published file is computed when asked: views, and table macros, which are views with arguments.

What belongs here: their declaration, and the statements that make them in a DuckDB file. Which there are belongs to
assets/published/views.py, their SQL to sql/published/.
"""

from dataclasses import dataclass

from pipelines.home import REPOSITORY
from pipelines.tables.contract import Table

SQL_FOLDER = REPOSITORY / "sql" / "published"
VIEW, MACRO = "view", "table macro"


@dataclass(frozen=True)
class Parameter:
    """An argument of a macro. `default` is SQL; None: it must be given."""

    name: str
    meaning: str
    default: str | None = None

    @property
    def declared(self) -> str:
        return self.name if self.default is None else f"{self.name} := {self.default}"


@dataclass(frozen=True)
class View:
    """A query of the file by name; a macro where `parameters` are given. `table` is the contract of its rows."""

    table: Table
    parameters: tuple[Parameter, ...] = ()

    @property
    def name(self) -> str:
        return self.table.short_name

    @property
    def kind(self) -> str:
        return MACRO if self.parameters else VIEW

    @property
    def signature(self) -> str:
        """As it is called, with defaults."""
        return f"{self.name}({', '.join(p.declared for p in self.parameters)})" if self.parameters else self.name

    @property
    def create(self) -> str:
        query = (SQL_FOLDER / f"{self.name}.sql").read_text(encoding="utf-8")
        if self.parameters:
            return f"create macro {self.signature} as table {query}"
        return f"create view {self.name} as {query}"

    @property
    def comment_on(self) -> str:
        """What a comment on it begins with."""
        return f"comment on {'macro table' if self.parameters else 'view'} {self.name} is "

    @property
    def comment(self) -> str:
        """For a macro also its arguments and columns: DuckDB keeps no comments on these."""
        rows = f"{self.table.description} One row per {', '.join(self.table.grain)}."
        if not self.parameters:
            return rows
        arguments = " ".join(f"{p.name}: {p.meaning}" for p in self.parameters)
        return f"{rows} FROM {self.signature}. {arguments} Its columns are described in the table columns."
