"""estimates.combined_interventions: several measured interventions together, beside the paper's assumed gains."""

import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.interventions import COMBINED, gains
from pipelines.energy.errors import EnergyInputError
from pipelines.energy.interventions import Combined, Step, combined, step_of
from pipelines.energy.oviedo2026 import METHOD as PAPER
from pipelines.tables.contract import Coverage, Rule, Table
from pipelines.wiring import model_asset

Named = tuple[str, str, str, str]
_STEP = ("intervention", "state_from", "state_to", "compared_at")
_FP8: Named = ("precision", "fp16", "fp8", "saturation")
_H200: Named = ("accelerator", "h100-sxm", "h200-sxm", "saturation")
_B200: Named = ("accelerator and precision", "h200-sxm fp8", "b200-sxm fp4", "saturation")
_RELEASE: Named = ("release", "0.21", "1.0", "saturation")
_HOPPER: Named = ("accelerator and precision", "a100-sxm-80gb fp16", "h100-sxm fp8", "saturation")
_METERED_B200: Named = ("accelerator", "h100-sxm", "b200-sxm", "least energy")
_METERED_FP8: Named = ("precision", "bf16", "fp8", "least energy")
# beside steps of concurrency: at least energy each side has chosen its concurrency already
_EQUAL_B200: Named = ("accelerator", "h100-sxm", "b200-sxm", "equal concurrency")
_EQUAL_FP8: Named = ("precision", "bf16", "fp8", "equal concurrency")
_MTP: Named = ("speculative decoding", "none", "mtp", "least energy")
_DOUBLINGS: tuple[Named, ...] = tuple(("concurrency", str(n), str(2 * n), "its own states") for n in (32, 64, 128, 256))

PATHS: dict[str, tuple[Named, ...]] = {
    "FP16 on H100 to FP4 on B200": (_FP8, _H200, _B200),
    "FP16 on A100 to FP4 on B200": (_HOPPER, _H200, _B200),
    "FP16 on H100 to FP4 on B200, and a release": (_FP8, _H200, _B200, _RELEASE),
    "BF16 on H100 to FP8 on B200, metered": (_METERED_FP8, _METERED_B200),
    "32 to 512 requests in flight": _DOUBLINGS,
    "32 to 512 requests in flight, BF16 on H100 to FP8 on B200": (*_DOUBLINGS, _EQUAL_FP8, _EQUAL_B200),
    "FP16 on H100 to FP4 on B200, with speculative decoding": (_FP8, _H200, _B200, _MTP),
}
DIRECT: dict[str, Named] = {
    "FP16 on H100 to FP4 on B200": ("accelerator and precision", "h100-sxm fp16", "b200-sxm fp4", "saturation"),
    "FP16 on A100 to FP4 on B200": ("accelerator and precision", "a100-sxm-80gb fp16", "b200-sxm fp4", "saturation"),
    "BF16 on H100 to FP8 on B200, metered": (
        "accelerator and precision", "h100-sxm bf16", "b200-sxm fp8", "least energy",
    ),
    "32 to 512 requests in flight": ("concurrency", "32", "512", "its own states"),
    "32 to 512 requests in flight, BF16 on H100 to FP8 on B200": (
        "concurrency, accelerator and precision", "h100-sxm bf16 32", "b200-sxm fp8 512", "its own states",
    ),
}  # fmt: skip
"""The same change in one step, where pairs may show it."""
ASSUMED = "Oviedo et al.: model, serving and hardware"

TABLE = Table(
    name="estimates.combined_interventions",
    description="Products of measured_interventions: energy per output token after all steps over before, with the "
    "share of the change in ln that was metered (the rest follows from throughput and rated power). Steps are taken as "
    "independent; where pairs show the whole path in one step they stand beside the product. The paper's combined "
    "gain, all of it assumed, stands beside them.",
    grain=("path",),
    columns=(
        c.text("path", "From what to what."),
        c.text("steps", "The interventions multiplied."),
        c.count("n_steps", "How many.", 1),
        c.quantity("energy_ratio_p50", "dimensionless", "Energy after over before.", 1e-4, 100).optional(),
        c.quantity(
            "energy_ratio_p10",
            "dimensionless",
            "The same, with what P10 of the pairs lies below their medians, added in squares in ln.",
            1e-4,
            100,
        ).optional(),
        c.quantity(
            "energy_ratio_p90", "dimensionless", "The same, with what P90 of the pairs lies above.", 1e-4, 100
        ).optional(),
        c.quantity("gain_p50", "dimensionless", "Energy before over after.", 1e-2, 1e4).optional(),
        c.share("share_measured", "Share of the change, in ln, that was metered.").optional(),
        c.count("n_models_in_all_steps", "Models that every step has a pair of; empty: assumed.").optional(),
        c.count("n_direct_pairs", "Pairs that show the whole path in one step; empty: none looked for.").optional(),
        c.quantity(
            "energy_ratio_direct_p50", "dimensionless", "Energy after over before by these pairs.", 1e-4, 100
        ).optional(),
        c.text("missing", "Steps that no pair shows; empty: none.").optional(),
    ),
    rules=(
        Rule(
            "A path has its ratio, or says which step is missing",
            pl.col("energy_ratio_p50").is_null() == pl.col("missing").is_not_null(),
            check="contract",
        ),
        Rule(
            "The gain is one over the energy ratio",
            ((pl.col("gain_p50") * pl.col("energy_ratio_p50") - 1).abs() < 1e-9).fill_null(True),
            check="contract",
        ),
    ),
    coverage=(Coverage("path", (*PATHS, ASSUMED)),),
    published=True,
)


def combined_interventions_of(
    measured_interventions: pl.DataFrame,
    intervention_pairs: pl.DataFrame,
    models: pl.DataFrame,
    assumptions: pl.DataFrame,
) -> pl.DataFrame:
    """One row a path; the paper's last."""
    known = {_key(row): row for row in measured_interventions.iter_rows(named=True)}
    if len(known) < measured_interventions.height:
        repeated = measured_interventions.filter(measured_interventions.select(_STEP).is_duplicated()).sort(_STEP)
        raise EnergyInputError(
            f"measured_interventions has {_text(_key(repeated.row(0, named=True)))} of several boundaries or "
            "evidences; say in combined_interventions which of them a path takes"
        )
    weights = dict(models.select("model_id", pl.coalesce("weights_of", "model_id")).iter_rows())
    shown = {
        _key(row): {weights[model_id] for model_id in row["model_id"]}
        for row in intervention_pairs.group_by(_STEP).agg(pl.col("model_id").unique()).iter_rows(named=True)
    }
    rows = [_row(path, steps, known) | _direct(path, steps, known, shown) for path, steps in PATHS.items()]
    return pl.DataFrame([*rows, _assumed(Assumptions(assumptions))], schema=TABLE.schema)


def _key(row: dict) -> Named:
    return tuple(row[name] for name in _STEP)


def _row(path: str, steps: tuple[Named, ...], known: dict[Named, dict]) -> dict:
    row = {"path": path, "steps": "; ".join(_text(step) for step in steps), "n_steps": len(steps)}
    if missing := [_text(step) for step in steps if step not in known]:
        return row | {"missing": "; ".join(missing)}
    return row | _figures(combined([_step(known[step]) for step in steps]))


def _step(row: dict) -> Step:
    quantiles = (row[f"energy_ratio_{name}"] for name in ("p50", "p10", "p90"))
    return step_of(*quantiles, row["evidence"] == "measured")


def _direct(path: str, steps: tuple[Named, ...], known: dict[Named, dict], shown: dict[Named, set[str]]) -> dict:
    """What says how far the steps may be multiplied: models that have all of them, and pairs of the whole path."""
    row = {"n_models_in_all_steps": len(set.intersection(*(shown.get(step, set()) for step in steps)))}
    if path not in DIRECT:
        return row
    found = known.get(DIRECT[path], {"n_pairs": 0, "energy_ratio_p50": None})
    return row | {"n_direct_pairs": found["n_pairs"], "energy_ratio_direct_p50": found["energy_ratio_p50"]}


def _assumed(assumed: Assumptions) -> dict:
    gain = gains(assumed)[COMBINED]
    step = step_of(1 / gain.median, 1 / gain.quantile(0.9), 1 / gain.quantile(0.1), is_measured=False)
    return {"path": ASSUMED, "steps": f"three log-normal gains of {PAPER}", "n_steps": 3} | _figures(combined([step]))


def _text(step: Named) -> str:
    return f"{step[0]} {step[1]} to {step[2]} ({step[3]})"


def _figures(found: Combined) -> dict:
    return {
        "energy_ratio_p50": found.energy_ratio,
        "energy_ratio_p10": found.low,
        "energy_ratio_p90": found.high,
        "gain_p50": 1 / found.energy_ratio,
        "share_measured": found.share_measured,
    }


combined_interventions = model_asset(
    TABLE,
    combined_interventions_of,
    {
        "measured_interventions": "estimates.measured_interventions",
        "intervention_pairs": "estimates.intervention_pairs",
        "models": "core.models",
        "assumptions": "core.assumptions",
    },
)
