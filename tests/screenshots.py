"""Pictures of the lab's pages in headless Chromium, at the width of a desk and of a phone, light and dark.

    PYTHONPATH=tests python tests/screenshots.py reports/latest reports/screenshots [ADDRESS ...]
    PYTHONPATH=tests python tests/screenshots.py --picture PAGE.html FRAGMENT PICTURE.png

The pages are those in the run's folder, with the panel of the first broken cell, the proofs and the fixes, and any
further addresses, such as that of a lab that is up. The address `locust` stands for Locust's console, which is started
for its pictures: the form, and the tab State after a load of its first values.
"""

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from chromium import PROGRAM, Page, browsing
from locust_console import console
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine
from statelab.plan.app import App
from statelab.plan.deployments import load_all

LOOKS = [(width, scheme) for width in (1400, 390) for scheme in ("light", "dark")]
HEIGHT, LOCUSTS = 900, 1400
TALLEST = 6_000
"""Of a longer page the rest is left out."""


def places(page: Page, run: Path, addresses: list[str]) -> Iterator[tuple[str, str, bool]]:
    """The name and the address of each picture, and whether it is of a panel, which fills the window."""
    for file in sorted(run.glob("*.html")):
        yield file.stem, file.as_uri(), False
    home = (run / "index.html").as_uri()
    page.open(home)
    page.wait("document.readyState === 'complete' && !!document.querySelector('main')")
    broken = page.ask("document.querySelector('td.contradiction[id], td.different[id], td.violated[id]')?.id")
    for name, fragment in (("cell", broken), ("proofs", "proofs"), ("fixes", "fixes")):
        if fragment and page.ask(f'!!document.querySelector(\'[href="#{fragment}"], td[id="{fragment}"]\')'):
            yield name, f"{home}#{fragment}", True
    for address in addresses:
        yield re.sub(r"\W+", "-", address.partition("//")[2]).strip("-"), address, False


def locusts_console(page: Page, pictures: Path) -> Iterator[Path]:
    """Starts the deployment of the form's first values, loads it, and takes the pictures."""
    engine, name = LocalEngine(App(workloads=("counter",), stores=frozenset())), "gthread-2x4"  # the form's first
    try:
        engine.up([load_all(DEPLOYMENTS)[name]])
        with (
            tempfile.TemporaryDirectory() as recordings,
            console("alone", {name: engine.url(name)}, Path(recordings)) as address,
        ):
            yield from _in_every_look(page, address, pictures / "locust-form", "!!shown('button', 'Start')")
            page.enter("runTime", "5s")
            page.click("button", "Start")
            page.click("[role=tab]", "State")
            page.wait("document.body.innerText.includes('After the end')", 60)
            tab, ended = "shown('[role=tab]', 'State')?.click()", "document.body?.innerText.includes('After the end')"
            state = f"{tab} || {ended}"
            yield from _in_every_look(page, address, pictures / "locust-state", state)
    finally:
        engine.down()


def _in_every_look(page: Page, address: str, name: Path, ready: str) -> Iterator[Path]:
    """Opens the page anew for each: Locust's own script asks for the scheme when it starts."""
    for width, scheme in LOOKS:
        page.look(width, LOCUSTS, scheme)  # what scrolls is inside of the page
        page.open("about:blank")
        page.open(address)
        page.wait(ready)
        path = name.with_name(f"{name.name}-{width}-{scheme}.png")
        page.screenshot(path)
        yield path


def main(run: Path, pictures: Path, addresses: list[str]) -> None:
    if PROGRAM is None:
        sys.exit("no Chromium on this machine: make browser installs it")
    if not (run / "index.html").is_file():
        sys.exit(f"{run} has no index.html: `make report` measures a run and writes it")
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, browsing(Path(profile)) as page:
        if "locust" in addresses:
            for path in locusts_console(page, pictures):
                print(path, flush=True)
        others = [address for address in addresses if address != "locust"]
        for name, address, panel in list(places(page, run.resolve(), others)):
            for width, scheme in LOOKS:
                page.look(width, HEIGHT, scheme)
                page.open("about:blank")
                page.open(address)
                opened = "document.getElementById('panel')?.open" if panel else "document.readyState === 'complete'"
                page.wait(f"location.href !== 'about:blank' && {opened}")
                if not panel:
                    page.look(width, min(TALLEST, page.ask("document.documentElement.scrollHeight")), scheme)
                path = pictures / f"{name}-{width}-{scheme}.png"
                page.screenshot(path)
                print(path, flush=True)


def picture(address: str, file: Path) -> None:
    """What is seen of a page at an address, as the README has it."""
    if PROGRAM is None:
        sys.exit("no Chromium on this machine: make browser installs it")
    with tempfile.TemporaryDirectory() as profile, browsing(Path(profile)) as page:
        page.look(1160, 780, "light")
        page.hide_scrollbars()
        page.open(address)
        page.wait("location.href !== 'about:blank' && document.readyState === 'complete'")
        page.screenshot(file)


if __name__ == "__main__" and sys.argv[1] == "--picture":
    picture(f"{Path(sys.argv[2]).resolve().as_uri()}#{sys.argv[3]}", Path(sys.argv[4]))
elif __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
