"""raw.mlenergy_v2: the ML.ENERGY Leaderboard v2, one row a measured configuration of a language or diffusion model.

One document of many small files, one configuration each. What only a file's path says are columns too.
"""

from functools import reduce

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.bundles import unpack
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import load_json, read_fields
from pipelines.tables.contract import Column, Rule, Table
from pipelines.wiring import raw_asset

_PATH = (
    Column(
        "family",
        pl.String,
        "First folder of the path: kind of model.",
        allowed=("llm_text_generation", "mllm_text_generation", "diffusion"),
    ),
    Column(
        "task",
        pl.String,
        "Second folder: what was asked of it.",
        allowed=("chat", "code", "text-to-image", "text-to-video", "image-to-video"),
    ),
    Column("gpu_folder", pl.String, "Third folder: the GPU, spelled otherwise than in the field GPU."),
    Column("model_folder", pl.String, "Fourth and fifth folder: the model; two rows have a suffix here."),
)
_BOTH = (
    Column("Model", pl.String, "Model as printed."),
    Column("GPU", pl.String, "GPU as printed."),
)
_LANGUAGE = (
    Column("TP", pl.Int64, "Tensor parallel degree.", low=1, high=1024, nullable=True),
    Column("PP", pl.Int64, "Pipeline parallel degree; the GPUs are TP times PP.", low=1, high=1024, nullable=True),
    Column("Energy/req (J)", pl.Float64, "Energy per request, all GPUs.", unit="J", low=1e-3, high=1e8, nullable=True),
    Column("Avg TPOT (s)", pl.Float64, "Mean time per output token.", unit="s", low=1e-5, high=1e3, nullable=True),
    Column(
        "Token tput (tok/s)",
        pl.Float64,
        "Output tokens/s of all GPUs over the whole run, prefill and gaps included.",
        unit="1/s",
        low=0.1,
        high=1e6,
        nullable=True,
    ),
    Column("Avg Output Tokens", pl.Float64, "Mean output tokens.", unit="token", low=1, high=1e6, nullable=True),
    Column("Avg BS (reqs)", pl.Float64, "Mean requests in flight.", low=0.01, high=100_000, nullable=True),
    Column(
        "Max BS (reqs)",
        pl.Int64,
        "Most requests in flight, of all pipeline stages together; a file's name has those of one.",
        low=1,
        high=100_000,
        nullable=True,
    ),
)
_DIFFUSION = (
    Column("Energy/image (J)", pl.Float64, "GPU energy per image.", unit="J", low=1e-3, high=1e8, nullable=True),
    Column("Energy/video (J)", pl.Float64, "GPU energy per video.", unit="J", low=1e-3, high=1e8, nullable=True),
    Column("Batch latency (s)", pl.Float64, "Time of one batch.", unit="s", low=1e-3, high=1e5, nullable=True),
    Column("Batch size", pl.Int64, "Images or videos of one batch.", low=1, high=100_000, nullable=True),
    Column("Denoising steps", pl.Int64, "Denoising steps.", low=1, high=10_000, nullable=True),
    Column("Frames", pl.Int64, "Frames of a video.", low=1, high=100_000, nullable=True),
)
_SUBJECT = ("Energy/image (J)", "Energy/video (J)")
_IS_LANGUAGE = pl.col("family") != "diffusion"


def _all_and_none(filled: tuple[Column, ...], empty: tuple[Column, ...]) -> pl.Expr:
    """Whether every one of `filled` has a value and no one of `empty`."""
    tests = [pl.col(c.name).is_not_null() for c in filled] + [pl.col(c.name).is_null() for c in empty]
    return reduce(lambda a, b: a & b, tests)


def _can_be_drawn(watts: pl.Expr) -> pl.Expr:
    """An idle board draws some 50 W, and the largest of these is rated at 700 W."""
    return watts.is_between(50, 750)


TABLE = Table(
    name="raw.mlenergy_v2",
    description="ML.ENERGY Leaderboard v2, no longer kept up: GPU energy and whole-run throughput of language models, "
    "and energy of diffusion models, on A100 40 GB and H100. Boundary gpu: all GPUs of the run. Output tokens, per "
    "group (TP times PP). Fields of the other kind of model are empty.",
    grain=KEY,
    identity=("family", "task", "Model", "GPU", "TP", "PP", "Max BS (reqs)", "Batch size", "Denoising steps", "Frames"),
    columns=(*PROVENANCE, *_PATH, *_BOTH, *_LANGUAGE, *_DIFFUSION),
    min_rows=400,
    rules=(
        Rule(
            "A row has all figures of a language model or all of a diffusion model",
            pl.when(_IS_LANGUAGE)
            .then(_all_and_none(_LANGUAGE, _DIFFUSION))
            .otherwise(
                _all_and_none(_DIFFUSION[2:5], _LANGUAGE)
                & (pl.col(_SUBJECT[0]).is_null() != pl.col(_SUBJECT[1]).is_null())
                & (pl.col("Frames").is_null() == pl.col("Energy/video (J)").is_null())
            ),
            check="contract",
            show="family",
        ),
        Rule(
            "The folders name the GPU and the model of the row",
            (pl.concat_str(pl.lit("NVIDIA "), pl.col("gpu_folder")) == pl.col("GPU"))
            & pl.col("model_folder").str.starts_with(pl.col("Model")),
            check="contract",
            show="model_folder",
        ),
        Rule(
            "The mean of requests in flight is at most their maximum",
            pl.col("Avg BS (reqs)") <= pl.col("Max BS (reqs)"),
            check="contract",
            show="Avg BS (reqs)",
        ),
        Rule(
            "Requests in flight are at least the tokens/s times the time per token",
            pl.col("Token tput (tok/s)") * pl.col("Avg TPOT (s)") <= 1.1 * pl.col("Avg BS (reqs)"),
            show="Avg TPOT (s)",
        ),
        Rule(
            "Energy, tokens and tokens/s imply a power that the GPUs of the row can draw",
            _can_be_drawn(
                pl.col("Energy/req (J)")
                * pl.col("Token tput (tok/s)")
                / pl.col("Avg Output Tokens")
                / (pl.col("TP") * pl.col("PP"))
            ),
            show="Energy/req (J)",
        ),
        Rule(
            "Energy, size and time of a batch imply a power that one GPU can draw",
            _can_be_drawn(pl.coalesce(_SUBJECT) * pl.col("Batch size") / pl.col("Batch latency (s)")),
            show="Batch latency (s)",
        ),
    ),
)


def _fields(*columns: Column) -> dict[str, type[pl.DataType]]:
    return {column.name: column.dtype for column in (*_BOTH, *columns)}


_IMAGE = _fields(_DIFFUSION[0], *_DIFFUSION[2:5])
_VIDEO = _fields(*_DIFFUSION[1:])
_FORMS = {
    ("llm_text_generation", "chat"): _fields(*_LANGUAGE),
    ("llm_text_generation", "code"): _fields(*_LANGUAGE),
    ("mllm_text_generation", "chat"): _fields(*_LANGUAGE),
    ("diffusion", "text-to-image"): _IMAGE,
    ("diffusion", "text-to-video"): _VIDEO,
    ("diffusion", "image-to-video"): _VIDEO,
}
"""The fields of a file, by the first two folders of its path."""
_PRINTED = {column.name: column.dtype for column in (*_PATH, *_BOTH, *_LANGUAGE, *_DIFFUSION)}
_N_FOLDERS = 5
_REMEDY = "If ML.ENERGY changed its files, edit assets/raw/mlenergy_v2.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """A row of each file. Raises SourceError with the path and, within the file, the JSON pointer."""
    texts = unpack(content, source.source_id, document.release)
    rows = [_row(source, path, text) for path, text in texts.items()]
    return pl.DataFrame(rows, schema={"locator": pl.String} | _PRINTED)


def _row(source: Source, path: str, text: str) -> dict:
    *folders, name = path.split("/")
    form = _FORMS.get(tuple(folders[:2]))
    if len(folders) != _N_FOLDERS or form is None:
        problem = "is no path of family, task, GPU, organisation, model and file that is known"
        raise SourceError(source.source_id, path, problem, _REMEDY)
    family, task, gpu, organisation, model = folders
    printed = load_json(text.encode(), source.source_id, path)
    fields = read_fields(source.source_id, f"{path}, ", printed, form, remedy=_REMEDY)
    if name != (expected := _file_name(fields)):
        raise SourceError(source.source_id, path, f"is the name of a file whose fields say {expected}", _REMEDY)
    told = {"family": family, "task": task, "gpu_folder": gpu, "model_folder": f"{organisation}/{model}"}
    return {"locator": path} | dict.fromkeys(_PRINTED) | told | fields


def _file_name(fields: dict) -> str:
    """What the publisher calls a file with these fields; `bs` is the requests of one pipeline stage."""
    if "TP" in fields:
        of_one_stage = fields["Max BS (reqs)"] / max(fields["PP"], 1)
        return f"bs{of_one_stage:.15g}+tp{fields['TP']}+pp{fields['PP']}.json"
    frames = f"+frames{fields['Frames']}" if "Frames" in fields else ""
    return f"bs{fields['Batch size']}+steps{fields['Denoising steps']}{frames}.json"


mlenergy_v2 = raw_asset(TABLE, parse)
