-- one row per node
with maximum as (
    -- rated maximum; a rack whose maker states none gives the highest figure printed for its peak
    select
        node_id,
        value * 1000 as power_max_w,
        quantity as power_max_quantity,
        source_url,
        confidence,
        row_number() over (
            partition by node_id order by case quantity when 'max_power' then 1 else 2 end, value desc, source_url
        ) as choice
    from raw.nodes
    where quantity in ('max_power', 'peak_power')
),

idle as (
    select node_id, max(value) * 1000 as power_idle_w
    from raw.nodes
    where quantity = 'idle_power'
    group by node_id
),

named as (
    select node_id, accelerator_id, accelerators_per_node, min(node_name) as node_name
    from raw.nodes
    group by node_id, accelerator_id, accelerators_per_node
)

select
    n.node_id,
    n.node_name,
    n.accelerator_id,
    n.accelerators_per_node,
    m.power_max_w,
    m.power_max_w / n.accelerators_per_node as power_max_w_per_accelerator,
    m.power_max_quantity,
    i.power_idle_w,
    'node' as power_boundary,
    false as is_measured,
    -- the node that an accelerator is taken to stand in: the largest whose maximum is known (the whole rack for NVL72)
    m.power_max_w is not null
    and row_number() over (
        partition by n.accelerator_id
        order by case when m.power_max_w is null then 1 else 0 end, n.accelerators_per_node desc, n.node_id
    ) = 1 as is_default,
    m.source_url,
    m.confidence
from named as n
left join maximum as m on n.node_id = m.node_id and m.choice = 1
left join idle as i on n.node_id = i.node_id
