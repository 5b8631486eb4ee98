"""The profile oviedo2026 by plain sampling: what anyone would write first, and what the quadrature is measured against.

Written from the method alone (docs/methods.md); nothing of pipelines.energy is imported, so that an error there cannot
hide here. Throughput rows come from assets/extracts/oviedo_throughput.csv. Wh per query at the facility, GWh a day.
"""

import csv
from pathlib import Path

import numpy as np

EXTRACT = Path(__file__).resolve().parents[1] / "assets" / "extracts" / "oviedo_throughput.csv"
OUTPUT_TOKENS_MEDIAN = {"traditional": 300, "test-time": 5000}
INPUT_TOKENS = 500
NODE_POWER_KW, NODE_POWER_KW_DEEPSEEK_R1 = 10.2, 12.8
POWER_UTILISATION, PUE = (0.40, 0.90), (1.05, 1.60)
INTERVENTIONS = {"model": (1.5, 10), "serving": (1.5, 5), "hardware": (1.5, 2.5)}
FLEET_GAIN = {"traditional": (1.5, 3.5), "test-time": (1.5, 3.0)}
FLEET_OVERHEAD = 1.10 * 1.076 * 1.12
FLEET_QUERIES_PER_DAY = 1e9
FLEET_LONG_SHARE = {"all traditional": 0.0, "10 % long": 0.1, "all long": 1.0}
Z95 = 1.645


def figures(n_draws: int, seed: int) -> dict[tuple[str, ...], float]:
    """The paper's figures by (subject, workload or mix, statistic): models, blend, interventions, fleet."""
    rng = np.random.default_rng(seed)
    rules = {model: fit(rows) for model, rows in fp8_rows().items()}
    found: dict[tuple[str, ...], float] = {}
    means = {}
    for workload, median in OUTPUT_TOKENS_MEDIAN.items():
        energies = {model: energy_wh(rng, model, rule, median, n_draws) for model, rule in rules.items()}
        for model, wh in energies.items():
            found |= _quartiles(model, workload, wh)
        largest = sorted(energies.values(), key=np.median)[-3:]
        blend = np.concatenate([_trim(_trim(wh, 5, 95), 10, 90) for wh in largest])
        found |= _quartiles(">200B", workload, blend)
        for name, gain in INTERVENTIONS.items():
            found[name, workload, "p50"] = float(np.median(blend / lognormal(rng, *gain, blend.size)))
        pool = np.concatenate(largest)
        gain = lognormal(rng, *FLEET_GAIN[workload], pool.size)
        means[workload] = {False: pool.mean(), True: (pool / gain).mean()}
    return found | _fleet(means)


def fp8_rows() -> dict[str, np.ndarray]:
    """Input tokens, output tokens and output tokens/s of the authors' FP8 rows, by model id."""
    lines = [line for line in EXTRACT.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows: dict[str, list[list[float]]] = {}
    for row in csv.DictReader(lines):
        if row["Quantization"] == "FP8":
            cells = [float(row[name]) for name in ("Input Length", "Output Length", "Tokens per Second (TPS)")]
            rows.setdefault(row["Model"].lower().replace(" ", "-"), []).append(cells)
    return {model: np.array(cells) for model, cells in rows.items()}


def fit(rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Coefficients of ln TPS on (1, ln L_in, ln L_out), and the cap; two rows: the cap alone."""
    cap = rows[:, 2].max()
    if len(rows) < 3:
        return np.array([np.log(cap), 0.0, 0.0]), cap
    design = np.column_stack([np.ones(len(rows)), np.log(rows[:, :2])])
    return np.linalg.lstsq(design, np.log(rows[:, 2]), rcond=None)[0], cap


def energy_wh(
    rng: np.random.Generator, model: str, rule: tuple[np.ndarray, float], median: float, n: int
) -> np.ndarray:
    """n draws of E = PUE · P_max · PU · L_out / (3.6 · TPS). A length that rounds to 0 counts as 1."""
    (b0, b1, b2), cap = rule
    output = np.maximum(1, np.rint(rng.exponential(median / np.log(2), n)))
    tps = np.minimum(cap, np.exp(b0 + b1 * np.log(INPUT_TOKENS) + b2 * np.log(output)))
    power_kw = NODE_POWER_KW_DEEPSEEK_R1 if model == "deepseek-r1" else NODE_POWER_KW
    return lognormal(rng, *PUE, n) * power_kw * lognormal(rng, *POWER_UTILISATION, n) * output / (3.6 * tps)


def lognormal(rng: np.random.Generator, p05: float, p95: float, n: int) -> np.ndarray:
    """n draws of the log-normal with these P5 and P95."""
    return rng.lognormal((np.log(p05) + np.log(p95)) / 2, (np.log(p95) - np.log(p05)) / (2 * Z95), n)


def _trim(wh: np.ndarray, low: float, high: float) -> np.ndarray:
    bottom, top = np.percentile(wh, [low, high])
    return wh[(wh >= bottom) & (wh <= top)]


def _quartiles(subject: str, workload: str, wh: np.ndarray) -> dict[tuple[str, ...], float]:
    values = np.percentile(wh, [25, 50, 75])
    return {(subject, workload, name): float(v) for name, v in zip(("p25", "p50", "p75"), values, strict=True)}


def _fleet(means: dict[str, dict[bool, float]]) -> dict[tuple[str, ...], float]:
    """GWh a day of each mix, without and with interventions."""
    gwh = FLEET_QUERIES_PER_DAY * FLEET_OVERHEAD / 1e9
    found: dict[tuple[str, ...], float] = {}
    for mix, share in FLEET_LONG_SHARE.items():
        for improved, name in ((False, "mean"), (True, "mean with interventions")):
            mixed = (1 - share) * means["traditional"][improved] + share * means["test-time"][improved]
            found["fleet", mix, name] = float(gwh * mixed)
    return found
