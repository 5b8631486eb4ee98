-- one row per measured power or energy, and boundary
with served as (
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        model_id,
        accelerator_id,
        n_accelerators,
        n_accelerators as n_metered_accelerators,
        precision,
        framework,
        scenario,
        concurrency,
        input_tokens,
        output_tokens,
        output_tokens_per_s,
        power_w,
        power_boundary as boundary,
        power_w / output_tokens_per_s as energy_j_per_output_token,
        -- of the mean query, where its length is known
        power_w / output_tokens_per_s * output_tokens / 3600 as energy_wh_per_query,
        n_source_rows,
        caveat
    from core.serving_measurements
    where power_w is not null and is_measured
),

tokenpowerbench as (
    select
        r.*,
        m.id as model_id,
        f.id as framework_id,
        cast(case when r.gpu3_power_watts is not null then 4 when r.gpu1_power_watts is not null then 2 else 1 end as bigint)
            as n_boards,
        -- two serve where two are metered; else one does
        cast(case when r.gpu1_power_watts is not null and r.gpu3_power_watts is null then 2 else 1 end as bigint)
            as n_serving
    from raw.tokenpowerbench as r
    inner join core.aliases as m
        on m.kind = 'model' and r.source_id = m.source_id and r.model = m.name_as_printed
    inner join core.aliases as f
        on f.kind = 'framework' and r.source_id = f.source_id and r.engine = f.name_as_printed
),

-- the nine runs whose whole server was read have a row of either boundary
short_runs as (
    select
        t.source_id,
        t.source_release,
        t.snapshot_sha256,
        t.locator,
        t.model_id,
        -- the boards are not named
        cast(null as varchar) as accelerator_id,
        t.n_serving as n_accelerators,
        -- a reading of the server counts all four boards in it
        case b.boundary when 'gpu' then t.n_boards else 4 end as n_metered_accelerators,
        'unstated' as precision,
        t.framework_id as framework,
        'batch' as scenario,
        t.batch_size as concurrency,
        cast(null as double) as input_tokens,
        cast(t.total_output_tokens as double) / t.responses as output_tokens,
        t.total_output_tokens / t.duration as output_tokens_per_s,
        case b.boundary when 'gpu' then t.gpu_avg_power else t.total_avg_power end as power_w,
        b.boundary,
        case b.boundary when 'gpu' then t.gpu_energy else t.total_avg_power * t.duration end
        / t.total_output_tokens as energy_j_per_output_token,
        case b.boundary when 'gpu' then t.gpu_energy else t.total_avg_power * t.duration end
        / t.responses / 3600 as energy_wh_per_query,
        cast(1 as bigint) as n_source_rows,
        nullif(concat_ws(
            '; ',
            case
                when b.boundary = 'gpu' and t.n_boards = 4 then 'Three idle boards, some 185 W together, are counted in'
            end,
            case when b.boundary = 'node' then 'The whole server of four boards was read; two of them served' end,
            case
                when t.duration < 20 then 'A run under 20 s: its power is diluted by idle seconds around it, up to threefold'
            end
        ), '') as caveat
    from tokenpowerbench as t
    cross join (select 'gpu' as boundary union all select 'node' as boundary) as b
    where b.boundary = 'gpu' or t.total_avg_power > 0
),

ai_energy_score as (
    select
        r.source_id,
        r.source_release,
        r.snapshot_sha256,
        r.locator,
        m.id as model_id,
        -- an H100, of which kind is not said
        cast(null as varchar) as accelerator_id,
        cast(null as bigint) as n_accelerators,
        cast(null as bigint) as n_metered_accelerators,
        'unstated' as precision,
        'unstated' as framework,
        'batch' as scenario,
        cast(1 as bigint) as concurrency,
        cast(null as double) as input_tokens,
        cast(null as double) as output_tokens,
        cast(null as double) as output_tokens_per_s,
        cast(null as double) as power_w,
        'gpu' as boundary,
        cast(null as double) as energy_j_per_output_token,
        -- kWh for 1,000 queries are Wh for one
        r.total_gpu_energy as energy_wh_per_query,
        cast(1 as bigint) as n_source_rows,
        'One request at a time on an H100 of unnamed kind, lengths not published: Oviedo et al. find such figures 4 to 20 '
        || 'times those of a busy server' as caveat
    from raw.ai_energy_score_feb2025 as r
    inner join core.aliases as m
        on m.kind = 'model' and r.source_id = m.source_id and r.model = m.name_as_printed
    where r.source_release = 'text_generation'
)

select
    *,
    true as is_measured
from served
union all
select
    *,
    true as is_measured
from short_runs
union all
select
    *,
    true as is_measured
from ai_energy_score
