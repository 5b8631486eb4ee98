"""Conversion factors, the only bare numbers that formulas may use."""

JOULES_PER_WH = 3600.0
WH_PER_KWH = 1e3
WH_PER_GWH = 1e9
W_PER_KW = 1e3
SECONDS_PER_DAY = 86400.0
DAYS_PER_YEAR = 365.0
TOKENS_PER_MILLION = 1e6
GRAMS_PER_TONNE = 1e6
ML_PER_M3 = 1e6
BILLION = 1e9
TRILLION = 1e12
