"""How joulebook runs: machinery, and the two doors (`definitions` for Dagster, `cli` for people).

What exists (tables, sources, assumptions) belongs in `assets/`; how tables are joined belongs in `sql/`.
"""
