-- one row per pair of input and output length of a trace
select
    source_id,
    source_release,
    snapshot_sha256,
    cast("ContextTokens" as double) as input_tokens,
    cast("GeneratedTokens" as double) as output_tokens,
    count(*) as n_requests
from raw.azure_llm_2023
group by source_id, source_release, snapshot_sha256, "ContextTokens", "GeneratedTokens"

union all

select
    source_id,
    source_release,
    snapshot_sha256,
    cast(input_length as double) as input_tokens,
    cast(output_length as double) as output_tokens,
    count(*) as n_requests
from raw.mooncake_traces
group by source_id, source_release, snapshot_sha256, input_length, output_length
