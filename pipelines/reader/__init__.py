"""All that needs only the published file. Imports no Dagster, no Great Expectations, no SciPy."""
