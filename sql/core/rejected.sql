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
