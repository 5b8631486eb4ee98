"""raw.ecologits_models: the model sizes that EcoLogits reckons with, partly its own guesses, one row a model."""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import fits, load_json, read_fields
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import raw_asset

NOT_RELEASED = "model-arch-not-released"
"""The warning on models whose size is EcoLogits' assumption."""


def _params(name: str, meaning: str) -> Column:
    return Column(name, pl.Float64, meaning, unit="1e9", low=0.001, high=100_000, nullable=True)


_TOTAL_HIGH = pl.coalesce("total_params_high_b", "total_params_b")
_ACTIVE_HIGH = pl.coalesce("active_params_high_b", "active_params_b")
TABLE = Table(
    name="raw.ecologits_models",
    description="EcoLogits, models.json: total and active parameters of models behind APIs, one figure or a range; an "
    f"assumption where the warnings say {NOT_RELEASED}. Speed is that of one request at an API, not of a server.",
    grain=KEY,
    identity=("provider", "name"),
    columns=(
        *PROVENANCE,
        Column("provider", pl.String, "API or hub that serves it, as printed."),
        Column("name", pl.String, "Model as printed."),
        Column("aliases", pl.String, "Other names under which the file lists it, by '; '.", nullable=True),
        Column("architecture_type", pl.String, "Dense, or mixture of experts.", allowed=("dense", "moe")),
        _params("total_params_b", "Parameters, billions; empty where a range is printed."),
        _params("total_params_low_b", "Lower end of the printed range."),
        _params("total_params_high_b", "Upper end of the printed range."),
        _params("active_params_b", "Active parameters, billions; empty for dense models or a printed range."),
        _params("active_params_low_b", "Lower end of the printed range."),
        _params("active_params_high_b", "Upper end of the printed range."),
        Column("warnings", pl.String, "Its warnings, by '; '; empty: none.", nullable=True),
        Column("sources", pl.String, "Where EcoLogits has it from, by '; '.", nullable=True),
        Column(
            "deployment_tps",
            pl.Float64,
            "Output tokens/s of one request at an API; not of a node.",
            unit="1/s",
            low=0.1,
            high=1e5,
            nullable=True,
        ),
        Column("deployment_ttft", pl.Float64, "Time to the first token.", unit="s", low=0, high=3600, nullable=True),
    ),
    min_rows=200,
    rules=(
        Rule(
            "A range of parameters ascends",
            (pl.col("total_params_low_b") <= pl.col("total_params_high_b"))
            & (pl.col("active_params_low_b") <= pl.col("active_params_high_b")),
            check="contract",
            show="name",
        ),
        Rule(
            "Active parameters are at most all parameters",
            _ACTIVE_HIGH <= _TOTAL_HIGH,
            check="contract",
            show="name",
        ),
        Rule(
            "Mixtures of experts print active parameters, dense models do not",
            (pl.col("architecture_type") == "moe") == _ACTIVE_HIGH.is_not_null(),
            check="contract",
            show="name",
        ),
    ),
)
_SCHEMA = {"locator": pl.String} | {column.name: column.dtype for column in TABLE.columns[len(PROVENANCE) :]}
_TEXTS = {"type": pl.String, "provider": pl.String, "name": pl.String}
_NESTED = frozenset({"architecture", "warnings", "sources", "deployment"})
_NONE: frozenset[str] = frozenset()
_DEPLOYMENT = {"tps": pl.Float64, "ttft": pl.Float64}
_RANGE = {"min": pl.Float64, "max": pl.Float64}
_REMEDY = "If EcoLogits changed the format, edit assets/raw/ecologits_models.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All models, each with its aliases. Raises SourceError with the JSON pointer."""
    at = _Place(source.source_id, document.release)
    printed = load_json(content, source.source_id, document.release)
    if not isinstance(printed, dict) or set(printed) != {"aliases", "models"}:
        raise at("/").error("is not an object of aliases and models")
    models = at("/models").list_of(printed["models"])
    rows = [_row(at(f"/models/{i}"), model) for i, model in enumerate(models)]
    aliases = _aliases(at, at("/aliases").list_of(printed["aliases"]), {(row["provider"], row["name"]) for row in rows})
    for row in rows:
        row["aliases"] = "; ".join(aliases.get((row["provider"], row["name"]), [])) or None
    return pl.DataFrame(rows, schema=_SCHEMA)


class _Place:
    """A pointer into the document, and what may be asked of the value there."""

    def __init__(self, source_id: str, release: str, pointer: str = ""):
        self.source_id, self.release, self.pointer = source_id, release, pointer

    def __call__(self, further: str) -> "_Place":
        return _Place(self.source_id, self.release, self.pointer + further)

    def __str__(self) -> str:
        return f"{self.release}, {self.pointer}"

    def error(self, problem: str) -> SourceError:
        return SourceError(self.source_id, str(self), problem, _REMEDY)

    def fields(self, printed: object, schema: dict, *, nested: frozenset = _NONE, optional: frozenset = _NONE) -> dict:
        """The typed fields of an object, which has the keys of `nested` too: they are read by themselves."""
        row = read_fields(
            self.source_id, str(self), printed, schema, optional=optional, left_out=nested, remedy=_REMEDY
        )
        if missing := nested - set(printed):
            raise self(f"/{min(missing)}").error("is missing")
        return row

    def list_of(self, printed: object) -> list:
        if not isinstance(printed, list):
            raise self.error("is not a list")
        return printed

    def texts(self, printed: object) -> str | None:
        """A list of texts as one; null where there is none."""
        if printed is None:
            return None
        for i, text in enumerate(self.list_of(printed)):
            if not isinstance(text, str):
                raise self(f"/{i}").error(f"{text!r} is not String")
        return "; ".join(printed) or None


def _row(at: _Place, model: object) -> dict:
    row = at.fields(model, _TEXTS, nested=_NESTED)
    if row.pop("type") != "model":
        raise at("/type").error(f"{model['type']!r} is not 'model'")
    architecture = at("/architecture").fields(
        model["architecture"], {"type": pl.String}, nested=frozenset({"parameters"})
    )
    row |= {"locator": at.pointer, "architecture_type": architecture["type"]}
    row |= _parameters(at("/architecture/parameters"), model["architecture"]["parameters"])
    row |= {name: at(f"/{name}").texts(model[name]) for name in ("warnings", "sources")}
    speed = at("/deployment").fields(model["deployment"], _DEPLOYMENT, optional=frozenset(_DEPLOYMENT))
    return row | {f"deployment_{name}": value for name, value in speed.items()}


def _parameters(at: _Place, printed: object) -> dict:
    """All four shapes: a number, a range, and total with active parameters, each a number or a range."""
    if isinstance(printed, dict) and "total" in printed:
        at.fields(printed, {}, nested=frozenset({"total", "active"}))
        total, active = (_amount(at(f"/{name}"), printed[name]) for name in ("total", "active"))
    else:
        total, active = _amount(at, printed), (None, None, None)
    return {
        f"{what}_params{end}_b": value
        for what, amount in (("total", total), ("active", active))
        for end, value in zip(("", "_low", "_high"), amount, strict=True)
    }


def _amount(at: _Place, printed: object) -> tuple[float | None, float | None, float | None]:
    """One figure, or the two ends of a range."""
    if isinstance(printed, dict):
        ends = at.fields(printed, _RANGE)
        return None, ends["min"], ends["max"]
    if not fits(printed, pl.Float64):
        raise at.error(f"{printed!r} is neither a number nor a range")
    return float(printed), None, None


def _aliases(at: _Place, printed: list, models: set[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """The other names of each model. An alias of a model that the file does not list is an error."""
    names: dict[tuple[str, str], list[str]] = {}
    for i, entry in enumerate(printed):
        here = at(f"/aliases/{i}")
        alias = here.fields(entry, _TEXTS | {"alias": pl.String})
        model = alias["provider"], alias["alias"]
        if alias["type"] != "alias" or model not in models:
            raise here.error(f"{alias} is not an alias of a listed model")
        names.setdefault(model, []).append(alias["name"])
    return names


ecologits_models = raw_asset(TABLE, parse)
