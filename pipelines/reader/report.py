"""`joulebook report`: the published file as one HTML page with charts, to open without a network.

Here the file is written, aside and then renamed. What it says belongs to report_content.py, how its charts look to
report_charts.py, the page to report_page.py.
"""

import contextlib
import secrets
import webbrowser
from pathlib import Path

import click

from pipelines.home import REPORT_NAME, REPOSITORY
from pipelines.reader.book import Book
from pipelines.reader.errors import ReaderError

KEPT = REPOSITORY / ".cache"
VEGA_LITE = "6.4"
"""Of the charts that the library draws."""


def print_report(book: Book, output: Path | None, show: bool) -> None:
    """Write the report and say where it lies; `show`: open it in the browser too."""
    target = write_report(book, output)
    click.echo(f"report    {target} ({target.stat().st_size / 1e6:.1f} MB)")
    if show and not webbrowser.open(target.resolve().as_uri()):
        raise ReaderError(f"no browser could be started: open {target} yourself")


def write_report(book: Book, output: Path | None = None) -> Path:
    """Write the report of a book, beside it if nothing else is said. Raises ReaderError."""
    from pipelines.reader.report_content import report_of  # noqa: PLC0415  (Altair, where it is needed)
    from pipelines.reader.report_page import page  # noqa: PLC0415

    target = output or book.file.with_name(REPORT_NAME)
    text = page(report_of(book), chart_library())
    try:
        _write(target, text)
    except OSError as error:
        raise ReaderError(
            f"{target} cannot be written ({error.strerror}): mend that or name another --output"
        ) from error
    return target


def chart_library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, kept in the clone: putting them together takes seconds."""
    import vl_convert  # noqa: PLC0415  (where it is needed)

    kept = KEPT / f"vega-lite-{VEGA_LITE}-{vl_convert.__version__}.js"
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    script = vl_convert.javascript_bundle(vl_version=VEGA_LITE)
    with contextlib.suppress(OSError):  # a clone that may only be read
        kept.parent.mkdir(exist_ok=True)
        _write(kept, script)
    return script


def _write(target: Path, text: str) -> None:
    """The whole file or none."""
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        aside.write_text(text, encoding="utf-8", newline="\n")
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
