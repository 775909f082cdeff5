"""Markdown's pieces: text of others that stays text, tables, code, and what is folded away."""

import re
from collections.abc import Iterable

from statelab.report.content.text import printable


def escaped(text: str) -> str:
    """Text of others in a table or a sentence: no HTML, no columns or lines of its own; backticks stay."""
    text = re.sub(r"\s+", " ", printable(text))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|")


def table(head: list[str], lines: Iterable[list[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def fenced(text: str) -> str:
    """Text as it stands; nothing in it ends the block."""
    return f"```text\n{printable(text).replace('```', chr(39) * 3)}\n```\n"


def folded(title: str, content: str) -> str:
    return f"<details><summary>{escaped(title)}</summary>\n\n{content}\n</details>\n"
