"""The physics and the statistics of one query: pure functions of numbers and arrays.

No Dagster, no input or output, and nothing of ours imported: tables, ids and sources belong elsewhere.
"""
