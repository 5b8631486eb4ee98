-- one row per published row that is not used
select
    source_id,
    source_release,
    snapshot_sha256,
    locator,
    model_as_printed || ', ' || accelerator_as_printed || ', ' || scenario || ': '
    || printed_value || ' ' || printed_unit as printed,
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
    case when wrong.reason is not null then 'upstream-error' else 'unknown-accelerator' end as rejection_code,
    coalesce(
        wrong.reason,
        'unknown accelerator ''' || r."Hardware name" || ''': add it to assets/reference/aliases.csv'
    ) as rejected_because
from raw.epoch_ml_hardware as r
left join core.accelerators as a on r.source_release = a.source_release and r.locator = a.locator
left join core.corrections as wrong
    on wrong.action = 'exclude' and r.source_id = wrong.source_id
    and r.source_release = wrong.source_release and r.locator = wrong.locator
where a.accelerator_id is null
