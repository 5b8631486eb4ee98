"""How ids read to a person: `llama-3.1-405b` is Llama 3.1 405B, `h100-sxm` H100 SXM. The ids stay as data."""

import re

_WORDS = {
    "gpt": "GPT", "oss": "OSS", "sxm": "SXM", "pcie": "PCIe", "nvl": "NVL", "rtx": "RTX", "deepseek": "DeepSeek",
    "mtp": "MTP", "pue": "PUE", "trtllm": "TensorRT-LLM", "mlperf": "MLPerf", "mlenergy": "ML.ENERGY", "llm": "LLM",
    "oviedo": "Oviedo et al.", "oviedo2026": "Oviedo et al.", "owid": "Our World in Data", "gsf": "GSF",
    "tdp": "TDP", "ai": "AI", "ml": "ML", "j": "J", "gpus": "GPUs", "none": "none",
}  # fmt: skip
"""Words that are not merely written with a capital."""
_MEASURES = {
    "output_tokens_per_s": "Throughput, output tokens/s",
    "n_accelerators": "Number of accelerators",
    "tdp_w": "Rated power of a board, W",
    "memory_gb": "Memory, GB",
    "memory_bandwidth_gb_per_s": "Memory bandwidth, GB/s",
    "total_params_b": "Total parameters, billions",
    "active_params_b": "Active parameters, billions",
    "energy_wh_per_query": "Energy of a query, Wh",
    "energy_wh_per_1000_queries": "Energy of 1000 queries, Wh",
    "power_w": "Power, W",
    "carbon_gco2e_per_kwh": "Carbon of electricity, g/kWh",
    "serving_time": "Throughput",
    "gpu_power": "Power of boards",
    "node_power": "Power of a server",
    "energy_per_token": "Energy per token",
}
METHODS = {"serving-time": "Serving time (default)", "oviedo2026": "Oviedo et al. (the paper's)"}
BOUNDARIES = {
    "gpu": "Accelerator boards",
    "node": "Whole server",
    "facility": "Building (server x PUE)",
    "unspecified": "Not said",
}


def readable(name: str) -> str:
    """A model, accelerator or source by its id."""
    return " ".join(_word(part) for part in re.split(r"[-_ ]", name)).replace("GPT OSS", "GPT-OSS")


def measure(name: str) -> str:
    """A quantity or target by its id."""
    return _MEASURES.get(name, name.replace("_", " "))


def states(text: str) -> str:
    """The ids of accelerators and precisions in the name of a state."""
    return " ".join(_word(part) for word in text.split() for part in word.split("-"))


def _word(part: str) -> str:
    if part in _WORDS:
        return _WORDS[part]
    if re.fullmatch(r"\d+x\d+b", part):
        return part[:-1] + "B"
    if re.fullmatch(r"[a-z]{0,2}\d[\d.]*[a-z]{0,2}", part):
        return part.upper()
    return part[:1].upper() + part[1:]
