"""The door for people: the `joulebook` command. Dagster and the assets are imported by `refresh` alone.

What a refresh does belongs to the assets; this file starts it, shows its progress and says how it ended.
"""

import gc
import logging
import os
import sys
from pathlib import Path

import click

from pipelines.warehouse.store import resolve_home

EXIT_NOT_PUBLISHED = 1
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
    place = _enter(home)
    if not verbose:
        logging.getLogger().setLevel(logging.ERROR)
    from pipelines.refresh import run_refresh
    from pipelines.sources.errors import SourceError

    try:
        from pipelines.definitions import build

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

    sys.exit(print_sources(resolve_home(home) / "joulebook.duckdb"))


@main.command()
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where tables and the file lie.")
@click.option("--port", default=3000, show_default=True, help="Port on 127.0.0.1.")
@click.option("--schedule/--no-schedule", default=False, help="Whether the daily schedule and sensors start on.")
def ui(home: Path | None, port: int, schedule: bool) -> None:
    """Open the Dagster UI on this home: lineage, checks, runs, the daily schedule."""
    from pipelines.ui import PortTakenError, serve

    place = _enter(home)
    click.echo(f"Dagster UI on http://127.0.0.1:{port} for {place}; stop with Ctrl-C")
    click.echo(f"the daily schedule starts {'on' if schedule else 'off (--schedule starts it)'}")
    try:
        serve(place, port, schedule)
    except PortTakenError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_NOT_PUBLISHED)


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
