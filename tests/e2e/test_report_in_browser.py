"""The report in a real browser: light and dark, wide and narrow, on paper, with scripts off, asking nobody."""

import runpy
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from bottega.evaluation.report import write_report

CHROMIUM = "/usr/bin/chromium"
DEMO = Path(__file__).parents[1] / "unit" / "evaluation" / "demo_report.py"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(*runpy.run_path(str(DEMO))["demo"](), path)
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM,
            headless=True,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield found
        found.close()


@pytest.fixture
def opened(browser, report):
    """A function that opens the page, scripts off; what it asked for and complained of is checked at the end."""
    pages, asked, said = [], [], []

    def open_page(width=1000, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False, **options)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(report)
        pages.append(context)
        return page

    yield open_page
    for context in pages:
        context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []


def ground(page):
    """The page's colour in its corner, as drawn."""
    import io

    from PIL import Image

    return Image.open(io.BytesIO(page.screenshot())).convert("RGB").getpixel((3, 3))


def test_light_and_dark_follow_the_system(opened):
    assert ground(opened(color_scheme="light")) == (0xFB, 0xF9, 0xF5)
    assert ground(opened(color_scheme="dark")) == (0x17, 0x15, 0x13)


@pytest.mark.parametrize("width", [320, 390, 700, 1000, 1600])
def test_no_width_makes_the_page_scroll_sideways(browser, report, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(report)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_charts_are_laid_out_again_rather_than_scaled(browser, report):
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(report)
    sizes = page.evaluate(
        """[...document.querySelectorAll('svg text')].filter(t => t.getClientRects().length)
           .map(t => parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getBoundingClientRect().width
                     / t.ownerSVGElement.viewBox.baseVal.width)"""
    )
    assert len(sizes) > 20
    assert min(sizes) >= 12
    page.close()


@pytest.mark.parametrize("width", [390, 1000])
def test_no_two_words_of_a_chart_overlap(browser, report, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(report)
    overlaps = page.evaluate(
        """[...document.querySelectorAll('svg[role=img]')].filter(s => s.getClientRects().length).flatMap(s => {
             const boxes = [...s.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
             return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([, q]) =>
               p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 4 && q.top < p.bottom - 4)
               .map(([b]) => a + ' / ' + b)); })"""
    )
    assert overlaps == []
    page.close()


def test_a_cell_opens_without_scripts_and_shows_its_picture(opened):
    page = opened()
    cells = page.locator(".matrix summary")
    pictures = page.locator(".matrix .example img")
    cells.nth(0).click()
    assert pictures.nth(0).is_visible()
    cells.nth(1).click()
    assert pictures.nth(1).is_visible()
    assert not pictures.nth(0).is_visible()


def test_tabs_turn_without_scripts_and_by_keyboard(opened):
    page = opened()
    panels = page.locator(".tabs .panel")
    assert panels.nth(0).is_visible()
    page.locator(".tabs label", has_text="Python").click()
    assert panels.nth(1).is_visible()
    assert not panels.nth(0).is_visible()
    page.keyboard.press("ArrowRight")
    assert panels.nth(2).is_visible()


def test_on_paper_all_languages_are_there_on_a_light_ground(opened):
    page = opened(width=688, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    panels = page.locator(".tabs .panel")
    assert all(panels.nth(i).is_visible() for i in range(panels.count()))
    assert min(ground(page)) > 240
    assert page.locator("#errors table").first.bounding_box()["width"] <= 688


def test_it_prints(browser, report, tmp_path):
    page = browser.new_page()
    page.goto(report)
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    page.close()
