"""raw.deepseek_inference_system: two production figures that DeepSeek states in prose, one row a phase."""

import re

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import number, utf8
from pipelines.sources.errors import SourceError
from pipelines.tables.contract import Column, Table
from pipelines.wiring import raw_asset

TABLE = Table(
    name="raw.deepseek_inference_system",
    description="DeepSeek-V3/R1 in production, 24 hours: mean tokens/s of a node of eight H800. Input (cache hits "
    "included) on prefill nodes, output on decode nodes: neither is what a node does that prefills and decodes.",
    grain=KEY,
    identity=("phase",),
    columns=(
        *PROVENANCE,
        Column("phase", pl.String, "What the node does.", allowed=("prefill", "decode")),
        Column("tokens_per_s_per_node", pl.Float64, "Tokens/s of a node.", unit="1/s", low=100, high=1e6),
        Column("token_basis", pl.String, "Which tokens.", allowed=("input", "output")),
        Column("gpus_per_node", pl.Int64, "GPUs of a node.", low=1, high=72),
        Column("gpu", pl.String, "GPU as printed."),
    ),
    min_rows=2,
)
_FIGURES = re.compile(
    r"Each (?P<gpu>\S+) node delivers an average throughput of ~(?P<prefill>[0-9.]+)k tokens/s input "
    r"\(including cache hits\) during prefilling or ~(?P<decode>[0-9.]+)k tokens/s output during decoding"
)
_NODE = re.compile(r"each node contains (?P<n>[0-9]{1,3}) (?P<gpu>\S+) GPUs")
_REMEDY = "Read the page; if the sentence was reworded, edit assets/raw/deepseek_inference_system.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """The two figures of the sentence. Raises SourceError where the page no longer says it."""
    text = utf8(content, source.source_id, document.place)
    figures, node = _FIGURES.search(text), _NODE.search(text)
    if not figures or not node or figures["gpu"] != node["gpu"]:
        place = "sentence 'Each H800 node delivers ...'"
        raise SourceError(source.source_id, place, "is not on the page as it was", _REMEDY)
    line = text.count("\n", 0, figures.start()) + 1
    rows = [
        {
            "locator": f"line {line}, {phase}",
            "phase": phase,
            "tokens_per_s_per_node": 1000 * number(figures[phase], source.source_id, f"line {line}, {phase}"),
            "token_basis": basis,
            "gpus_per_node": int(node["n"]),
            "gpu": figures["gpu"],
        }
        for phase, basis in (("prefill", "input"), ("decode", "output"))
    ]
    return pl.DataFrame(rows)


deepseek_inference_system = raw_asset(TABLE, parse)
