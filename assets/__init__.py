"""What exists: one module a table, and the catalogues that a person may edit. How it runs belongs in `pipelines/`."""
