-- one row per model of a published list
select
    m.source_id,
    m.source_release,
    m.snapshot_sha256,
    m.locator,
    a.id as model_id,
    m.model_id as model_as_printed,
    m.total_params_billions as total_params_b,
    m.activated_params_billions as active_params_b,
    m.weight_precision as precision_as_printed
from raw.mlenergy_models as m
inner join core.aliases as a
    on a.kind = 'model' and a.source_id = 'mlenergy_v3' and m.model_id = a.name_as_printed
