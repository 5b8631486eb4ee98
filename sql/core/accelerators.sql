-- one row per accelerator
with epoch as (
    select
        a.id as accelerator_id,
        r.source_release,
        r.snapshot_sha256,
        r.locator,
        -- two names of one accelerator in one file: the first row speaks, the other is rejected as its twin
        row_number() over (partition by a.id order by r.locator) as position,
        r."TDP (W)" as tdp_w,
        case
            when memory.correction_id is null then r."Memory (bytes)"
            else cast(memory.new_value as double)
        end / 1e9 as memory_gb,
        r."Memory bandwidth (byte/s)" / 1e9 as memory_bandwidth_gb_per_s,
        r."Tensor-FP16/BF16 performance (FLOP/s)" / 1e12 as dense_fp16_tflop_per_s
    from raw.epoch_ml_hardware as r
    inner join core.aliases as a
        on a.kind = 'accelerator' and r.source_id = a.source_id and r."Hardware name" = a.name_as_printed
    left join core.corrections as wrong
        on wrong.action = 'exclude' and r.source_id = wrong.source_id
        and r.source_release = wrong.source_release and r.locator = wrong.locator
    left join core.corrections as memory
        on memory.action = 'override' and memory.column_name = 'Memory (bytes)' and r.source_id = memory.source_id
        and r.source_release = memory.source_release and r.locator = memory.locator
    where wrong.correction_id is null
)

select
    v.accelerator_id,
    v.accelerator_name,
    v.vendor,
    v.kind,
    -- board figures: Epoch first (dated, versioned), the maker's page where Epoch has none
    coalesce(e.tdp_w, v.tdp_w) as tdp_w,
    case when e.tdp_w is not null then 'epoch_ml_hardware' when v.tdp_w is not null then v.source_url end as tdp_source,
    v.tdp_w as tdp_w_maker,
    'gpu' as power_boundary,
    coalesce(e.memory_gb, v.memory_gb) as memory_gb,
    coalesce(e.memory_bandwidth_gb_per_s, v.memory_bandwidth_gb_per_s) as memory_bandwidth_gb_per_s,
    -- peak rates: the maker's dense figures first, because others mix in sparse ones
    coalesce(v.dense_fp16_tflop_per_s, e.dense_fp16_tflop_per_s) as dense_fp16_tflop_per_s,
    v.dense_fp8_tflop_per_s,
    v.dense_fp4_tflop_per_s,
    e.source_release,
    e.snapshot_sha256,
    e.locator,
    v.source_url
from raw.accelerators as v
left join epoch as e on v.accelerator_id = e.accelerator_id and e.position = 1
