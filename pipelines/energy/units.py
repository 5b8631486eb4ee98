"""Conversion factors, the only bare numbers that formulas may use."""

JOULES_PER_WH = 3600.0
WH_PER_GWH = 1e9
TOKENS_PER_MILLION = 1e6
