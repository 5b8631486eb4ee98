"""Tables at rest (Parquet), SQL over them, and the published DuckDB file.

What the tables are belongs to `assets/` and `sql/`; their promises to `pipelines/tables`.
"""
