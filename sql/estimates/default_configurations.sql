-- one row per model that has an estimate by method serving-time
with candidates as (
    select
        model_id,
        accelerator_id,
        n_accelerators,
        parallelism,
        precision,
        framework,
        source_id,
        source_release,
        scenario,
        concurrency,
        n_length_pairs,
        accelerator_id = 'h100-sxm' and n_accelerators = 8 as is_eight_h100,
        -- TensorRT-LLM's releases in their order, a candidate ("1.2rc") before its release; what others copied from one
        -- of them comes after all of its own
        case
            when source_id <> 'trtllm_perf' then 0
            when source_release = 'main' then 1000000
            else
                1000 * coalesce(cast(nullif(regexp_extract(source_release, '^[0-9]+'), '') as integer), 0)
                + coalesce(cast(nullif(regexp_extract(source_release, '^[0-9]+[.]([0-9]+)', 1), '') as integer), 0)
                - case when source_release like '%rc%' then 0.5 else 0 end
        end as release_order
    from estimates.serving_fits
    where ln_prefill is not null and node_power_max_w is not null
),

ranked as (
    select
        *,
        row_number() over (
            partition by model_id
            order by
                case when is_eight_h100 then 0 else 1 end,
                case when is_eight_h100 then -release_order else 0 end,
                n_length_pairs desc,
                -- of equally many pairs of lengths: the commonest board, the commonest weights to serve, the most boards, the newest
                case when accelerator_id = 'h100-sxm' then 0 else 1 end,
                case when precision = 'fp8' then 0 else 1 end,
                n_accelerators desc,
                release_order desc,
                accelerator_id,
                precision,
                parallelism,
                source_id,
                framework,
                scenario,
                coalesce(concurrency, 0)
        ) as choice
    from candidates
)

select
    model_id,
    accelerator_id,
    n_accelerators,
    parallelism,
    precision,
    framework,
    source_id,
    source_release,
    scenario,
    concurrency,
    case when is_eight_h100 then 'newest on eight H100' else 'most benchmarked' end as chosen_as
from ranked
where choice = 1
