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
        n_rows,
        accelerator_id = 'h100-sxm' and n_accelerators = 8 as is_eight_h100,
        -- TensorRT-LLM's releases in their order; what others copied from one of them comes after all of its own
        case
            when source_id <> 'trtllm_perf' then 0
            when source_release = 'main' then 1000000
            else
                1000 * cast(split_part(source_release, '.', 1) as integer)
                + cast(split_part(source_release, '.', 2) as integer)
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
                n_rows desc,
                release_order desc,
                accelerator_id,
                n_accelerators,
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
