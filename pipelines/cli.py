"""The door for people: the `joulebook` command. Dagster and the assets are imported by `refresh` alone.

What a refresh does belongs to the assets; this file starts it, shows its progress and says how it ended.
"""

import gc
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.home import FILE_NAME, REPOSITORY, resolve_home

if TYPE_CHECKING:
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
"""
"""No telemetry, no sign-up window over the page, no processes that copy what steps print (ours print nothing), and an
event log that does not take half of a refresh."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
        logging.getLogger().setLevel(logging.ERROR)
    from pipelines.sources.errors import SourceError

    try:
        place = _enter(home)
        from pipelines.definitions import build
        from pipelines.refresh import run_refresh

        published = run_refresh(build, place, offline=offline, update_extracts=update_extracts, verbose=verbose)
    except (SourceError, OSError) as error:
        click.echo(f"error: {error}", err=True)
        published = False
    sys.exit(0 if published else EXIT_NOT_PUBLISHED)


@main.command()
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where tables and the file lie.")
def sources(home: Path | None) -> None:
    """List the sources of the published file: state, revision, age, rows, licence, url."""
    from pipelines.reader.sources import print_sources

    sys.exit(print_sources(resolve_home(home) / FILE_NAME))


@main.command()
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where tables and the file lie.")
def releases(home: Path | None) -> None:
    """List the releases: when, how many estimates changed, and what caused it."""
    from pipelines.reader.releases import print_releases

    sys.exit(print_releases(resolve_home(home) / FILE_NAME))


@main.command()
@click.argument("old", type=int)
@click.argument("new", type=int)
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where tables and the file lie.")
def changes(old: int, new: int, home: Path | None) -> None:
    """Say what changed from release OLD to release NEW, and what caused how much of it."""
    from pipelines.reader.releases import print_changes

    sys.exit(print_changes(resolve_home(home) / FILE_NAME, old, new))


@main.command()
@click.argument("number", type=int)
@click.argument("name")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where the releases lie.")
def tag(number: int, name: str, home: Path | None) -> None:
    """Give release NUMBER a NAME, so that prune keeps it. It shows in the published file after the next refresh."""
    _on_releases(home, lambda kept: kept.tag(number, name) or [f"release {number} is {name}"])


@main.command()
@click.option("--keep", type=int, required=True, help="How many of the newest releases stay.")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where the releases lie.")
def prune(keep: int, home: Path | None) -> None:
    """Remove old releases: all but the newest ones and those with a name. Never the one that is served."""
    _on_releases(home, lambda kept: [f"removed release {release.number}" for release in kept.prune(keep)] or ["none"])


def _on_releases(home: Path | None, work: Callable[["Releases"], list[str]]) -> None:
    """Change the releases of a home while no refresh is at work there, and say what was done."""
    from pipelines.sources.errors import SourceError
    from pipelines.warehouse.lock import alone
    from pipelines.warehouse.releases import ReleaseError, Releases

    place = resolve_home(home)
    if not (place / "releases").exists():
        click.echo(f"error: {place} has no releases: run joulebook refresh first", err=True)
        sys.exit(EXIT_BAD_INPUT)
    try:
        with alone(place):
            for line in work(Releases(place)):
                click.echo(line)
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
@click.option("--port", default=3000, show_default=True, help="Port on 127.0.0.1.")
def ui(home: Path | None, port: int) -> None:
    """Open the Dagster UI on this home: lineage, checks, runs."""
    place = _enter(home)
    dagster = Path(sys.executable).with_name("dagster")
    click.echo(f"Dagster UI on http://127.0.0.1:{port} for {place}; stop with Ctrl-C")
    arguments = ["dev", "-w", str(REPOSITORY / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    os.execv(dagster, [str(dagster), *arguments])


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
    if not settings.exists() or settings.read_text(encoding="utf-8").startswith(WRITTEN_HERE):
        settings.write_text(DAGSTER_SETTINGS, encoding="utf-8")
    return folder


if __name__ == "__main__":
    main()
