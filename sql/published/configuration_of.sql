-- one row per model and boundary: the default configuration, else the most benchmarked one, as joulebook chooses it
select * exclude (choice)
from (
    select
        f.*,
        b.boundary,
        row_number() over (
            partition by f.model_id, b.boundary
            order by
                case when d.model_id is null then 1 else 0 end,
                f.n_length_pairs desc,
                -- of equally many pairs as default_configurations chooses
                case when f.accelerator_id = 'h100-sxm' then 0 else 1 end,
                case when f.precision = 'fp8' then 0 else 1 end,
                f.n_accelerators desc,
                case
                    when f.source_id <> 'trtllm_perf' then 0
                    when f.source_release = 'main' then 1000000
                    else
                        1000 * coalesce(cast(nullif(regexp_extract(f.source_release, '^[0-9]+'), '') as integer), 0)
                        + coalesce(cast(nullif(regexp_extract(f.source_release, '^[0-9]+[.]([0-9]+)', 1), '') as integer), 0)
                        - case when f.source_release like '%rc%' then 0.5 else 0 end
                end desc,
                f.accelerator_id,
                f.precision,
                f.parallelism,
                f.source_id,
                f.framework,
                f.scenario,
                coalesce(f.concurrency, 0)
        ) as choice
    from serving_fits as f
    cross join (values ('gpu'), ('node'), ('facility')) as b (boundary)
    left join default_configurations as d
        on
            f.source_id = d.source_id
            and f.source_release = d.source_release
            and f.model_id = d.model_id
            and f.accelerator_id = d.accelerator_id
            and f.n_accelerators = d.n_accelerators
            and f.parallelism = d.parallelism
            and f.precision = d.precision
            and f.framework = d.framework
            and f.scenario = d.scenario
            and f.concurrency is not distinct from d.concurrency
    where
        (model is null or f.model_id = model)
        and f.ln_prefill is not null
        and (accelerator is null or f.accelerator_id = accelerator)
        and case when b.boundary = 'gpu' then f.tdp_w else f.node_power_max_w end is not null
)
where choice = 1
order by model_id, boundary
