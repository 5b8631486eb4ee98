"""The provenance columns that every raw row carries. All other raw columns keep the publisher's own names."""

import polars as pl

from pipelines.tables.contract import Column

PROVENANCE = (
    Column("source_id", pl.String, "The source, as in assets/sources.yaml."),
    Column("source_release", pl.String, "The publisher's release that the figure stands in, as text."),
    Column("snapshot_sha256", pl.String, "sha256 of the published bytes the row was read from."),
    Column("locator", pl.String, "Where in those bytes: line, JSON pointer, or table heading with row and column."),
)
KEY = ("source_id", "source_release", "locator")
