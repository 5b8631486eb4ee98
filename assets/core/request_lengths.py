"""core.request_lengths: how long requests are in published traces, as counts of (input, output) pairs."""

from assets import columns as c
from pipelines.tables.contract import Coverage, Table
from pipelines.wiring import sql_asset

TABLE = Table(
    name="core.request_lengths",
    description="Input and output tokens of requests in published traces, counted by pair; each trace has one "
    "tokenizer. Energy is linear in tokens, so use the distribution or the mean, not the median. "
    "Prompts of Mooncake share prefixes that its cache holds: fewer tokens are computed than input_tokens says.",
    grain=("source_id", "source_release", "input_tokens", "cached_tokens", "output_tokens"),
    columns=(
        c.source_id,
        c.source_release,
        c.snapshot_sha256,
        c.input_tokens.but(low=0),
        c.quantity(
            "cached_tokens",
            "token",
            "Of the input, what earlier requests of the trace began with too, in blocks of 512: an upper bound of "
            "what a cache could hold; 0 where the trace does not tell.",
            0,
            1e6,
        ),
        c.output_tokens.but(low=0),
        c.count("n_requests", "Requests of just these lengths.", 1),
    ),
    min_rows=1000,
    coverage=(Coverage("source_id", ("azure_llm_2023", "mooncake_traces")),),
    published=True,
)

request_lengths = sql_asset(TABLE)
