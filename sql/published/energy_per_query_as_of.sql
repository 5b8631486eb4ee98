-- one row per estimate of that release
select * exclude (release_from, release_to)
from energy_per_query_history
where release_from <= release_number and (release_to is null or release_number <= release_to)
