-- one row per estimate of that release
with refused as (
    select
        case
            when release_number is null or release_number < 1 or release_number > max(r.release_number)
                then
                    'energy_per_query_as_of: no release ' || coalesce(cast(release_number as varchar), 'NULL')
                    || ', the latest is ' || max(r.release_number)
        end as because
    from releases as r
)

select h.* exclude (release_from, release_to)
from refused as r
left join energy_per_query_history as h
    on h.release_from <= release_number and (h.release_to is null or release_number <= h.release_to)
where case when r.because is null then h.estimate_id is not null else error(r.because) end
