-- one row per assumption: what holds today, in UTC as the estimates take it
select * exclude (newest_first)
from (
    select
        *,
        row_number() over (partition by assumption_id order by valid_from desc) as newest_first
    from assumptions
    where valid_from <= strftime(make_timestamp(epoch_us(now())), '%Y-%m-%d')
)
where newest_first = 1
order by assumption_id
