"""Patterns: lines that differ from a line that was taken only in the digits of integers and the letters of texts.

A line that was taken strictly is cut into literals and slots: an integer, or what stands between the quotation marks of
a text. Any other line with the same literals, and with an integer or a text in each slot, must be taken as well and in
the same way, since what a field may hold depends on `op`, `status` and the kind of what it holds, and these are part of
the literals. So patterns need no rules of their own: they only repeat what the strict reader decided.
"""

import re
from collections.abc import Collection
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from statelab.record.columns import Integers
from statelab.record.columns import Mask
from statelab.record.reading.json_lines.batch import Batch
from statelab.record.reading.json_lines.scan import Scanner

_LONGEST = 1000
_TOKEN = re.compile(
    rb'(?P<name>"[^"]*"(?=[ \t]*:))|(?P<text>"[^"]*")|(?P<number>-?[0-9][0-9.eE+-]*)'
    rb"|(?P<list>\[)|(?P<open>\{)|(?P<close>\})|(?P<other>.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for an integer or a text; `field` is None where what stands there is ignored."""

    field: str | None
    is_text: bool


@dataclass(frozen=True, slots=True)
class Pattern:
    """`literals` has one more than `slots`; `fixed` are numbers that all lines of the pattern have."""

    literals: tuple[bytes, ...]
    slots: tuple[Slot, ...]
    fixed: Mapping[str, int]

    def fill(self, batch: Batch, scanner: Scanner, rows: Integers, first: Integers, stop: Integers) -> Integers:
        """Puts those lines that follow the pattern into the batch, and returns the rows of the others.

        `first[row]` is where the line of a row begins, and `stop[row]` where it ends.
        """
        at, left = first[rows], np.arange(len(rows))
        found: list[list[Integers]] = []
        for literal, slot in zip(self.literals, self.slots, strict=False):
            good = scanner.literal(at, literal)
            at = at + len(literal)
            values, length, sure = _scanned(scanner, at, slot)
            found.append(values)
            at, left, found = _narrowed(good & sure, at + length, left, found)
        good = scanner.literal(at, self.literals[-1]) & (at + len(self.literals[-1]) == stop[rows[left]])
        at, left, found = _narrowed(good, at, left, found)
        self._put(batch, rows[left], found)
        return np.delete(rows, left)

    def _put(self, batch: Batch, rows: Integers, found: list[list[Integers]]) -> None:
        for field, number in self.fixed.items():
            batch.put_numbers(field, rows, number)
        for slot, values in zip(self.slots, found, strict=True):
            if slot.field is not None:
                (batch.put_texts if slot.is_text else batch.put_numbers)(slot.field, rows, *values)


def _scanned(scanner: Scanner, at: Integers, slot: Slot) -> tuple[list[Integers], Integers, Mask]:
    """What stands in a slot, how long it is there, and where it is one for sure."""
    if slot.is_text:
        length, sure = scanner.texts(at)
        return [at, length], length, sure
    number, length, sure = scanner.integers(at)
    return [number], length, sure


def _narrowed(
    good: Mask, at: Integers, left: Integers, found: list[list[Integers]]
) -> tuple[Integers, Integers, list[list[Integers]]]:
    if good.all():
        return at, left, found
    return at[good], left[good], [[each[good] for each in values] for values in found]


Path = tuple[str, ...]


def pattern_of(
    line: bytes, fixed: Mapping[str, int], taken: Collection[Path], same: Collection[Path]
) -> Pattern | None:
    """The pattern of a line that was taken, None where it has lists or is too long.

    The line has no backslash. `taken` are the fields of which the operation has numbers or texts, such as
    `("served_by", "pid")`, and `same` those in which all lines must hold the same text.
    """
    literals, slots, names, begun = list[bytes](), list[Slot](), list[str](), 0
    for token in _TOKEN.finditer(line):
        if token.lastgroup == "list" or len(line) > _LONGEST:
            return None
        if token.lastgroup == "open":
            names.append("")
        elif token.lastgroup == "close":
            names.pop()
        elif token.lastgroup == "name":
            names[-1] = token[0][1:-1].decode()
        elif _is_slot(token) and tuple(names) not in same:
            is_text = token.lastgroup == "text"
            literals.append(line[begun : token.start() + is_text])
            slots.append(Slot(".".join(names) if tuple(names) in taken else None, is_text))
            begun = token.end() - is_text
    return Pattern((*literals, line[begun:]), tuple(slots), fixed)


def _is_slot(token: re.Match[bytes]) -> bool:
    return token.lastgroup == "text" or (token.lastgroup == "number" and token[0].lstrip(b"-").isdigit())
