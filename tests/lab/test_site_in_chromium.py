"""The site as `make site` builds it: opened from a file, it fetches nothing and is searched; a broken link fails."""

import subprocess
import sys
from pathlib import Path

import pytest

from chromium import PROGRAM, browsing
from statelab.core.paths import ROOT

pytestmark = pytest.mark.process

RESULTS = """[...document.querySelectorAll("*")].filter(e => e.shadowRoot)
  .flatMap(e => [...e.shadowRoot.querySelectorAll("a[href*='stampede']")]).map(a => a.href)"""
FETCHED = "performance.getEntriesByType('resource').map(e => e.name).filter(name => !name.startsWith('file:'))"


def test_the_search_works_from_a_file(tmp_path: Path) -> None:
    """By typing into it; what it finds is on the pages that say it."""
    if PROGRAM is None:
        pytest.skip("no Chromium: `make browser` installs it")
    done = subprocess.run(["make", "site"], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with browsing(tmp_path) as page:
        page.open((ROOT / "site/docs/tutorial.html").as_uri())
        page.wait("document.readyState === 'complete' && !!document.querySelector('iframe')", timeout=60)
        page.ask("document.querySelector('.md-search__button').click()")
        page.wait("[...document.querySelectorAll('*')].some(e => e.shadowRoot?.activeElement?.tagName === 'INPUT')")
        page.type("stampede")
        found = page.wait(f"(found => found.length && found)({RESULTS})", timeout=60)
        assert any("/site/docs/workloads.html" in address for address in found), found
        assert page.ask(FETCHED) == []


@pytest.mark.parametrize("link", ["away.md", "index.md#away"])
def test_a_broken_link_fails(tmp_path: Path, link: str) -> None:
    """A page and a heading that are not there, as `make site` builds."""
    programs = Path(sys.executable).parent
    install = [programs / "uv", "pip", "install", "--quiet", "--system-certs", "--python", sys.executable]
    subprocess.run([*install, "--require-hashes", "-r", ROOT / "requirements/site.txt"], check=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "zensical.toml").write_text('[project]\nsite_name = "one page"\n')
    command = [programs / "zensical", "build", "--strict", "--config-file", str(tmp_path / "zensical.toml")]
    for target, fails in ((link, True), ("index.md", False)):
        (tmp_path / "docs/index.md").write_text(f"# One\n\n[A page]({target})\n")
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
