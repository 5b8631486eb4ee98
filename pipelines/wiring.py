"""How a Table becomes a Dagster asset with its checks: the one place where assets and the machinery meet.

Three makers, one for each way a table may be made: a parser (`raw_asset`, `reference_asset`), one SQL file
(`sql_asset`), the model (`model_asset`). No table, formula or path of a source belongs here; the words that the UI
shows are in `shown`, jobs and schedules in `automation`.
"""

import hashlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from pipelines import shown
from pipelines.alone import alone
from pipelines.code_versions import version_of_module
from pipelines.energy.errors import EnergyInputError
from pipelines.home import REPOSITORY, resolve_home
from pipelines.plots import Chart, as_markdown
from pipelines.reader.errors import ReaderError
from pipelines.sources.catalogue import Source, load_catalogue
from pipelines.sources.errors import SourceError
from pipelines.sources.http import Web
from pipelines.sources.intake import Parse, Places, Reading, record_taken, take_source
from pipelines.tables.beside import announce, beside, failures_of
from pipelines.tables.contract import Table, TableError
from pipelines.tables.validate import ValidatorError
from pipelines.warehouse.compared import beside_published
from pipelines.warehouse.lineage import LineageError, column_lineage
from pipelines.warehouse.releases import ReleaseError
from pipelines.warehouse.sql import SqlError, code_version, inputs_of, run_sql, sql_of
from pipelines.warehouse.store import Warehouse, content_version

KINDS = {"raw": {"python"}, "core": {"python"}, "estimates": {"python", "numpy"}}
SHOWN_ERRORS = (
    SourceError, TableError, SqlError, ValidatorError, EnergyInputError, ReleaseError, ReaderError,
)  # fmt: skip
"""Errors that say by themselves what to do: they are shown as one line."""
WAIT_FOR_THE_HOME_S = 1800
"""How long a run of the UI waits for one of the command line."""
RETRIES = dg.RetryPolicy(max_retries=2, delay=20, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""For steps that go to the network, and only these: the others would fail again. What a publisher answers, or does not,
is dealt with in `sources`; this is for what nobody foresaw."""
FILE, SOURCE = "joulebook/file", "joulebook/source"
"""Metadata of an asset that is read from a file that people edit, or from a source."""


class Book(dg.ConfigurableResource):
    """Where this run keeps its tables, and whether it asks the web. A run has the home to itself."""

    home: str = Field(default="", description="The home folder; empty for JOULEBOOK_HOME or ./warehouse.")
    offline: bool = Field(default=False, description="Ask no publisher: use the last accepted figures.")
    extracts: str = Field(default="", description="The folder of extracts; empty for the repository's.")
    ask_all: bool = Field(default=False, description="Ask finished sources too.")
    refused: dict[str, str] = Field(
        default={},
        description="Sources whose newest figures are not wanted, with the reason: an earlier run found that checks "
        "downstream refuse them.",
    )

    @contextmanager
    def yield_for_execution(self, _context: dg.InitResourceContext) -> Iterator["Book"]:
        with one_line_errors(), alone(self.warehouse.home, WAIT_FOR_THE_HOME_S), beside():
            yield self

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

    @dg.asset(
        **asset_spec(table, kinds={"python", source_format(table)}, made_by=f"the parser in {module_of(parse)}"),
        code_version=version_of_parser(parse),
        retry_policy=RETRIES,
        check_specs=source_checks(table),
    )
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
            facts = shown.facts_of_source(source, taken, _rows_rejected(book.warehouse, source.source_id))
            return store(book, table, frame, facts, check_results=shown.source_results(source, taken))

    return _raw


def source_checks(table: Table) -> list[dg.AssetCheckSpec]:
    """What is asked of a source besides its table: they warn, because what was accepted before serves."""
    promises = {
        shown.ANSWERED: "Whoever publishes it answered when asked last; if not, since when, and what to do.",
        shown.ACCEPTED: "What is published now is what serves; if it was held back, why, and what to do.",
    }
    return [
        dg.AssetCheckSpec(name, asset=asset_key(table.name), description=promise) for name, promise in promises.items()
    ]


def _rows_rejected(warehouse: Warehouse, source_id: str) -> int | None:
    """Rows of a source that core.rejected holds since the last refresh; None before the first one."""
    if not warehouse.path("core.rejected").exists():
        return None
    return warehouse.read("core.rejected").filter(pl.col("source_id") == source_id).height


def module_of(function: Callable) -> str:
    """The file of a function, below the repository."""
    return str(Path(inspect.getsourcefile(function)).relative_to(REPOSITORY))


def version_of_parser(parse: Parse) -> str:
    """Hash of the parser's module: rows of another version are parsed again from the same bytes."""
    return hashlib.sha256(Path(inspect.getsourcefile(parse)).read_bytes()).hexdigest()[:12]


def reference_asset(table: Table, path: str, parse: Callable[[bytes, str], pl.DataFrame]) -> dg.AssetsDefinition:
    """A table read from a file below `assets/` that people edit. `parse(content, path)` raises SourceError."""
    file = f"assets/{path}"

    @dg.asset(
        **asset_spec(
            table, kinds={"python", Path(path).suffix.lstrip(".")}, made_by=f"people, who edit {file}", file=file
        )
    )
    def _reference(book: Book) -> dg.MaterializeResult:
        with one_line_errors():
            content = (REPOSITORY / file).read_bytes()
            facts = {"file": file, "file_sha256": digest_of(REPOSITORY / file)}
            return store(book, table, parse(content, path), facts)

    return _reference


def digest_of(path: Path) -> str:
    """Hash of a file that people edit."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sql_asset(table: Table, facts: Callable[[pl.DataFrame], dict[str, Any]] | None = None) -> dg.AssetsDefinition:
    """The table of sql/<layer>/<table>.sql; inputs, code version and lineage of columns are read from the SQL.

    `facts`: what its page says besides, of the rows that were made.
    """
    deps = [asset_key(name) for name in inputs_of(table.name)]
    made_by = f"the SQL in {shown.files_of(table)[0]}"

    @dg.asset(
        **asset_spec(table, kinds={"sql", "duckdb"}, made_by=made_by), deps=deps, code_version=code_version(table.name)
    )
    def _sql(context: dg.AssetExecutionContext, book: Book) -> dg.MaterializeResult:
        with one_line_errors():
            frame = run_sql(book.warehouse, table.name)
            shows = shown_lineage(context, book.warehouse, table)
            return store(book, table, frame, (facts(frame) if facts else {}) | shows)

    return _sql


def shown_lineage(context: dg.AssetExecutionContext, warehouse: Warehouse, table: Table) -> dict[str, Any]:
    """Where the columns of a table come from, as metadata. It decorates: without it the table is made all the same."""
    try:
        lineage = lineage_of(warehouse, table)
        if set(lineage.deps_by_column) != set(table.schema):
            raise LineageError("the columns that were followed are not those of the table")
    except Exception as error:  # whatever it is: another DuckDB may write its parse in other words
        why = f"{type(error).__name__}: {error}"
        context.log.warning(f"lineage of {table.name} not known: {why}. Next: mend pipelines/warehouse/lineage.py.")
        return {"columns_come_from": f"lineage not known ({why})"}
    return {"columns_come_from": shown.origins(lineage), "dagster/column_lineage": lineage}


def lineage_of(warehouse: Warehouse, table: Table) -> dg.TableColumnLineage:
    """From which columns of its inputs each column of a table made by SQL is made."""
    made = column_lineage(sql_of(table.name), lambda name: list(pl.read_parquet_schema(warehouse.path(name))))
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(asset_key(origin), name) for origin, name in sorted(origins)]
            for column, origins in made.items()
        }
    )


def model_asset(
    table: Table,
    compute: Callable[..., pl.DataFrame],
    inputs: Mapping[str, str],
    extra_deps: tuple[str, ...] = (),
    plot: Callable[..., Chart | None] | None = None,
) -> dg.AssetsDefinition:
    """A table that a pure function makes of other tables: `inputs` maps its parameters to table names.

    `plot`: a chart of the result, given first, and of the inputs, by name.
    """
    parameters = inspect.signature(compute).parameters
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    if not takes_any and set(inputs) != set(parameters):
        raise TableError(f"{table.name}: inputs {sorted(inputs)} are not the parameters of {compute.__name__}")
    deps = [asset_key(name) for name in (*inputs.values(), *extra_deps)]
    made_by = f"the model: {compute.__name__} in {module_of(compute)}"

    @dg.asset(
        **asset_spec(table, kinds=KINDS[table.layer], made_by=made_by),
        deps=deps,
        code_version=version_of_module(Path(inspect.getsourcefile(compute))),
    )
    def _model(book: Book) -> dg.MaterializeResult:
        with one_line_errors():
            frames = {parameter: book.warehouse.read(name) for parameter, name in inputs.items()}
            frame = compute(**frames)
            return store(book, table, frame, plotted(plot(frame, **frames)) if plot else {})

    return _model


def plotted(chart: Chart | None) -> dict[str, Any]:
    """A chart as metadata; none of a table without rows to draw."""
    return {"plot": dg.MetadataValue.md(as_markdown(chart))} if chart else {}


def table_checks(table: Table) -> dg.AssetChecksDefinition:
    """The table's checks: one run of its suite answers all of them. All but plausibility block what is downstream."""
    key = asset_key(table.name)
    specs = [
        dg.AssetCheckSpec(
            shown.SENTENCES[name], asset=key, blocking=name != "plausibility", description=shown.PROMISES[name]
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
            yield shown.check_result(table, key, name, [failure for failure in failures if failure.check == name])

    return _checks


def compared_check(
    table: Table,
    name: str,
    promise: str,
    lost: Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame],
    how_to_mend: str,
) -> dg.AssetChecksDefinition:
    """A check of a table beside the published one: `lost(before, now)` gives the rows that a person must know of.

    It blocks only so that it runs before the file is replaced; a warning stops nothing.
    """

    @dg.asset_check(asset=asset_key(table.name), name=name, blocking=True, description=promise)
    def _compared(book: Book) -> dg.AssetCheckResult:
        with one_line_errors():
            now = book.warehouse.read(table.name)
            found = beside_published(book.warehouse.home, table.short_name, lambda before: lost(before, now))
        return shown.compared_result(found, how_to_mend)

    return _compared


def asset_spec(table: Table, kinds: set[str], made_by: str, file: str | None = None) -> dict[str, Any]:
    """The arguments of dg.asset that follow from a table's contract, and from what it is made by."""
    source = _source_by_table().get(table.name)
    own = {FILE: file} if file else {SOURCE: source.source_id} if source else {}
    return {
        "key": asset_key(table.name),
        "group_name": shown.GROUPS[table.layer],
        "kinds": kinds,
        "owners": [shown.OWNERS[table.layer]],
        "description": shown.described(table, source, made_by),
        "metadata": {
            "dagster/column_schema": shown.column_schema(table),
            "dagster/table_name": table.name,
            "dagster/code_references": shown.code_references(shown.files_of(table, *([file] if file else []))),
            **own,
        },
    }


@cache
def catalogue() -> dict[str, Source]:
    """The sources as they were when the code location loaded: reading them takes too long to do it for each asset."""
    return load_catalogue()


@cache
def _source_by_table() -> dict[str, Source]:
    return {source.parser: source for source in catalogue().values()}


def source_format(table: Table) -> str:
    """The format of the files behind a raw table, as a kind of asset; a table without a source has none."""
    source = _source_by_table().get(table.name)
    return source.format if source else "table"


def store(
    book: Book,
    table: Table,
    frame: pl.DataFrame,
    facts: dict[str, Any],
    data_version: str | None = None,
    check_results: list[dg.AssetCheckResult] | None = None,
) -> dg.MaterializeResult:
    """Write the table; row count, preview and `facts` as metadata.

    The data version is the hash of the typed values, or `data_version` where some of them are no news to anybody.
    """
    stored = book.warehouse.write(table, frame)
    version = content_version(stored)
    announce(table, stored, version)
    return dg.MaterializeResult(
        metadata={"dagster/row_count": stored.height, **facts, "preview": shown.preview(stored)},
        data_version=dg.DataVersion(data_version or version),
        check_results=check_results or [],
    )


class one_line_errors:  # noqa: N801  (reads as a statement)
    """Turns an error that explains itself into a Failure with that one line and no traceback for the user."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, SHOWN_ERRORS):
            raise dg.Failure(description=str(error), allow_retries=False) from error
