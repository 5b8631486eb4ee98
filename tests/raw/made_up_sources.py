"""Small made-up documents of the newer sources: the publishers' forms, our numbers."""

import json

CONFIGURATION = {
    "model_id": "Made/Aster-7B", "nickname": "Aster 7B", "architecture": "Dense", "total_params_billions": 7.0,
    "activated_params_billions": 7, "weight_precision": "bfloat16", "gpu_model": "X100", "num_gpus": 2,
    "tensor_parallel": 2, "expert_parallel": 1, "data_parallel": 1, "max_num_seqs": 8, "avg_batch_size": 7.5,
    "avg_output_len": 500.0, "output_throughput_tokens_per_sec": 200.0, "avg_power_watts": 300.0,
    "energy_per_token_joules": 1.5, "energy_per_request_joules": 750.0, "median_itl_ms": 10.0, "p90_itl_ms": 11.0,
    "p95_itl_ms": 12.0, "p99_itl_ms": 13.0,
}  # fmt: skip
MODEL = {name: CONFIGURATION[name] for name in (
    "nickname", "architecture", "total_params_billions", "activated_params_billions", "weight_precision",
)}  # fmt: skip
BENCHMARK = {
    "hardware": "x100", "framework": "made-up", "model": "aster", "precision": "fp8", "spec_method": "none",
    "disagg": False, "is_multinode": False, "prefill_tp": 4, "prefill_ep": 1, "prefill_dp_attention": False,
    "prefill_num_workers": 0, "decode_tp": 4, "decode_ep": 1, "decode_dp_attention": False, "decode_num_workers": 0,
    "num_prefill_gpu": 4, "num_decode_gpu": 4, "isl": 1024, "osl": 512, "conc": 8, "image": "made/up:1",
    "metrics": {"tput_per_gpu": 30.0, "input_tput_per_gpu": 20.0, "output_tput_per_gpu": 10, "p99_itl": 0.1},
    "workers": None, "date": "2031-01-02", "run_url": None,
}  # fmt: skip
DOCUMENTS = {
    "mlenergy_v3": json.dumps(
        {"task": "made-up", "task_display_name": "Made up", "configurations": [CONFIGURATION, CONFIGURATION]}, indent=1
    ).encode(),
    "mlenergy_models": json.dumps(
        {"models": {"Made/Aster~7B": MODEL, "Boreal": {k: v for k, v in MODEL.items() if k != "architecture"}}},
        indent=1,
    ).encode(),
    "inferencex": json.dumps([BENCHMARK, BENCHMARK], indent=1).encode(),
    "azure_llm_2023": b"TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
    b"2031-01-02 03:04:05.0000001,4808,10\r\n2031-01-02 03:04:06.0000002,3180,8",
    "mooncake_traces": b'{"timestamp": 0, "input_length": 900, "output_length": 6, "hash_ids": [1, 2]}\n'
    b'{"timestamp": 50, "input_length": 1400, "output_length": 7, "hash_ids": [1, 2, 3]}\n',
    "deepseek_inference_system": b"# Made up\n\nHere each node contains 8 X800 GPUs.\n\n- Each X800 node delivers an "
    b"average throughput of ~12.5k tokens/s input (including cache hits) during prefilling or ~3.25k tokens/s output "
    b"during decoding.\n",
}
