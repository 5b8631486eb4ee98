-- one row per published carbon or water factor of a grid
with owid as (
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        case
            when "Code" = 'OWID_WRL' then 'WOR'
            when "Code" = 'OWID_KOS' then 'XKX'
            else coalesce("Code", "Entity")
        end as area_id,
        "Entity" as area_name,
        case
            when "Code" is null or ("Code" like 'OWID_%' and "Code" <> 'OWID_KOS') then 'aggregate'
            else 'country'
        end as area_kind,
        "Year" as year,
        "Carbon intensity of electricity" as carbon_gco2e_per_kwh,
        cast(null as double) as grid_water_l_per_kwh,
        'life-cycle, average of production' as carbon_method,
        newest_year
    from (
        select
            *,
            max("Year") over (partition by "Entity") as newest_year
        from raw.owid_carbon_intensity
    ) as printed
    -- zero: rounded away, or not known
    where "Carbon intensity of electricity" > 0
),

codecarbon as (
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        iso_code as area_id,
        country_name as area_name,
        'country' as area_kind,
        year,
        carbon_intensity as carbon_gco2e_per_kwh,
        cast(null as double) as grid_water_l_per_kwh,
        'life-cycle, average of production' as carbon_method,
        year as newest_year
    from raw.codecarbon_energy_mix
    where carbon_intensity > 0
),

ecologits as (
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        name as area_id,
        name as area_name,
        case when name = 'WOR' then 'aggregate' else 'country' end as area_kind,
        cast(null as bigint) as year,
        -- printed in kg
        gwp * 1000 as carbon_gco2e_per_kwh,
        wue as grid_water_l_per_kwh,
        'life-cycle, average of consumption' as carbon_method,
        cast(null as bigint) as newest_year
    from raw.ecologits_electricity_mixes
),

regions as (
    select
        source_id,
        source_release,
        snapshot_sha256,
        locator,
        "cloud-provider" || ' ' || "cloud-region" as area_id,
        location as area_name,
        'cloud region' as area_kind,
        year,
        "grid-carbon-intensity-average-consumption-annual" as carbon_gco2e_per_kwh,
        cast(null as double) as grid_water_l_per_kwh,
        'average of consumption' as carbon_method,
        year as newest_year
    from raw.gsf_cloud_regions
    -- zero: unknown
    where
        "grid-carbon-intensity-average-consumption-annual" > 0
        and not ("cloud-region" = 'northeurope' and location = 'Finland')
),

figures as (
    select * from owid
    union all
    select * from codecarbon
    union all
    select * from ecologits
    union all
    select * from regions
),

ranked as (
    select
        *,
        -- a source whose newest figure is unusable does not speak for the area with an old one; nor does one whose newest
        -- figure is over five years older than the newest of all: drift of 0.12 a year is then more than its interval holds
        coalesce(year = newest_year and year >= newest_of_all - 5, true) as may_serve,
        -- one method, newest year, before a figure without a year
        row_number() over (
            partition by area_id
            order by
                case when coalesce(year = newest_year and year >= newest_of_all - 5, true) then 0 else 1 end,
                case source_id
                    when 'gsf_cloud_regions' then 1 when 'owid_carbon_intensity' then 2
                    when 'codecarbon_energy_mix' then 3 else 4
                end,
                year desc,
                locator
        ) as choice
    from (
        select
            *,
            max(year) over () as newest_of_all
        from figures
    ) as dated
)

select
    source_id,
    source_release,
    snapshot_sha256,
    locator,
    area_id,
    area_name,
    area_kind,
    year,
    carbon_gco2e_per_kwh,
    grid_water_l_per_kwh,
    carbon_method,
    may_serve and choice = 1 as is_default_carbon,
    grid_water_l_per_kwh is not null as is_default_water
from ranked
