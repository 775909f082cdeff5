"""A page of docs/ as HTML, for the front page of a lab whose docs were not built as a site.

The Markdown is ours, so its HTML is let through. Links to files outside of docs/ become plain text, because the front
page shows nothing but docs/.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from statelab.report.formats import html


def title_of(page: Path) -> str:
    """The first heading."""
    with page.open() as lines:
        return next((line[2:].strip() for line in lines if line.startswith("# ")), page.stem).replace("`", "")


def render(page: Path, home: str) -> str:
    """The whole page, which looks like a report; the link in its head leads to `home`."""
    tokens = _markdown().parse(page.read_text())
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            before.attrSet("id", re.sub(r"[^\w-]", "", token.content.lower().replace(" ", "-")))
        elif before.type == "table_open":
            before.attrSet("class", "plain")
        if token.children:
            token.children = list(_inside(token.children))
    body = Markup('<article class="docs">{}</article>').format(
        Markup(_markdown().renderer.render(tokens, _markdown().options, {}))
    )
    return html.alone(title_of(page), body, home)


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True}).enable("table")


def _inside(tokens: list[Token]) -> Iterator[Token]:
    """Without the links that lead out of docs/."""
    out = 0
    for token in tokens:
        outside = token.type == "link_open" and str(token.attrGet("href")).startswith("../")
        out += outside
        if out and token.type == "link_close":
            out -= 1
        elif not outside:
            yield token
