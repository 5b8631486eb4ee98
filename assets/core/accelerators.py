"""core.accelerators: accelerators by our id with rated board power, memory, bandwidth and dense peak rates."""

from assets import columns as c
from pipelines.tables.contract import Coverage, Table
from pipelines.wiring import sql_asset

TABLE = Table(
    name="core.accelerators",
    description="Accelerators: rated TDP, memory and bandwidth (Epoch AI first, the maker's page where it has none), "
    "and dense peak rates (the maker's page first). Boundary: the accelerator board, rated.",
    grain=("accelerator_id",),
    columns=(
        c.accelerator_id,
        c.text("accelerator_name", "Name with variant."),
        c.text("vendor", "Maker."),
        c.text("kind", "gpu, tpu, cpu, mixed or other."),
        c.tdp_w.optional(),
        c.text("tdp_source", "Source id or page of tdp_w.").optional(),
        c.quantity(
            "tdp_w_maker", "W", "The maker's TDP, kept beside tdp_w where they differ; boundary gpu.", 5, 30_000
        ).optional(),
        c.power_boundary.but(allowed=("gpu",)),
        c.quantity("memory_gb", "GB", "Memory.", 0.01, 2000).optional(),
        c.quantity("memory_bandwidth_gb_per_s", "GB/s", "Memory bandwidth.", 1, 1e5).optional(),
        c.quantity(
            "dense_fp16_tflop_per_s", "1e12/s", "Peak dense FP16 or BF16 rate, 1e12 FLOP/s.", 0.1, 1e5
        ).optional(),
        c.quantity("dense_fp8_tflop_per_s", "1e12/s", "Peak dense FP8 rate, 1e12 FLOP/s.", 0.1, 1e5).optional(),
        c.quantity("dense_fp4_tflop_per_s", "1e12/s", "Peak dense FP4 rate, 1e12 FLOP/s.", 0.1, 1e5).optional(),
        c.source_release.optional(),
        c.snapshot_sha256.optional(),
        c.locator.optional(),
        c.source_url.optional(),
    ),
    min_rows=100,
    coverage=(Coverage("accelerator_id", ("a100-sxm-80gb", "h100-sxm", "h200-sxm", "b200-sxm", "gb200", "mi300x")),),
    published=True,
)

accelerators = sql_asset(TABLE)
