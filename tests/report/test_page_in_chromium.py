"""The page in a browser: small at first, everything about a cell on demand, at an address of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chromium import PROGRAM
from chromium import Page
from chromium import browsing
from statelab.report.content.document import compose
from statelab.report.formats import html

from .sample import sample

pytestmark = pytest.mark.process
CELL = "counter.module-global.sync-4.io"
ROWS = "[...document.querySelectorAll('.table:not([hidden]) tr[data-name]')].filter(e => !e.hidden)"
NAMES = f"{ROWS}.map(e => e.dataset.name)"
OPEN = "document.getElementById('panel')?.open && document.querySelector('#view h2')?.textContent"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(html.render(compose(sample())))
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if PROGRAM is None:
        pytest.skip("no Chromium on this machine: make setup says how to get one")
    with browsing(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture
def page(browser: Page, file: Path) -> Page:
    """The page as it is opened from a folder, no server behind it."""
    browser.open("about:blank")
    browser.open(file.as_uri())
    browser.wait("document.readyState === 'complete' && !!document.querySelector('.table [role=grid]')")
    return browser


def test_what_is_seen_first_has_few_elements(page: Page) -> None:
    """At most 3,000, none of them wider than the window."""
    assert page.ask("document.querySelectorAll('*').length") <= 3_000
    assert page.ask("document.documentElement.scrollWidth <= innerWidth")


def test_a_cell_opens_all_about_it_at_an_address_of_its_own(page: Page, file: Path) -> None:
    """A click shows proof, timeline, numbers, both fixes and the source; the address shows the same again."""
    page.ask(f"document.getElementById('{CELL}').click()")
    assert "module-global under sync-4" in page.wait(OPEN)
    page.wait("!!document.querySelector('#view [data-include] pre')")
    assert page.ask("location.hash") == f"#{CELL}"
    for found in ("svg.timeline", "dl.numbers", '[href="#fix.counter.module-global.diskcache-incr"]'):
        assert page.ask(f"!!document.querySelector({json.dumps(found)})"), found
    page.open("about:blank")
    page.open(f"{file.as_uri()}#{CELL}")
    assert "module-global under sync-4" in page.wait(OPEN)
    page.ask("document.querySelector('dialog button').click()")
    page.wait("!document.getElementById('panel').open && location.hash === ''")


def test_the_keyboard_goes_from_cell_to_cell(page: Page) -> None:
    """Arrows move, Enter opens, and the focus is back on the cell afterwards."""
    page.ask(f"document.getElementById('{CELL}').focus() ?? 1")
    page.ask(f"document.getElementById('{CELL}').tabIndex = 0")
    page.ask(f"document.getElementById('{CELL}').focus() ?? 1")
    press = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{key: '{}', bubbles: true}}))"
    for key in ("ArrowDown", "ArrowRight"):
        page.ask(press.format(key))
    assert page.ask("document.activeElement.id") == "counter.module-global-lock.sync-4-preload.io"
    page.ask(press.format("Enter"))
    assert "module-global-lock under sync-4-preload" in page.wait(OPEN)
    page.ask("document.getElementById('panel').close() ?? 1")
    page.wait("document.activeElement.id === 'counter.module-global-lock.sync-4-preload.io'")


def test_filters_leave_what_was_asked_for(page: Page) -> None:
    """By name, by store (what needs none stays), by deployment."""
    fill = "(e => {{ e.value = '{}'; e.dispatchEvent(new Event('input')); return 1; }})(document.getElementById('{}'))"
    page.ask(fill.format("lock", "filter"))
    assert all("lock" in name for name in page.ask(NAMES))
    page.ask(fill.format("", "filter"))
    page.ask(fill.format("memcached", "store"))
    names = page.ask(NAMES)
    assert "memcached-incr" in names
    assert "module-global" in names
    assert "redis-incr" not in names
    page.ask(fill.format("gthread", "deployment"))
    shown = page.ask(f"{ROWS}.map(e => [...e.children].filter(c => !c.hidden).length)")
    assert set(shown) == {2}


def test_the_tables_are_there_without_javascript(browser: Page, file: Path) -> None:
    """Every verdict is in the document itself."""
    browser._call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open("about:blank")
        browser.open(file.as_uri())
        browser.wait("document.readyState === 'complete' && !!document.querySelector('noscript p')")
        assert browser.ask("document.querySelectorAll('.table td[id]').length") == len(sample().cells)
        assert browser.ask("document.querySelector('.tools').hidden")
    finally:
        browser._call("Emulation.setScriptExecutionDisabled", value=False)
