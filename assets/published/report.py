"""published.report: the published file as one HTML page with charts. What it says belongs to pipelines/reader."""

import dagster as dg

from pipelines.code_versions import version_of_pattern
from pipelines.home import FILE_NAME
from pipelines.reader.book import Book as PublishedFile
from pipelines.reader.report import write_report
from pipelines.shown import GROUPS, OWNERS, code_references
from pipelines.wiring import Book, asset_key, one_line_errors


@dg.asset(
    key=["published", "report"],
    group_name=GROUPS["published"],
    kinds={"html"},
    owners=[OWNERS["published"]],
    description="joulebook-report.html: interactive charts of the published file with the numbers behind each, in one "
    "page that opens without a network.\n\n**One row per** chart.\n\n**Made by** drawing the tables of the published "
    "file.",
    code_version=version_of_pattern("assets/published/report.py", "pipelines/reader/*.py", "pipelines/reader/page/*"),
    deps=[asset_key("published.joulebook")],
    metadata={
        "dagster/column_schema": dg.TableSchema(columns=[dg.TableColumn("chart", "html", "A chart and its numbers.")]),
        "dagster/code_references": code_references(["assets/published/report.py", "pipelines/reader/report.py"]),
    },
)
def report(book: Book) -> dg.MaterializeResult:
    with one_line_errors(), PublishedFile(book.warehouse.home / FILE_NAME) as published:
        path = write_report(published)
    return dg.MaterializeResult(metadata={"path": dg.MetadataValue.path(str(path)), "size_bytes": path.stat().st_size})
