-- one row per model
select
    model_id,
    model_name,
    family,
    weights_of,
    total_params_b,
    active_params_b,
    native_precision,
    n_layers,
    n_kv_heads,
    head_dim,
    kv_lora_rank,
    rope_head_dim,
    n_kv_cache_layers,
    n_kv_window_layers,
    kv_window_tokens,
    -- latent attention keeps one compressed vector a layer for keys and values of all heads, and one rotated key
    case
        when kv_lora_rank is not null then n_kv_cache_layers * (kv_lora_rank + rope_head_dim)
        else 2 * n_kv_cache_layers * n_kv_heads * head_dim
    end as kv_values_per_token,
    case
        when n_kv_cache_layers is not null then 2 * coalesce(n_kv_window_layers, 0) * n_kv_heads * head_dim
    end as kv_window_values_per_token,
    attention_note,
    architecture_note,
    architecture_url,
    source_url,
    confidence,
    note
from raw.models
