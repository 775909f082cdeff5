"""Who made and who saw which value of which register: the operations of a history, sorted by (key, value).

A `write` makes a value; a `read` sees one; a `cas` that answered true sees the one it replaced and makes another; one
that answered false saw what `seen` says. A `cas` that answered false without `seen` is a `miss`: it says only which
value it did not find. One that was to replace a value by itself changes nothing: if it answered true, it saw the value.
Failed operations had no effect and are left out, as is what changes nothing and is not ok.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from statelab.checkers import order
from statelab.checkers import packing
from statelab.columns import INFO
from statelab.columns import OK
from statelab.columns import Codes
from statelab.columns import History
from statelab.columns import Integers
from statelab.columns import Mask

_LARGEST = 2**62


class Role(IntEnum):
    """What one operation is to one value; makers first, the certain ones before those of unknown outcome."""

    WROTE = 0
    SWAPPED = 1
    MAY_WRITE = 2
    MAY_SWAP = 3
    SAW = 4
    REPLACED = 5
    MAY_REPLACE = 6


_ROLE_BITS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """`row` and `role` of each sighting, sorted by (value, role), shape `(s,)`; a row may have two.

    Value i is that of positions `first[i]` to `first[i + 1]`, and `code[i]` its number, ascending by key, the initial
    value of a key first. `miss` are the rows of misses, `missed[j]` the code of the value that `miss[j]` did not find;
    `missed_initial[j]` says that this is the initial value, which nobody else need have seen.
    """

    row: Integers
    role: NDArray[np.int8]
    first: NDArray[np.intp]
    code: Integers
    initial: Mask
    miss: Integers
    missed: Integers
    missed_initial: Mask

    def value_at(self, positions: Integers) -> Integers:
        """The value that each position belongs to."""
        return np.searchsorted(self.first, positions, "right") - 1

    def find(self, codes: Integers) -> Integers:
        """The value of each code, -1 where no sighting has it."""
        if not len(self.code):
            return np.full(len(codes), -1, np.int64)
        place = np.minimum(np.searchsorted(self.code, codes), len(self.code) - 1)
        return np.where(self.code[place] == codes, place, -1)


def cas_answer(history: History, answer: bool) -> Mask:
    """Which rows are ok `cas` operations with that answer."""
    if history.answer is None:
        return np.zeros(len(history), np.bool_)
    given: Mask = history.is_op("cas") & (history.status == OK) & (history.answer == answer)
    return given


def misses(history: History) -> Mask:
    """Which rows say only which value they did not find."""
    refused = cas_answer(history, False)
    return refused if history.has_seen is None else np.greater(refused, history.has_seen)


def column(history: History, field: str) -> Integers:
    """The numbers of a field, 0 where no operation has it."""
    numbers: Integers | None = getattr(history, field)
    return np.zeros(len(history), np.int64) if numbers is None else numbers


def there(history: History, field: str) -> Mask:
    """Which rows have a value in a field."""
    has: Mask | None = getattr(history, f"has_{field}")
    return np.zeros(len(history), np.bool_) if has is None else has


def has_value(history: History, field: str, number: int | None, initial: int | None) -> Mask:
    """Which rows have that value in a field; None is nothing, which is the initial value too."""
    numbers, given = column(history, field), there(history, field)
    if number is not None and number != initial:
        same: Mask = np.equal(numbers, number) & given
        return same
    nothing: Mask = ~given
    return nothing if initial is None else nothing | np.equal(numbers, initial)


def same_value(history: History, one: str, other: str, initial: int | None) -> Mask:
    """Which rows have one value in both fields."""
    both = there(history, one) & there(history, other) & (column(history, one) == column(history, other))
    same: Mask = both | (has_value(history, one, None, initial) & has_value(history, other, None, initial))
    return same


def _parts(history: History, initial: int | None) -> Iterator[tuple[Role, str, Integers]]:
    """The rows that have each role, and the field of the value that they have it for."""
    ok, write, unknown = history.status == OK, history.is_op("write"), history.status == INFO
    yield Role.WROTE, "value", np.flatnonzero(write & ok)
    yield Role.SAW, "result", np.flatnonzero(history.is_op("read") & ok)
    yield Role.MAY_WRITE, "value", np.flatnonzero(write & unknown)
    if "cas" not in history.ops:
        return
    idle, swapped = same_value(history, "expected", "value", initial), cas_answer(history, True)
    yield Role.SAW, "expected", np.flatnonzero(swapped & idle)
    rows = np.flatnonzero(swapped & ~idle)
    yield Role.SWAPPED, "value", rows
    yield Role.REPLACED, "expected", rows
    rows = np.flatnonzero(history.is_op("cas") & unknown & ~idle)
    yield Role.MAY_SWAP, "value", rows
    yield Role.MAY_REPLACE, "expected", rows
    if history.has_seen is not None:
        yield Role.SAW, "seen", np.flatnonzero(cas_answer(history, False) & history.has_seen)


def sightings(history: History, initial: int | None) -> Sightings:
    """Sorts a history by value; `initial` is the number of the initial value (None: nothing). O(n log n), one sort."""
    parts = list(_parts(history, initial))
    miss = np.flatnonzero(misses(history))
    row = np.concatenate([*(rows for _, _, rows in parts), miss])
    code = _codes(history, [*((field, rows) for _, field, rows in parts), ("expected", miss)], initial)
    role = np.repeat(np.array([role for role, _, _ in parts], np.int8), [len(rows) for _, _, rows in parts])
    return _sorted(row, role, code, history)


def _codes(history: History, asked: list[tuple[str, Integers]], initial: int | None) -> Integers:
    """For each row and field a number >= 0 that stands for its value, 0 for nothing and for the initial value."""
    number = np.concatenate([column(history, field)[rows] for field, rows in asked])
    nothing = np.concatenate([~there(history, field)[rows] for field, rows in asked])
    if initial is not None:
        nothing |= number == initial
    if nothing.all():
        return np.zeros(len(number), np.int64)
    low, high = (int(f(number, where=~nothing, initial=number[np.argmin(nothing)])) for f in (np.min, np.max))
    if high - low >= _LARGEST:
        number, low = packing.dense(number), 0
    number -= low - 1
    number[nothing] = 0
    return number


def _sorted(row: Integers, role: NDArray[np.int8], code: Integers, history: History) -> Sightings:
    number, bits, seen = _numbers(history.key[row], code, len(history)), len(history).bit_length(), len(role)
    untouched = np.unique(number[:seen][code[:seen] == 0])
    packed = number[:seen] << _ROLE_BITS
    packed |= role
    packed <<= bits
    packed |= row[:seen]
    packed.sort()
    value = packed >> (bits + _ROLE_BITS)
    first = np.flatnonzero(order.begins(value))
    codes = value[first]
    return Sightings(
        row=packed & ((1 << bits) - 1),
        role=((packed >> bits) & (2**_ROLE_BITS - 1)).astype(np.int8),
        first=first,
        code=codes,
        initial=np.isin(codes, untouched),
        miss=row[seen:],
        missed=number[seen:],
        missed_initial=code[seen:] == 0,
    )


def _numbers(key: Codes, code: Integers, n: int) -> Integers:
    """One number >= 0 for each (key, value), small enough to leave room for a role and a row."""
    number = packing.paired(key, code)
    room = _LARGEST >> (n.bit_length() + _ROLE_BITS)
    return packing.dense(number) if int(number.max(initial=0)) >= room else number
