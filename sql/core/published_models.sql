-- one row per model of a published list that we have an id for
with listed as (
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        'mlenergy_v3' as spelled_as,
        model_id as model_as_printed,
        total_params_billions as total_params_b,
        activated_params_billions as active_params_b,
        weight_precision as precision_as_printed,
        'rounded' as size_basis
    from raw.mlenergy_models
    union all
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        source_id as spelled_as,
        name as model_as_printed,
        coalesce(total_params_b, (total_params_low_b + total_params_high_b) / 2) as total_params_b,
        -- of a dense model all are active
        coalesce(
            active_params_b, (active_params_low_b + active_params_high_b) / 2,
            total_params_b, (total_params_low_b + total_params_high_b) / 2
        ) as active_params_b,
        cast(null as varchar) as precision_as_printed,
        case
            when warnings like '%model-arch-not-released%' then 'assumed'
            when total_params_b is null or active_params_low_b is not null then 'middle of a range'
            else 'stated'
        end as size_basis
    from raw.ecologits_models
    union all
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        source_id as spelled_as,
        name as model_as_printed,
        parameters_raw / 1e9 as total_params_b,
        coalesce(active_parameters, parameters_raw) / 1e9 as active_params_b,
        cast(null as varchar) as precision_as_printed,
        case when active_parameters is null then 'stated' else 'active ones estimated' end as size_basis
    from raw.llmfit_models
)

select
    l.source_id,
    l.source_release,
    l.snapshot_sha256,
    l.locator,
    a.id as model_id,
    l.model_as_printed,
    l.total_params_b,
    l.active_params_b,
    l.precision_as_printed,
    l.size_basis
from listed as l
inner join core.aliases as a
    on a.kind = 'model' and l.spelled_as = a.source_id and l.model_as_printed = a.name_as_printed
inner join core.models as m on a.id = m.model_id
