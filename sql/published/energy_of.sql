-- one row per model and boundary: the formulas of pipelines/energy/serving_estimate.py for one query
with asked as (
    select
        cast(input_tokens as double) as l_in,
        cast(output_tokens as double) as l_out,
        cast(cached_tokens as double) as l_cached,
        cast(load as double) as at_load
    -- arguments that are columns of another table are refused here, for a lateral join would mix up their rows
    limit case when input_tokens + output_tokens + cached_tokens + load is null or model is null or accelerator is null
        then 1 else 1 end
),

constants as (
    select
        max(value) filter (where assumption_id = 'serving-time.gpu_power.k0') as k0,
        max(value) filter (where assumption_id = 'serving-time.gpu_power.k1') as k1,
        max(value) filter (where assumption_id = 'serving-time.gpu_power_half_width_ln') as boards_width,
        max(value) filter (where assumption_id = 'serving-time.half_width_ln.beyond-input') as beyond_input_width,
        max(value) filter (where assumption_id = 'serving-time.half_width_ln.beyond-output') as beyond_output_width,
        max(value) filter (where assumption_id = 'serving-time.half_width_ln.beyond-short-output') as short_output_width,
        -- median and half-width in ln of what is log-normal, from P5 and P95
        max(sqrt(low * high)) filter (where assumption_id = 'serving-time.node_power_share') as node_share,
        max(ln(high / low) / 2) filter (where assumption_id = 'serving-time.node_power_share') as node_share_width,
        max(sqrt(low * high)) filter (where assumption_id = 'serving-time.pue') as pue,
        max(ln(high / low) / 2) filter (where assumption_id = 'serving-time.pue') as pue_width,
        max(sqrt(low * high)) filter (where assumption_id = 'idle.gpu_share_of_tdp') as gpu_idle_share,
        max(low) filter (where assumption_id = 'idle.gpu_share_of_tdp') as gpu_parked_share,
        max(high) filter (where assumption_id = 'idle.gpu_share_of_tdp') as gpu_held_share,
        max(sqrt(low * high)) filter (where assumption_id = 'idle.node_share_of_max') as node_idle_share,
        max(low) filter (where assumption_id = 'idle.node_share_of_max') as node_parked_share,
        max(high) filter (where assumption_id = 'idle.node_share_of_max') as node_held_share
    from assumptions_in_force
),

configuration as (select * from configuration_of(model, accelerator := accelerator)),

-- exp(theta) x: prefill, decode, attention of decoding, attention of prefill
terms as (
    select
        r.*,
        a.*,
        exp(r.ln_prefill) * (a.l_in - a.l_cached) as t1,
        exp(r.ln_decode) * a.l_out as t2,
        exp(r.ln_decode_attention) * a.l_out * (a.l_in + a.l_out / 2) as t3,
        exp(r.ln_prefill_attention) * (a.l_in - a.l_cached) * (a.l_in + a.l_cached) as t4
    from configuration as r
    cross join asked as a
    where
        -- further out nothing tells what a query takes
        a.l_in <= 10 * r.longest_input_tokens
        and a.l_out <= 10 * r.longest_output_tokens
),

timed as (
    select
        *,
        t1 + t2 + t3 + t4 as accelerator_s,
        sqrt(
            t1 * t1 * cov_prefill_prefill
            + t2 * t2 * cov_decode_decode
            + t3 * t3 * cov_decode_attention_decode_attention
            + t4 * t4 * cov_prefill_attention_prefill_attention
            + 2 * (
                t1 * t2 * cov_prefill_decode
                + t1 * t3 * cov_prefill_decode_attention
                + t1 * t4 * cov_prefill_prefill_attention
                + t2 * t3 * cov_decode_decode_attention
                + t2 * t4 * cov_decode_prefill_attention
                + t3 * t4 * cov_decode_attention_prefill_attention
            )
        ) / (t1 + t2 + t3 + t4) as sd_ln,
        l_out > longest_output_tokens as is_output_beyond,
        l_in > longest_input_tokens as is_input_beyond,
        l_out < shortest_output_tokens as is_output_shorter,
        -- widens no interval, but was not benchmarked either
        l_in < shortest_input_tokens or l_cached > 0 as is_otherwise_beyond
    from terms
),

-- boards: share of TDP by compute utilisation. Node: share of its maximum, but at least its boards
boards as (
    select
        t.*,
        c.*,
        least(
            c.k0 + c.k1 * sqrt(t.l_out / t.accelerator_s * 2 * t.active_params_b / (t.dense_tflop_per_s * 1000)), 1
        ) * t.tdp_w * t.n_accelerators as boards_w,
        greatest(
            t.half_width_ln,
            1.645 * t.sd_ln,
            case when t.is_output_beyond then c.beyond_output_width else 0 end,
            case when t.is_output_shorter then c.short_output_width else 0 end,
            case when t.is_input_beyond then c.beyond_input_width else 0 end
        ) as fit_width
    from timed as t
    cross join constants as c
),

saturated as (
    select
        *,
        case when boundary = 'gpu' then boards_w else greatest(node_power_max_w * node_share, boards_w) end
            as saturated_w,
        case
            when boundary = 'gpu' or boards_w > node_power_max_w * node_share then boards_width
            else node_share_width
        end as saturated_width,
        case when boundary = 'gpu' then tdp_w * n_accelerators else node_power_max_w end as rated_w,
        case when boundary = 'gpu' then gpu_idle_share else node_idle_share end as idle_share,
        case when boundary = 'gpu' then gpu_parked_share else node_parked_share end as parked_share,
        case when boundary = 'gpu' then gpu_held_share else node_held_share end as held_share,
        case when boundary = 'facility' then pue else 1 end as with_pue,
        case when boundary = 'facility' then pue_width else 0 end as with_pue_width
    from boards
),

-- idle power, and its ends: of a parked deployment, and of one that keeps its batches small
idling as (
    select
        *,
        least(idle_share * rated_w, saturated_w) as idle_w,
        least(parked_share * rated_w, saturated_w) as parked_w,
        least(held_share * rated_w, saturated_w) as held_w
    from saturated
),

powered as (
    select
        *,
        parked_w + (saturated_w - parked_w) * at_load as drawn_parked_w,
        held_w + (saturated_w - held_w) * at_load as drawn_held_w,
        idle_w + (saturated_w - idle_w) * at_load as drawn_w,
        idle_w * (1 - at_load) / (idle_w + (saturated_w - idle_w) * at_load) as share_of_idle
    from idling
),

estimated as (
    select
        *,
        with_pue * drawn_w / n_accelerators * accelerator_s / at_load / 3600 as wh,
        sqrt(
            power(fit_width, 2)
            + power((1 - share_of_idle) * saturated_width, 2)
            + power(greatest(ln(drawn_held_w / drawn_w), ln(drawn_w / drawn_parked_w)), 2)
            + power(with_pue_width, 2)
        ) as width
    from powered
),

refused as (
    select
        case
            when a.l_in is null or a.l_out is null or a.l_in < 1 or a.l_out < 1
                then 'energy_of: input_tokens and output_tokens must be 1 or more'
            when a.l_cached is null or a.l_cached < 0 or a.l_cached > a.l_in
                then 'energy_of: cached_tokens are part of the input, give 0 to input_tokens'
            when a.at_load is null or not (a.at_load >= 0.01 and a.at_load <= 1)
                then 'energy_of: load is a share of saturation from 0.01 up to 1'
            when (select count(*) from configuration) = 0
                then
                    'energy_of: no fit of ' || coalesce(model, 'any model') || coalesce(' on ' || accelerator, '')
                    || ', see model_id and accelerator_id of serving_fits'
            when (select count(*) from terms) = 0
                then 'energy_of: lengths are over ten times the longest benchmarked, see serving_fits'
        end as because
    from asked as a
)

select
    e.source_id,
    e.source_release,
    e.model_id,
    e.accelerator_id,
    e.n_accelerators,
    e.parallelism,
    e.precision,
    e.framework,
    e.scenario,
    e.concurrency,
    e.boundary,
    e.wh as energy_wh_per_query,
    e.wh / exp(e.width) as energy_wh_per_query_lo90,
    e.wh * exp(e.width) as energy_wh_per_query_hi90,
    e.accelerator_s / e.at_load as accelerator_s_per_query,
    e.drawn_w as power_w,
    e.with_pue as pue,
    e.is_output_beyond or e.is_output_shorter or e.is_input_beyond or e.is_otherwise_beyond as is_extrapolated,
    case
        when e.at_load < 1 then 'assumed'
        when e.is_output_beyond or e.is_output_shorter or e.is_input_beyond or e.is_otherwise_beyond then 'predicted'
        else 'benchmarked'
    end as evidence
from refused as r
left join estimated as e on true
where case when r.because is null then true else error(r.because) end
order by e.model_id, e.wh
