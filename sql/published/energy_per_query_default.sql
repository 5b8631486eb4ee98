-- one row per model and workload: its default configuration, by serving-time, at the facility, saturated
select
    e.*,
    d.chosen_as
from energy_per_query as e
inner join default_configurations as d
    on
        e.source_id = d.source_id
        and e.source_release = d.source_release
        and e.model_id = d.model_id
        and e.accelerator_id = d.accelerator_id
        and e.n_accelerators = d.n_accelerators
        and e.parallelism = d.parallelism
        and e.precision = d.precision
        and e.framework = d.framework
        and e.scenario = d.scenario
        and e.concurrency is not distinct from d.concurrency
where e.method = 'serving-time' and e.boundary = 'facility' and e.load = 1
order by e.model_id, e.workload_id
