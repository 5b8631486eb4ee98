"""The UI as a person sees it: started as in the README, opened in a browser, and what is visible there.

Needs a Chromium (Debian's, or the one of CHROMIUM); skipped, and says so, where there is none.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ANSWERS_IN_S = 30.0
VISIBLE_IN_MS = 60_000


def chromium() -> str:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no chromium: apt-get install chromium, or name one in CHROMIUM")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def address(book, tmp_path_factory) -> Iterator[str]:
    """The UI on a copy of the session's book; it must answer in time."""
    home = tmp_path_factory.mktemp("ui") / "home"
    shutil.copytree(book, home)
    port = free_port()
    command = [str(Path(sys.executable).with_name("joulebook")), "ui", "--home", str(home), "--port", str(port)]
    log = home.parent / "log"
    started = time.monotonic()
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        while not answers(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() - started < 3 * ANSWERS_IN_S, log.read_text()
            time.sleep(0.2)
        seconds = time.monotonic() - started
        # the bar is for a quiet machine: it is stretched where others are at work too
        assert seconds < ANSWERS_IN_S * max(1.0, os.getloadavg()[0] / os.cpu_count()), f"answered after {seconds:.0f} s"
        assert f"Dagster UI on {url}" in log.read_text()
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/server_info", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    path = chromium()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser, address):
    page = browser.new_page(viewport={"width": 1600, "height": 1200}, base_url=address)
    page.set_default_timeout(VISIBLE_IN_MS)
    yield page
    page.close()


def see(page, *texts: str) -> None:
    from playwright.sync_api import expect

    for text in texts:
        expect(page.get_by_text(text).first).to_be_visible(timeout=VISIBLE_IN_MS)


def test_the_lineage_reads_from_left_to_right(page):
    page.goto("/asset-groups")
    groups = ("1_raw", "2_core", "3_estimates", "4_published")
    see(page, *groups)
    # the last of each name stands in the graph, the first in the list beside it
    lefts = [page.get_by_text(group, exact=True).last.bounding_box()["x"] for group in groups]
    assert lefts == sorted(lefts)


def test_an_asset_says_what_it_is_and_shows_its_chart(page):
    page.goto("/assets/estimates/serving_fits")
    see(page, "One row per", "Made by", "Open assets/estimates/serving_fits.py", "energy", "after new figures")
    page.get_by_text("Show Markdown").first.click()
    chart = page.locator("img[alt^='Throughput against lengths']")
    chart.wait_for(state="visible")
    assert chart.evaluate("image => image.complete && image.naturalWidth") > 300


def test_a_source_shows_publisher_licence_and_freshness(page):
    page.goto("/assets/raw/trtllm_perf")
    see(page, "NVIDIA", "Apache-2.0", "Freshness policy", "figures_accepted_at_utc", "Warns if more than 8 days")


def test_the_checks_read_as_sentences(page):
    page.goto("/assets/raw/trtllm_perf?view=checks")
    see(page, "its_publisher_answered", "serves_the_newest_figures", "keeps_its_contract", "Not asked yet in this home")


def test_the_schedule_says_what_it_asks_and_is_off(page):
    page.goto("/locations/joulebook/schedules/daily")
    see(page, "At 05:17 AM UTC", "Asks each source that was not asked within its cadence")
    assert not page.get_by_role("switch").or_(page.locator("input[type=checkbox]")).first.is_checked()
