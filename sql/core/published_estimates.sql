-- one row per figure that others published of a query's energy, carbon or water
select
    locator,
    subject,
    quantity as quantity_as_printed,
    value as value_as_printed,
    unit as unit_as_printed,
    boundary as estimate_boundary,
    basis as estimate_basis,
    input_tokens,
    output_tokens,
    case
        when unit in ('Wh/query', 'Wh/prompt') then value
        when unit = 'Wh/1000' then value / 1000
    end as energy_wh_per_query,
    case when unit in ('gCO2e/prompt', 'gCO2e/response') then value end as carbon_gco2e_per_query,
    case
        when unit in ('mL/prompt', 'mL/response') then value
        -- a US gallon is 231 cubic inches of 2.54 cm, 3785.411784 mL
        when unit = 'US gal/query' then value * 3785.411784
    end as water_ml_per_query,
    boundary_as_printed,
    year,
    source_url,
    confidence,
    caveat,
    model_id
from raw.published_estimates
