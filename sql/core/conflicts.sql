-- one row per pair of published figures that speak of the same configuration
with comparable as (
    select *
    from core.serving_measurements
    where input_tokens is not null and output_tokens is not null and scenario = 'offline'
)

select
    a.model_id,
    a.accelerator_id,
    a.n_accelerators,
    a.precision,
    a.source_id as source_id_a,
    a.source_release as source_release_a,
    a.locator as locator_a,
    a.parallelism as parallelism_a,
    a.input_tokens as input_tokens_a,
    a.output_tokens as output_tokens_a,
    a.output_tokens_per_s as output_tokens_per_s_a,
    b.source_id as source_id_b,
    b.source_release as source_release_b,
    b.locator as locator_b,
    b.parallelism as parallelism_b,
    b.input_tokens as input_tokens_b,
    b.output_tokens as output_tokens_b,
    b.output_tokens_per_s as output_tokens_per_s_b,
    b.output_tokens_per_s / a.output_tokens_per_s as ratio,
    case when a.source_id = b.source_id then 'release' else 'source' end as differs_by,
    coalesce(b.caveat, a.caveat) as caveat
from comparable as a
inner join comparable as b
    on a.model_id = b.model_id
    and a.accelerator_id = b.accelerator_id
    and a.n_accelerators = b.n_accelerators
    and a.precision = b.precision
    -- 1000/1000 and 1024/1024 are the same question asked twice
    and a.input_tokens between b.input_tokens * 0.97 and b.input_tokens * 1.03
    and a.output_tokens between b.output_tokens * 0.97 and b.output_tokens * 1.03
    and coalesce(a.concurrency, 0) = coalesce(b.concurrency, 0)
where a.source_id || ' ' || a.source_release < b.source_id || ' ' || b.source_release
