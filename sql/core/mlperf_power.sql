-- one row per MLPerf run with wall power
select
    source_id,
    source_release,
    snapshot_sha256,
    locator,
    model_id,
    accelerator_id,
    n_accelerators,
    precision,
    framework,
    scenario,
    system,
    output_tokens_per_s,
    power_w,
    power_boundary,
    is_measured,
    power_w / output_tokens_per_s as energy_j_per_output_token,
    n_source_rows,
    caveat
from core.serving_measurements
where source_id = 'mlperf_inference' and power_w is not null
