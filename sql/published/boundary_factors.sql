-- one row per model and pair of boundaries: energy within the one over energy within the other
with asked as (
    select
        cast(load as double) as at_load,
        cast(workload as varchar) as asked_workload
    -- as in energy_of: no columns of another table
    limit case when load is null or workload is null or model is null or accelerator is null then 1 else 1 end
),

energy as (
    select e.*
    from energy_per_query as e
    inner join configuration_of(model, accelerator := accelerator) as c
        on
            c.boundary = 'facility'
            and e.source_id = c.source_id
            and e.source_release = c.source_release
            and e.model_id = c.model_id
            and e.accelerator_id = c.accelerator_id
            and e.n_accelerators = c.n_accelerators
            and e.parallelism = c.parallelism
            and e.precision = c.precision
            and e.framework = c.framework
            and e.scenario = c.scenario
            and e.concurrency is not distinct from c.concurrency
    inner join asked as a
        on e.load = a.at_load and e.workload_id = a.asked_workload
    where e.method = 'serving-time'
),

refused as (
    select
        case
            when (select count(*) from energy) = 0
                then
                    'boundary_factors: no estimate of ' || coalesce(model, 'any model')
                    || coalesce(' on ' || accelerator, '') || ' for workload ' || coalesce(a.asked_workload, 'NULL')
                    || ' at load ' || coalesce(cast(a.at_load as varchar), 'NULL') || ', see energy_per_query'
        end as because
    from asked as a
)

select
    f.model_id,
    f.accelerator_id,
    f.n_accelerators,
    f.workload_id,
    f.load,
    f.boundary as from_boundary,
    t.boundary as to_boundary,
    t.energy_wh_per_query_p50 / f.energy_wh_per_query_p50 as factor
from refused as r
left join energy as f on true
left join energy as t on f.model_id = t.model_id
where case when r.because is null then f.boundary <> t.boundary else error(r.because) end
order by f.model_id, f.boundary, t.boundary
