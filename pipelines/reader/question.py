"""A question and what it is asked of: defaults filled in, ids checked, one configuration chosen.

Every default that is used is kept by name, to be printed with the answer.
"""

import re
from dataclasses import dataclass, field, replace
from functools import cached_property

from pipelines.reader.book import Book, same
from pipelines.reader.errors import ReaderError, alike, beginning, did_you_mean, unknown

SERVING_TIME, OVIEDO = METHODS = ("serving-time", "oviedo2026")
BOUNDARIES = ("gpu", "node", "facility")
KEY = (
    "source_id", "source_release", "model_id", "accelerator_id", "n_accelerators", "parallelism", "precision",
    "framework", "scenario", "concurrency",
)  # fmt: skip
WORLD = "WOR"
LEAST_LOAD = 0.01
"""Below, idle power alone is asked for: energy per query grows without end as the load goes to nothing."""
ALSO_CALLED = {"uk": "gbr", "us": "usa", "u.s.": "usa", "uae": "are"}
"""Areas by what people call them, beside the names of the sources."""
CLOUD_REGION, CLOUD_SOURCE = "cloud region", "gsf_cloud_regions"
DEFAULT_MODEL = "llama-3.1-405b"
"""Of a fleet, and of the figure beside each workload."""
MOST_TIMES_BEYOND = 10
"""Lengths further beyond the longest benchmarked are refused: the backtest reaches eight times beyond."""
DEFAULTS = {"method": SERVING_TIME, "workload": "traditional", "boundary": "facility", "load": 1.0, "region": WORLD}
_CANDIDATES = {
    SERVING_TIME: "from serving_fits where ln_prefill is not null",
    OVIEDO: "from throughput_rules where no_estimate_because is null",
}


def check_load(load: float | None) -> None:
    """Raises ReaderError for a share of saturation at which nothing can be said."""
    if load is not None and not LEAST_LOAD <= load <= 1:
        raise ReaderError(f"--load {load:g} cannot be answered: give a share of saturation from {LEAST_LOAD:g} up to 1")


@dataclass(frozen=True)
class Question:
    """What is asked, as given; None: not given. Lengths are of one query."""

    model: str
    accelerator: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    workload: str | None = None
    region: str | None = None
    load: float | None = None
    boundary: str | None = None
    method: str | None = None

    def __post_init__(self) -> None:
        # ids are lower case, whoever writes them
        object.__setattr__(self, "model", self.model.lower())
        object.__setattr__(self, "accelerator", self.accelerator and self.accelerator.lower())
        check_load(self.load)
        self._check_lengths()
        if self.method == OVIEDO and self.boundary == "gpu":
            raise ReaderError("method oviedo2026 knows no boundary gpu: ask for node or facility, or serving-time")
        if self.method == OVIEDO and self.load not in (None, 1):
            raise ReaderError("method oviedo2026 knows no load below 1: leave out --load, or ask for serving-time")
        if self.method == OVIEDO and self.cached_tokens:
            raise ReaderError("method oviedo2026 knows no cached tokens: ask for serving-time")

    def _check_lengths(self) -> None:
        given = {"--input-tokens": self.input_tokens, "--output-tokens": self.output_tokens}
        for name, value in given.items():
            if value is not None and value < 1:
                raise ReaderError(f"{name} {value} is impossible: give at least 1")
        missing = [name for name, value in given.items() if value is None]
        if len(missing) == 1:
            raise ReaderError(f"one query needs both lengths: give {missing[0]} too")
        cached = self.cached_tokens
        if cached is not None and missing:
            raise ReaderError("--cached-tokens are part of the input: give --input-tokens and --output-tokens too")
        if cached is not None and not 0 <= cached <= self.input_tokens:
            raise ReaderError(
                f"--cached-tokens {cached} is impossible: give 0 to {self.input_tokens}, the input tokens"
            )
        if not missing and self.workload is not None:
            raise ReaderError("a workload has its own lengths: give --workload, or the lengths of one query")

    @property
    def is_one_query(self) -> bool:
        return self.input_tokens is not None


@dataclass(frozen=True)
class Asked:
    """A question with its defaults: what is computed. `defaults` are those that were used."""

    question: Question
    configuration: dict
    chosen_as: str
    method: str
    workload: str | None
    boundary: str
    load: float
    region: str
    defaults: dict[str, object] = field(default_factory=dict)

    @property
    def key(self) -> list[object]:
        return [self.configuration[name] for name in KEY]

    @cached_property
    def what_runs(self) -> str:
        c = self.configuration
        return (
            f"{c['model_id']} on {c['n_accelerators']} {c['accelerator_id']} ({c['precision']}, {c['parallelism']}, "
            f"{c['framework']})"
        )


def ask(book: Book, question: Question, within_reach: bool = True) -> Asked:
    """The question with its defaults. Raises ReaderError for ids that the book does not have, and (`within_reach`) for
    lengths that nothing is known of."""
    found = {name: getattr(question, name) for name in DEFAULTS}
    if question.workload is not None:
        _check_workload(book, question.workload)
    if question.region is not None:
        find_area(book, question.region)
    used = {name: DEFAULTS[name] for name, value in found.items() if value is None}
    if question.is_one_query:
        used.pop("workload", None)
    if found["boundary"] in ("gpu", "node"):
        used.pop("region", None)
    found |= {name: DEFAULTS[name] for name in used}
    configuration, chosen_as = choose(book, question.model, question.accelerator, found["method"], found["boundary"])
    asked = Asked(question, configuration, chosen_as, **found, defaults=used | {"configuration": chosen_as})
    if within_reach and (too_long := _beyond_reach(asked)):
        raise too_long
    return asked


def ask_everywhere(book: Book, question: Question) -> list[Asked]:
    """The question on every configuration that can answer it; those that its lengths are too long for are left out.

    Raises ReaderError as `ask` does, where none can.
    """
    first = ask(book, question, within_reach=False)
    found = [
        replace(first, configuration=one, chosen_as="each")
        for one in usable_for(book, question.model, None, first.method, first.boundary)
    ]
    within = [asked for asked in found if _beyond_reach(asked) is None]
    if not within:
        raise _beyond_reach(first) or ReaderError(f"no configuration of {question.model} was benchmarked that long")
    return within


def ask_together(book: Book, first: Question, second: Question) -> tuple[Asked, Asked]:
    """Two questions whose answers are laid side by side. Where their configurations are of two releases of one source,
    and one was benchmarked as much in the other's release, that is taken: what changed between releases is neither's.

    Raises ReaderError as `ask` does.
    """
    one, two = ask(book, first), ask(book, second)
    if one.configuration["source_id"] != two.configuration["source_id"]:
        return one, two
    older = _release_of(one) < _release_of(two)  # the newer release, if both have both
    for this, other in ((one, two), (two, one)) if older else ((two, one), (one, two)):
        if (moved := _in_release_of(other, this, book)) is not None:
            return (moved, two) if this is one else (one, moved)
    return one, two


def _in_release_of(other: Asked, asked: Asked, book: Book) -> Asked | None:
    """The same asked of the same hardware in the release of the other, if it was benchmarked there as much."""
    c, release = asked.configuration, other.configuration["source_release"]
    same = ("source_id", "accelerator_id", "n_accelerators", "precision", "scenario")
    usable = usable_for(book, c["model_id"], c["accelerator_id"], asked.method, asked.boundary)
    there = [row for row in usable if row["source_release"] == release and all(row[name] == c[name] for name in same)]
    if c["source_release"] == release or not there or _n_pairs(best := min(there, key=_rank)) < _n_pairs(c):
        return None
    chosen_as = f"as the other of {c['source_id']} {release}"
    defaults = asked.defaults | {"configuration": chosen_as}
    found = replace(asked, configuration=best, chosen_as=chosen_as, defaults=defaults)
    return None if _beyond_reach(found) else found


def _release_of(asked: Asked) -> tuple[float, str]:
    release = asked.configuration["source_release"]
    return _release_order(asked.configuration["source_id"], release), release


def n_beyond_reach(book: Book, question: Question) -> int:
    """How many configurations `ask_everywhere` leaves out."""
    first = ask(book, question, within_reach=False)
    every = usable_for(book, question.model, None, first.method, first.boundary)
    return sum(_beyond_reach(replace(first, configuration=one)) is not None for one in every)


def choose(book: Book, model: str, accelerator: str | None, method: str, boundary: str) -> tuple[dict, str]:
    """The configuration that answers for a model (on an accelerator), and why that one."""
    usable = usable_for(book, model, accelerator, method, boundary)
    best, default = _best(usable, book.rows("from default_configurations where model_id = ?", model))
    if default is not None:
        return best, default["chosen_as"]
    return best, "most benchmarked" if accelerator is None else f"most benchmarked on {accelerator}"


def usable_for(book: Book, model: str, accelerator: str | None, method: str, boundary: str) -> list[dict]:
    """The configurations that can answer for a model (on an accelerator). Raises ReaderError where there is none."""
    usable = book.rows(_CANDIDATES[method])
    power = "tdp_w" if boundary == "gpu" else "node_power_max_w"
    usable = [row for row in usable if row[power] is not None]
    models = {row["model_id"] for row in usable}
    if model not in models:
        known = [row["model_id"] for row in book.rows("select model_id from models where model_id = ?", model)]
        if known:
            raise ReaderError(
                f"{model} has no benchmark that method {method} can use (with its lengths, and power at boundary "
                f"{boundary}): {_way_out(book, model, None, method, boundary)}"
            )
        raise unknown("model", model, models, "joulebook models lists all")
    usable = [row for row in usable if row["model_id"] == model]
    return usable if accelerator is None else _on(book, usable, model, accelerator, (method, boundary))


def answering(book: Book) -> list[dict]:
    """Of each model on each accelerator the configuration that `choose` finds, by serving-time at the facility."""
    defaults = book.rows("from default_configurations")
    pairs: dict[tuple[str, str], list[dict]] = {}
    for row in book.rows(f"{_CANDIDATES[SERVING_TIME]} and node_power_max_w is not null"):
        pairs.setdefault((row["model_id"], row["accelerator_id"]), []).append(row)
    return [_best(usable, defaults)[0] for _, usable in sorted(pairs.items())]


def _best(usable: list[dict], defaults: list[dict]) -> tuple[dict, dict | None]:
    """The default configuration with its row of `defaults`, if it is one of the `usable`; else the most benchmarked."""
    for default in defaults:
        for candidate in usable:
            if all(candidate[name] == default[name] for name in KEY):
                return candidate, default
    return min(usable, key=_rank), None


def _way_out(book: Book, model: str, accelerator: str | None, method: str, boundary: str) -> str:
    """Which other method or boundary answers."""
    on = "" if accelerator is None else " and accelerator_id = ?"
    values = (model,) if accelerator is None else (model, accelerator)
    by_gpu, by_node = (SERVING_TIME, "gpu", "tdp_w"), (SERVING_TIME, "facility", "node_power_max_w")
    ways = (by_gpu, by_node, (OVIEDO, "facility", "node_power_max_w"))
    for other, within, power in ways:
        if (other, within) == (method, boundary) or (other == method and within == "facility" and boundary == "node"):
            continue
        if book.rows(f"{_CANDIDATES[other]} and {power} is not null and model_id = ?{on} limit 1", *values):
            option = f"--boundary {within}" if other == method else f"--method {other}"
            return f"{option} answers"
    return "joulebook models lists what can be asked"


def _on(book: Book, usable: list[dict], model: str, accelerator: str, at: tuple[str, str]) -> list[dict]:
    found = [row for row in usable if row["accelerator_id"] == accelerator]
    if not found:
        known = book.rows("select accelerator_id from accelerators where accelerator_id = ?", accelerator)
        there = sorted({row["accelerator_id"] for row in usable})
        if known:
            way_out = _way_out(book, model, accelerator, *at)
            raise ReaderError(
                f"{model} has no usable benchmark on {accelerator}: it has on {', '.join(there)}; {way_out}"
            )
        every = {row["accelerator_id"] for row in book.rows("select accelerator_id from accelerators")}
        meant = beginning(accelerator, there) or beginning(accelerator, every) or alike(accelerator, there)
        look = f"{model} has benchmarks on {', '.join(there)}"
        raise unknown("accelerator", accelerator, meant or every, look)
    return found


def _rank(row: dict) -> tuple:
    """As sql/estimates/default_configurations.sql ranks: most pairs of lengths; of equally many H100, FP8, more boards,
    newest. Of the paper's rule, which counts no pairs, most rows."""
    others = ("accelerator_id", "precision", "parallelism", "source_id", "framework", "scenario")
    return (
        -_n_pairs(row),
        row["accelerator_id"] != "h100-sxm",
        row["precision"] != "fp8",
        -row["n_accelerators"],
        -_release_order(row["source_id"], row["source_release"]),
        *(row[name] for name in others),
        row["concurrency"] or 0,
    )


def _n_pairs(row: dict) -> int:
    return row.get("n_length_pairs") or row["n_rows"]


def _release_order(source_id: str, release: str) -> float:
    """TensorRT-LLM's releases in their order, a candidate ("1.2rc") before its release, as the SQL has it."""
    if source_id != "trtllm_perf":
        return 0
    if release == "main":
        return 1_000_000
    numbers = re.match(r"(\d+)(?:\.(\d+))?", release)
    major, minor = (int(number or 0) for number in numbers.groups()) if numbers else (0, 0)
    return 1000 * major + minor - (0.5 if "rc" in release else 0)


def _check_workload(book: Book, workload: str) -> None:
    known = [row["workload_id"] for row in book.rows("select distinct workload_id from energy_per_query")]
    if workload not in known:
        raise unknown("workload", workload, known, "joulebook workloads lists all")


def _beyond_reach(asked: Asked) -> ReaderError | None:
    """The error for lengths beyond what the benchmarks of the configuration tell."""
    for side, given in (("input", asked.question.input_tokens), ("output", asked.question.output_tokens)):
        longest = asked.configuration[f"longest_{side}_tokens"]
        if given is not None and given > MOST_TIMES_BEYOND * longest:
            return ReaderError(
                f"--{side}-tokens {given} is more than {MOST_TIMES_BEYOND} times the longest benchmarked {side} "
                f"({longest}), where nothing tells what a query takes: ask for at most {MOST_TIMES_BEYOND * longest}"
            )
    return None


def stored_row(book: Book, asked: Asked) -> dict | None:
    """The row of energy_per_query that answers, if there is one."""
    if asked.question.is_one_query:
        return None
    columns = (*KEY, "workload_id", "load", "boundary", "method")
    values = (*asked.key, asked.workload, asked.load, asked.boundary, asked.method)
    return next(iter(book.rows(f"from energy_per_query where {same(columns)}", *values)), None)


def find_area(book: Book, region: str) -> dict:
    """The area by its id or name: area_id, area_name, year and its factors.

    Countries go before cloud regions, whose id is `Provider region`: the part behind the provider or the place will do,
    where one area alone has it.
    """
    areas = book.rows(
        "select c.area_id, c.area_name, c.year, c.carbon_gco2e_per_kwh, w.grid_water_l_per_kwh, c.area_kind"
        " from grids c left join grids w on w.area_id = c.area_id and w.is_default_water where c.is_default_carbon"
        " order by c.area_id"
    )
    wanted = ALSO_CALLED.get(region.casefold(), region.casefold())
    for called in (_by_id, _by_name, _by_cloud_region, _by_place):
        found = [area for area in areas if called(area) == wanted]
        if len(found) == 1:
            return {name: value for name, value in found[0].items() if name != "area_kind"}
        if found:
            choices = " or ".join(repr(area["area_id"]) for area in found)
            raise ReaderError(f"region {region!r} is of several areas: ask for {choices}")
    raise _no_area(areas, region)


def _by_id(area: dict) -> str:
    return area["area_id"].casefold()


def _by_name(area: dict) -> str | None:
    return None if area["area_kind"] == CLOUD_REGION else area["area_name"].casefold()


def _by_cloud_region(area: dict) -> str | None:
    return area["area_id"].rpartition(" ")[2].casefold() if area["area_kind"] == CLOUD_REGION else None


def _by_place(area: dict) -> str | None:
    return area["area_name"].casefold() if area["area_kind"] == CLOUD_REGION else None


def _no_area(areas: list[dict], region: str) -> ReaderError:
    """With the areas that may be meant, each once, and without the cloud regions of a file that has none."""
    has_cloud = any(area["area_kind"] == CLOUD_REGION for area in areas)
    names = {area["area_id"]: area for area in areas} | {
        name: area for area in areas for name in (area["area_name"], _by_cloud_region(area)) if name
    }
    is_of_cloud = not has_cloud and any(letter.isdigit() for letter in region)
    meant = {} if is_of_cloud else {names[name]["area_id"]: names[name] for name in alike(region, names, cutoff=0.7)}
    hint = did_you_mean([_named(area) for area in meant.values()])
    absent = "" if has_cloud or meant else (
        f"; cloud regions are of source {CLOUD_SOURCE}, which this file lacks until joulebook refresh takes it online"
    )  # fmt: skip
    return ReaderError(f"no region {region!r}: {hint}give an ISO3 code (SWE) or a name (Sweden) of table grids{absent}")


def _named(area: dict) -> str:
    return area["area_id"] if area["area_id"] == area["area_name"] else f"{area['area_id']} ({area['area_name']})"
