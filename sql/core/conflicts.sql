-- one row per pair of published figures that speak of the same thing and differ
with comparable as (
    select *
    from core.serving_measurements
    where input_tokens is not null and output_tokens is not null and scenario in ('offline', 'batch')
),

throughputs as (
    select
        'output_tokens_per_s' as quantity,
        '1/s' as unit,
        a.n_accelerators || ' x ' || a.accelerator_id || ', ' || a.precision as subject,
        a.model_id,
        a.accelerator_id,
        a.source_id as source_id_a,
        a.source_release as source_release_a,
        a.locator as locator_a,
        a.parallelism || ', ' || cast(a.input_tokens as bigint) || '/' || cast(a.output_tokens as bigint) as detail_a,
        a.output_tokens_per_s as value_a,
        b.source_id as source_id_b,
        b.source_release as source_release_b,
        b.locator as locator_b,
        b.parallelism || ', ' || cast(b.input_tokens as bigint) || '/' || cast(b.output_tokens as bigint) as detail_b,
        b.output_tokens_per_s as value_b,
        case
            when a.source_id <> b.source_id then 'source'
            when a.source_release <> b.source_release then 'release'
            else 'row'
        end as differs_by,
        coalesce(b.caveat, a.caveat) as caveat
    from comparable as a
    inner join comparable as b
        on a.model_id = b.model_id
        and a.accelerator_id = b.accelerator_id
        and a.n_accelerators = b.n_accelerators
        and a.precision = b.precision
        and a.scenario = b.scenario
        -- 1000/1000 and 1024/1024 are the same question asked twice
        and a.input_tokens between b.input_tokens * 0.97 and b.input_tokens * 1.03
        and a.output_tokens between b.output_tokens * 0.97 and b.output_tokens * 1.03
        and coalesce(a.concurrency, 0) = coalesce(b.concurrency, 0)
    where
        a.source_id || ' ' || a.source_release < b.source_id || ' ' || b.source_release
        -- two origins that one file has its figures from, or two names of one part
        or (
            a.source_id = b.source_id and a.source_release = b.source_release
            and a.system <> b.system and a.locator < b.locator
            and (a.scenario = 'offline' or a.framework = b.framework)
        )
),

-- a figure typed in from another source, with fewer accelerators than it was measured on
counts as (
    select
        'n_accelerators' as quantity,
        '1' as unit,
        cast(round(b.output_tokens_per_s) as bigint) || ' tokens/s' as subject,
        b.model_id,
        b.accelerator_id,
        a.source_id as source_id_a,
        a.source_release as source_release_a,
        a.locator as locator_a,
        a.parallelism as detail_a,
        cast(a.n_accelerators as double) as value_a,
        b.source_id as source_id_b,
        b.source_release as source_release_b,
        b.locator as locator_b,
        b.parallelism as detail_b,
        cast(b.n_accelerators as double) as value_b,
        'accelerators' as differs_by,
        coalesce(a.rejected_because, a.caveat) as caveat
    from core.published_throughput as a
    inner join core.published_throughput as b
        on a.source_id = 'oviedo_throughput'
        and b.source_id = 'mlenergy_v2'
        and a.model_id = b.model_id
        and a.n_accelerators <> b.n_accelerators
        -- the copy is printed with two decimals
        and abs(a.printed_value - b.printed_value) < 0.006
),

-- ratings of a board: the one that serves, and each that another page states
facts as (
    select
        case quantity when 'tdp' then 'tdp_w' when 'memory' then 'memory_gb' else 'memory_bandwidth_gb_per_s' end
            as quantity,
        subject_id as accelerator_id,
        value * case unit when 'TB/s' then 1000 else 1 end as value,
        boundary_as_printed,
        'published_facts' as source_id,
        'reference' as source_release,
        locator,
        caveat
    from raw.published_facts
    where kind in ('accelerator_tdp', 'accelerator_memory')
    union all
    select
        'tdp_w' as quantity,
        accelerator_id,
        tdp_w as value,
        'the maker''s page' as boundary_as_printed,
        'accelerators' as source_id,
        'reference' as source_release,
        locator,
        cast(null as varchar) as caveat
    from raw.accelerators
    where tdp_w is not null
),

ratings as (
    select
        f.quantity,
        case f.quantity when 'tdp_w' then 'W' when 'memory_gb' then 'GB' else 'GB/s' end as unit,
        'rating of the board' as subject,
        cast(null as varchar) as model_id,
        a.accelerator_id,
        case when a.locator is null then 'accelerators' else 'epoch_ml_hardware' end as source_id_a,
        coalesce(a.source_release, 'reference') as source_release_a,
        coalesce(a.locator, a.source_url) as locator_a,
        'the figure that serves' as detail_a,
        case f.quantity when 'tdp_w' then a.tdp_w when 'memory_gb' then a.memory_gb else a.memory_bandwidth_gb_per_s end
            as value_a,
        f.source_id as source_id_b,
        f.source_release as source_release_b,
        f.locator as locator_b,
        f.boundary_as_printed as detail_b,
        f.value as value_b,
        'source' as differs_by,
        f.caveat
    from core.accelerators as a
    inner join facts as f on a.accelerator_id = f.accelerator_id
),

sizes as (
    select
        'total_params_b' as quantity,
        '1e9' as unit,
        p.model_as_printed as subject,
        m.model_id,
        cast(null as varchar) as accelerator_id,
        'models' as source_id_a,
        'reference' as source_release_a,
        m.source_url as locator_a,
        'our figure, confidence ' || m.confidence as detail_a,
        m.total_params_b as value_a,
        p.source_id as source_id_b,
        p.source_release as source_release_b,
        p.locator as locator_b,
        p.size_basis as detail_b,
        p.total_params_b as value_b,
        'source' as differs_by,
        m.note as caveat
    from core.models as m
    inner join core.published_models as p on m.model_id = p.model_id
    union all
    select
        'active_params_b' as quantity,
        '1e9' as unit,
        p.model_as_printed as subject,
        m.model_id,
        cast(null as varchar) as accelerator_id,
        'models' as source_id_a,
        'reference' as source_release_a,
        m.source_url as locator_a,
        'our figure, confidence ' || m.confidence as detail_a,
        m.active_params_b as value_a,
        p.source_id as source_id_b,
        p.source_release as source_release_b,
        p.locator as locator_b,
        p.size_basis as detail_b,
        p.active_params_b as value_b,
        'source' as differs_by,
        m.note as caveat
    from core.models as m
    inner join core.published_models as p on m.model_id = p.model_id
),

-- the least energy of a query that ML.ENERGY measured for a model, on a busy server
busy as (
    select
        *,
        row_number() over (partition by model_id order by energy_wh_per_query, locator) as choice
    from core.energy_measurements
    where
        source_id = 'mlenergy_v3' and source_release in ('gpqa', 'lm-arena-chat') and accelerator_id = 'h100-sxm'
),

-- the same model asked one request at a time
single as (
    select
        e.source_id,
        e.source_release,
        e.locator,
        e.model_id,
        'one request at a time' as detail,
        e.energy_wh_per_query,
        e.caveat
    from core.energy_measurements as e
    where e.source_id = 'ai_energy_score_feb2025'
    union all
    select
        'published_estimates' as source_id,
        'reference' as source_release,
        e.locator,
        a.id as model_id,
        e.subject as detail,
        e.energy_wh_per_query,
        e.caveat
    from core.published_estimates as e
    inner join core.aliases as a
        on a.kind = 'model' and a.source_id = 'published_estimates' and e.subject = a.name_as_printed
    where e.energy_wh_per_query is not null and e.estimate_boundary = 'gpu'
),

energies as (
    select
        'energy_wh_per_query' as quantity,
        'Wh' as unit,
        'boundary gpu' as subject,
        b.model_id,
        b.accelerator_id,
        b.source_id as source_id_a,
        b.source_release as source_release_a,
        b.locator as locator_a,
        b.concurrency || ' requests in flight' as detail_a,
        b.energy_wh_per_query as value_a,
        s.source_id as source_id_b,
        s.source_release as source_release_b,
        s.locator as locator_b,
        s.detail as detail_b,
        s.energy_wh_per_query as value_b,
        'batch' as differs_by,
        'One request at a time, and answers of other lengths' || coalesce('; ' || s.caveat, '') as caveat
    from busy as b
    inner join single as s on b.model_id = s.model_id
    where b.choice = 1
),

-- power printed in another unit than the reader expects, against what the board is rated at
milliwatts as (
    select
        'power_w' as quantity,
        'as printed, read as W' as unit,
        'one board' as subject,
        e.model_id,
        e.accelerator_id,
        'epoch_ml_hardware' as source_id_a,
        a.source_release as source_release_a,
        a.locator as locator_a,
        'TDP' as detail_a,
        a.tdp_w as value_a,
        r.source_id as source_id_b,
        r.source_release as source_release_b,
        r.locator as locator_b,
        'printed in mW' as detail_b,
        r.avg_power as value_b,
        'unit' as differs_by,
        'Printed in milliwatts: ' || cast(round(r.avg_power / 1000) as bigint) || ' W' as caveat,
        row_number() over (partition by e.accelerator_id order by r.avg_power desc, r.locator) as choice
    from raw.argonne_llm_bench as r
    inner join core.serving_measurements as e
        on r.source_id = e.source_id and r.source_release = e.source_release and r.locator = e.locator
    inner join core.accelerators as a on e.accelerator_id = a.accelerator_id
    where r.avg_power is not null and a.locator is not null and a.tdp_w is not null
),

-- a copy that says Wh and holds kWh, against the board it copies
copies as (
    select
        'energy_wh_per_1000_queries' as quantity,
        'as printed, read as Wh' as unit,
        b.model_name as subject,
        of_board.id as model_id,
        cast(null as varchar) as accelerator_id,
        a.source_id as source_id_a,
        a.source_release as source_release_a,
        a.locator as locator_a,
        'printed in kWh' as detail_a,
        a.total_gpu_energy * 1000 as value_a,
        b.source_id as source_id_b,
        b.source_release as source_release_b,
        b.locator as locator_b,
        'labelled Wh' as detail_b,
        b.wh_per_1000_queries as value_b,
        'unit' as differs_by,
        'The copy is labelled Wh and holds kWh' as caveat
    from raw.ai_energy_score_feb2025 as a
    inner join core.aliases as of_board
        on of_board.kind = 'model' and a.source_id = of_board.source_id and a.model = of_board.name_as_printed
    inner join core.aliases as of_copy
        on of_copy.kind = 'model' and of_copy.source_id = 'ai_energy_score_corinac' and of_board.id = of_copy.id
    inner join raw.ai_energy_score_corinac as b
        on of_copy.name_as_printed = b.model_name and b.model_type = 'Text'
    where a.source_release = 'text_generation'
),

carbons as (
    select
        'carbon_gco2e_per_kwh' as quantity,
        'g/kWh' as unit,
        a.area_id || ' ' || a.year as subject,
        cast(null as varchar) as model_id,
        cast(null as varchar) as accelerator_id,
        a.source_id as source_id_a,
        a.source_release as source_release_a,
        a.locator as locator_a,
        a.carbon_method as detail_a,
        a.carbon_gco2e_per_kwh as value_a,
        b.source_id as source_id_b,
        b.source_release as source_release_b,
        b.locator as locator_b,
        b.carbon_method || coalesce(', ' || b.year, ', no year') as detail_b,
        b.carbon_gco2e_per_kwh as value_b,
        case when a.year = b.year then 'source' else 'year' end as differs_by,
        cast(null as varchar) as caveat
    from core.grids as a
    inner join core.grids as b on a.area_id = b.area_id
    where
        a.source_id = 'owid_carbon_intensity'
        and (
            (b.source_id = 'codecarbon_energy_mix' and a.year = b.year)
            -- no year is printed
            or (b.source_id = 'ecologits_electricity_mixes' and a.is_default_carbon)
        )
),

pairs as (
    select * from throughputs
    union all
    select * from counts
    union all
    select * from ratings where abs(value_b / value_a - 1) > 0.02
    union all
    select * from sizes where abs(value_b / value_a - 1) > 0.05
    union all
    select * from energies
    union all
    select
        quantity, unit, subject, model_id, accelerator_id, source_id_a, source_release_a, locator_a, detail_a, value_a,
        source_id_b, source_release_b, locator_b, detail_b, value_b, differs_by, caveat
    from milliwatts
    where choice = 1
    union all
    select * from copies
    union all
    select * from carbons where abs(value_b / value_a - 1) > 0.05
)

select
    *,
    value_b / value_a as ratio
from pairs
where value_a > 0
