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
        cast(null as bigint) as concurrency,
        case when "Input Length" <> 'Variable' then cast("Input Length" as double) end as input_tokens,
        "Output Length" as output_tokens,
        "Tokens per Second (TPS)" as printed_value,
        'tokens/s' as printed_unit,
        'output' as token_basis,
        'per_group' as accelerator_basis,
        cast(1 as bigint) as n_basis,
        -- the file measures nothing itself: its figures are typed in from elsewhere
        false as is_measured,
        cast(null as double) as power_w,
        cast(null as varchar) as power_boundary,
        cast(null as varchar) as run_id,
        cast(null as bigint) as page_number,
        cast(null as varchar) as own_caveat,
        cast(null as varchar) as own_code
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
        batch_size as concurrency,
        cast(isl as double) as input_tokens,
        cast(osl as double) as output_tokens,
        throughput as printed_value,
        'tokens/s' as printed_unit,
        'output' as token_basis,
        basis as accelerator_basis,
        case when basis = 'per_gpu' then group_gpus else 1 end as n_basis,
        true as is_measured,
        cast(null as double) as power_w,
        cast(null as varchar) as power_boundary,
        cast(null as varchar) as run_id,
        page_number,
        cast(null as varchar) as own_caveat,
        cast(null as varchar) as own_code
    from raw.trtllm_perf
),

mlperf_metered as (
    select source_release, "Submitter", "Platform", "UsedModel", "Scenario", "Power_Result", "Power_Units"
    from raw.mlperf_inference
    where "Performance_Result" is null
),

mlperf as (
    select
        r.source_id,
        r.source_release,
        r.snapshot_sha256,
        r.locator,
        r."UsedModel" as model_as_printed,
        coalesce(r."Accelerator", 'none printed') as accelerator_as_printed,
        -- v4.1 prints fp16 for nearly every row, whatever the run computed in; v4.0 prints nothing
        case
            when r.source_release = 'v4.1' or r.weight_data_types is null then 'UNSET'
            else r.weight_data_types
        end as precision_as_printed,
        coalesce(r."Software", 'none printed') as framework_as_printed,
        r."ID" || ' ' || r."Submitter" || ': ' || trim(r."System") as system,
        r."Nodes" * coalesce(r."a#", 0) as n_accelerators,
        'unstated' as parallelism,
        lower(r."Scenario") as scenario,
        cast(null as bigint) as concurrency,
        cast(null as double) as input_tokens,
        r."TOKENS_PER_SAMPLE" as output_tokens,
        r."Performance_Result" as printed_value,
        coalesce(unit.new_value, r."Performance_Units") as printed_unit,
        'output' as token_basis,
        'per_system' as accelerator_basis,
        cast(1 as bigint) as n_basis,
        true as is_measured,
        case when coalesce(w."Power_Units", r."Power_Units") = 'Watts' then coalesce(w."Power_Result", r."Power_Result") end
            as power_w,
        case when coalesce(w."Power_Units", r."Power_Units") = 'Watts' then 'node' end as power_boundary,
        r."ID" || ' ' || r."Suite" as run_id,
        cast(null as bigint) as page_number,
        cast(null as varchar) as own_caveat,
        case
            when r."Category" <> 'closed' then 'open-division'
            when r."Performance_Result" is null then 'power-of-a-run'
        end as own_code
    from raw.mlperf_inference as r
    -- v4.0 prints the power of a run on a row of its own
    left join mlperf_metered as w
        on r."Performance_Result" is not null
        and r.source_release = w.source_release
        and r."Submitter" = w."Submitter"
        and r."Platform" = w."Platform"
        and r."UsedModel" = w."UsedModel"
        and r."Scenario" = w."Scenario"
    left join core.corrections as unit
        on r.source_id = unit.source_id
        and r.source_release = unit.source_release
        and r.locator = unit.locator
        and unit.action = 'override'
        and unit.column_name = 'Performance_Units'
),

mlenergy as (
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        model_id as model_as_printed,
        gpu_model as accelerator_as_printed,
        weight_precision as precision_as_printed,
        'vllm' as framework_as_printed,
        'ML.ENERGY v3: ' || task as system,
        num_gpus as n_accelerators,
        'tp' || tensor_parallel || ',ep' || expert_parallel || ',dp' || data_parallel as parallelism,
        'steady-state' as scenario,
        max_num_seqs as concurrency,
        -- no input length is published
        cast(null as double) as input_tokens,
        avg_output_len as output_tokens,
        output_throughput_tokens_per_sec as printed_value,
        'tokens/s' as printed_unit,
        'output' as token_basis,
        'per_group' as accelerator_basis,
        cast(1 as bigint) as n_basis,
        true as is_measured,
        avg_power_watts as power_w,
        'gpu' as power_boundary,
        cast(null as varchar) as run_id,
        cast(null as bigint) as page_number,
        nullif(concat_ws(
            '; ',
            case
                when count(*) over (
                    partition by
                        task, model_id, gpu_model, num_gpus, max_num_seqs, tensor_parallel, expert_parallel,
                        data_parallel
                ) > 1 then 'Printed twice under one key with energies 5 to 19 % apart'
            end,
            case when task in ('image-chat', 'video-chat') then 'Prompts hold images or video' end,
            -- what the publisher's code falls back on where a run does not state its precision
            case
                when
                    lower(weight_precision) = 'bfloat16'
                    or (lower(weight_precision) = 'fp8' and lower(model_id) like '%fp8%')
                    then 'Precision may be the publisher''s guess, FP8 by the model''s name and else bfloat16'
            end
        ), '') as own_caveat,
        cast(null as varchar) as own_code
    from raw.mlenergy_v3
),

-- one pool where not disaggregated; where no workers are counted, both counts hold the total, and the split follows from
-- total throughput = (input x prefill + output x decode) / (prefill + decode)
inferencex_pools as (
    select
        *,
        disagg and prefill_num_workers = 0 and decode_num_workers = 0 as counts_hold_total,
        case
            when not disagg then cast(0 as bigint)
            -- equal throughputs of input and output do not tell the split: such a row is rejected below
            when prefill_num_workers = 0 and decode_num_workers = 0 then coalesce(cast(round(
                num_decode_gpu * (tput_per_gpu - output_tput_per_gpu)
                / nullif(input_tput_per_gpu - output_tput_per_gpu, 0)
            ) as bigint), 0)
            else num_prefill_gpu
        end as prefill_gpus,
        case
            when disagg and (prefill_num_workers > 0 or decode_num_workers > 0) then num_prefill_gpu + num_decode_gpu
            else num_decode_gpu
        end as gpus
    from raw.inferencex
),

inferencex as (
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        model as model_as_printed,
        hardware as accelerator_as_printed,
        precision as precision_as_printed,
        framework as framework_as_printed,
        'InferenceX ' || date as system,
        gpus as n_accelerators,
        'tp' || decode_tp || ',ep' || decode_ep
        || case when decode_dp_attention then ',dpa' else '' end
        || case when disagg then ',prefill ' || prefill_gpus || ' x tp' || prefill_tp || ',ep' || prefill_ep else '' end
        || case when spec_method = 'none' then '' else ',' || spec_method end as parallelism,
        'serving' as scenario,
        conc as concurrency,
        cast(isl as double) as input_tokens,
        cast(osl as double) as output_tokens,
        output_tput_per_gpu as printed_value,
        'tokens/s' as printed_unit,
        'output' as token_basis,
        case when disagg then 'per_decode_gpu' else 'per_gpu' end as accelerator_basis,
        gpus - prefill_gpus as n_basis,
        true as is_measured,
        avg_power_w * gpus as power_w,
        case when avg_power_w is not null then 'gpu' end as power_boundary,
        cast(null as varchar) as run_id,
        cast(null as bigint) as page_number,
        case
            when counts_hold_total then 'Both pool sizes hold the total; the split follows from the throughputs'
        end as own_caveat,
        case
            when output_tput_per_gpu is null then 'not-printed'
            when counts_hold_total and coalesce(prefill_gpus, 0) <= 0 then 'not-printed'
        end as own_code
    from inferencex_pools
),

deepseek as (
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        'DeepSeek-V3/R1' as model_as_printed,
        gpu as accelerator_as_printed,
        'unstated' as precision_as_printed,
        'unstated' as framework_as_printed,
        'DeepSeek production, ' || phase || ' nodes' as system,
        gpus_per_node as n_accelerators,
        'unstated' as parallelism,
        'production' as scenario,
        cast(null as bigint) as concurrency,
        cast(null as double) as input_tokens,
        cast(null as double) as output_tokens,
        tokens_per_s_per_node as printed_value,
        'tokens/s' as printed_unit,
        'output' as token_basis,
        'per_node' as accelerator_basis,
        cast(1 as bigint) as n_basis,
        true as is_measured,
        cast(null as double) as power_w,
        cast(null as varchar) as power_boundary,
        cast(null as varchar) as run_id,
        cast(null as bigint) as page_number,
        cast(null as varchar) as own_caveat,
        case when token_basis <> 'output' then 'not-output' end as own_code
    from raw.deepseek_inference_system
),

mlenergy_v2 as (
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        "Model" as model_as_printed,
        "GPU" as accelerator_as_printed,
        -- the runs load each model as its maker published it; nothing is printed
        'unstated' as precision_as_printed,
        'unstated' as framework_as_printed,
        'ML.ENERGY v2: ' || family || ', ' || task as system,
        coalesce("TP" * "PP", 1) as n_accelerators,
        coalesce('tp' || "TP" || ',pp' || "PP", 'unstated') as parallelism,
        'batch' as scenario,
        "Max BS (reqs)" as concurrency,
        -- no input length is published
        cast(null as double) as input_tokens,
        "Avg Output Tokens" as output_tokens,
        "Token tput (tok/s)" as printed_value,
        'tokens/s' as printed_unit,
        'output' as token_basis,
        'per_group' as accelerator_basis,
        cast(1 as bigint) as n_basis,
        true as is_measured,
        -- energy of a request times requests/s
        "Energy/req (J)" * "Token tput (tok/s)" / "Avg Output Tokens" as power_w,
        'gpu' as power_boundary,
        cast(null as varchar) as run_id,
        cast(null as bigint) as page_number,
        case
            when family = 'mllm_text_generation' then 'Prompts hold images'
        end as own_caveat,
        case when family = 'diffusion' then 'not-an-llm' end as own_code
    from raw.mlenergy_v2
),

-- rows with power stand in both files, digit for digit: the one that has the power serves
argonne_metered as (
    select *
    from raw.argonne_llm_bench
    where avg_power is not null
),

argonne as (
    select
        r.source_id,
        r.source_release,
        r.snapshot_sha256,
        r.locator,
        r."Model" as model_as_printed,
        r."Hardware" as accelerator_as_printed,
        'unstated' as precision_as_printed,
        r."Framework" as framework_as_printed,
        -- two names of one part are two systems: their figures differ
        'LLM-Inference-Bench: ' || r."Framework" || ' on ' || r."Hardware" as system,
        r."Num of Hardware" as n_accelerators,
        'unstated' as parallelism,
        'batch' as scenario,
        -- llama-bench serves one request: its -b, printed as batch size, is how many prompt tokens are read at once
        case when r."Framework" = 'llama.cpp' then 1 else r."Batch Size" end as concurrency,
        cast(r."Input Output Length" as double) as input_tokens,
        cast(r."Input Output Length" as double) as output_tokens,
        r."Throughput" as printed_value,
        'tokens/s' as printed_unit,
        'total' as token_basis,
        'per_group' as accelerator_basis,
        cast(1 as bigint) as n_basis,
        true as is_measured,
        r.avg_power / 1000 * r."Num of Hardware" as power_w,
        case when r.avg_power is not null then 'gpu' end as power_boundary,
        cast(null as varchar) as run_id,
        cast(null as bigint) as page_number,
        nullif(concat_ws(
            '; ',
            case
                when count(*) over (
                    partition by
                        r.source_release, r."Hardware", r."Num of Hardware", r."Framework", r."Model",
                        r."Input Output Length", r."Batch Size"
                ) > 1 then 'Printed twice under one key, within 3 %'
            end,
            case
                when r."Framework" = 'llama.cpp'
                    then 'One request; the printed batch size ' || r."Batch Size" || ' is of prompt tokens read at once'
            end
        ), '') as own_caveat,
        case when m.locator is not null then 'twin' end as own_code
    from raw.argonne_llm_bench as r
    left join argonne_metered as m
        on r.avg_power is null
        and r."Hardware" = m."Hardware"
        and r."Num of Hardware" = m."Num of Hardware"
        and r."Framework" = m."Framework"
        and r."Model" = m."Model"
        and r."Input Output Length" = m."Input Output Length"
        and r."Batch Size" = m."Batch Size"
        and r."Throughput" = m."Throughput"
),

printed as (
    select * from oviedo
    union all
    select * from trtllm
    union all
    select * from mlperf
    union all
    select * from mlenergy
    union all
    select * from inferencex
    union all
    select * from deepseek
    union all
    select * from mlenergy_v2
    union all
    select * from argonne
),

-- a row may have several flags
flags as (
    select source_id, source_release, locator, string_agg(reason, '; ' order by correction_id) as reasons
    from core.corrections
    where action = 'flag' and locator is not null
    group by source_id, source_release, locator
),

identified as (
    select
        p.*,
        -- an id that our vocabularies do not have is as unknown as a name without an id
        case when m.id = 'not-an-llm' then m.id else models.model_id end as model_id,
        accelerators.accelerator_id as accelerator_id,
        -- what a source states once for all its rows needs no alias
        case
            when p.source_id in ('deepseek_inference_system', 'mlenergy_v2', 'argonne_llm_bench')
                then p.precision_as_printed
            else q.id
        end as precision,
        case
            when p.source_id in ('trtllm_perf', 'mlenergy_v3', 'deepseek_inference_system', 'mlenergy_v2')
                then p.framework_as_printed
            else f.id
        end as framework,
        nullif(concat_ws('; ', flag.reasons, p.own_caveat), '') as caveat,
        wrong.reason as known_error
    from printed as p
    left join core.aliases as m
        on m.kind = 'model' and p.source_id = m.source_id and p.model_as_printed = m.name_as_printed
    left join core.aliases as a
        on a.kind = 'accelerator' and p.source_id = a.source_id and p.accelerator_as_printed = a.name_as_printed
    left join core.models as models on m.id = models.model_id
    left join core.accelerators as accelerators on a.id = accelerators.accelerator_id
    left join core.aliases as q
        on q.kind = 'precision' and p.source_id = q.source_id and p.precision_as_printed = q.name_as_printed
    left join core.aliases as f
        on f.kind = 'framework' and p.source_id = f.source_id and p.framework_as_printed = f.name_as_printed
    left join flags as flag
        on p.source_id = flag.source_id and p.source_release = flag.source_release and p.locator = flag.locator
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
            when i.own_code is not null then i.own_code
            when i.model_id = 'not-followed' or i.accelerator_id = 'not-followed' then 'not-followed'
            when lower(i.printed_unit) <> 'tokens/s' then 'unit'
            when i.accelerator_id is null then 'unknown-accelerator'
            when i.precision is null then 'unknown-precision'
            when i.framework is null then 'unknown-framework'
        end as code
    from identified as i
),

-- one run printed under two accuracy targets: same result id, scenario, model and values
runs as (
    select
        j.source_id,
        j.source_release,
        j.locator,
        count(*) over run as n_source_rows,
        row_number() over (run order by j.model_as_printed, j.locator) as position,
        first_value(j.locator) over (run order by j.model_as_printed, j.locator) as first_locator
    from judged as j
    where j.code is null and j.run_id is not null
    window run as (
        partition by j.source_release, j.run_id, j.model_id, j.scenario, j.printed_value, coalesce(j.power_w, 0)
    )
),

-- a page that prints an earlier page's figure again: the same configuration and value, digit for digit
repeats as (
    select
        later.source_id,
        later.source_release,
        later.locator,
        min(earlier.page_number) as first_page_number
    from judged as later
    inner join judged as earlier
        on later.source_id = earlier.source_id
        and later.page_number > earlier.page_number
        and later.model_id = earlier.model_id
        and later.accelerator_id = earlier.accelerator_id
        and later.precision = earlier.precision
        and later.parallelism = earlier.parallelism
        and later.accelerator_basis = earlier.accelerator_basis
        and later.input_tokens = earlier.input_tokens
        and later.output_tokens = earlier.output_tokens
        and coalesce(later.concurrency, 0) = coalesce(earlier.concurrency, 0)
        and later.printed_value = earlier.printed_value
    group by later.source_id, later.source_release, later.locator
),

verdicts as (
    select
        j.*,
        coalesce(r.n_source_rows, 1) as n_source_rows,
        r.first_locator,
        page.source_release as first_release,
        case
            when r.position > 1 then 'twin'
            when j.code is null and s.locator is not null then 'repeated-page'
            else j.code
        end as rejection_code
    from judged as j
    left join runs as r
        on j.source_id = r.source_id and j.source_release = r.source_release and j.locator = r.locator
    left join repeats as s
        on j.source_id = s.source_id and j.source_release = s.source_release and j.locator = s.locator
    left join (select distinct source_id, source_release, page_number from judged) as page
        on s.source_id = page.source_id and s.first_page_number = page.page_number
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
    concurrency,
    system,
    input_tokens,
    output_tokens,
    printed_value,
    printed_unit,
    token_basis,
    accelerator_basis,
    cast(n_basis as bigint) as n_basis,
    printed_value * n_basis
    -- where input and output are counted together, the share of the output
    * case when token_basis = 'total' then output_tokens / (input_tokens + output_tokens) else 1 end
        as output_tokens_per_s,
    is_measured as throughput_is_measured,
    power_w,
    power_boundary,
    power_w is not null as is_measured,
    cast(n_source_rows as bigint) as n_source_rows,
    caveat,
    rejection_code,
    case rejection_code
        when 'twin' then coalesce(
            'the run of ' || first_locator || ', printed again for another accuracy target',
            'printed again in release fig-16-power, with its power'
        )
        when 'power-of-a-run' then 'the power of a run whose throughput stands on a row of its own'
        when 'repeated-page' then 'printed digit for digit in release ' || first_release || ' already'
        when 'upstream-error' then known_error
        when 'not-an-llm' then 'not a language model: ' || model_as_printed
        when 'open-division' then 'open division: the model may be pruned or fine-tuned under its plain name'
        when 'unit' then 'printed in ' || printed_unit || ', not tokens/s'
        when 'not-output' then 'input tokens, cache hits included: not output'
        when 'not-printed' then 'the row prints no output throughput, or no split of its pools'
        when 'not-followed' then 'a model or accelerator that we do not follow: ' || model_as_printed || ' on '
            || accelerator_as_printed
        when 'unknown-model' then 'unknown model ''' || model_as_printed
            || ''': add it to assets/reference/aliases.csv, and its id to assets/reference/models.csv'
        when 'unknown-accelerator'
            then 'unknown accelerator ''' || accelerator_as_printed
            || ''': add it to assets/reference/aliases.csv, and its id to assets/reference/accelerators.csv'
        when 'unknown-precision'
            then 'unknown precision ''' || precision_as_printed || ''': add it to assets/reference/aliases.csv'
        when 'unknown-framework'
            then 'unknown framework ''' || framework_as_printed || ''': add it to assets/reference/aliases.csv'
    end as rejected_because
from verdicts
