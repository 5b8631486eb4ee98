"""The figure of docs/methods.md as plain SVG: python docs/figures.py [warehouse]. A test compares the two."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
from pathlib import Path

import duckdb

from pipelines.energy.serving_time import TERMS, work

FIGURE = Path(__file__).with_name("throughput.svg")
INPUT_TOKENS, N_ACCELERATORS = 128, 8
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 440, 64, 24, 66, 52
X_RANGE, Y_RANGE = (100, 16384), (1000, 6000)
X_TICKS, Y_TICKS = (128, 256, 512, 1024, 2048, 4096, 8192, 16384), (1000, 1500, 2000, 3000, 4000, 5000)
LABELLED_AT = 6600
"""Output tokens above which the names stand, each beside its curve."""
CHOSEN = """model_id = 'llama-3.1-405b' AND accelerator_id = 'h100-sxm' AND n_accelerators = 8
    AND source_id = 'trtllm_perf' AND source_release = '1.0'"""
STYLE = """svg { font: 13px system-ui, sans-serif } .line { fill: none; stroke-width: 2 }
  .paper { fill: #fcfcfb } text { fill: #0b0b0b } .minor { fill: #52514e } .grid { stroke: #e1e0d9 }
  .fit { stroke: #2a78d6 } .rule { stroke: #c2410c } .point { fill: #0b0b0b }
  .of-fit { fill: #2a78d6 } .of-rule { fill: #c2410c }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #1a1a19 } text { fill: #ffffff } .minor { fill: #c3c2b7 } .grid { stroke: #2c2c2a }
    .fit { stroke: #3987e5 } .rule { stroke: #f0824f } .point { fill: #ffffff }
    .of-fit { fill: #3987e5 } .of-rule { fill: #f0824f } }"""


@dataclass(frozen=True)
class Configuration:
    """Printed points at INPUT_TOKENS (output, tokens/s), ln of accelerator-seconds by term, and b0, b1, b2, cap of the
    rule."""

    points: list[tuple[float, float]]
    theta: tuple[float, ...]
    rule: tuple[float, float, float, float]

    @classmethod
    def read(cls, book: Path) -> "Configuration":
        asked = {
            "serving_measurements": "output_tokens, output_tokens_per_s",
            "serving_fits": ", ".join(f"ln_{term}" for term in TERMS),
            "throughput_rules": "b0, b1, b2, cap_output_tokens_per_s",
        }
        with duckdb.connect(str(book), read_only=True) as opened:
            shown = {"serving_measurements": f"AND input_tokens = {INPUT_TOKENS}"}
            sql = (
                f"SELECT {asked[table]} FROM {table} WHERE {CHOSEN} {shown.get(table, '')} ORDER BY ALL"
                for table in asked
            )
            points, fits, rules = (opened.sql(query).fetchall() for query in sql)
        return cls(points, *fits, *rules)

    def by_fit(self, output_tokens: float) -> float:
        seconds = sum(exp(t) * x for t, x in zip(self.theta, work(INPUT_TOKENS, output_tokens), strict=True))
        return N_ACCELERATORS * output_tokens / seconds

    def by_rule(self, output_tokens: float) -> float:
        b0, b1, b2, cap = self.rule
        return min(cap, exp(b0 + b1 * log(INPUT_TOKENS) + b2 * log(output_tokens)))


def _at(x: float, y: float) -> tuple[float, float]:
    """Place of a length and a throughput, both on a scale of logarithms."""
    right = log(x / X_RANGE[0]) / log(X_RANGE[1] / X_RANGE[0])
    up = log(y / Y_RANGE[0]) / log(Y_RANGE[1] / Y_RANGE[0])
    return LEFT + right * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def _text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{words}</text>'


def _axes() -> list[str]:
    left, bottom, right, top = LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, TOP
    lines = [_text((left + right) / 2, HEIGHT - 10, "output tokens of a query (log scale)", "middle", "minor")]
    lines += [_text(12, top - 10, "output tokens/s of the server (log scale)", "start", "minor")]
    for tick in Y_TICKS:
        y = _at(X_RANGE[0], tick)[1]
        grid = f'<path class="grid" d="M{left:.1f} {y:.1f}H{right:.1f}"/>'
        lines += [grid, _text(left - 8, y + 4, str(tick), "end", "minor")]
    for tick in X_TICKS:
        x = _at(tick, Y_RANGE[0])[0]
        mark = f'<path class="grid" d="M{x:.1f} {bottom:.1f}V{bottom + 5:.1f}"/>'
        lines += [mark, _text(x, bottom + 19, str(tick), "middle", "minor")]
    return lines


def _curve(kind: str, predicted: Callable[[float], float], longest: float) -> list[str]:
    """Solid up to the longest printed output, dashed beyond."""
    places = [X_TICKS[0] * (X_RANGE[1] / X_TICKS[0]) ** (i / 84) for i in range(85)]
    solid, dashed = ([x for x in places if x < 1.001 * longest], [x for x in places if x > 0.999 * longest])
    drawn = []
    for part, dashes in ((solid, ""), (dashed, ' stroke-dasharray="5 5"')):
        path = "L".join("{:.1f} {:.1f}".format(*_at(x, predicted(x))) for x in part)
        drawn.append(f'<path class="line {kind}"{dashes} d="M{path}"/>')
    return drawn


def figure(book: Path) -> str:
    """The SVG: printed throughput of one server by output length, with the curves of both methods."""
    found = Configuration.read(book)
    longest = max(output for output, _ in found.points)
    lines = [*_axes(), *_curve("rule", found.by_rule, longest), *_curve("fit", found.by_fit, longest)]
    for output, tokens_per_s in found.points:
        x, y = _at(output, tokens_per_s)
        lines.append(f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
    for name, kind, y in (("serving-time", "fit", found.by_fit), ("oviedo2026", "rule", found.by_rule)):
        x, height = _at(LABELLED_AT, y(LABELLED_AT))
        lines.append(_text(x + 8, height - 8, name, "start", f"of-{kind}"))
    title = "Llama 3.1 405B, FP8, 8 H100, TensorRT-LLM 1.0: throughput at 128 tokens in"
    legend = (
        "Points: printed. Curves: fitted to these and to rows with other inputs; dashed beyond the longest printed."
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{title}</title>'
    paper = f'<style>{STYLE}</style>\n<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>'
    return "\n".join([head, paper, _text(12, 20, title), _text(12, 38, legend, "start", "minor"), *lines, "</svg>\n"])


if __name__ == "__main__":
    FIGURE.write_text(figure(Path(*sys.argv[1:] or ["warehouse"]) / "joulebook.duckdb"), encoding="utf-8")
