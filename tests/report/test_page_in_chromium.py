"""The page in a browser: small at first, everything about a cell on demand, at an address of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

import screenshots
from chromium import AXE, PROGRAM, Page, browsing
from statelab.report.comparison import compare
from statelab.report.content.document import compose
from statelab.report.content.finder import questions
from statelab.report.content.orders import games
from statelab.report.formats import html
from statelab.report.formats.files import read_results, write_comparison, write_report
from statelab.theory.failures import load

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
    browser.look(1400, 1000, "light")
    browser.open("about:blank")
    browser.open(file.as_uri())
    browser.wait("document.readyState === 'complete' && !!document.querySelector('.table [role=grid]')")
    return browser


def test_what_is_seen_first_has_few_elements(page: Page) -> None:
    """At most 3,000 in at most 300 KB, none of them wider than the window."""
    packed = "[...document.querySelectorAll('[data-part]')].reduce((sum, e) => sum + e.textContent.length, 0)"
    assert page.ask(f"document.documentElement.outerHTML.length - {packed}") <= 300_000
    assert page.ask("document.querySelectorAll('*').length") <= 3_000
    assert page.ask("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_axe_finds_nothing(browser: Page, tmp_path: Path, width: int, scheme: str) -> None:
    """On the first view with everything on it open, and on the panels of a cell, a fix, a mechanism and the proofs; of
    one window, for the other tables consist of the same."""
    if not AXE.exists():
        pytest.skip("no axe-core here: make browser gets it")
    part = structs.replace(sample(), cells=[cell for cell in sample().cells if cell.window == "io"])
    (tmp_path / "index.html").write_text(html.render(compose(part)))
    page = browser
    page.look(width, 900, scheme)
    page.open((tmp_path / "index.html").as_uri())
    page.wait("document.readyState === 'complete' && !!document.querySelector('.table [role=grid]')")
    assert page.ask("document.documentElement.scrollWidth <= innerWidth")
    page.ask("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    assert page.violations() == []
    page.look(width, 30_000, scheme)  # axe takes a link in a dialog that must be scrolled to for one that is hidden
    for address in (CELL, "fix.counter.module-global.diskcache-incr", "counter.module-global", "proofs"):
        page.ask(f"(location.hash = {json.dumps(address)})")
        page.wait(f"document.getElementById('panel').dataset.address === {json.dumps(address)}")
        page.ask("document.querySelectorAll('#view details').forEach(e => { e.open = true; })")
        assert page.violations("#panel") == [], address


def test_axe_finds_nothing_on_a_comparison(browser: Page, tmp_path: Path) -> None:
    """With changes of every kind and every proof open, as wide as a phone."""
    if not AXE.exists():
        pytest.skip("no axe-core here: make browser gets it")
    whole = sample()
    broken = [place for place, cell in enumerate(whole.cells) if cell.verdict == "violated" and cell.rate_ops_s]
    cells = list(whole.cells)
    held, other, faster, gone = broken[3], broken[30], broken[60], broken[90]
    cells[held] = structs.replace(cells[held], verdict="held", anomalies=[], witness=None)
    cells[other] = structs.replace(cells[other], anomalies=["misreported"])
    cells[faster] = structs.replace(cells[faster], rate_ops_s=50 * cells[faster].rate_ops_s)
    del cells[gone]
    manifest = {**whole.manifest, "versions": {"flask": "4.0.0"}}
    for name, found in (("a", whole), ("b", structs.replace(whole, manifest=manifest, cells=cells))):
        write_report(found, tmp_path / name)
    page = write_comparison(compare(*(read_results(tmp_path / name) for name in "ab")), tmp_path / "a", tmp_path / "b")
    browser.look(390, 900, "dark")
    browser.open(page.as_uri())
    browser.wait("document.readyState === 'complete' && !!document.querySelector('#verdicts td a')")
    browser.ask("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    counted = "[...document.querySelectorAll('.tally b')].slice(0, 3).map(e => e.textContent)"
    assert browser.ask(counted) == ["1", "1", "1"]
    assert browser.ask("document.documentElement.scrollWidth <= innerWidth")
    assert browser.violations() == []


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


def test_the_page_of_a_run_that_goes_on_renews_itself(browser: Page, tmp_path: Path) -> None:
    """It is read again by itself, but not while a cell is open on it; when the run has ended it stays as it is."""
    path = tmp_path / "index.html"

    def write(measured: int) -> None:
        going_on = {"measured": measured, "planned": 9, "renew_s": 1} if measured < 9 else None
        part = structs.replace(
            sample(), manifest={**sample().manifest, "going_on": going_on}, cells=sample().cells[:20]
        )
        path.write_text(html.render(compose(part)))

    write(1)
    browser.look(1400, 900, "light")
    browser.open(path.as_uri())
    browser.wait("document.querySelector('.going')?.textContent.includes('1 of 9 cells measured')")
    write(2)
    browser.wait("document.querySelector('.going')?.textContent.includes('2 of 9 cells measured')")
    browser.wait("document.querySelector('td[id]').click() ?? document.getElementById('panel').open")
    write(3)
    browser.ask("(window.read = Date.now())")
    browser.wait("Date.now() > window.read + 2500")
    assert browser.ask("document.querySelector('.going').textContent.includes('2 of 9')")
    browser.ask("document.querySelector('dialog button').click()")
    browser.wait("document.querySelector('.going')?.textContent.includes('3 of 9 cells measured')")
    write(9)
    browser.wait("!document.querySelector('.going') && document.readyState === 'complete'")
    browser.ask("(window.read = Date.now())")
    browser.wait("Date.now() > window.read + 1500")


STEP = "document.querySelector('#view [data-step={}]').click()"
NEXT = "document.querySelector('#view [data-side={}] .now code')?.textContent.trim()"
VERDICT = "!document.querySelector('#view [data-end]').hidden && document.querySelector('#view [data-end]').innerText"


def test_who_finds_the_bad_order_sees_the_proof(page: Page) -> None:
    """A is stopped between its read and its write, B runs to its end: the proof is the checker's. The order in which A
    ends first has none; `show me` plays the schedule's."""
    game = next(game for game in games() if game.address == "play.module-global.gthread")
    page.ask(f"(location.hash = '{game.address}')")
    page.wait("document.getElementById('panel').dataset.address === 'play.module-global.gthread'")
    order = ""
    while page.ask(NEXT.format("A")) != "counters[key] = value + 1":
        page.ask(STEP.format("A"))
        order += "A"
    for who in "BA":
        while page.ask(NEXT.format(who)):
            page.ask(STEP.format(who))
            order += who
    found = game.end(order)
    assert found.anomalies == ["lost-update"]
    assert found.witness
    said = page.wait(VERDICT)
    assert "lost-update" in said
    assert page.ask("document.querySelector('#view [data-end] pre').textContent") == found.witness.text
    assert page.ask("!!document.querySelector('#view [data-end] svg.timeline')")
    assert page.ask("document.querySelector('#view .kept dd').textContent") == "3"
    assert page.ask("[...document.querySelectorAll('#view [data-step]')].every(e => e.disabled)")
    if AXE.exists():
        assert page.violations("#panel") == []
    page.ask("document.querySelector('#view [data-do=anew]').click()")
    assert page.ask(VERDICT) is False
    for who in "AB":
        while page.ask(NEXT.format(who)):
            page.ask(STEP.format(who))
    assert "held" in page.wait(VERDICT)
    assert not page.ask("!!document.querySelector('#view [data-end] svg')")
    assert page.ask("document.querySelector('#view .kept dd').textContent") == "4"
    page.ask("document.querySelector('#view [data-do=show]').click()")
    assert "lost-update" in page.wait(VERDICT)


def test_who_waits_for_a_lock_cannot_go_on(page: Page) -> None:
    """The other one has the lock: B can take no line until A has let it go."""
    page.ask("(location.hash = 'play.module-global-lock.gthread')")
    page.wait("document.getElementById('panel').dataset.address === 'play.module-global-lock.gthread'")
    page.ask(STEP.format("A"))
    page.ask(STEP.format("B"))
    assert page.ask("document.querySelector('#view [data-step=B]').disabled")
    assert "waits" in page.ask("document.querySelector('#view [data-side=B] [data-now]').textContent")
    while page.ask(NEXT.format("A")):
        page.ask(STEP.format("A"))
    assert not page.ask("document.querySelector('#view [data-step=B]').disabled")


def test_the_finder_leads_to_every_failure(page: Page) -> None:
    """By what is seen, when it shows, and which of those it is; each answer has an address of its own as well."""
    page.ask("(location.hash = 'finder')")
    page.wait("document.getElementById('panel').dataset.address === 'finder'")
    choose = """(text => {{
      const all = [...document.querySelectorAll('#view summary')];
      const e = all.find(e => e.checkVisibility() && e.textContent === text);
      e.parentElement.open = true;
      return !!e;
    }})({})"""
    shown = "[...document.querySelectorAll('#view .answer')].filter(e => e.checkVisibility()).map(e => e.id)"
    failures = load()
    reached = []
    for seen, answers in questions().items():
        for when, left in answers.items():
            for found in left:
                failure = found.failure
                asked = [seen, when, *([failure.symptom.replace("`", "")] if len(left) > 1 else [])]
                page.ask("document.querySelectorAll('#view details').forEach(e => { e.open = false; })")
                assert page.ask(shown) == []
                assert all(page.ask(choose.format(json.dumps(each))) for each in asked), asked
                assert page.ask(shown) == [found.address]
                text = page.ask(f"document.getElementById('{found.address}').innerText")
                assert all(
                    part.replace("`", "") in text
                    for part in (failure.cause, f"{failure.workload}/{failure.mechanism}", failure.fix, failure.command)
                )
                reached.append(failure)
    assert sorted(reached, key=failures.index) == failures
    page.ask("(location.hash = 'finder.9')")
    page.wait("document.getElementById('panel').dataset.address === 'finder.9'")
    assert failures[8].symptom in page.ask("document.getElementById('view').innerText")
    if AXE.exists():
        page.ask("(location.hash = 'finder')")
        page.wait("document.getElementById('panel').dataset.address === 'finder'")
        page.ask("document.querySelectorAll('#view details').forEach(e => { e.open = true; })")
        assert page.violations("#panel") == []


def test_pictures_of_every_page(tmp_path: Path) -> None:
    """Wide and narrow, light and dark, of the page and of what opens on it."""
    if PROGRAM is None:
        pytest.skip("no Chromium on this machine: make browser installs it")
    part = structs.replace(sample(), cells=[cell for cell in sample().cells if cell.mechanism == "module-global"])
    (tmp_path / "index.html").write_text(html.render(compose(part)))
    screenshots.main(tmp_path, tmp_path, [])
    widths = {path.stem: int.from_bytes(path.read_bytes()[16:20], "big") for path in tmp_path.glob("*.png")}
    looks = [(width, scheme) for width in (1400, 390) for scheme in ("light", "dark")]
    names = ("index", "cell", "proofs", "fixes")
    assert widths == {f"{name}-{width}-{scheme}": width for name in names for width, scheme in looks}
