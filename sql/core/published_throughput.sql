-- one row per published throughput figure, in our ids and units, with the verdict on it
with oviedo as (
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        "Model" as model_as_printed,
        "Hardware" as accelerator_as_printed,
        "Quantization" as precision_as_printed,
        "Source" as framework_as_printed,
        'oviedo_throughput: ' || "Source" as system,
        "TP Size" as n_accelerators,
        'tp' || "TP Size" as parallelism,
        'offline' as scenario,
        try_cast("Input Length" as double) as input_tokens,
        "Output Length" as output_tokens,
        "Tokens per Second (TPS)" as printed_value,
        'tokens/s' as printed_unit,
        'per_group' as accelerator_basis,
        -- the file measures nothing itself: its figures are typed in from elsewhere
        false as is_measured,
        cast(null as double) as power_w,
        cast(null as varchar) as run_id,
        'closed' as category
    from raw.oviedo_throughput
),

trtllm as (
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        model as model_as_printed,
        gpu as accelerator_as_printed,
        precision as precision_as_printed,
        'tensorrt-llm' as framework_as_printed,
        'TensorRT-LLM ' || source_release as system,
        group_gpus as n_accelerators,
        lower(parallelism) as parallelism,
        'offline' as scenario,
        cast(isl as double) as input_tokens,
        cast(osl as double) as output_tokens,
        throughput as printed_value,
        'tokens/s' as printed_unit,
        basis as accelerator_basis,
        true as is_measured,
        cast(null as double) as power_w,
        cast(null as varchar) as run_id,
        'closed' as category
    from raw.trtllm_perf
),

mlperf as (
    select
        r.source_id,
        r.source_release,
        r.snapshot_sha256,
        r.locator,
        r."UsedModel" as model_as_printed,
        coalesce(r."Accelerator", 'none printed') as accelerator_as_printed,
        -- v4.1 prints fp16 for nearly every row, whatever the run computed in
        case when r.source_release = 'v4.1' then 'UNSET' else r.weight_data_types end as precision_as_printed,
        coalesce(r."Software", 'none printed') as framework_as_printed,
        r."ID" || ' ' || r."Submitter" || ': ' || trim(r."System") as system,
        r."Nodes" * coalesce(r."a#", 0) as n_accelerators,
        'unstated' as parallelism,
        lower(r."Scenario") as scenario,
        cast(null as double) as input_tokens,
        r."TOKENS_PER_SAMPLE" as output_tokens,
        r."Performance_Result" as printed_value,
        coalesce(unit.new_value, r."Performance_Units") as printed_unit,
        'per_system' as accelerator_basis,
        true as is_measured,
        case when r."Power_Units" = 'Watts' then r."Power_Result" end as power_w,
        r."ID" || ' ' || r."Suite" as run_id,
        r."Category" as category
    from raw.mlperf_inference as r
    left join core.corrections as unit
        on r.source_id = unit.source_id
        and r.source_release = unit.source_release
        and r.locator = unit.locator
        and unit.action = 'override'
        and unit.column_name = 'Performance_Units'
),

printed as (
    select * from oviedo
    union all
    select * from trtllm
    union all
    select * from mlperf
),

identified as (
    select
        p.*,
        m.id as model_id,
        a.id as accelerator_id,
        q.id as precision,
        case when p.source_id = 'trtllm_perf' then p.framework_as_printed else f.id end as framework,
        flag.reason as caveat,
        wrong.reason as known_error
    from printed as p
    left join core.aliases as m
        on m.kind = 'model' and p.source_id = m.source_id and p.model_as_printed = m.name_as_printed
    left join core.aliases as a
        on a.kind = 'accelerator' and p.source_id = a.source_id and p.accelerator_as_printed = a.name_as_printed
    left join core.aliases as q
        on q.kind = 'precision' and p.source_id = q.source_id and p.precision_as_printed = q.name_as_printed
    left join core.aliases as f
        on f.kind = 'framework' and p.source_id = f.source_id and p.framework_as_printed = f.name_as_printed
    left join core.corrections as flag
        on flag.action = 'flag' and p.source_id = flag.source_id
        and p.source_release = flag.source_release and p.locator = flag.locator
    left join core.corrections as wrong
        on wrong.action = 'exclude' and p.source_id = wrong.source_id
        and p.source_release = wrong.source_release and p.locator = wrong.locator
),

judged as (
    select
        i.*,
        case
            when i.known_error is not null then 'upstream-error'
            when i.model_id is null then 'unknown-model'
            when i.model_id = 'not-an-llm' then 'not-an-llm'
            when i.category <> 'closed' then 'open-division'
            when lower(i.printed_unit) <> 'tokens/s' then 'unit'
            when i.accelerator_id is null then 'unknown-accelerator'
            when i.precision is null then 'unknown-precision'
            when i.framework is null then 'unknown-framework'
        end as code
    from identified as i
),

-- one run printed under two accuracy targets: same result id, scenario, model and values
numbered as (
    select
        j.*,
        case
            when j.code is null and j.run_id is not null then count(*) over (
                partition by j.code, j.source_release, j.run_id, j.model_id, j.scenario, j.printed_value, j.power_w
            )
            else 1
        end as n_source_rows,
        case
            when j.code is null and j.run_id is not null then row_number() over (
                partition by j.code, j.source_release, j.run_id, j.model_id, j.scenario, j.printed_value, j.power_w
                order by j.model_as_printed, j.locator
            )
            else 1
        end as position,
        first_value(j.locator) over (
            partition by j.code, j.source_release, j.run_id, j.model_id, j.scenario, j.printed_value, j.power_w
            order by j.model_as_printed, j.locator
        ) as first_locator
    from judged as j
)

select
    source_id,
    source_release,
    snapshot_sha256,
    locator,
    model_as_printed,
    accelerator_as_printed,
    model_id,
    accelerator_id,
    n_accelerators,
    parallelism,
    precision,
    framework,
    scenario,
    cast(null as bigint) as concurrency,
    system,
    input_tokens,
    output_tokens,
    printed_value,
    printed_unit,
    'output' as token_basis,
    accelerator_basis,
    case when accelerator_basis = 'per_gpu' then printed_value * n_accelerators else printed_value end
        as output_tokens_per_s,
    is_measured,
    power_w,
    case when power_w is not null then 'node' end as power_boundary,
    cast(n_source_rows as bigint) as n_source_rows,
    caveat,
    case when position > 1 then 'twin' else code end as rejection_code,
    case
        when position > 1 then 'the run of ' || first_locator || ', printed again for another accuracy target'
        when code = 'upstream-error' then known_error
        when code = 'not-an-llm' then 'not a language model: ' || model_as_printed
        when code = 'open-division' then 'open division: the model may be pruned or fine-tuned under its plain name'
        when code = 'unit' then 'printed in ' || printed_unit || ', not tokens/s'
        when code is not null then replace(code, '-', ' ') || ' '''
            || case code
                when 'unknown-model' then model_as_printed
                when 'unknown-accelerator' then accelerator_as_printed
                when 'unknown-precision' then precision_as_printed
                else framework_as_printed
            end
            || ''': add it to assets/reference/aliases.csv'
    end as rejected_because
from numbered
