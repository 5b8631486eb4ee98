-- one row per combination of lengths in a trace
select
    source_id,
    source_release,
    snapshot_sha256,
    cast("ContextTokens" as double) as input_tokens,
    -- what of the input a cache held is not published
    cast(0 as double) as cached_tokens,
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
    cached_tokens,
    cast(output_length as double) as output_tokens,
    count(*) as n_requests
from (
    select
        *,
        -- a block is 512 tokens of the prompt with all before it; the last token is computed in any case
        cast(least(n_shared_blocks * 512, greatest(input_length - 1, 0)) as double) as cached_tokens
    from raw.mooncake_traces
) as requests
group by source_id, source_release, snapshot_sha256, input_length, cached_tokens, output_length
