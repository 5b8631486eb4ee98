-- one row per accepted throughput figure
select
    source_id,
    source_release,
    snapshot_sha256,
    locator,
    model_id,
    accelerator_id,
    precision,
    framework,
    n_accelerators,
    parallelism,
    scenario,
    concurrency,
    system,
    input_tokens,
    output_tokens,
    printed_value,
    printed_unit,
    token_basis,
    accelerator_basis,
    output_tokens_per_s,
    is_measured,
    power_w,
    power_boundary,
    n_source_rows,
    caveat
from core.published_throughput
where rejection_code is null
