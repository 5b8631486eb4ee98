"""What the shell completes: ids that the published file has. Silent where it has none, for a prompt is no place for
an error."""

from collections.abc import Iterable
from pathlib import Path

import click

from pipelines.home import FILE_NAME, resolve_home

EVERYWHERE = "all"
_MODELS = "select distinct model_id from energy_per_query order by 1"
_MODELS_BY_SERVING_TIME = "select distinct model_id from energy_per_query where method = 'serving-time' order by 1"
_ACCELERATORS = "select distinct accelerator_id from energy_per_query where $1 is null or model_id = $1 order by 1"
_WORKLOADS = "select distinct workload_id from energy_per_query order by 1"
_REGIONS = """
    select name from (
        select area_id as name from grids
        union select area_name from grids
        union select split_part(area_id, ' ', -1) from grids where area_kind = 'cloud region'
    ) order by name
"""


def models(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    return _beginning(incomplete, _ids(context, _MODELS))


def fleet_models(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    return _beginning(incomplete, _ids(context, _MODELS_BY_SERVING_TIME))


def models_on(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """MODEL, or MODEL@ACCELERATOR once the @ is typed."""
    model, at, _rest = incomplete.partition("@")
    if not at:
        return _beginning(incomplete, _ids(context, _MODELS))
    return _beginning(incomplete, (f"{model}@{one}" for one in _ids(context, _ACCELERATORS, model)))


def accelerators(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Those that the model of the command has figures on."""
    # behind an option without its value, Click leaves the arguments unnamed
    model = context.params.get("model") or next(iter(context.args), None)
    offered = _ids(context, _ACCELERATORS, model) or _ids(context, _ACCELERATORS, None)
    return _beginning(incomplete, [*offered, *([EVERYWHERE] if context.info_name == "estimate" else [])])


def workloads(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    return _beginning(incomplete, _ids(context, _WORKLOADS))


def regions(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Names once a letter is typed: there are some hundreds."""
    return _beginning(incomplete, _ids(context, _REGIONS))


def _beginning(incomplete: str, ids: Iterable[str]) -> list[str]:
    wanted = incomplete.casefold()
    return [one for one in ids if one.casefold().startswith(wanted)]


def _ids(context: click.Context, query: str, *values: object) -> list[str]:
    try:
        import duckdb  # noqa: PLC0415  (a shell that completes an option name must not wait for it)

        home: Path | None = context.params.get("home")
        with duckdb.connect(str(resolve_home(home) / FILE_NAME), read_only=True) as book:
            return [name for (name,) in book.execute(query, list(values)).fetchall()]
    except Exception:  # whatever it is, the next command says it
        return []
