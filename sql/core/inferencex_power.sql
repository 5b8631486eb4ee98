-- one row per InferenceX run with measured board power
select
    m.source_id,
    m.source_release,
    m.snapshot_sha256,
    m.locator,
    m.model_id,
    m.accelerator_id,
    m.n_accelerators,
    m.parallelism,
    m.precision,
    m.framework,
    m.concurrency,
    m.system,
    m.input_tokens,
    m.output_tokens,
    m.output_tokens_per_s,
    m.power_w,
    m.power_boundary,
    m.is_measured,
    -- of all boards paid for; where prefill has a pool of its own, the printed figure counts the decode pool alone
    m.power_w / m.output_tokens_per_s as energy_j_per_output_token,
    r.joules_per_output_token as energy_j_per_output_token_as_printed,
    r.disagg as is_disaggregated,
    m.caveat
from core.serving_measurements as m
inner join raw.inferencex as r
    on m.source_id = r.source_id and m.source_release = r.source_release and m.locator = r.locator
where m.power_w is not null
