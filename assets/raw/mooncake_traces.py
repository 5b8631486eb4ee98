"""raw.mooncake_traces: token counts of requests to Kimi (Mooncake, FAST '25), one row a request."""

import polars as pl

from assets.raw.columns import KEY, PROVENANCE
from pipelines.sources.catalogue import Document, Source
from pipelines.sources.cells import utf8
from pipelines.sources.errors import SourceError
from pipelines.sources.json_fields import load_json, read_fields
from pipelines.tables.contract import Column, Table
from pipelines.wiring import raw_asset

TABLE = Table(
    name="raw.mooncake_traces",
    description="Mooncake traces: input and output tokens of each request and how many of its 512-token blocks it "
    "shares with earlier requests. Inputs are long because of shared prefixes: prefill computed is less.",
    grain=KEY,
    columns=(
        *PROVENANCE,
        Column("timestamp", pl.Int64, "Milliseconds from the start.", unit="ms", low=0),
        Column("input_length", pl.Int64, "Input tokens.", low=0, high=10_000_000),
        Column("output_length", pl.Int64, "Output tokens.", low=0, high=10_000_000),
        Column("n_blocks", pl.Int64, "Blocks of 512 tokens of the input.", low=0, high=100_000),
        Column("n_shared_blocks", pl.Int64, "Of these, seen in an earlier request.", low=0, high=100_000),
    ),
    min_rows=1000,
)
_SCHEMA = {"timestamp": pl.Int64, "input_length": pl.Int64, "output_length": pl.Int64}
_REMEDY = "If the publisher changed the file, edit assets/raw/mooncake_traces.py."


def parse(content: bytes, source: Source, document: Document) -> pl.DataFrame:
    """All requests. Raises SourceError naming the line."""
    seen: set[int] = set()
    rows = []
    text = utf8(content, source.source_id, document.place)
    for line, printed in enumerate(text.split("\n"), start=1):
        if printed.strip():
            rows.append(_row(source, document, line, printed, seen))
    return pl.DataFrame(
        rows, schema={"locator": pl.String} | {c.name: c.dtype for c in TABLE.columns[len(PROVENANCE) :]}
    )


def _row(source: Source, document: Document, line: int, printed: str, seen: set[int]) -> dict:
    place = f"{document.release}, line {line}"
    request = load_json(printed.encode(), source.source_id, place)
    left_out = frozenset({"hash_ids"})
    row = read_fields(source.source_id, place, request, _SCHEMA, left_out=left_out, remedy=_REMEDY)
    blocks = request.get("hash_ids")
    if not isinstance(blocks, list) or not all(isinstance(block, int) for block in blocks):
        raise SourceError(source.source_id, f"{place}/hash_ids", "is not a list of block numbers", _REMEDY)
    shared = sum(block in seen for block in blocks)
    seen.update(blocks)
    return {"locator": f"line {line}"} | row | {"n_blocks": len(blocks), "n_shared_blocks": shared}


mooncake_traces = raw_asset(TABLE, parse)
