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
                f.n_rows desc,
                case
                    when f.source_id <> 'trtllm_perf' then 0
                    when f.source_release = 'main' then 1000000
                    else
                        1000 * cast(split_part(f.source_release, '.', 1) as integer)
                        + cast(split_part(f.source_release, '.', 2) as integer)
                end desc,
                f.n_accelerators,
                f.precision,
                f.parallelism,
                f.source_id,
                f.framework,
                f.scenario,
                f.source_release,
                f.accelerator_id,
                f.concurrency nulls last
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
