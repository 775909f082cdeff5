"""Two pieces of code line by line, side by side: what changed, with its neighbours."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from itertools import zip_longest

AROUND = 2
"""Unchanged lines shown before and after a change."""

WIDTH = 60
HANGING = 8
"""Characters a column of text takes, and by how many more than its indentation a line is hung in that goes on."""


ELSEWHERE = ("  ...", "  ...")
"""Stands for lines that are the same on both sides."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One line before and after; None where there is none on that side."""

    before: str | None
    after: str | None
    changed: bool


@dataclass(frozen=True, slots=True)
class CodeDiff:
    """All pairs of two pieces of code, in order."""

    pairs: list[Pair]

    @property
    def changed(self) -> int:
        """Lines that stand on one side only: removed and added ones counted alike."""
        return sum((pair.before is not None) + (pair.after is not None) for pair in self.pairs if pair.changed)

    @property
    def hunks(self) -> list[list[Pair]]:
        """The changed pairs with their neighbours; what lies between two hunks is the same on both sides."""
        near = {place for place, pair in enumerate(self.pairs) if pair.changed}
        shown = {place + step for place in near for step in range(-AROUND, AROUND + 1)}
        runs = groupby(enumerate(self.pairs), lambda numbered: numbered[0] in shown)
        return [[pair for _, pair in run] for kept, run in runs if kept]


def diff(before: str, after: str) -> CodeDiff:
    """Compares two pieces of code line by line (difflib's SequenceMatcher, after Ratcliff and Obershelp).

    Blank lines are left out, and a line that is only indented otherwise is the same line.
    """
    old, new = ([line for line in text.splitlines() if line.strip()] for text in (before, after))
    matcher = SequenceMatcher(None, [line.strip() for line in old], [line.strip() for line in new], autojunk=False)
    return CodeDiff([pair for opcode in matcher.get_opcodes() for pair in _pairs(old, new, *opcode)])


def _pairs(old: list[str], new: list[str], kind: str, i: int, j: int, k: int, m: int) -> Iterator[Pair]:
    for before, after in zip_longest(old[i:j], new[k:m]):
        yield Pair(before, after, kind != "equal")


def in_columns(found: CodeDiff, before: str, after: str) -> str:
    """The hunks as text in two columns under their names; `-` marks a line that goes, `+` one that comes."""
    blocks = [[line for pair in hunk for line in _lines(pair)] for hunk in found.hunks]
    lines = [line for place, block in enumerate(blocks) for line in ([ELSEWHERE] if place else []) + block]
    widths = [max(map(len, column)) for column in zip((before, after), *lines, strict=True)]
    head = [_row((before, after), widths), "-+-".join("-" * width for width in widths)]
    return "\n".join([*head, *(_row(line, widths) for line in lines)])


def _row(texts: tuple[str, str], widths: list[int]) -> str:
    return " | ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()


def _lines(pair: Pair) -> Iterator[tuple[str, str]]:
    """A pair as lines of both columns."""
    before = _wrapped(pair.before, "-" if pair.changed else " ")
    after = _wrapped(pair.after, "+" if pair.changed else " ")
    yield from zip_longest(before, after, fillvalue="")


def _wrapped(line: str | None, mark: str) -> list[str]:
    if line is None:
        return [""]
    hung = " " * (len(line) - len(line.lstrip()) + HANGING)
    parts = textwrap.wrap(line, WIDTH, subsequent_indent=hung, break_on_hyphens=False, break_long_words=False)
    return [f"{mark if place == 0 else ' '} {part}" for place, part in enumerate(parts)]
