-- one row per pair of published rows that differ in one thing, or in the two or three that the step names
with steps as (
    select * from (
        values
        ('precision', 'fp16', 'fp8'), ('precision', 'bf16', 'fp8'), ('precision', 'fp8', 'fp4'),
        ('accelerator', 'a100-sxm-80gb', 'h100-sxm'), ('accelerator', 'h100-sxm', 'h200-sxm'),
        ('accelerator', 'h100-sxm', 'b200-sxm'), ('accelerator', 'h200-sxm', 'b200-sxm'),
        ('accelerator and precision', 'h200-sxm fp8', 'b200-sxm fp4'),
        ('accelerator and precision', 'h100-sxm fp8', 'b200-sxm fp4'),
        ('accelerator and precision', 'a100-sxm-80gb fp16', 'h100-sxm fp8'),
        ('accelerator and precision', 'a100-sxm-80gb fp16', 'b200-sxm fp4'),
        ('accelerator and precision', 'h100-sxm fp16', 'b200-sxm fp4'),
        ('accelerator and precision', 'h100-sxm bf16', 'b200-sxm fp8')
    ) as s (intervention, state_from, state_to)
),

-- rows whose power is metered, or whose throughput is of a saturated server that is taken to draw a fixed share of its
-- maximum: of others nothing is known of the power
measured as (
    select
        m.source_id,
        m.source_release,
        m.locator,
        m.model_id,
        coalesce(w.weights_of, m.model_id) as weights,
        m.accelerator_id,
        m.n_accelerators,
        m.precision,
        m.parallelism,
        m.framework,
        m.scenario,
        m.concurrency,
        case when m.source_id = 'mlenergy_v3' then m.system else '' end as task,
        m.input_tokens,
        -- ML.ENERGY prints the mean of what was answered, which differs a little from run to run of one task
        case when m.source_id = 'mlenergy_v3' then 0 else m.output_tokens end as output_tokens,
        m.output_tokens_per_s / m.n_accelerators as output_tokens_per_s_per_accelerator,
        case when m.is_measured then m.power_w / m.output_tokens_per_s end as metered_j_per_output_token,
        case when m.is_measured then m.power_boundary end as metered_boundary,
        n.power_max_w_per_accelerator,
        coalesce(x.spec_method, 'none') as spec_method,
        coalesce(x.disagg, false) as is_disaggregated,
        -- flagged: its printed precision is not that of its weights, so no step may be read off it
        coalesce(m.caveat like '%weights are MXFP4%', false) as has_other_weights
    from core.serving_measurements as m
    inner join core.models as w on m.model_id = w.model_id
    left join core.nodes as n on m.accelerator_id = n.accelerator_id and n.is_default
    left join raw.inferencex as x
        on m.source_id = x.source_id and m.source_release = x.source_release and m.locator = x.locator
    where
        m.n_accelerators > 0
        and m.source_id in ('trtllm_perf', 'mlenergy_v3', 'inferencex')
        and (m.is_measured or (m.scenario = 'offline' and m.concurrency is null))
),

-- one row serves in either state where a table prints a configuration twice: the faster one
best as (
    select * from (
        select
            *,
            row_number() over (
                partition by
                    source_id, source_release, model_id, accelerator_id, n_accelerators, precision, parallelism,
                    framework, scenario, concurrency, task, input_tokens, output_tokens, spec_method, is_disaggregated
                order by output_tokens_per_s_per_accelerator desc, locator
            ) as choice
        from measured
    )
    where choice = 1
),

-- precision and accelerator: everything else is the same
same_release as (
    select
        s.intervention,
        s.state_from,
        s.state_to,
        case when a.metered_j_per_output_token is null then 'saturation' else 'equal concurrency' end as compared_at,
        a.source_id as source_id_from,
        a.source_release as source_release_from,
        a.locator as locator_from,
        b.source_id as source_id_to,
        b.source_release as source_release_to,
        b.locator as locator_to
    from steps as s
    inner join best as a
        on s.state_from = case s.intervention
            when 'precision' then a.precision
            when 'accelerator' then a.accelerator_id
            else a.accelerator_id || ' ' || a.precision
        end
    inner join best as b
        on
            s.state_to = case s.intervention
                when 'precision' then b.precision
                when 'accelerator' then b.accelerator_id
                else b.accelerator_id || ' ' || b.precision
            end
            and a.source_id = b.source_id
            and a.source_release = b.source_release
            and a.weights = b.weights
            and a.n_accelerators = b.n_accelerators
            and a.framework = b.framework
            and a.scenario = b.scenario
            and a.concurrency is not distinct from b.concurrency
            and a.task = b.task
            and a.input_tokens is not distinct from b.input_tokens
            and a.output_tokens is not distinct from b.output_tokens
            and a.spec_method = b.spec_method
            and a.is_disaggregated = b.is_disaggregated
            -- a model in other weights is another model id; how it is split is only then its own
            and (a.parallelism = b.parallelism or a.model_id <> b.model_id)
            and (s.intervention <> 'precision' or a.accelerator_id = b.accelerator_id)
            and (s.intervention <> 'accelerator' or (a.precision = b.precision and a.model_id = b.model_id))
            and (s.intervention = 'accelerator' or not (a.has_other_weights or b.has_other_weights))
),

-- a release of TensorRT-LLM and the next one that prints the same configuration
ordered as (
    select
        *,
        case
            when source_id <> 'trtllm_perf' then 0
            when source_release = 'main' then 1000000
            else
                1000 * coalesce(cast(nullif(regexp_extract(source_release, '^[0-9]+'), '') as integer), 0)
                + coalesce(cast(nullif(regexp_extract(source_release, '^[0-9]+[.]([0-9]+)', 1), '') as integer), 0)
                - case when source_release like '%rc%' then 0.5 else 0 end
        end as release_order
    from best
    where source_id = 'trtllm_perf'
),

releases as (
    select
        'release' as intervention,
        source_release as state_from,
        lead(source_release) over configuration as state_to,
        'saturation' as compared_at,
        source_id as source_id_from,
        source_release as source_release_from,
        locator as locator_from,
        source_id as source_id_to,
        lead(source_release) over configuration as source_release_to,
        lead(locator) over configuration as locator_to
    from ordered
    window configuration as (
        partition by model_id, accelerator_id, n_accelerators, precision, parallelism, input_tokens, output_tokens
        order by release_order, locator
    )
),

-- twice the requests in flight, and four doublings at once, all else the same; the power of both is metered
concurrencies as (
    select
        'concurrency' as intervention,
        cast(a.concurrency as varchar) as state_from,
        cast(b.concurrency as varchar) as state_to,
        'its own states' as compared_at,
        a.source_id as source_id_from,
        a.source_release as source_release_from,
        a.locator as locator_from,
        b.source_id as source_id_to,
        b.source_release as source_release_to,
        b.locator as locator_to
    from best as a
    inner join best as b
        on
            (2 * a.concurrency = b.concurrency or (a.concurrency = 32 and b.concurrency = 512))
            and a.source_id = b.source_id
            and a.source_release = b.source_release
            and a.model_id = b.model_id
            and a.accelerator_id = b.accelerator_id
            and a.n_accelerators = b.n_accelerators
            and a.precision = b.precision
            and a.parallelism = b.parallelism
            and a.framework = b.framework
            and a.scenario = b.scenario
            and a.task = b.task
            and a.input_tokens is not distinct from b.input_tokens
            and a.output_tokens is not distinct from b.output_tokens
            and a.spec_method = b.spec_method
            and a.is_disaggregated = b.is_disaggregated
    where a.metered_j_per_output_token is not null and b.metered_j_per_output_token is not null
),

-- newer boards, lower precision and sixteen times the requests in flight at once; the power of both is metered
together as (
    select
        'concurrency, accelerator and precision' as intervention,
        'h100-sxm bf16 32' as state_from,
        'b200-sxm fp8 512' as state_to,
        'its own states' as compared_at,
        a.source_id as source_id_from,
        a.source_release as source_release_from,
        a.locator as locator_from,
        b.source_id as source_id_to,
        b.source_release as source_release_to,
        b.locator as locator_to
    from best as a
    inner join best as b
        on
            a.source_id = b.source_id
            and a.source_release = b.source_release
            and a.weights = b.weights
            and a.framework = b.framework
            and a.scenario = b.scenario
            and a.task = b.task
            and a.input_tokens is not distinct from b.input_tokens
            and a.output_tokens is not distinct from b.output_tokens
            and a.spec_method = b.spec_method
            and a.is_disaggregated = b.is_disaggregated
    where
        a.accelerator_id = 'h100-sxm' and a.precision = 'bf16' and a.concurrency = 32
        and b.accelerator_id = 'b200-sxm' and b.precision = 'fp8' and b.concurrency = 512
        and not (a.has_other_weights or b.has_other_weights)
        and a.metered_j_per_output_token is not null and b.metered_j_per_output_token is not null
),

-- where the requests in flight were swept and power metered, set-ups also meet where each takes the least energy
cheapest as (
    select * from (
        select
            *,
            row_number() over (
                partition by
                    source_id, source_release, weights, accelerator_id, precision, task, input_tokens, output_tokens,
                    spec_method, is_disaggregated
                order by metered_j_per_output_token, locator
            ) as choice_of_least
        from best
        where metered_j_per_output_token is not null
    )
    where choice_of_least = 1
),

alternatives as (
    select
        a.source_id as source_id_from,
        a.source_release as source_release_from,
        a.locator as locator_from,
        b.source_id as source_id_to,
        b.source_release as source_release_to,
        b.locator as locator_to,
        a.precision as precision_from,
        b.precision as precision_to,
        a.accelerator_id as accelerator_from,
        b.accelerator_id as accelerator_to,
        a.spec_method as spec_method_from,
        b.spec_method as spec_method_to,
        a.is_disaggregated as disaggregated_from,
        b.is_disaggregated as disaggregated_to,
        a.has_other_weights or b.has_other_weights as has_other_weights,
        case when a.precision <> b.precision then 1 else 0 end
        + case when a.accelerator_id <> b.accelerator_id then 1 else 0 end
        + case when a.spec_method <> b.spec_method then 1 else 0 end
        + case when a.is_disaggregated <> b.is_disaggregated then 1 else 0 end as n_differences
    from cheapest as a
    inner join cheapest as b
        on
            a.source_id = b.source_id
            and a.source_release = b.source_release
            and a.weights = b.weights
            and a.task = b.task
            and a.input_tokens is not distinct from b.input_tokens
            and a.output_tokens is not distinct from b.output_tokens
),

least_energy as (
    select
        s.intervention,
        s.state_from,
        s.state_to,
        'least energy' as compared_at,
        a.source_id_from,
        a.source_release_from,
        a.locator_from,
        a.source_id_to,
        a.source_release_to,
        a.locator_to
    from alternatives as a
    inner join steps as s
        on
            (
                s.intervention = 'precision' and s.state_from = a.precision_from and s.state_to = a.precision_to
                and a.n_differences = 1 and not a.has_other_weights
            )
            or (
                s.intervention = 'accelerator' and s.state_from = a.accelerator_from
                and s.state_to = a.accelerator_to and a.n_differences = 1
            )
            or (
                s.intervention = 'accelerator and precision' and a.n_differences = 2 and not a.has_other_weights
                and s.state_from = a.accelerator_from || ' ' || a.precision_from
                and s.state_to = a.accelerator_to || ' ' || a.precision_to
            )
    union all
    select
        case when disaggregated_to = disaggregated_from then 'speculative decoding' else 'disaggregation' end,
        case when disaggregated_to = disaggregated_from then 'none' else 'one pool' end,
        case when disaggregated_to = disaggregated_from then spec_method_to else 'prefill and decode pools' end,
        'least energy',
        source_id_from,
        source_release_from,
        locator_from,
        source_id_to,
        source_release_to,
        locator_to
    from alternatives
    where
        n_differences = 1
        and ((spec_method_from = 'none' and spec_method_to <> 'none') or (not disaggregated_from and disaggregated_to))
),

pairs as (
    select * from same_release
    union all
    select * from releases where state_to is not null
    union all
    select * from concurrencies
    union all
    select * from together
    union all
    select * from least_energy
)

select
    p.intervention,
    p.state_from,
    p.state_to,
    p.compared_at,
    a.model_id,
    a.accelerator_id,
    a.n_accelerators,
    a.precision,
    p.source_id_from,
    p.source_release_from,
    p.locator_from,
    p.source_id_to,
    p.source_release_to,
    p.locator_to,
    a.input_tokens,
    case when a.source_id = 'mlenergy_v3' then null else a.output_tokens end as output_tokens,
    nullif(a.task, '') as task,
    a.concurrency,
    b.output_tokens_per_s_per_accelerator / a.output_tokens_per_s_per_accelerator as throughput_ratio,
    case
        when a.metered_boundary = b.metered_boundary then b.metered_j_per_output_token / a.metered_j_per_output_token
        else
            (b.power_max_w_per_accelerator / a.power_max_w_per_accelerator)
            / (b.output_tokens_per_s_per_accelerator / a.output_tokens_per_s_per_accelerator)
    end as energy_ratio,
    coalesce(a.metered_boundary, 'node') as boundary,
    case when a.metered_boundary = b.metered_boundary then 'measured' else 'benchmarked' end as evidence
from pairs as p
inner join best as a
    on p.source_id_from = a.source_id and p.source_release_from = a.source_release and p.locator_from = a.locator
inner join best as b
    on p.source_id_to = b.source_id and p.source_release_to = b.source_release and p.locator_to = b.locator
where
    a.metered_boundary = b.metered_boundary
    or (a.power_max_w_per_accelerator is not null and b.power_max_w_per_accelerator is not null)
