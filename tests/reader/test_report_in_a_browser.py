"""The report as a reader opens it: from a file, without a network, light and dark, by keyboard, narrow and printed."""

import shutil
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from pipelines.home import REPORT_NAME
from tests.reader.test_report import evil  # noqa: F401  (a fixture)

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the path: apt-get install chromium")
DRAWN = "body[data-drawn]"
SERIOUS = ("serious", "critical")
WIDE, NARROW = {"width": 1100, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM)
        yield started
        started.close()


class Visit:
    """An open page with what it asked of the network and what went wrong in it."""

    def __init__(self, browser, file, **settings) -> None:
        self.asked, self.wrong = [], []
        self.page = browser.new_context(**settings).new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda said: said.type == "error" and self.wrong.append(said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.wrong.append(dialog.message), dialog.dismiss()))
        self.page.goto(file.as_uri())
        self.page.wait_for_selector(DRAWN, state="attached")


@pytest.fixture(scope="module")
def visit(browser, book):
    return Visit(browser, book / REPORT_NAME, viewport=WIDE, color_scheme="light")


@pytest.fixture(scope="module")
def dark(browser, book):
    return Visit(browser, book / REPORT_NAME, viewport=WIDE, color_scheme="dark")


def marks(page, chart: str) -> int:
    """How many points a chart shows."""
    return page.locator(f"#{chart} svg g.mark-symbol.role-mark path").count()


def test_it_opens_without_a_network_and_without_an_error(visit, book):
    assert visit.asked == [(book / REPORT_NAME).as_uri()]
    assert visit.wrong == []


def test_every_chart_is_drawn(visit):
    declared = visit.page.locator("script[data-chart]").count()
    assert declared >= 12
    drawn = visit.page.eval_on_selector_all(
        ".chart svg", "all => all.map(svg => svg.querySelectorAll('.role-mark path, .role-mark line').length)"
    )
    assert len(drawn) == declared
    assert min(drawn) > 2


def test_a_chart_says_what_it_shows_once_it_is_drawn(visit):
    said = visit.page.eval_on_selector_all(
        ".chart", "all => all.map(place => [place.getAttribute('role'), place.getAttribute('aria-label')])"
    )
    assert all(role == "img" and label.startswith("Chart: ") for role, label in said), said
    assert visit.page.locator(".chart[aria-roledescription]").count() == 0


def test_a_pair_without_a_benchmark_is_said_to_have_none(visit):
    chart = visit.page.locator("#energy-by-model")
    model, accelerator = (visit.page.get_by_role("combobox", name=name).first for name in ("Model", "Accelerator"))
    model.select_option("Llama 3.1 405B")
    accelerator.select_option(label="A100 SXM 80GB")
    visit.page.wait_for_timeout(300)
    assert "No benchmark of this model" in chart.inner_text()
    for field in (model, accelerator):
        field.select_option(index=0)
    visit.page.wait_for_timeout(300)
    assert "No benchmark" not in chart.inner_text()


def test_a_chart_can_be_narrowed_down_by_keyboard(visit):
    before = marks(visit.page, "energy-by-model")
    field = visit.page.get_by_role("combobox", name="Accelerator")
    field.focus()
    field.press("ArrowDown")
    visit.page.wait_for_timeout(300)
    after = marks(visit.page, "energy-by-model")
    field.press("Home")
    visit.page.wait_for_timeout(300)
    assert 0 < after < before == marks(visit.page, "energy-by-model")


def test_the_first_key_leads_past_the_navigation(visit):
    visit.page.reload()
    visit.page.wait_for_selector(DRAWN, state="attached")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.className") == "skip"
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate("document.activeElement.id") == "main"


def test_headings_go_down_one_at_a_time(visit):
    levels = visit.page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("scheme", ["visit", "dark"])
def test_axe_finds_nothing_serious(scheme, request):
    page = request.getfixturevalue(scheme).page
    page.eval_on_selector_all("details", "all => all.slice(0, 1).forEach(one => one.open = true)")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    bad = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in SERIOUS]
    assert bad == []


def test_charts_follow_the_dark_scheme(visit, dark):
    colour = "getComputedStyle(document.querySelector('#energy-by-model .role-axis-label text')).fill"
    light_on_dark, dark_on_light = dark.page.evaluate(colour), visit.page.evaluate(colour)
    assert light_on_dark != dark_on_light
    assert dark.wrong == []


def test_nothing_is_wider_than_a_telephone(browser, book):
    narrow = Visit(browser, book / REPORT_NAME, viewport=NARROW)
    assert narrow.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    wide = narrow.page.eval_on_selector_all(
        ".chart svg",
        "(all, most) => all.filter(svg => svg.getBoundingClientRect().right > most).length",
        NARROW["width"],
    )
    assert wide == 0
    assert narrow.wrong == []


@pytest.mark.parametrize("width", [NARROW["width"], 700, 820, 960, WIDE["width"]])
def test_no_word_of_a_chart_is_cut_off(browser, book, width):
    page = Visit(browser, book / REPORT_NAME, viewport={"width": width, "height": 900}).page
    beyond = page.eval_on_selector_all(
        ".chart svg",
        """all => all.flatMap(svg => {
            const edge = svg.getBoundingClientRect().right + 1;
            return [...svg.querySelectorAll("text")].filter(text => text.getBoundingClientRect().right > edge)
                .map(text => text.textContent);
        })""",
    )
    assert beyond == []


def test_printed_a_chart_stands_on_one_page_with_its_heading(browser, book):
    page = Visit(browser, book / REPORT_NAME, viewport={"width": 660, "height": 900}).page  # US letter in its margins
    page.emulate_media(media="print")
    tallest = page.eval_on_selector_all(
        "figure:has(svg)",
        """all => all.map(figure => {
            const section = figure.closest("section");
            const top = section.querySelector("figure") === figure ? section : figure;
            return figure.querySelector("svg").getBoundingClientRect().bottom - top.getBoundingClientRect().top;
        })""",
    )
    assert len(tallest) >= 10
    assert max(tallest) < (279.4 - 2 * 16) / 25.4 * 96


def test_it_prints_light_with_all_charts(dark):
    dark.page.emulate_media(media="print")
    assert dark.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert dark.page.locator(".chart svg >> visible=true").count() == dark.page.locator("script[data-chart]").count()
    # what was chosen is said, without the look of a field
    chosen = dark.page.locator(".controls select")
    assert chosen.count() >= 3
    looks = chosen.evaluate_all("all => all.map(select => getComputedStyle(select).borderTopWidth)")
    assert set(looks) == {"0px"}
    assert dark.page.pdf(format="A4").startswith(b"%PDF")
    dark.page.emulate_media(media="screen")


def test_texts_of_sources_do_nothing(browser, evil, run):  # noqa: F811
    assert run("report", home=evil).exit_code == 0
    visited = Visit(browser, evil / REPORT_NAME, viewport=WIDE)
    assert visited.wrong == []
    assert visited.asked == [(evil / REPORT_NAME).as_uri()]
    assert visited.page.locator("main img").count() == 0
