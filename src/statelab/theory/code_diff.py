"""Compares two pieces of code line by line and shows the changed lines with their neighbours, side by side."""

import textwrap
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, zip_longest

AROUND = 2
"""Unchanged lines shown before and after a change."""

WIDTH = 60
"""Width of a column, in characters."""

HANGING = 8
"""If a line is too long for its column, the rest of it is indented by this many characters more than its start."""


ELSEWHERE = ("  ...", "  ...")
"""Placeholder for lines that are the same on both sides."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A line before and after the change; None if that side has no such line."""

    before: str | None
    after: str | None
    changed: bool


@dataclass(frozen=True, slots=True)
class CodeDiff:
    """All lines of two pieces of code, paired, in order."""

    pairs: list[Pair]

    @property
    def changed(self) -> int:
        """How many lines were removed or added."""
        return sum((pair.before is not None) + (pair.after is not None) for pair in self.pairs if pair.changed)

    @property
    def hunks(self) -> list[list[Pair]]:
        """The changed pairs with their neighbours. Between two hunks both sides are the same."""
        near = {place for place, pair in enumerate(self.pairs) if pair.changed}
        shown = {place + step for place in near for step in range(-AROUND, AROUND + 1)}
        runs = groupby(enumerate(self.pairs), lambda numbered: numbered[0] in shown)
        return [[pair for _, pair in run] for kept, run in runs if kept]


def diff(before: str, after: str) -> CodeDiff:
    """Compares two pieces of code line by line (difflib's SequenceMatcher, after Ratcliff and Obershelp).

    Blank lines are left out. A line whose indentation alone differs counts as the same.
    """
    old, new = ([line for line in text.splitlines() if line.strip()] for text in (before, after))
    matcher = SequenceMatcher(None, [line.strip() for line in old], [line.strip() for line in new], autojunk=False)
    return CodeDiff(
        [
            Pair(one, other, kind != "equal")
            for kind, i, j, k, m in matcher.get_opcodes()
            for one, other in zip_longest(old[i:j], new[k:m])
        ]
    )


def in_columns(found: CodeDiff, before: str, after: str) -> str:
    """The hunks as text in two columns under the names; `-` marks a removed line, `+` an added one."""
    lines: list[tuple[str, str]] = []
    for place, hunk in enumerate(found.hunks):
        lines += [ELSEWHERE] if place else []
        for pair in hunk:
            old = _wrapped(pair.before, "-" if pair.changed else " ")
            new = _wrapped(pair.after, "+" if pair.changed else " ")
            lines += zip_longest(old, new, fillvalue="")
    widths = [max(map(len, column)) for column in zip((before, after), *lines, strict=True)]
    head = [_row((before, after), widths), "-+-".join("-" * width for width in widths)]
    return "\n".join([*head, *(_row(line, widths) for line in lines)])


def _row(texts: tuple[str, str], widths: list[int]) -> str:
    return " | ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()


def _wrapped(line: str | None, mark: str) -> list[str]:
    if line is None:
        return [""]
    hung = " " * (len(line) - len(line.lstrip()) + HANGING)
    parts = textwrap.wrap(line, WIDTH, subsequent_indent=hung, break_on_hyphens=False, break_long_words=False)
    return [f"{mark if place == 0 else ' '} {part}" for place, part in enumerate(parts)]
