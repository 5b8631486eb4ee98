-- one row per MLPerf run whose logs are published, beside the result that the summary prints
select
    l.source_id,
    l.source_release,
    l.snapshot_sha256,
    l.locator,
    r.locator as result_locator,
    r."ID" as result_id,
    l.submitter || ': ' || l.system || ', ' || l.model || ', ' || l.scenario as system,
    l.tokens_per_second as output_tokens_per_s,
    r."Performance_Result" as output_tokens_per_s_of_summary,
    l.tokens_per_second / r."Performance_Result" as throughput_ratio,
    l.mean_watts as power_w,
    r."Power_Result" as power_w_of_summary,
    l.mean_watts / r."Power_Result" as power_ratio,
    l.n_meter_samples,
    'node' as power_boundary
from raw.mlperf_logs as l
left join raw.mlperf_inference as r
    on l.source_release = r.source_release
    and l.submitter = r."Submitter"
    and l.system = r."Platform"
    and l.model = r."UsedModel"
    and l.scenario = r."Scenario"
    and l.division = r."Category"
