-- one row per published PUE or WUE of an operator, a region or an industry
with facts as (
    select
        'published_facts' as source_id,
        'reference' as source_release,
        locator,
        subject as operator,
        cast(null as varchar) as region,
        year,
        fact_kind,
        case when quantity like 'pue%' then value end as pue,
        case when quantity like 'wue%' then value end as wue_l_per_kwh,
        source_url,
        confidence,
        nullif(concat_ws(
            '; ',
            case
                when quantity like '%_min' then 'Lower end of a range'
                when quantity like '%_max' then 'Upper end of a range'
            end,
            caveat
        ), '') as caveat
    from raw.published_facts
    where fact_kind is not null
),

regions as (
    select
        source_id,
        source_release,
        locator,
        "cloud-provider" as operator,
        "cloud-region" as region,
        year,
        'region' as fact_kind,
        "power-usage-effectiveness" as pue,
        "water-usage-effectiveness" as wue_l_per_kwh,
        'https://github.com/Green-Software-Foundation/real-time-cloud' as source_url,
        'high' as confidence,
        cast(null as varchar) as caveat
    from raw.gsf_cloud_regions
    where
        ("power-usage-effectiveness" is not null or "water-usage-effectiveness" is not null)
        -- mislabelled: the region lies in Ireland
        and not ("cloud-region" = 'northeurope' and location = 'Finland')
),

figures as (
    select * from facts
    union all
    select * from regions
),

ranked as (
    select
        *,
        -- what is operated before what is surveyed, designed or derived; then the newest; then the surest
        row_number() over (
            partition by operator, region, pue is not null and fact_kind <> 'assumed'
            order by
                case fact_kind
                    when 'region' then 1 when 'fleet' then 1 when 'market' then 2 when 'survey' then 2
                    when 'site' then 3 when 'design' then 4 else 5
                end,
                year desc,
                case confidence when 'high' then 1 when 'medium' then 2 else 3 end,
                locator
        ) as pue_choice,
        row_number() over (
            partition by operator, region, wue_l_per_kwh is not null and fact_kind <> 'assumed'
            order by
                case fact_kind
                    when 'region' then 1 when 'fleet' then 1 when 'market' then 2 when 'survey' then 2
                    when 'site' then 3 when 'design' then 4 else 5
                end,
                year desc,
                case confidence when 'high' then 1 when 'medium' then 2 else 3 end,
                locator
        ) as wue_choice
    from figures
)

select
    source_id,
    source_release,
    locator,
    operator,
    region,
    year,
    fact_kind,
    pue,
    wue_l_per_kwh,
    -- the best site of a fleet, and what was computed from other figures, stand for nobody
    pue is not null and pue_choice = 1 and fact_kind not in ('site', 'derived', 'assumed') as is_default_pue,
    wue_l_per_kwh is not null and wue_choice = 1 and fact_kind not in ('site', 'derived', 'assumed') as is_default_wue,
    source_url,
    confidence,
    caveat
from ranked
