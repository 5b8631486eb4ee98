-- one row per model, accelerator and precision, and one per pair of them that nobody published anything of
with throughput as (
    select
        model_id,
        accelerator_id,
        precision,
        count(*) as n_throughputs,
        count(case when input_tokens is not null then 1 end) as n_with_lengths,
        -- at saturation: a batch of its own is another question
        count(distinct case
            when scenario = 'offline' and concurrency is null and input_tokens is not null
                then cast(round(input_tokens) as bigint) * 10000000 + cast(round(output_tokens) as bigint)
        end) as n_length_pairs,
        min(input_tokens) as fewest_input_tokens,
        max(input_tokens) as most_input_tokens,
        min(output_tokens) as fewest_output_tokens,
        max(output_tokens) as most_output_tokens,
        min(n_accelerators) as fewest_accelerators,
        max(n_accelerators) as most_accelerators
    from core.serving_measurements
    group by model_id, accelerator_id, precision
),

energy as (
    select
        model_id,
        accelerator_id,
        precision,
        count(case when boundary = 'gpu' then 1 end) as n_gpu_energies,
        count(case when boundary = 'node' then 1 end) as n_node_energies
    from core.energy_measurements
    where accelerator_id is not null
    group by model_id, accelerator_id, precision
),

-- whatever the precision: sources name it differently for one checkpoint
measured as (
    select distinct model_id, accelerator_id
    from core.energy_measurements
    where accelerator_id is not null
),

spoken as (
    select model_id, accelerator_id, precision, source_id from core.serving_measurements
    union
    select model_id, accelerator_id, precision, source_id
    from core.energy_measurements
    where accelerator_id is not null
),

sources as (
    select model_id, accelerator_id, precision, string_agg(source_id, ', ' order by source_id) as source_ids
    from spoken
    group by model_id, accelerator_id, precision
),

-- every model on every accelerator that anybody published a throughput or an energy of
pairs as (
    select m.model_id, a.accelerator_id
    from core.models as m
    cross join (select distinct accelerator_id from sources) as a
),

nodes as (
    select distinct accelerator_id from core.nodes where power_max_w is not null
)

select
    p.model_id,
    p.accelerator_id,
    s.precision,
    s.source_ids is not null as is_covered,
    s.source_ids,
    coalesce(t.n_throughputs, 0) as n_throughputs,
    coalesce(t.n_with_lengths, 0) as n_with_lengths,
    coalesce(t.n_length_pairs, 0) as n_length_pairs,
    t.fewest_input_tokens,
    t.most_input_tokens,
    t.fewest_output_tokens,
    t.most_output_tokens,
    t.fewest_accelerators,
    t.most_accelerators,
    coalesce(e.n_gpu_energies, 0) as n_gpu_energies,
    coalesce(e.n_node_energies, 0) as n_node_energies,
    n.accelerator_id is not null as has_node_power,
    case
        when s.source_ids is null then 'nothing is published'
        when coalesce(t.n_throughputs, 0) = 0 then 'no throughput'
        when t.n_with_lengths = 0 then 'no throughput with both lengths'
        when t.n_length_pairs = 0 then 'no saturated throughput'
        when t.n_length_pairs < 5 then 'fewer than five pairs of lengths'
        when n.accelerator_id is null then 'no node power'
        when d.model_id is null then 'no measured energy'
    end as hole
from pairs as p
left join sources as s on p.model_id = s.model_id and p.accelerator_id = s.accelerator_id
left join throughput as t
    on s.model_id = t.model_id and s.accelerator_id = t.accelerator_id and s.precision = t.precision
left join energy as e
    on s.model_id = e.model_id and s.accelerator_id = e.accelerator_id and s.precision = e.precision
left join measured as d on p.model_id = d.model_id and p.accelerator_id = d.accelerator_id
left join nodes as n on p.accelerator_id = n.accelerator_id
