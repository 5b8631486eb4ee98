"""The door for people: the `joulebook` command. Dagster and the assets are imported by `refresh` alone.

What a refresh does belongs to the assets; this file starts it, shows its progress and says how it ended. What reading
commands answer belongs to pipelines/reader.
"""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.home import FILE_NAME, resolve_home
from pipelines.reader import complete
from pipelines.reader.errors import ReaderError

if TYPE_CHECKING:
    from pipelines.reader.book import Book
    from pipelines.warehouse.releases import Releases

EXIT_NOT_PUBLISHED = 1
EXIT_BAD_INPUT = 2
WRITTEN_HERE = ("# Written by joulebook", "telemetry:\n  enabled: false\nnux:\n")
"""How the settings begin that are ours, those of earlier versions too."""
DAGSTER_SETTINGS = """\
# Written by joulebook at every start; to keep your own settings, remove this line and begin with another key.
telemetry:
  enabled: false
nux:
  enabled: false
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
event_log_storage:
  module: pipelines.event_log
  class: EventLog
concurrency:
  runs:
    max_concurrent_runs: 1
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  max_runtime_seconds: 7200
retention:
  schedule:
    purge_after_days: 400
  sensor:
    purge_after_days:
      skipped: 7
      failure: 60
      success: 400
"""
"""No telemetry, no sign-up window over the page, no processes that copy what steps print (ours print nothing), and an
event log that does not take half of a refresh. One run at a time, so that none publishes tables of another; one that
never ends is failed; ticks that did nothing are forgotten after a week."""


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """A word that does not fit is one line with the next step, like every other bad input."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        said = error.format_message().rstrip(".")
        command = error.ctx.command_path if error.ctx else "joulebook"
        raise ReaderError(f"{said}: {command} --help says what it takes") from error


class Door(click.Group):
    """The group of all commands."""

    def make_context(self, *arguments: Any, **named: Any) -> click.Context:
        with _one_line_errors():
            return super().make_context(*arguments, **named)

    def invoke(self, context: click.Context) -> Any:
        with _one_line_errors():
            return super().invoke(context)


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="joulebook")
def main() -> None:
    """The book of joules per query: published LLM benchmarks in, energy per query out."""


@main.command()
@click.option("--offline", is_flag=True, help="Ask no publisher: use the last accepted figures.")
@click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), help="Where tables and the published file lie."
)
@click.option("--update-extracts", is_flag=True, help="For maintainers: write accepted figures to assets/extracts.")
@click.option("-v", "--verbose", is_flag=True, help="Show Dagster's log and full tracebacks.")
def refresh(offline: bool, home: Path | None, update_extracts: bool, verbose: bool) -> None:
    """Take the sources, check them, estimate, and publish joulebook.duckdb."""
    # A short process with a third of a gigabyte of live modules: collecting garbage cost a tenth of it, freed 10 MB.
    gc.disable()
    if not verbose:
        import logging

        logging.getLogger().setLevel(logging.ERROR)
    from pipelines.room import trouble_of
    from pipelines.sources.errors import SourceError

    started = time.time()
    try:
        place = _enter(home)
        from pipelines.definitions import build
        from pipelines.refresh import run_refresh

        published = run_refresh(build, place, offline=offline, update_extracts=update_extracts, verbose=verbose)
    except Exception as error:
        trouble = trouble_of(resolve_home(home), error, started)
        if verbose or not (trouble or isinstance(error, SourceError | OSError)):
            raise
        click.echo(f"error: {trouble or error}", err=True)
        published = False
    sys.exit(0 if published else EXIT_NOT_PUBLISHED)


def _home(command: Callable) -> Callable:
    """The option of all reading commands."""
    kind = click.Path(file_okay=False, path_type=Path)
    return click.option("--home", type=kind, help="Where joulebook.duckdb lies.")(command)


def _region(command: Callable) -> Callable:
    said = "ISO3 code, name, or cloud region once gsf_cloud_regions was taken online. Default: the world."
    return click.option("--region", metavar="R", shell_complete=complete.regions, help=said)(command)


def _question(command: Callable) -> Callable:
    """The options that make up a question, the model apart; they come as `asked`, None where not given."""
    options = (
        click.option("--on", "accelerator", metavar="ACCELERATOR", shell_complete=complete.accelerators,
                     help="Default: of the default configuration."),
        click.option("--input-tokens", type=int, metavar="N", help="Of one query, what is cached included."),
        click.option("--output-tokens", type=int, metavar="N", help="Of one query."),
        click.option("--cached-tokens", type=int, metavar="N", help="Part of the input; costs its attention only."),
        click.option("--workload", metavar="ID", shell_complete=complete.workloads, help="Default: traditional."),
        _region,
        click.option("--load", type=float, metavar="L", help="Share of saturation, 0.01 to 1. Default: 1."),
        click.option("--boundary", type=click.Choice(["gpu", "node", "facility"]), help="Default: facility."),
        click.option("--method", type=click.Choice(["serving-time", "oviedo2026"]), help="Default: serving-time."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def _open(home: Path | None) -> "Book":
    from pipelines.reader.book import Book

    return Book(resolve_home(home) / FILE_NAME)


@main.command()
@click.argument("model", shell_complete=complete.models)
@_question
@click.option("--json", "as_json", is_flag=True, help="As JSON, schema in pipelines/reader/schemas.")
@_home
def estimate(model: str, home: Path | None, as_json: bool, **asked: Any) -> None:
    """Energy, carbon and water of one query of MODEL, with what is behind it. --on all: a row for each hardware."""
    from pipelines.reader.question import Question

    if asked["accelerator"] == complete.EVERYWHERE:
        from pipelines.reader.everywhere import print_everywhere as print_answer

        asked["accelerator"] = None
    else:
        from pipelines.reader.estimate import print_estimate as print_answer

    question = Question(model, **asked)
    with _open(home) as book:
        print_answer(book, question, as_json)


@main.command()
@click.argument("estimate", shell_complete=complete.models)
@_question
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_home
def explain(estimate: str, home: Path | None, as_json: bool, **asked: Any) -> None:
    """Take one estimate back to the cells it came from: an estimate_id, or a MODEL with the options of estimate."""
    from pipelines.reader.explain import print_explanation

    with _open(home) as book:
        print_explanation(book, estimate, asked, as_json)


@main.command()
@click.argument("a", shell_complete=complete.models_on)
@click.argument("b", shell_complete=complete.models_on)
@_question
@_home
def compare(a: str, b: str, home: Path | None, **asked: Any) -> None:
    """Two answers side by side, and their ratio: A and B are models, or MODEL@ACCELERATOR."""
    from pipelines.reader.compare import print_comparison

    with _open(home) as book:
        print_comparison(book, a, b, asked)


@main.command()
@click.option("--queries", type=float, required=True, metavar="N", help="Queries a day, such as 1e9.")
@click.option("--long-share", type=float, default=0.0, metavar="S", help="Share that is test-time. Default: 0.")
@click.option("--model", metavar="M", shell_complete=complete.fleet_models, help="Default: llama-3.1-405b.")
@click.option(
    "--on",
    "accelerator",
    metavar="ACCELERATOR",
    shell_complete=complete.accelerators,
    help="Default: of the default configuration.",
)
@_region
@click.option("--load", type=float, metavar="L", help="Mean share of saturation, 0.01 to 1. Default: 1.")
@_home
def fleet(home: Path | None, **asked: Any) -> None:
    """What many queries a day take: GWh, accelerators, peak MW, tCO2e, m3."""
    from pipelines.reader.fleet import FleetQuestion, print_fleet

    question = FleetQuestion(**asked)
    with _open(home) as book:
        print_fleet(book, question)


@main.command()
@click.argument("query")
@_home
def sql(query: str, home: Path | None) -> None:
    """Ask the published file QUERY in SQL, read-only: a table, or CSV when piped. `-` reads it from the input."""
    from pipelines.reader.query import print_query

    with _open(home) as book:
        print_query(book, query)


@main.command()
@_home
def models(home: Path | None) -> None:
    """The models that can be asked, each with its median on its default configuration."""
    from pipelines.reader.lists import print_models

    with _open(home) as book:
        print_models(book)


@main.command()
@_home
def accelerators(home: Path | None) -> None:
    """The accelerators that can be asked, each with its power and its best median."""
    from pipelines.reader.lists import print_accelerators

    with _open(home) as book:
        print_accelerators(book)


@main.command()
@_home
def workloads(home: Path | None) -> None:
    """The workloads that can be asked, each with its lengths and a median."""
    from pipelines.reader.lists import print_workloads

    with _open(home) as book:
        print_workloads(book)


@main.command()
@_home
def sources(home: Path | None) -> None:
    """List the sources of the published file: state, revision, age, rows, licence, and url when piped."""
    from pipelines.reader.sources import print_sources

    with _open(home) as book:
        print_sources(book)


@main.command()
@_home
def releases(home: Path | None) -> None:
    """List the releases: when, how many estimates changed, and what caused it."""
    from pipelines.reader.releases import print_releases

    with _open(home) as book:
        print_releases(book)


@main.command()
@click.argument("old", type=int)
@click.argument("new", type=int)
@_home
def changes(old: int, new: int, home: Path | None) -> None:
    """Say what changed from release OLD to release NEW, and what caused how much of it."""
    from pipelines.reader.releases import print_changes

    with _open(home) as book:
        print_changes(book, old, new)


@main.command()
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Default: in the home.")
@_home
def report(show: bool, output: Path | None, home: Path | None) -> None:
    """Write the published file as one HTML page with charts, that opens without a network."""
    from pipelines.reader.report import print_report

    with _open(home) as book:
        print_report(book, output, show)


@main.command()
@click.argument("number", type=int)
@click.argument("name")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where the releases lie.")
def tag(number: int, name: str, home: Path | None) -> None:
    """Give release NUMBER a NAME, so that prune keeps it. The published file has it after the next refresh."""
    if not name.strip() or not name.isprintable():
        raise ReaderError(f"a release cannot be named {name!r}: give a word, such as paper")
    _on_releases(home, lambda kept: kept.tag(number, name) or [f"release {number} is {name}"])


@main.command()
@click.argument("name")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where the releases lie.")
def untag(name: str, home: Path | None) -> None:
    """Take NAME from its release."""
    _on_releases(home, lambda kept: [f"release {kept.untag(name)} is not {name} any more"])


@main.command()
@click.option("--keep", type=int, required=True, help="How many of the newest releases stay.")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where the releases lie.")
def prune(keep: int, home: Path | None) -> None:
    """Remove old releases: all but the newest ones and those with a name. Never the one that is served."""
    _on_releases(home, lambda kept: [f"removed release {release.number}" for release in kept.prune(keep)] or ["none"])


def _on_releases(home: Path | None, work: Callable[["Releases"], list[str]]) -> None:
    """Change the releases of a home while no refresh is at work there, and say what was done."""
    from pipelines.alone import alone
    from pipelines.sources.errors import SourceError
    from pipelines.warehouse.releases import ReleaseError, Releases

    place = resolve_home(home)
    if not (place / "releases").exists():
        click.echo(f"error: {place} has no releases: run joulebook refresh --offline first", err=True)
        sys.exit(EXIT_BAD_INPUT)
    try:
        with alone(place):
            for line in work(Releases(place)):
                click.echo(line)
            # the published file lists releases and names: the next refresh writes it anew
            (place / "made_of").unlink(missing_ok=True)
    except (ReleaseError, SourceError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_BAD_INPUT)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where tables and the file lie.")
def export(folder: Path, home: Path | None) -> None:
    """Write a package to pass on into FOLDER: Parquet, metadata, citation, licences."""
    from pipelines.reader.export import export as write_package

    sys.exit(write_package(resolve_home(home) / "joulebook.duckdb", folder))


@main.command()
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where tables and the file lie.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port on 127.0.0.1.")
@click.option("--schedule/--no-schedule", default=False, help="Whether the daily schedule and sensors start on.")
def ui(home: Path | None, port: int, schedule: bool) -> None:
    """Open the Dagster UI on this home: lineage, checks, runs, the daily schedule."""
    from pipelines.ui import UiError, prepare, serve

    try:
        place = _enter(home)
        prepare(place, port)
    except (UiError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_BAD_INPUT)
    click.echo(f"Dagster UI on http://127.0.0.1:{port} for {place}; stop with Ctrl-C")
    click.echo(f"the daily schedule starts {'on' if schedule else 'off (--schedule starts it)'}")
    serve(place, port, schedule)


def _enter(home: Path | None) -> Path:
    """The home folder, also for the processes that Dagster starts."""
    place = resolve_home(home)
    os.environ["JOULEBOOK_HOME"] = str(place)
    os.environ["DAGSTER_HOME"] = str(_dagster_home(place))
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    return place


def _dagster_home(home: Path) -> Path:
    """Dagster's own folder below the home, telemetry off."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "dagster.yaml"
    found = settings.read_text(encoding="utf-8") if settings.exists() else ""
    # an empty one is what a full disk left: as settings of the owner it would turn telemetry on
    if found != DAGSTER_SETTINGS and (not found.strip() or found.startswith(WRITTEN_HERE)):
        from pipelines.sources.snapshots import write_atomically

        write_atomically(settings, DAGSTER_SETTINGS.encode())
    return folder


if __name__ == "__main__":
    main()
