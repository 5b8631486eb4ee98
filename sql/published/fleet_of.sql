-- one row per model: the mean queries of two workloads, as many as are asked a day
with asked as (
    select
        cast(queries_per_day as double) as queries,
        cast(long_share as double) as share_long,
        cast(load as double) as at_load,
        cast(area as varchar) as asked_area
    -- as in energy_of: no columns of another table
    limit case
        when queries_per_day + long_share + load is null or model is null or accelerator is null or area is null
            then 1 else 1 end
),

configuration as (select * from configuration_of(model, accelerator := accelerator) where boundary = 'facility'),

estimates as (
    select e.*
    from energy_per_query as e
    inner join configuration as c
        on
            e.source_id = c.source_id
            and e.source_release = c.source_release
            and e.model_id = c.model_id
            and e.accelerator_id = c.accelerator_id
            and e.n_accelerators = c.n_accelerators
            and e.parallelism = c.parallelism
            and e.precision = c.precision
            and e.framework = c.framework
            and e.scenario = c.scenario
            and e.concurrency is not distinct from c.concurrency
    where
        e.method = 'serving-time' and e.boundary = 'facility' and e.workload_id in ('traditional', 'test-time')
),

-- queries a day of each kind, at the load; peak power is that of the same accelerators saturated
parts as (
    select
        e.*,
        case when e.workload_id = 'test-time' then a.queries * a.share_long else a.queries * (1 - a.share_long) end
            as queries,
        s.power_w as saturated_w
    from estimates as e
    inner join asked as a on e.load = a.at_load
    inner join estimates as s
        on e.model_id = s.model_id and e.workload_id = s.workload_id and s.load = 1
),

summed as (
    select
        model_id,
        accelerator_id,
        sum(queries * energy_wh_per_query_mean) / 1e9 as gwh,
        sum(queries * energy_wh_per_query_mean_lo90) / 1e9 as gwh_lo90,
        sum(queries * energy_wh_per_query_mean_hi90) / 1e9 as gwh_hi90,
        sum(queries / 86400 * accelerator_s_per_query_mean) as n,
        sum(queries / 86400 * accelerator_s_per_query_mean * saturated_w / n_accelerators * pue) / 1e3 as kw,
        max(pue) as with_pue,
        sum(queries * energy_wh_per_query_mean * mean_share_extrapolated)
        / nullif(sum(queries * energy_wh_per_query_mean), 0) as share_extrapolated
    from parts
    group by model_id, accelerator_id
),

carbon as (
    select g.*
    from grids as g
    inner join asked as a on g.area_id = a.asked_area
    where g.is_default_carbon
),

water as (
    select g.*
    from grids as g
    inner join asked as a on g.area_id = a.asked_area
    where g.is_default_water
),

wue as (
    select sqrt(low * high) as l_per_kwh
    from assumptions_in_force
    where assumption_id = 'impacts.wue_l_per_kwh'
),

refused as (
    select
        case
            when a.queries is null or not (a.queries > 0 and a.queries <= 1e13)
                then 'fleet_of: queries_per_day must be above 0, such as 1e9'
            when a.share_long is null or not (a.share_long >= 0 and a.share_long <= 1)
                then 'fleet_of: long_share is a share from 0 to 1'
            when (select count(*) from configuration) = 0
                then
                    'fleet_of: no fit of ' || coalesce(model, 'any model') || coalesce(' on ' || accelerator, '')
                    || ', see model_id and accelerator_id of serving_fits'
            when (select count(*) from summed) = 0
                then
                    'fleet_of: load ' || coalesce(cast(a.at_load as varchar), 'NULL')
                    || ' is not in energy_per_query; joulebook fleet answers at any'
            when (select count(*) from carbon) = 0
                then 'fleet_of: no area ' || coalesce(a.asked_area, 'NULL') || ', see area_id of grids'
        end as because
    from asked as a
)

select
    s.model_id,
    s.accelerator_id,
    'facility' as boundary,
    s.gwh as energy_gwh_per_day,
    s.gwh_lo90 as energy_gwh_per_day_lo90,
    s.gwh_hi90 as energy_gwh_per_day_hi90,
    s.n as accelerators_needed,
    s.kw as peak_kw,
    -- GWh times g/kWh is t; GWh times L/kWh is a thousand m3
    s.gwh * c.carbon_gco2e_per_kwh as carbon_tco2e_per_day,
    s.gwh / s.with_pue * u.l_per_kwh * 1e3 as on_site_water_m3_per_day,
    s.gwh * w.grid_water_l_per_kwh * 1e3 as grid_water_m3_per_day,
    s.share_extrapolated as mean_share_extrapolated
from refused as r
left join summed as s on true
left join carbon as c on true
left join water as w on true
left join wue as u on true
where case when r.because is null then true else error(r.because) end
order by s.model_id
