-- one row per intervention, its two states, and how they were compared
with per_model as (
    select
        intervention,
        state_from,
        state_to,
        compared_at,
        boundary,
        evidence,
        model_id,
        quantile_cont(energy_ratio, 0.5) as energy_ratio
    from estimates.intervention_pairs
    group by intervention, state_from, state_to, compared_at, boundary, evidence, model_id
),

models as (
    select
        intervention,
        state_from,
        state_to,
        compared_at,
        boundary,
        evidence,
        count(*) as n_models,
        quantile_cont(energy_ratio, 0.5) as energy_ratio_p50
    from per_model
    group by intervention, state_from, state_to, compared_at, boundary, evidence
),

pairs as (
    select
        intervention,
        state_from,
        state_to,
        compared_at,
        boundary,
        evidence,
        count(*) as n_pairs,
        string_agg(distinct source_id_from, ', ' order by source_id_from) as source_ids,
        quantile_cont(energy_ratio, 0.1) as energy_ratio_p10,
        quantile_cont(energy_ratio, 0.9) as energy_ratio_p90,
        quantile_cont(throughput_ratio, 0.5) as throughput_ratio_p50
    from estimates.intervention_pairs
    group by intervention, state_from, state_to, compared_at, boundary, evidence
)

select
    m.intervention,
    case
        when m.intervention = 'precision' then 'model'
        when m.intervention = 'accelerator' then 'hardware'
        when m.intervention = 'accelerator and precision' then 'hardware and model'
        when m.intervention = 'concurrency, accelerator and precision' then 'hardware, model and serving'
        else 'serving'
    end as pathway,
    m.state_from,
    m.state_to,
    m.compared_at,
    m.boundary,
    m.evidence,
    p.source_ids,
    p.n_pairs,
    m.n_models,
    m.energy_ratio_p50,
    p.energy_ratio_p10,
    p.energy_ratio_p90,
    p.throughput_ratio_p50
from models as m
inner join pairs as p
    on
        m.intervention = p.intervention
        and m.state_from = p.state_from
        and m.state_to = p.state_to
        and m.compared_at = p.compared_at
        and m.boundary = p.boundary
        and m.evidence = p.evidence
