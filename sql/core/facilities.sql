-- one row per published PUE or WUE of an operator, a region or an industry
with facts as (
    select
        'published_facts' as source_id,
        'reference' as source_release,
        locator,
        subject_id as operator_id,
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
        r.source_id,
        r.source_release,
        r.locator,
        a.id as operator_id,
        r."cloud-provider" as operator,
        r."cloud-region" as region,
        r.year,
        'region' as fact_kind,
        r."power-usage-effectiveness" as pue,
        r."water-usage-effectiveness" as wue_l_per_kwh,
        'https://github.com/Green-Software-Foundation/real-time-cloud' as source_url,
        'high' as confidence,
        cast(null as varchar) as caveat
    from raw.gsf_cloud_regions as r
    inner join core.aliases as a
        on a.kind = 'operator' and r.source_id = a.source_id and r."cloud-provider" = a.name_as_printed
    where
        (r."power-usage-effectiveness" is not null or r."water-usage-effectiveness" is not null)
        -- mislabelled: the region lies in Ireland
        and not (r."cloud-region" = 'northeurope' and r.location = 'Finland')
),

figures as (
    select * from facts
    union all
    select * from regions
),

ordered as (
    select
        *,
        -- the best site of a fleet, what was computed from other figures, and what a tool assumes stand for nobody
        fact_kind not in ('site', 'derived', 'assumed') as may_serve,
        case
            when fact_kind in ('region', 'fleet') then 1
            when fact_kind in ('market', 'survey') then 2
            else 3
        end as kind_order,
        case confidence when 'high' then 1 when 'medium' then 2 else 3 end as confidence_order
    from figures
),

ranked as (
    select
        *,
        -- what is operated before what is surveyed or designed; then the newest; then the surest
        row_number() over (
            partition by operator_id, region, may_serve and pue is not null
            order by kind_order, year desc, confidence_order, locator
        ) as pue_choice,
        row_number() over (
            partition by operator_id, region, may_serve and wue_l_per_kwh is not null
            order by kind_order, year desc, confidence_order, locator
        ) as wue_choice
    from ordered
)

select
    source_id,
    source_release,
    locator,
    operator_id,
    operator,
    region,
    year,
    fact_kind,
    pue,
    wue_l_per_kwh,
    may_serve and pue is not null and pue_choice = 1 as is_default_pue,
    may_serve and wue_l_per_kwh is not null and wue_choice = 1 as is_default_wue,
    source_url,
    confidence,
    caveat
from ranked
