"""The site of `make site`: every page is in its navigation and opens with what it is for. Nothing is built here."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from statelab.core.paths import ROOT

SITE = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md"))


def named(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for target in entry.values():
            yield from [target] if isinstance(target, str) else named(target)


def test_the_navigation_names_every_page_once() -> None:
    """And nothing that is not there."""
    pages = list(named(SITE["nav"]))
    assert sorted(pages) == sorted([*PAGES, "README.md", "CONTRIBUTING.md", "CHANGES.md"])
    assert all((ROOT / page).is_file() for page in pages)


@pytest.mark.parametrize("page", [*PAGES, "README.md"])
def test_a_page_opens_with_a_title_and_what_it_is_for(page: str) -> None:
    """One title, then a paragraph; not a table, a list, code or the next heading."""
    title, empty, first = (ROOT / page).read_text().splitlines()[:3]
    assert title.startswith("# ")
    assert not empty
    assert first[:1].isalpha() or first.startswith(("`", "*", "**")), first


def test_the_readme_is_short() -> None:
    """At most 150 lines with one picture: everything else is a page of the site."""
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    assert text.count("![") == 1
