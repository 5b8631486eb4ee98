"""estimates.backtest: how wrong every estimator is on published figures that it did not see."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import polars as pl

from assets import columns as c
from assets.core.assumptions import Assumptions
from assets.estimates.serving import Benchmarked
from pipelines import plots
from pipelines.energy import held_out
from pipelines.energy.assumed import prior_of
from pipelines.energy.intervals import NOMINAL
from pipelines.energy.power import (
    OperatingPower,
    UtilisationPower,
    compute_utilisation,
    operating_features,
    share_of_rating,
)
from pipelines.energy.precision import PRECISIONS, peak_rate
from pipelines.energy.serving_prior import MIN_POINTS_FOR_SPREAD, QUICK, fit_prior
from pipelines.energy.serving_time import METHOD, Points
from pipelines.energy.units import BILLION, TRILLION
from pipelines.plots import Chart
from pipelines.tables.contract import Column, Coverage, Rule, Table
from pipelines.warehouse.compared import rows_worse
from pipelines.wiring import compared_check, model_asset

SERVING_TIME, GPU_POWER, NODE_POWER, ENERGY = TARGETS = ("serving_time", "gpu_power", "node_power", "energy_per_token")
OVIEDO, TPS_X_TDP, CONSTANT, OPERATING_POINT = "oviedo2026", "tps-x-tdp", "constant", "operating-point"
ESTIMATORS = (METHOD, OVIEDO, TPS_X_TDP, CONSTANT, OPERATING_POINT)
IN_USE, NO_ARCHITECTURE, NO_FAMILY, NO_GPU, NO_RELEASE, NO_POINTS, NO_PRIOR = PRIORS = (
    "in use", "without the architecture", "without the family", "without the gpu", "without the release",
    "without these points", "none",
)  # fmt: skip
ALL, WITH_RULE, NEW_GPUS, NO_V4_0 = "all", "where oviedo2026 has a rule", "GPUs it never saw", "without v4.0"
LONG_INPUTS = "input over 2048"
SHORT_OUTPUTS, SHORT_INPUTS = ("output under 200", "output under 600"), "input under 200"
LEVELS = {LONG_INPUTS: "beyond-input", SHORT_INPUTS: "table"} | dict.fromkeys(SHORT_OUTPUTS, "beyond-short-output")
"""Whose interval holds for what is extrapolated; of the others that of longer outputs."""
BEFOREHAND = "nothing: fixed beforehand"
WORSE_BY = 0.1
"""An error may grow by this share of itself before somebody is told."""
LENGTH_SOURCES, POWER_SOURCE, NODE_SOURCE = "oviedo_throughput, trtllm_perf", "mlenergy_v3", "mlperf_inference"

ARCHITECTURES = {
    "llama-2-70b": "llama-70b", "llama-3-70b": "llama-70b", "llama-3.1-70b": "llama-70b", "llama-3.3-70b": "llama-70b",
    "llama-3-8b": "llama-8b", "llama-3.1-8b": "llama-8b", "deepseek-r1-0528": "deepseek-r1",
}  # fmt: skip
"""Models of other weights but the same layers, heads and parameters, which run alike: they are held out together. A
model that is not named is an architecture of its own."""
RATED_AS = {"a100-sxm": "a100-sxm-80gb", "gh200": "gh200-96gb"}
"""Published without the size of the memory. TDP and peak rates are the same for all sizes, and power needs no more."""
UNSTATED_IS = "fp16"
"""Argonne's and ML.ENERGY v2's rows do not state a precision; both run weights as published, 16 bits wide."""
MIN_LENGTHS, MIN_LENGTHS_TO_EXTRAPOLATE, MIN_LENGTHS_OF_A_RELEASE = 5, 4, 3
"""Different pairs of lengths that a configuration needs, to leave points out of it, its longest ones, or its release
whole."""
SMALL_TABLES = {2: ("one of two lengths", "1-point"), 3: ("one of three lengths", "2-points"),
                4: ("one of four lengths", "3-points")}  # fmt: skip
"""Tables with fewer pairs: one of them is left out, and the interval is that of fits to the others."""

# The aims, by target, held out, prior, part: median, mean and P90 of the error. That of releases is each one's too.
BARS = {
    (SERVING_TIME, "one point", IN_USE, ALL): (0.07, None, 0.20),
    (SERVING_TIME, "all but one point", NO_ARCHITECTURE, ALL): (0.13, None, None),
    (SERVING_TIME, "all but two points", NO_ARCHITECTURE, ALL): (0.10, None, None),
    (SERVING_TIME, "all but one point", NO_FAMILY, ALL): (0.13, None, None),
    (SERVING_TIME, "all but two points", NO_FAMILY, ALL): (0.10, None, None),
    (SERVING_TIME, "128/4096", NO_POINTS, ALL): (0.09, None, None),
    (SERVING_TIME, "32768", NO_POINTS, ALL): (0.13, None, None),
    (SERVING_TIME, "output over 1024", NO_ARCHITECTURE, ALL): (0.26, None, None),
    (SERVING_TIME, "release, all but one point", NO_RELEASE, ALL): (0.13, None, None),
    (GPU_POWER, "model size", NO_PRIOR, ALL): (0.13, None, None),
    (GPU_POWER, "gpu", NO_PRIOR, ALL): (0.12, None, None),
    (NODE_POWER, BEFOREHAND, NO_PRIOR, NO_V4_0): (None, 0.12, None),
}
# The rows that may not get worse, and their names in assumptions.yaml: backtest.accepted.<name>.
ACCEPTED_P50 = {
    (SERVING_TIME, "one point", IN_USE, ALL): "one-point",
    (SERVING_TIME, "all but one point", NO_ARCHITECTURE, ALL): "all-but-one-point",
    (GPU_POWER, "model size", NO_PRIOR, ALL): "gpu-power.model-size",
    (GPU_POWER, "gpu", NO_PRIOR, ALL): "gpu-power.gpu",
}
ACCEPTED_MEAN = {(NODE_POWER, BEFOREHAND, NO_PRIOR, NO_V4_0): "node-power"}


def _share(name: str, meaning: str, high: float = 100) -> Column:
    return c.quantity(name, "dimensionless", meaning, 0, high)


TABLE = Table(
    name="estimates.backtest",
    description="Errors of predictions of published figures that the estimator did not see: |predicted / observed - 1| "
    "of output tokens/s (serving_time), of power, or of energy per token at the throughput given (E = P/TPS, so its "
    "error is that of the power). serving_time: configurations of five different pairs of lengths or more, or as "
    "many as held_out says (four to extrapolate); near-duplicate points and models of one architecture are held "
    "out together; few points: at most 20 choices a configuration, picked evenly. The prior in use was fitted to "
    "all tables; the others are fitted here without what they name. gpu_power: serving-time is the share of TDP by "
    "compute utilisation; operating-point, a regression on the operating point, is not in use: worse on a GPU "
    "never metered, a choice made by held-out errors. Rows of unstated precision count as 16 bits wide. "
    "node_power: serving-time takes 0.6 of the node's maximum, fixed before these runs were looked at and the "
    "share of oviedo2026 too; its interval was set by these very runs. constant learns the share from other "
    "systems. tps-x-tdp: every accelerator draws its TDP. The form of serving-time, its ridge and its noise were "
    "chosen on these tables. A release held out whole has many of its configurations in other releases, unless the "
    "architecture is held out with it.",
    grain=("target", "source_ids", "part", "held_out", "prior", "estimator"),
    columns=(
        c.text("target", "What is predicted.", TARGETS),
        c.text("source_ids", "The sources whose figures are predicted."),
        c.text("part", "Which of their rows are predicted: all, a release by its name, or as it says."),
        c.text("held_out", "What the estimator did not see."),
        c.text("prior", "What the prior of serving time was fitted without.", PRIORS),
        c.text("estimator", "Whose prediction it is.", ESTIMATORS),
        c.boundary.but(allowed=("gpu", "node")).optional(),
        c.count("n_rows", "Predictions.", 1),
        c.count(
            "n_groups",
            "What they are of: the families, releases, GPUs, sizes or systems held out; else architectures.",
            1,
        ),
        _share("error_p50", "Median error, as a share."),
        _share("error_mean", "Mean error, as a share."),
        _share("error_p90", "90 % of the errors are below, as a share."),
        _share("share_within_2x", "Share of predictions within a factor of two.", 1),
        c.quantity("bias_ln", "dimensionless", "Median of ln(predicted / observed).", -10, 10),
        c.quantity("rmsle", "dimensionless", "Root mean square of ln(predicted / observed).", 0, 10),
        _share("nominal_coverage", "What the interval in use promises to cover.", 1).optional(),
        _share("coverage_of_rows", "Share of predictions that the interval in use covers.", 1).optional(),
        _share("coverage_of_groups", "The same as the mean over groups.", 1).optional(),
        _share(
            "nested_coverage_of_groups",
            "The same with the width learnt from the errors of the other groups; empty where the prior saw the group.",
            1,
        ).optional(),
        c.quantity(
            "half_width_factor", "dimensionless", "The interval in use: over and times this factor.", 1, 100
        ).optional(),
        c.quantity(
            "learnt_half_width_factor",
            "dimensionless",
            "The factor that would cover as promised, by these errors: for whoever renews the one in use.",
            1,
            100,
        ).optional(),
        _share("bar_error_p50", "The aim for the median error; empty: none was set.").optional(),
        _share("bar_error_mean", "The aim for the mean error; empty: none was set.").optional(),
        _share("bar_error_p90", "The aim for the 90 % error; empty: none was set.").optional(),
        _share("accepted_error_p50", "The median error last accepted; empty: not watched.").optional(),
        _share("accepted_error_mean", "The mean error last accepted; empty: not watched.").optional(),
        _share("accepted_margin", "By how much an error may exceed the accepted one.", 1).optional(),
    ),
    rules=(
        Rule(
            "The error is at most the last accepted one plus the margin",
            (pl.col("error_p50") <= pl.col("accepted_error_p50") + pl.col("accepted_margin")).fill_null(True)
            & (pl.col("error_mean") <= pl.col("accepted_error_mean") + pl.col("accepted_margin")).fill_null(True),
            show="error_p50",
        ),
        Rule(
            "An interval has its promise, width and coverage together",
            (pl.col("half_width_factor").is_null() == pl.col("nominal_coverage").is_null())
            & (pl.col("half_width_factor").is_null() == pl.col("coverage_of_rows").is_null())
            & (pl.col("half_width_factor").is_null() == pl.col("coverage_of_groups").is_null()),
            check="contract",
        ),
    ),
    coverage=(Coverage("target", TARGETS), Coverage("source_ids", (LENGTH_SOURCES, POWER_SOURCE, NODE_SOURCE))),
    published=True,
)


def backtest_of(
    serving_measurements: pl.DataFrame,
    mlperf_power: pl.DataFrame,
    models: pl.DataFrame,
    accelerators: pl.DataFrame,
    nodes: pl.DataFrame,
    assumptions: pl.DataFrame,
) -> pl.DataFrame:
    """One row a kind of held-out figure and estimator."""
    assumed = Assumptions(assumptions)
    study = _Study(Benchmarked.of(serving_measurements, models, accelerators), models, assumed)
    boards = metered_boards(serving_measurements, models, accelerators)
    outcomes = [*_serving_time(study), *_boards(boards, assumed), *_nodes(mlperf_power, nodes, accelerators, assumed)]
    return pl.DataFrame([_row(outcome, assumed) for outcome in outcomes], schema=TABLE.schema)


@dataclass(frozen=True)
class _Outcome:
    """Errors of one estimator, with the group of each; `half_width` of the interval in use, None where it has none.
    `is_seen`: the prior saw the groups."""

    target: str
    source_ids: str
    held_out: str
    estimator: str
    ln_errors: np.ndarray
    groups: np.ndarray
    half_width: float | None = None
    part: str = ALL
    prior: str = NO_PRIOR
    boundary: str | None = None
    is_seen: bool = False


def _row(outcome: _Outcome, assumed: Assumptions) -> dict:
    named = ("target", "source_ids", "part", "held_out", "prior", "estimator", "boundary")
    row = {name: getattr(outcome, name) for name in named} | asdict(held_out.scores(outcome.ln_errors))
    row["n_groups"] = len(np.unique(outcome.groups))
    if outcome.half_width is not None:
        found = held_out.coverage_of_width(outcome.ln_errors, outcome.groups, outcome.half_width, not outcome.is_seen)
        row |= {
            "nominal_coverage": NOMINAL,
            "coverage_of_rows": found.of_rows,
            "coverage_of_groups": found.of_groups,
            "nested_coverage_of_groups": found.nested_of_groups,
            "half_width_factor": float(np.exp(outcome.half_width)),
            "learnt_half_width_factor": float(np.exp(found.learnt_half_width)),
        }
    return row | (_aims(outcome, assumed) if outcome.estimator == METHOD else {})


def _aims(outcome: _Outcome, assumed: Assumptions) -> dict:
    """The bars of a row of ours, and what was accepted last. Bars of power hold for the energy that follows from it."""
    power = {"gpu": GPU_POWER, "node": NODE_POWER}
    barred = power[outcome.boundary] if outcome.target == ENERGY else outcome.target
    rest = (outcome.held_out, outcome.prior, outcome.part)
    of_any_release = (*rest[:2], ALL) if outcome.prior == NO_RELEASE else rest
    bars = zip(("p50", "mean", "p90"), BARS.get((barred, *of_any_release), (None,) * 3), strict=True)
    aims = {f"bar_error_{statistic}": bar for statistic, bar in bars}
    for statistic, watched in (("p50", ACCEPTED_P50), ("mean", ACCEPTED_MEAN)):
        if (name := watched.get((outcome.target, *rest))) is not None:
            aims[f"accepted_error_{statistic}"] = assumed.value(f"backtest.accepted.{name}")
            aims["accepted_margin"] = assumed.value("backtest.margin")
    return aims


# Serving time


@dataclass(frozen=True)
class _Prior:
    """A prior by what it was fitted without: mean (c, 4), covariance (4, 4) or (c, 4, 4), and the groups (c,) that were
    held out together; of a prior that saw them (`is_seen`), the architectures."""

    name: str
    mean: np.ndarray
    covariance: np.ndarray
    groups: np.ndarray
    is_seen: bool = False


class _Study:
    """The benchmarked points with their groups and priors."""

    def __init__(self, found: Benchmarked, models: pl.DataFrame, assumed: Assumptions) -> None:
        self.points, self.deployments, self.assumed = found.points, found.deployments, assumed
        model_ids = found.keys["model_id"].to_list()
        family = dict(models.select("model_id", "family").iter_rows())
        self.family = np.array([family[model_id] for model_id in model_ids])
        self.architecture = np.array([ARCHITECTURES.get(model_id, model_id) for model_id in model_ids])
        self.gpu = found.keys["accelerator_id"].to_numpy().astype(str)
        self.release = found.keys["source_release"].to_numpy().astype(str)
        self.n_lengths = held_out.n_different_points(found.points)
        self.studied = np.flatnonzero(self.n_lengths >= MIN_LENGTHS)
        self.extrapolated = np.flatnonzero(self.n_lengths >= MIN_LENGTHS_TO_EXTRAPOLATE)
        self.of_release = np.flatnonzero(self.n_lengths >= MIN_LENGTHS_OF_A_RELEASE)

    @cached_property
    def in_use(self) -> _Prior:
        prior = prior_of(self.assumed)
        return _Prior(IN_USE, prior.mean(self.deployments), prior.covariance, self.architecture, is_seen=True)

    @cached_property
    def no_architecture(self) -> _Prior:
        everywhere = np.arange(len(self.architecture))
        return self.without_groups(NO_ARCHITECTURE, self.architecture, everywhere)

    @cached_property
    def no_family_or_gpu(self) -> list[_Prior]:
        """The priors fitted without the family, and without the GPU, where there is another."""
        named = ((NO_FAMILY, self.family), (NO_GPU, self.gpu))
        kept = [(name, groups) for name, groups in named if _can_be_left_out(groups[self.studied])]
        return [self.without_groups(name, groups, self.studied) for name, groups in kept]

    def without_groups(self, name: str, groups: np.ndarray, wanted: np.ndarray) -> _Prior:
        """The prior fitted without the group of a configuration."""
        fitted = held_out.priors_without(self.points, self.deployments, groups, wanted)
        return _Prior(name, *fitted, groups)

    def without(self, is_test: np.ndarray) -> list[_Prior]:
        """The prior fitted without these points; none where what is left is too little to learn the spread from."""
        left = self.points.only(~is_test)
        if (left.is_known.sum(-1) < MIN_POINTS_FOR_SPREAD).all():
            return []
        prior = fit_prior(left, self.deployments, tolerance=QUICK)
        mean = prior.mean(self.deployments)
        return [_Prior(NO_POINTS, mean, prior.covariance, self.architecture, is_seen=True)]

    def errors(self, trials: held_out.Trials, prior: _Prior) -> held_out.PointErrors:
        return held_out.serving_time_errors(self.points, trials, prior.mean, prior.covariance)

    def outcome(self, errors: held_out.PointErrors, what: str, prior: _Prior, level: str, part: str = ALL) -> _Outcome:
        """Of our prediction, with the interval of a `level` of assumptions.yaml."""
        groups, width = prior.groups[errors.configuration], self.assumed.value(f"serving-time.half_width_ln.{level}")
        shown = (SERVING_TIME, LENGTH_SOURCES, what, METHOD, errors.ln_error, groups, width, part, prior.name)
        return _Outcome(*shown, is_seen=prior.is_seen)


def _serving_time(study: _Study) -> Iterator[_Outcome]:
    if not _can_be_left_out(study.architecture[study.studied]):
        return
    one = held_out.one_left_out(study.points, study.studied)
    yield from _beside(study, one, "one point", [study.in_use, study.no_architecture], "table")
    few = ("all points", "all but one point", "all but two points", "all but three points")
    for k, (what, level) in enumerate(zip(few, ("0-points", "1-point", "2-points", "3-points"), strict=True)):
        trials = held_out.few_points(study.points, k, study.studied)
        yield from _beside(study, trials, what, [study.no_architecture, *study.no_family_or_gpu], level)
    for what, is_test in extrapolations(study.points).items():
        trials = held_out.split(study.points, is_test, study.extrapolated)
        # without any long input nothing tells attention of prefill, nor without short lengths one term from another: a
        # quick fit of the prior stops far from its end
        of_others = [] if what in LEVELS else study.without(is_test)
        level = LEVELS.get(what, "beyond-output")
        yield from _beside(study, trials, what, [*of_others, study.in_use, study.no_architecture], level)
    yield from _small_tables(study)
    if _can_be_left_out(study.release[study.of_release]):
        yield from _releases(study)


def _can_be_left_out(groups: np.ndarray) -> bool:
    """Whether there is another group to learn from. Where not, the rows are left out, and coverage says so."""
    return len(np.unique(groups)) > 1


def extrapolations(points: Points) -> dict[str, np.ndarray]:
    """Which points are predicted from the others of a configuration, masks (c, p)."""
    l_in, l_out = points.work[..., 0], points.work[..., 1]
    return {
        "128/4096": (l_in == 128) & (l_out == 4096),
        "32768": l_out == 32768,
        "output over 1024": l_out > 1024,
        LONG_INPUTS: l_in > 2048,
        SHORT_OUTPUTS[0]: l_out < 200,
        SHORT_OUTPUTS[1]: l_out < 600,
        SHORT_INPUTS: l_in < 200,
    }


def _beside(study: _Study, trials: held_out.Trials, what: str, priors: list[_Prior], level: str) -> Iterator[_Outcome]:
    """Ours with each prior, the paper's rule on the same trials, and ours on the points where it has one."""
    if not len(trials.configuration):
        return
    papers = held_out.rule_errors(study.points, trials)
    for prior in priors:
        ours = study.errors(trials, prior)
        yield study.outcome(ours, what, prior, level)
        both = held_out.among(ours, papers)
        if 0 < len(both.ln_error) < len(ours.ln_error):
            yield study.outcome(both, what, prior, level, WITH_RULE)
    if len(papers.ln_error):
        groups = study.architecture[papers.configuration]
        yield _Outcome(SERVING_TIME, LENGTH_SOURCES, what, OVIEDO, papers.ln_error, groups)


def _small_tables(study: _Study) -> Iterator[_Outcome]:
    """One point left out of tables of two to four lengths, which most configurations have; by release too."""
    for n, (what, level) in SMALL_TABLES.items():
        trials = held_out.one_left_out(study.points, np.flatnonzero(study.n_lengths == n))
        if len(trials.configuration):
            errors = study.errors(trials, study.no_architecture)
            yield study.outcome(errors, what, study.no_architecture, level)
            yield from _by_release(study, errors, what, study.no_architecture, level)


def _by_release(
    study: _Study, errors: held_out.PointErrors, what: str, prior: _Prior, level: str
) -> Iterator[_Outcome]:
    for release in np.unique(study.release[errors.configuration]):
        part = errors.where(study.release[errors.configuration] == release)
        yield study.outcome(part, what, prior, level, release)


def _releases(study: _Study) -> Iterator[_Outcome]:
    """Each release held out whole from the prior, predicted from none or one of its points; and all of them."""
    prior = study.without_groups(NO_RELEASE, study.release, study.of_release)
    for k, what, level in ((0, "all points", "0-points"), (1, "all but one point", "1-point")):
        trials = held_out.few_points(study.points, k, study.of_release)
        errors = study.errors(trials, prior)
        yield study.outcome(errors, f"release, {what}", prior, level)
        yield from _by_release(study, errors, f"release, {what}", prior, level)


# Power of boards


@dataclass(frozen=True)
class Boards:
    """Metered runs (boundary gpu), each an array (r,): its source, GPU, size and family of model, share of TDP,
    utilisation."""

    source: np.ndarray
    gpu: np.ndarray
    size: np.ndarray
    family: np.ndarray
    share: np.ndarray
    utilisation: np.ndarray
    features: np.ndarray

    def take(self, rows: np.ndarray) -> "Boards":
        return Boards(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def metered_boards(serving_measurements: pl.DataFrame, models: pl.DataFrame, accelerators: pl.DataFrame) -> Boards:
    """Runs with board power whose accelerator has a rating, and whose concurrency is known."""
    rated = accelerators.select("accelerator_id", "tdp_w", *(f"dense_{p}_tflop_per_s" for p in ("fp16", "fp8", "fp4")))
    rows = (
        serving_measurements.filter((pl.col("power_boundary") == "gpu") & pl.col("concurrency").is_not_null())
        .with_columns(
            rated_as=pl.col("accelerator_id").replace(RATED_AS),
            precision=pl.col("precision").replace("unstated", UNSTATED_IS),
        )
        .filter(pl.col("precision").is_in(list(PRECISIONS)))
        .join(models.select("model_id", "family", "total_params_b", "active_params_b"), on="model_id", validate="m:1")
        .join(rated, left_on="rated_as", right_on="accelerator_id", validate="m:1")
    )
    rows = rows.with_columns(peak=pl.Series([_peak(row) for row in rows.iter_rows(named=True)], dtype=pl.Float64))
    rows = rows.filter(pl.col("peak").is_not_null() & pl.col("tdp_w").is_not_null())
    n, tps = rows["n_accelerators"].to_numpy(), rows["output_tokens_per_s"].to_numpy()
    active, total = (rows[f"{kind}_params_b"].to_numpy() * BILLION for kind in ("active", "total"))
    arithmetic = [PRECISIONS[name].arithmetic for name in rows["precision"]]
    return Boards(
        source=rows["source_id"].to_numpy().astype(str),
        gpu=rows["accelerator_id"].to_numpy().astype(str),
        size=held_out.size_groups(total, active),
        family=rows["family"].to_numpy().astype(str),
        share=share_of_rating(rows["power_w"].to_numpy(), n, rows["tdp_w"].to_numpy()),
        utilisation=compute_utilisation(tps, active, n, rows["peak"].to_numpy() * TRILLION),
        features=operating_features(n, rows["concurrency"].to_numpy(), active, total, arithmetic),
    )


def _peak(row: dict) -> float | None:
    return peak_rate(row["precision"], {name: row[f"dense_{name}_tflop_per_s"] for name in ("fp16", "fp8", "fp4")})


def by_utilisation(train: Boards, test: Boards) -> np.ndarray:
    return UtilisationPower.fit(train.utilisation, train.share).share_of_tdp(test.utilisation)


def by_operating_point(train: Boards, test: Boards) -> np.ndarray:
    fitted = OperatingPower.fit(train.features, train.gpu, train.share)
    return fitted.share_of_tdp(test.features, test.gpu)


def by_constant(train: Boards, test: Boards) -> np.ndarray:
    return np.full(len(test.share), np.median(train.share))


LEARNT = {METHOD: by_utilisation, OPERATING_POINT: by_operating_point, CONSTANT: by_constant}


def board_errors(boards: Boards, groups: np.ndarray, estimator: str) -> np.ndarray:
    """Errors of an estimator of LEARNT, each group predicted from the others."""
    predict = LEARNT[estimator]
    return held_out.group_left_out_errors(
        boards.share, groups, lambda train, test: predict(boards.take(train), boards.take(test))
    )


def _boards(boards: Boards, assumed: Assumptions) -> Iterator[_Outcome]:
    width = assumed.value("serving-time.gpu_power_half_width_ln")
    learnt = boards.take(boards.source == POWER_SOURCE)
    if not len(learnt.share):
        return
    for what, groups in (("model size", learnt.size), ("model family", learnt.family), ("gpu", learnt.gpu)):
        for estimator in LEARNT if _can_be_left_out(groups) else ():
            errors = board_errors(learnt, groups, estimator)
            yield from _both(POWER_SOURCE, what, estimator, errors, groups, width)
    at_tdp = held_out.ln_errors(1.0, learnt.share)
    yield from _both(POWER_SOURCE, BEFOREHAND, TPS_X_TDP, at_tdp, learnt.size, width)
    fixed = UtilisationPower(*(assumed.value(f"serving-time.gpu_power.{k}") for k in ("k0", "k1")))
    for source in np.unique(boards.source[boards.source != POWER_SOURCE]):
        yield from _other_source(learnt, boards.take(boards.source == source), fixed, width)


def _other_source(learnt: Boards, other: Boards, fixed: UtilisationPower, width: float) -> Iterator[_Outcome]:
    """A source never seen, predicted from ML.ENERGY alone: all its rows, and those of GPUs never seen either."""
    new = ~np.isin(other.gpu, learnt.gpu)
    parts = [(ALL, "source and gpu" if new.all() else "source", other)]
    if new.any() and not new.all():
        parts.append((NEW_GPUS, "source and gpu", other.take(new)))
    for part, what, rows in parts:
        groups = rows.gpu if what == "source and gpu" else rows.source
        predicted = {METHOD: fixed.share_of_tdp(rows.utilisation), TPS_X_TDP: np.ones(len(rows.share))}
        predicted |= {name: LEARNT[name](learnt, rows) for name in (OPERATING_POINT, CONSTANT)}
        for estimator, share in predicted.items():
            errors = held_out.ln_errors(share, rows.share)
            yield from _both(str(rows.source[0]), what, estimator, errors, groups, width, part)


def _both(
    source: str,
    what: str,
    estimator: str,
    errors: np.ndarray,
    groups: np.ndarray,
    width: float,
    part: str = ALL,
    power: tuple[str, str] = (GPU_POWER, "gpu"),
) -> Iterator[_Outcome]:
    """Power, and the energy per token that follows with the throughput given."""
    target, boundary = power
    used = width if estimator == METHOD else None
    for of in (target, ENERGY):
        yield _Outcome(of, source, what, estimator, errors, groups, used, part, boundary=boundary)


# Power at the wall


def _nodes(
    mlperf_power: pl.DataFrame, nodes: pl.DataFrame, accelerators: pl.DataFrame, assumed: Assumptions
) -> Iterator[_Outcome]:
    default = nodes.filter("is_default").select("accelerator_id", "power_max_w_per_accelerator")
    runs = mlperf_power.join(default, on="accelerator_id", validate="m:1")
    runs = runs.join(accelerators.select("accelerator_id", "tdp_w"), on="accelerator_id", validate="m:1")
    fixed = assumed.value("serving-time.node_power_share")
    half_width = assumed.lognormal("serving-time.node_power_share").half_width_ln
    is_v4_0 = pl.col("source_release").str.starts_with("v4.0")
    for part, rows in ((NO_V4_0, runs.filter(~is_v4_0)), (ALL, runs)):
        if not rows.height:
            continue
        system = rows["system"].to_numpy().astype(str)
        share, share_of_tdp = (
            share_of_rating(*(rows[name].to_numpy() for name in ("power_w", "n_accelerators", rating)))
            for rating in ("power_max_w_per_accelerator", "tdp_w")
        )
        found = [
            (BEFOREHAND, METHOD, held_out.ln_errors(fixed, share)),
            (BEFOREHAND, TPS_X_TDP, held_out.ln_errors(1.0, share_of_tdp)),
        ]
        if _can_be_left_out(system):
            found.append(("system", CONSTANT, _share_of_other_systems(share, system)))
        for what, estimator, errors in found:
            yield from _both(NODE_SOURCE, what, estimator, errors, system, half_width, part, (NODE_POWER, "node"))


def _share_of_other_systems(share: np.ndarray, system: np.ndarray) -> np.ndarray:
    return held_out.group_left_out_errors(
        share, system, lambda train, test: np.full(test.sum(), np.median(share[train]))
    )


def measured_against_predicted_of(
    _backtest: pl.DataFrame,
    serving_measurements: pl.DataFrame,
    models: pl.DataFrame,
    accelerators: pl.DataFrame,
    **_others: pl.DataFrame,
) -> Chart | None:
    """Power of the boards of ML.ENERGY v3, each GPU predicted from the other GPUs."""
    boards = metered_boards(serving_measurements, models, accelerators)
    learnt = boards.take(boards.source == POWER_SOURCE)
    if not _can_be_left_out(learnt.gpu):
        return None
    predicted = learnt.share * np.exp(board_errors(learnt, learnt.gpu, METHOD))
    points = pl.DataFrame({"measured": learnt.share, "predicted": predicted, "group": learnt.gpu})
    return plots.measured_against_predicted(points, "power of the boards, as a share of their TDP")


backtest = model_asset(
    TABLE,
    backtest_of,
    {
        name: f"core.{name}"
        for name in ("serving_measurements", "mlperf_power", "models", "accelerators", "nodes", "assumptions")
    },
    plot=measured_against_predicted_of,
)
is_no_worse = compared_check(
    TABLE,
    "is_no_worse_than_before",
    "No error of an estimator grew by more than a tenth of itself since the published file. A warning.",
    lambda before, now: rows_worse(before, now, TABLE.grain, ("error_p50", "error_p90"), WORSE_BY),
    "Open core.restatements and the last change of assets/assumptions.yaml or pipelines/energy: what moved is there; "
    "say old and new in CHANGELOG.md if it is meant, else take it back.",
)
