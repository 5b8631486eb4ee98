"""How a Table becomes a Dagster asset with its checks: the one place where assets and the machinery meet.

Three makers, one for each way a table may be made: a parser (`raw_asset`, `reference_asset`), one SQL file
(`sql_asset`), the model (`model_asset`). No table, formula or path of a source belongs here.
"""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from pipelines.energy.errors import EnergyInputError
from pipelines.home import REPOSITORY, resolve_home
from pipelines.reader.errors import ReaderError
from pipelines.sources.catalogue import Source, load_catalogue
from pipelines.sources.errors import SourceError
from pipelines.sources.http import Web
from pipelines.sources.intake import Parse, Places, Reading, Taken, record_taken, take_source
from pipelines.tables.beside import announce, failures_of
from pipelines.tables.contract import Column, Table, TableError
from pipelines.tables.validate import Failure, ValidatorError
from pipelines.warehouse.releases import ReleaseError
from pipelines.warehouse.sql import SqlError, code_version, inputs_of, run_sql
from pipelines.warehouse.store import Warehouse, content_version

KINDS = {"raw": {"python"}, "core": {"python"}, "estimates": {"python", "numpy"}, "published": {"duckdb"}}
SHOWN_ERRORS = (SourceError, TableError, SqlError, ValidatorError, EnergyInputError, ReleaseError, ReaderError)
"""Errors that say by themselves what to do: they are shown as one line."""


class Book(dg.ConfigurableResource):
    """Where this run keeps its tables, and whether it asks the web.

    `home`: empty for JOULEBOOK_HOME or ./warehouse. `extracts`: empty for the repository's. `refused`: sources whose
    newest figures are not wanted, with the reason: an earlier run found that checks downstream refuse them. `ask_all`:
    finished sources are asked too.
    """

    home: str = ""
    offline: bool = False
    extracts: str = ""
    ask_all: bool = False
    refused: dict[str, str] = {}  # noqa: RUF012  (a field of a pydantic model)

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(resolve_home(self.home))

    @property
    def places(self) -> Places:
        return Places(self.warehouse.home, Path(self.extracts)) if self.extracts else Places(self.warehouse.home)

    @cached_property
    def catalogue(self) -> dict[str, Source]:
        return load_catalogue()

    @cached_property
    def web(self) -> Web | None:
        """This run's dealings with the web; None when offline."""
        return None if self.offline else _webs.setdefault(str(self.warehouse.home), web_of(self.catalogue))

    def source_of(self, table: Table) -> Source:
        """The source whose parser makes `table`."""
        found = [source for source in self.catalogue.values() if source.parser == table.name]
        if len(found) != 1:
            problem = f"{len(found)} entries name it as their parser"
            raise SourceError("assets/sources.yaml", table.name, problem, "Let exactly one entry do.")
        return found[0]


_webs: dict[str, Web] = {}


def web_of(catalogue: dict[str, Source]) -> Web:
    """Dealings with the hosts of the catalogue, and no others."""
    urls = [document.url for source in catalogue.values() for document in source.documents]
    return Web(frozenset(str(url.host) for url in urls))


def use_web(home: Path, web: Web) -> None:
    """Let the runs of this process that work in `home` go on with `web`: what it has asked is not asked again."""
    _webs[str(home)] = web


def asset_key(name: str) -> dg.AssetKey:
    """`layer.table` as an asset key."""
    return dg.AssetKey(name.split("."))


def raw_asset(table: Table, parse: Parse) -> dg.AssetsDefinition:
    """The raw table of one source: live bytes if they are accepted, else the last accepted extract."""

    @dg.asset(**asset_spec(table, kinds={"python", "csv"}))
    def _raw(context: dg.AssetExecutionContext, book: Book) -> dg.MaterializeResult:
        def accept(frame: pl.DataFrame) -> pl.DataFrame:
            frame = table.conform(frame)
            if failures := failures_of(table, frame):
                raise SourceError(source.source_id, table.name, str(failures[0]), "The last accepted figures serve.")
            return frame

        with one_line_errors():
            source = book.source_of(table)
            reading = Reading(parse, accept, table.schema, version_of_parser(parse), table.identity)
            refused = book.refused.get(source.source_id)
            frame, taken = take_source(source, reading, book.places, book.web, refused, ask_all=book.ask_all)
            record_taken(book.warehouse.home, taken)
            if taken.problem:
                context.log.warning(f"held: {taken.problem}")
            return store(book, table, frame, _taken_metadata(source, taken))

    return _raw


def version_of_parser(parse: Parse) -> str:
    """Hash of the parser's module: rows of another version are parsed again from the same bytes."""
    return hashlib.sha256(Path(inspect.getsourcefile(parse)).read_bytes()).hexdigest()[:12]


def reference_asset(table: Table, path: str, parse: Callable[[bytes, str], pl.DataFrame]) -> dg.AssetsDefinition:
    """A table read from a file below `assets/` that people edit. `parse(content, path)` raises SourceError."""

    @dg.asset(**asset_spec(table, kinds={"python", Path(path).suffix.lstrip(".")}))
    def _reference(book: Book) -> dg.MaterializeResult:
        with one_line_errors():
            content = (REPOSITORY / "assets" / path).read_bytes()
            return store(book, table, parse(content, path), {"file": f"assets/{path}"})

    return _reference


def sql_asset(table: Table) -> dg.AssetsDefinition:
    """The table of sql/<layer>/<table>.sql; its inputs and its code version are read from the SQL."""
    deps = [asset_key(name) for name in inputs_of(table.name)]

    @dg.asset(**asset_spec(table, kinds={"sql", "duckdb"}), deps=deps, code_version=code_version(table.name))
    def _sql(book: Book) -> dg.MaterializeResult:
        with one_line_errors():
            return store(book, table, run_sql(book.warehouse, table.name), {})

    return _sql


def model_asset(
    table: Table, compute: Callable[..., pl.DataFrame], inputs: Mapping[str, str], extra_deps: tuple[str, ...] = ()
) -> dg.AssetsDefinition:
    """A table that a pure function makes of other tables: `inputs` maps its parameters to table names."""
    parameters = inspect.signature(compute).parameters
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    if not takes_any and set(inputs) != set(parameters):
        raise TableError(f"{table.name}: inputs {sorted(inputs)} are not the parameters of {compute.__name__}")
    deps = [asset_key(name) for name in (*inputs.values(), *extra_deps)]

    @dg.asset(**asset_spec(table, kinds=KINDS[table.layer]), deps=deps)
    def _model(book: Book) -> dg.MaterializeResult:
        with one_line_errors():
            frames = {parameter: book.warehouse.read(name) for parameter, name in inputs.items()}
            return store(book, table, compute(**frames), {})

    return _model


def table_checks(table: Table) -> dg.AssetChecksDefinition:
    """The table's checks: one run of its suite answers all of them. All but plausibility block what is downstream."""
    described = {
        "contract": "Columns, grain, ranges, vocabularies and empty cells are as declared.",
        "coverage": "Nothing that must be there is missing, and no row was lost without a reason.",
        "plausibility": "Figures agree with each other and with what is known. A warning.",
    }
    specs = [
        dg.AssetCheckSpec(
            name, asset=asset_key(table.name), blocking=name != "plausibility", description=described[name]
        )
        for name in table.checks
    ]

    @dg.multi_asset_check(name=f"check_{table.name.replace('.', '_')}", specs=specs)
    def _checks(book: Book) -> Any:
        with one_line_errors():
            frame = book.warehouse.read(table.name)
            version = content_version(frame)
            failures = failures_of(table, frame, version)
            if all(failure.check == "plausibility" for failure in failures):
                book.warehouse.mark_checked(table.name, version)
        for name in table.checks:
            yield _check_result(table, name, [failure for failure in failures if failure.check == name])

    return _checks


def _check_result(table: Table, name: str, failures: list[Failure]) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.WARN if name == "plausibility" else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(
        asset_key=asset_key(table.name),
        check_name=name,
        passed=not failures,
        severity=severity,
        description="; ".join(str(failure) for failure in failures) or None,
        metadata={failure.expectation: failure.found for failure in failures},
    )


def asset_spec(table: Table, kinds: set[str]) -> dict[str, Any]:
    """The arguments of dg.asset that follow from a table's contract."""
    grain = f"\n\nOne row per {', '.join(table.grain)}."
    return {
        "key": asset_key(table.name),
        "group_name": table.layer,
        "kinds": kinds,
        "description": table.description + grain,
        "metadata": {"dagster/column_schema": column_schema(table), "dagster/table_name": table.name},
    }


def column_schema(table: Table) -> dg.TableSchema:
    """The contract as Dagster shows it."""
    return dg.TableSchema(columns=[_table_column(column) for column in table.columns])


def _table_column(column: Column) -> dg.TableColumn:
    unit = f" [{column.unit}]" if column.unit else ""
    constraints = dg.TableColumnConstraints(nullable=column.nullable)
    return dg.TableColumn(column.name, str(column.dtype), column.meaning + unit, constraints)


def store(book: Book, table: Table, frame: pl.DataFrame, metadata: dict[str, Any]) -> dg.MaterializeResult:
    """Write the table; row count as metadata, hash of the typed values as data version."""
    stored = book.warehouse.write(table, frame)
    version = content_version(stored)
    announce(table, stored, version)
    return dg.MaterializeResult(
        metadata={"dagster/row_count": stored.height, **metadata}, data_version=dg.DataVersion(version)
    )


def _taken_metadata(source: Source, taken: Taken) -> dict[str, Any]:
    return {
        "state": taken.state,
        "accepted_at_utc": taken.accepted_at_utc,
        "problem": taken.problem or "none",
        "licence": source.licence.name,
        "publisher": dg.MetadataValue.url(str(source.homepage)),
        "snapshots": [snapshot.sha256 for snapshot in taken.snapshots],
    }


class one_line_errors:  # noqa: N801  (reads as a statement)
    """Turns an error that explains itself into a Failure with that one line and no traceback for the user."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, SHOWN_ERRORS):
            raise dg.Failure(description=str(error), allow_retries=False) from error
