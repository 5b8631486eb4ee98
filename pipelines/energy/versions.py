"""Versions of the methods. A number that moves without a new version, a new assumption or new figures stops a refresh.

Change a version with the formula, the code or the constant in code that moves a number; docs/methods.md keeps the
history. Assumptions have versions of their own: the day each is valid from.
"""

from types import MappingProxyType

METHOD_VERSIONS = MappingProxyType(
    {"oviedo2026": "3", "serving-time": "2026-11-26.2", "scenarios": "2026-11-26.2", "backtest": "2026-11-26.2"}
)
"""By method: `oviedo2026` counts, the others bear the day, and a second of one day its number."""
