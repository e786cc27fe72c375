"""The page as a browser shows it: no complaint, no request, readable at any width, useful with and without script."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from reports import CASES, case_a, case_b, hostile

from unstuck.finding import Report
from unstuck.report import html_page

driver = pytest.importorskip("playwright.sync_api", reason="needs playwright, which `make test` installs")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
"""Root has no sandbox; the rest keeps the browser itself off the network."""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium: `make test` installs it on Debian as root, else apt-get install chromium"
)

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with driver.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield running
        running.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open a report's page; what it complains of and asks the network for is in `page.troubles`."""
    contexts = []

    def open_page(report: Report, *, width: int = 1280, fragment: str = "", **settings: Any) -> Any:
        file = tmp_path / "page.html"
        file.write_text(html_page(report), encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.troubles = []
        page.on("console", lambda said: page.troubles.append(said.text))
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        page.on("dialog", lambda dialog: page.troubles.append(dialog.message))
        page.on("request", lambda asked: asked.url.startswith("file:") or page.troubles.append(asked.url))
        page.goto(file.as_uri() + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_complains_of_nothing_asks_for_nothing_and_fits_its_window(
    opened: Open, case: str, width: int, scheme: str
) -> None:
    page = opened(CASES[case](), width=width, color_scheme=scheme)
    page.get_by_text("open all").click()
    assert [] == page.troubles
    assert width >= page.evaluate("document.documentElement.scrollWidth")


def test_all_parts_open_with_one_button(opened: Open) -> None:
    page = opened(case_a())
    assert 0 < page.locator("details:not([open])").count()
    page.get_by_text("open all").click()
    assert 0 == page.locator("details:not([open])").count()


def test_the_new_lines_of_the_remedy_are_copied_as_they_are(opened: Open) -> None:
    page = opened(case_a())
    page.evaluate("addEventListener('copy', () => { window.taken = document.activeElement.value; })")
    button = page.get_by_text("copy the new lines").first
    button.click()
    assert "copied" == page.locator("button", has_text="copied").inner_text()
    assert page.evaluate("window.taken").startswith('    keras.layers.Dense(1, activation="sigmoid"),')


def test_a_rule_is_found_by_its_name(opened: Open) -> None:
    page = opened(case_a())
    name = next(result.rule for result in case_a().rules if result.outcome == "cleared")
    page.get_by_label("find a rule").fill(name)
    shown = page.locator("#asked details[open] tbody tr:visible th").all_inner_texts()
    assert name in shown
    assert len(shown) < len(case_a().rules)


def test_a_link_to_a_cause_unfolds_it(opened: Open) -> None:
    anchor = opened(case_b()).locator("article").first.get_attribute("id")
    assert opened(case_b(), fragment=f"#{anchor}").locator(f"#{anchor} details").first.get_attribute("open") is not None


def test_the_page_works_without_script(opened: Open) -> None:
    page = opened(case_a(), java_script_enabled=False)
    assert page.locator("h1").is_visible() and page.locator("article svg").first.is_visible()
    folded = page.locator("#asked details").first
    folded.locator("summary").click()
    assert folded.locator("table").is_visible()


def test_what_is_folded_is_printed(opened: Open) -> None:
    page = opened(case_a(), java_script_enabled=False)
    page.emulate_media(media="print")
    assert page.locator("#asked details:not([open]) table").first.bounding_box()["height"] > 0


def test_a_hostile_name_runs_nothing(opened: Open) -> None:
    page = opened(hostile())
    assert [] == page.troubles
    assert 2 == page.locator("script").count()  # the report as JSON, and the script of the page
