"""What a table promises (Column, Table), and the check of that promise with Great Expectations.

Which tables exist belongs in `assets/`; where they lie at rest belongs in `pipelines/warehouse`.
"""
