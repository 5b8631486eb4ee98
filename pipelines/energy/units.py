"""Conversion factors, the only bare numbers that formulas may use."""

JOULES_PER_WH = 3600.0
WATTS_PER_KILOWATT = 1000.0
WH_PER_GWH = 1e9
TOKENS_PER_MILLION = 1e6
ML_PER_LITRE = 1000.0
"""1 L/kWh is 1 mL/Wh: the two factors of a thousand cancel."""
