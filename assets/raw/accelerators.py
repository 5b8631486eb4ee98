"""raw.accelerators: the accelerators we know by id, with figures from makers' pages.

The file is assets/reference/accelerators.csv.
"""

import polars as pl

from pipelines.sources.reference import read_reference
from pipelines.tables.contract import Column, Table
from pipelines.wiring import reference_asset

TABLE = Table(
    name="raw.accelerators",
    description="Our vocabulary of accelerators: every id that any source may be mapped to, with dense peak rates, "
    "memory, bandwidth and TDP where a maker's page was read. Boundary: the accelerator board.",
    grain=("accelerator_id",),
    columns=(
        Column("locator", pl.String, "Line of assets/reference/accelerators.csv."),
        Column("accelerator_id", pl.String, "Our id."),
        Column("accelerator_name", pl.String, "Name with variant."),
        Column("vendor", pl.String, "Maker."),
        Column("kind", pl.String, "gpu, tpu, cpu, mixed or other, as published."),
        Column("tdp_w", pl.Float64, "Rated TDP.", unit="W", low=5, high=30000, nullable=True),
        Column("memory_gb", pl.Float64, "Memory.", unit="GB", low=0.01, high=2000, nullable=True),
        Column("memory_bandwidth_gb_per_s", pl.Float64, "Bandwidth.", unit="GB/s", low=10, high=1e5, nullable=True),
        Column(
            "dense_fp16_tflop_per_s", pl.Float64, "Dense FP16 or BF16.", unit="1e12/s", low=1, high=1e5, nullable=True
        ),
        Column("dense_fp8_tflop_per_s", pl.Float64, "Dense FP8.", unit="1e12/s", low=1, high=1e5, nullable=True),
        Column("dense_fp4_tflop_per_s", pl.Float64, "Dense FP4.", unit="1e12/s", low=1, high=1e5, nullable=True),
        Column("dense_int8_top_per_s", pl.Float64, "Dense INT8.", unit="1e12/s", low=1, high=1e5, nullable=True),
        Column("source_url", pl.String, "The page.", nullable=True),
        Column("confidence", pl.String, "How sure.", allowed=("high", "medium", "low"), nullable=True),
        Column("note", pl.String, "Conflicts and corrections.", nullable=True),
    ),
    min_rows=100,
)

accelerators = reference_asset(
    TABLE, "reference/accelerators.csv", lambda content, path: read_reference(content, path, TABLE.schema)
)
