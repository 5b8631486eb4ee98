-- one row per published row that is not used
select
    source_id,
    source_release,
    snapshot_sha256,
    locator,
    model_as_printed || ', ' || accelerator_as_printed || ', ' || scenario || ': '
    || coalesce(printed_value || ' ' || printed_unit, 'nothing') as printed,
    rejection_code,
    rejected_because
from core.published_throughput
where rejection_code is not null

union all

select
    r.source_id,
    r.source_release,
    r.snapshot_sha256,
    r.locator,
    r."Hardware name" || coalesce(': TDP ' || r."TDP (W)" || ' W', '') as printed,
    case
        when wrong.reason is not null then 'upstream-error'
        when known.accelerator_id is not null then 'twin'
        else 'unknown-accelerator'
    end as rejection_code,
    coalesce(
        wrong.reason,
        'another row of the file is ' || known.accelerator_id || ' too',
        'unknown accelerator ''' || r."Hardware name" || ''': add it to assets/reference/aliases.csv, and its id to '
        || 'assets/reference/accelerators.csv'
    ) as rejected_because
from raw.epoch_ml_hardware as r
left join core.accelerators as a on r.source_release = a.source_release and r.locator = a.locator
left join core.aliases as alias
    on alias.kind = 'accelerator' and r.source_id = alias.source_id and r."Hardware name" = alias.name_as_printed
left join core.accelerators as known on alias.id = known.accelerator_id
left join core.corrections as wrong
    on wrong.action = 'exclude' and r.source_id = wrong.source_id
    and r.source_release = wrong.source_release and r.locator = wrong.locator
where a.accelerator_id is null

union all

select
    m.source_id,
    m.source_release,
    m.snapshot_sha256,
    m.locator,
    m.model_id as printed,
    case when m.architecture is null then 'not-an-llm' else 'unknown-model' end as rejection_code,
    case
        when m.architecture is null then 'not a language model: ' || m.model_id
        else 'unknown model ''' || m.model_id || ''': add it to assets/reference/aliases.csv'
    end as rejected_because
from raw.mlenergy_models as m
left join core.published_models as p
    on m.source_id = p.source_id and m.source_release = p.source_release and m.locator = p.locator
where p.locator is null

union all

-- lists hold many models that nobody published a throughput of
select
    l.source_id,
    l.source_release,
    l.snapshot_sha256,
    l.locator,
    l.name as printed,
    'not-followed' as rejection_code,
    'a model that no throughput is published of: ' || l.name as rejected_because
from (
    select source_id, source_release, snapshot_sha256, locator, name from raw.ecologits_models
    union all
    select source_id, source_release, snapshot_sha256, locator, name from raw.llmfit_models
) as l
left join core.published_models as p
    on l.source_id = p.source_id and l.source_release = p.source_release and l.locator = p.locator
where p.locator is null

union all

select
    r.source_id,
    r.source_release,
    r.snapshot_sha256,
    r.locator,
    r.model || ', ' || r.file_name as printed,
    'unknown-model' as rejection_code,
    'unknown model ''' || r.model || ''' or framework ''' || r.engine
    || ''': add it to assets/reference/aliases.csv' as rejected_because
from raw.tokenpowerbench as r
left join core.energy_measurements as e
    on r.source_id = e.source_id and r.source_release = e.source_release and r.locator = e.locator
where e.locator is null

union all

select
    r.source_id,
    r.source_release,
    r.snapshot_sha256,
    r.locator,
    r.model || ': ' || r.total_gpu_energy as printed,
    case when r.source_release = 'text_generation' then 'not-followed' else 'not-an-llm' end as rejection_code,
    case
        when r.source_release = 'text_generation' then 'a model that no throughput is published of: ' || r.model
        else 'not text generation: ' || r.source_release
    end as rejected_because
from raw.ai_energy_score_feb2025 as r
left join core.energy_measurements as e
    on r.source_id = e.source_id and r.source_release = e.source_release and r.locator = e.locator
where e.locator is null

union all

-- the copy says Wh and holds kWh: shown by the models that it shares with the board, row by row in core.conflicts
select
    r.source_id,
    r.source_release,
    r.snapshot_sha256,
    r.locator,
    r.model_name || ': ' || r.wh_per_1000_queries || ' Wh for 1,000 queries' as printed,
    'unit' as rejection_code,
    'labelled Wh, holds kWh: ' || shared.n || ' models that it shares with the board of 2025 read '
    || coalesce(cast(cast(round(shared.ratio) as bigint) as varchar), 'some 1000') || ' times less than there' as rejected_because
from raw.ai_energy_score_corinac as r
cross join (
    select count(*) as n, median(1 / ratio) as ratio
    from core.conflicts
    where source_id_b = 'ai_energy_score_corinac' and differs_by = 'unit'
) as shared

union all

select
    r.source_id,
    r.source_release,
    r.snapshot_sha256,
    r.locator,
    r."cloud-provider" || ' ' || r."cloud-region" || ', ' || r.year as printed,
    case
        when r."cloud-region" = 'northeurope' and r.location = 'Finland' then 'upstream-error'
        when o.id is null then 'unknown-operator'
        else 'not-printed'
    end as rejection_code,
    case
        when r."cloud-region" = 'northeurope' and r.location = 'Finland'
            then 'northeurope lies in Ireland, and stands there on a row of its own'
        when o.id is null
            then 'unknown operator ''' || r."cloud-provider" || ''': add it to assets/reference/aliases.csv'
        else 'the row prints no PUE, no WUE and no average carbon'
    end as rejected_because
from raw.gsf_cloud_regions as r
left join core.aliases as o
    on o.kind = 'operator' and r.source_id = o.source_id and r."cloud-provider" = o.name_as_printed
left join core.facilities as f
    on r.source_id = f.source_id and r.source_release = f.source_release and r.locator = f.locator
left join core.grids as g
    on r.source_id = g.source_id and r.source_release = g.source_release and r.locator = g.locator
where f.locator is null and g.locator is null

union all

select
    r.source_id,
    r.source_release,
    r.snapshot_sha256,
    r.locator,
    r.area || ' ' || r.year || ': ' || r.carbon || ' g/kWh' as printed,
    'implausible' as rejection_code,
    'zero grams: rounded away, or not known' as rejected_because
from (
    select source_id, source_release, snapshot_sha256, locator, country_name as area, year, carbon_intensity as carbon
    from raw.codecarbon_energy_mix
    union all
    select
        source_id, source_release, snapshot_sha256, locator, "Entity" as area, "Year" as year,
        "Carbon intensity of electricity" as carbon
    from raw.owid_carbon_intensity
) as r
left join core.grids as g
    on r.source_id = g.source_id and r.source_release = g.source_release and r.locator = g.locator
where g.locator is null

union all

select
    l.source_id,
    l.source_release,
    l.snapshot_sha256,
    l.locator,
    l.system || ', ' || l.scenario as printed,
    'not-printed' as rejection_code,
    'no result of the round''s summary belongs to this log' as rejected_because
from raw.mlperf_logs as l
left join core.mlperf_crosscheck as x
    on l.source_id = x.source_id and l.source_release = x.source_release and l.locator = x.locator
where x.result_locator is null
