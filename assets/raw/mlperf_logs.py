"""raw.mlperf_logs: logs of single MLPerf Inference runs, one row a run directory.

A document is a bundle of the files of one round. Each run has a summary; where its power was metered, also the meter's
log (spl.txt) and the load generator's detail log, which says when the scored window begins and ends. The meter starts
before the run, so only its samples inside the window count. Their mean is the one computed figure of this table.
"""

import math
import re
from collections import defaultdict
from datetime import datetime

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.bundles import unpack
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import number
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import load_json
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import raw_asset

METERED = ("power_begin", "power_end", "n_meter_samples", "mean_watts")
TABLE = Table(
    name="raw.mlperf_logs",
    description="Logs of MLPerf Inference runs, rounds v4.1 and v5.1: output tokens/s of the whole system as the load "
    "generator prints it and, of metered runs, the mean wall power of the whole system in the scored window, computed "
    "from the meter's log. A run belongs to the result of raw.mlperf_inference of the same round, Submitter, Platform "
    "(here system), UsedModel (model), Scenario and Category (division).",
    grain=KEY,
    identity=("run_directory",),
    columns=(
        *PROVENANCE,
        Column("run_directory", pl.String, "Folder of the run in the round's repository."),
        Column("division", pl.String, "Division, from the folder.", allowed=("closed", "open")),
        Column("submitter", pl.String, "Who submitted, from the folder."),
        Column("system", pl.String, "System, from the folder; Platform of the results."),
        Column("model", pl.String, "Model with its accuracy target, from the folder."),
        Column("scenario", pl.String, "Scenario, from the folder.", allowed=("Offline", "Server", "Interactive")),
        Column("printed_scenario", pl.String, "Scenario of the summary; Interactive runs print Server."),
        Column("mode", pl.String, "Mode of the summary.", allowed=("PerformanceOnly",)),
        Column(
            "tokens_per_second_line",
            pl.String,
            "Name of the line that the throughput stands on.",
            allowed=("Tokens per second", "Completed tokens per second"),
        ),
        Column("tokens_per_second", pl.Float64, "Output tokens/s of the system.", unit="1/s", low=0.01, high=1e8),
        Column("result_is", pl.String, "Verdict of the load generator.", allowed=("VALID", "INVALID")),
        Column("power_begin", pl.String, "Begin of the scored window, local time as printed.", nullable=True),
        Column("power_end", pl.String, "End of the scored window, local time as printed.", nullable=True),
        Column(
            "n_meter_samples", pl.Int64, "Samples of the meter in the window.", low=1, high=1_000_000, nullable=True
        ),
        Column(
            "mean_watts",
            pl.Float64,
            "Mean wall power of the whole system in the window; computed, not printed.",
            unit="W",
            low=10,
            high=1e7,
            nullable=True,
        ),
    ),
    min_rows=40,
    rules=(
        Rule(
            "A run has window, samples and mean power, or none of them",
            pl.sum_horizontal(pl.col(name).is_null() for name in METERED).is_in([0, len(METERED)]),
            check="contract",
            show="run_directory",
        ),
    ),
)
_SUMMARY, _METER, _DETAIL = "mlperf_log_summary.txt", "spl.txt", "mlperf_log_detail.txt"
_FILE = re.compile(
    r"(?P<run>(?P<division>closed|open)/(?P<submitter>[^/\n]+)/results/(?P<system>[^/\n]+)/(?P<model>[^/\n]+)"
    rf"/(?P<scenario>[^/\n]+)/performance/run_[0-9]+)/(?P<name>{'|'.join(map(re.escape, (_SUMMARY, _METER, _DETAIL)))})"
)
_PRINTED = {
    "printed_scenario": re.compile(r"Scenario : (\w+)"),
    "mode": re.compile(r"Mode +: (\w+)"),
    "result_is": re.compile(r"Result is : (\w+)"),
}
_TOKENS = re.compile(r"(Tokens per second|Completed tokens per second): (\S+)")
_TOKENS_AGAIN = re.compile(r"Completed tokens per second +: (\S+)")
"""The line as it stands once more among the additional statistics."""
_LOG_LINE = ":::MLLOG "
_VALUE = r"-?[0-9]+(?:\.[0-9]+)?"
_READINGS = rf"Watts,({_VALUE}),Volts,{_VALUE},Amps,{_VALUE},PF,{_VALUE}"
_SAMPLE = re.compile(rf"Time,([^,]+),{_READINGS},Mark,[^,]*(?:,Ch[0-9]+,{_READINGS})*", re.ASCII)
"""Key and value in turn, no header: the sum over the channels first, then each channel under the same keys."""
_TIME = re.compile(r"[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}")
_TIME_FORMAT = "%m-%d-%Y %H:%M:%S.%f"
_REMEDY = "If MLCommons changed the format, edit assets/raw/mlperf_logs.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All runs of a round. Raises SourceError naming file and line."""
    files = unpack(content, source.source_id, document.release)
    runs: dict[str, dict[str, str]] = defaultdict(dict)
    folders: dict[str, re.Match] = {}
    for path, text in files.items():
        found = _FILE.fullmatch(path)
        if not found:
            raise SourceError(source.source_id, f"{document.release}, {path}", "is no log of a run", _REMEDY)
        folders[found["run"]] = found
        runs[found["run"]][found["name"]] = text
    rows = [_run(source.source_id, folders[run], logs) for run, logs in runs.items()]
    return pl.DataFrame(
        rows, schema={"locator": pl.String} | {c.name: c.dtype for c in TABLE.columns[len(PROVENANCE) :]}
    )


def _run(source_id: str, folder: re.Match, logs: dict[str, str]) -> dict:
    run = folder["run"]
    if _SUMMARY not in logs:
        raise SourceError(source_id, f"{run}/{_SUMMARY}", "is missing", _REMEDY)
    if (_METER in logs) != (_DETAIL in logs):
        missing = _METER if _DETAIL in logs else _DETAIL
        raise SourceError(source_id, f"{run}/{missing}", "is missing beside the other log of a metered run", _REMEDY)
    row = {"run_directory": run} | {k: folder[k] for k in ("division", "submitter", "system", "model", "scenario")}
    row |= _summary(source_id, f"{run}/{_SUMMARY}", logs[_SUMMARY])
    if _METER not in logs:
        return row | dict.fromkeys(METERED)
    window = _window(source_id, f"{run}/{_DETAIL}", logs[_DETAIL])
    watts = _watts_in(window, source_id, f"{run}/{_METER}", logs[_METER])
    mean = math.fsum(watts) / len(watts)
    return row | dict(zip(METERED, (*window, len(watts), mean), strict=True))


def _summary(source_id: str, path: str, text: str) -> dict:
    """What the summary prints; the throughput's line is the row's place."""
    lines = text.split("\n")
    row = {name: _only(form, lines, source_id, path, name)[1][1] for name, form in _PRINTED.items()}
    n, tokens = _only(_TOKENS, lines, source_id, path, "tokens per second")
    place = f"{path}, line {n}"
    for again in filter(None, map(_TOKENS_AGAIN.fullmatch, lines)):
        if again[1] != tokens[2]:
            raise SourceError(source_id, place, f"{tokens[2]!r} is printed as {again[1]!r} below", _REMEDY)
    row |= {"tokens_per_second_line": tokens[1], "tokens_per_second": number(tokens[2], source_id, place)}
    return {"locator": place} | row


def _only(form: re.Pattern, lines: list[str], source_id: str, path: str, name: str) -> tuple[int, re.Match]:
    """The one line of that form, with its number."""
    found = [(n, match) for n, line in enumerate(lines, start=1) if (match := form.fullmatch(line))]
    if len(found) != 1:
        raise SourceError(source_id, path, f"has {len(found)} lines of {name}, expected one", _REMEDY)
    return found[0]


def _window(source_id: str, path: str, text: str) -> tuple[str, str]:
    """Begin and end of the scored window, as printed."""
    found: dict[str, str] = {}
    for n, line in enumerate(text.split("\n"), start=1):
        key = next((key for key in METERED[:2] if f'"{key}"' in line), None)
        if key is None:
            continue
        place = f"{path}, line {n}"
        event = load_json(line.removeprefix(_LOG_LINE).encode(), source_id, place)
        if not isinstance(event, dict) or event.get("key") != key or not isinstance(event.get("value"), str):
            raise SourceError(source_id, place, f"is no event {key} with its time", _REMEDY)
        if key in found:
            raise SourceError(source_id, place, f"is a second {key}", _REMEDY)
        _time(event["value"], source_id, place)
        found[key] = event["value"]
    if missing := [key for key in METERED[:2] if key not in found]:
        raise SourceError(source_id, path, f"has no {missing[0]}", _REMEDY)
    return found["power_begin"], found["power_end"]


def _watts_in(window: tuple[str, str], source_id: str, path: str, text: str) -> list[float]:
    """The meter's samples of the whole system inside the window, which the log must cover."""
    begin, end = (_time(printed, source_id, path) for printed in window)
    times, watts = [], []
    for n, line in enumerate(text.split("\n"), start=1):
        if not line:  # the log ends with an empty line
            continue
        place = f"{path}, line {n}"
        sample = _SAMPLE.fullmatch(line)
        if not sample:
            raise SourceError(source_id, place, "is no sample of the meter", _REMEDY)
        time = _time(sample[1], source_id, place)
        if times and time <= times[-1]:
            raise SourceError(source_id, place, f"{sample[1]} is not after the sample before it", _REMEDY)
        times.append(time)
        watts.append(number(sample[2], source_id, place))
    inside = [value for time, value in zip(times, watts, strict=True) if begin <= time <= end]
    if not inside or times[0] > begin or times[-1] < end:
        raise SourceError(source_id, path, f"does not cover {window[0]} to {window[1]}", "It may be truncated.")
    return inside


def _time(printed: str, source_id: str, place: str) -> datetime:
    try:
        if _TIME.fullmatch(printed):
            return datetime.strptime(printed, _TIME_FORMAT)  # local time, no zone is printed
    except ValueError:
        pass
    raise SourceError(source_id, place, f"{printed!r} is no time like 07-17-2024 20:49:56.945", _REMEDY)


mlperf_logs = raw_asset(TABLE, parse)
