-- one row per document of a source
with rows_in as (
    select source_id, source_release, count(*) as n from raw.oviedo_throughput group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.trtllm_perf group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.mlperf_inference group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.epoch_ml_hardware group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.mlenergy_v3 group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.mlenergy_models group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.inferencex group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.azure_llm_2023 group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.mooncake_traces group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.deepseek_inference_system group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.mlenergy_v2 group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.tokenpowerbench group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.argonne_llm_bench group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.ai_energy_score_feb2025 group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.ai_energy_score_corinac group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.gsf_cloud_regions group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n
    from raw.ecologits_electricity_mixes
    group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.owid_carbon_intensity group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.codecarbon_energy_mix group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.ecologits_models group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.llmfit_models group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n from raw.mlperf_logs group by source_id, source_release
),

rows_accepted as (
    select source_id, source_release, count(*) as n from core.serving_measurements group by source_id, source_release
    union all
    select 'epoch_ml_hardware' as source_id, source_release, count(*) as n
    from core.accelerators
    where locator is not null
    group by source_release
    union all
    select source_id, source_release, count(*) as n from core.published_models group by source_id, source_release
    union all
    select source_id, source_release, sum(n_requests) as n from core.request_lengths group by source_id, source_release
    union all
    select source_id, source_release, count(distinct locator) as n
    from core.energy_measurements
    where source_id in ('tokenpowerbench', 'ai_energy_score_feb2025')
    group by source_id, source_release
    union all
    -- a cloud region has a facility, a grid, or both
    select source_id, source_release, count(*) as n
    from (
        select source_id, source_release, locator from core.grids
        union
        select source_id, source_release, locator from core.facilities
    ) as places
    group by source_id, source_release
    union all
    select source_id, source_release, count(*) as n
    from core.mlperf_crosscheck
    where result_locator is not null
    group by source_id, source_release
),

rows_rejected as (
    select source_id, source_release, count(*) as n from core.rejected group by source_id, source_release
)

select
    s.source_id,
    s.source_release,
    s.source_title,
    s.publisher,
    s.homepage,
    s.url,
    s.licence,
    s.licence_url,
    s.redistribution,
    s.redistribution_reason,
    s.credit,
    s.boundary as source_boundary,
    s.basis,
    s.cadence_days,
    s.state,
    s.problem,
    s.snapshot_sha256,
    s.size_bytes,
    s.revised_on,
    s.accepted_at_utc,
    coalesce(i.n, 0) as rows_in,
    cast(coalesce(a.n, 0) as bigint) as rows_accepted,
    coalesce(r.n, 0) as rows_rejected
from raw.snapshots as s
left join rows_in as i on s.source_id = i.source_id and s.source_release = i.source_release
left join rows_accepted as a on s.source_id = a.source_id and s.source_release = a.source_release
left join rows_rejected as r on s.source_id = r.source_id and s.source_release = r.source_release
