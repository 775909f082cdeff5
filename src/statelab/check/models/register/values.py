"""The values of a register's history: who made, saw and replaced which value of which key.

A `write` makes a value; a `read` sees one; a `cas` that answered true sees the one it replaced and makes another; one
that answered false saw what `seen` says. A `cas` that answered false without `seen` is a `miss`: it says only which
value it did not find. One that was to replace a value by itself changes nothing: if it answered true, it saw the value.
Failed operations had no effect and are left out, as is what changes nothing and is not ok.

First the operations are sorted by (key, value): a *sighting* is what one operation has to do with one value
(`sightings`). Then the sightings are summed up, one row per (key, value): who made it, from which, and when it was seen
(`values`).

LIVENESS. An operation of unknown outcome must have taken effect if the value it makes was seen by an answered operation
or replaced by another that must have taken effect. Otherwise leaving it out loses nothing: whatever an order with it
explains, the same order without it explains (nobody looks at its value, and without misses nobody cares that the value
before it was gone).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from statelab.check.kernels import order
from statelab.record.columns import INF, INFO, OK, Codes, History, Integers, Mask

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

    row: Codes
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
    parts, miss = list(_parts(history, initial)), np.flatnonzero(misses(history))
    coding, bits = _coding(history, initial, parts, miss), len(history).bit_length()
    packed, at = np.empty(sum(len(rows) for _, _, rows in parts), np.int64), 0
    for role, field, rows in parts:
        code = coding.of(field, rows)
        code <<= _ROLE_BITS
        code |= role
        code <<= bits
        code |= rows
        packed[at : at + len(rows)] = code
        at += len(rows)
    del parts
    packed.sort(kind="stable")  # in time each part is nearly sorted already, and merging such runs is linear
    value = packed >> (bits + _ROLE_BITS)
    first = np.flatnonzero(order.begins(value))
    codes = value[first]
    np.right_shift(packed, bits, out=value)
    role_of = value.astype(np.int8) & (2**_ROLE_BITS - 1)
    packed &= (1 << bits) - 1
    missed = coding.of("expected", miss)
    return Sightings(
        row=packed.astype(np.int32),
        role=role_of,
        first=first,
        code=codes,
        initial=coding.initially(codes),
        miss=miss,
        missed=missed,
        missed_initial=coding.nothing("expected", miss),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Coding:
    """One number >= 0 for each (key, value), small enough to leave room for a role and a row.

    A value is its distance from `low`, or its place among all `numbers` where those lie far apart; 0 is the initial
    one. Where pairs of key and value take too much room, their places among all `pairs` stand for them.
    """

    history: History
    start: int | None
    low: int
    width: int
    numbers: Integers | None = None
    pairs: Integers | None = None

    def nothing(self, field: str, rows: Integers) -> Mask:
        """Which of the rows have the initial value in a field."""
        nothing: Mask = ~there(self.history, field)[rows]
        return nothing if self.start is None else nothing | (column(self.history, field)[rows] == self.start)

    def of(self, field: str, rows: Integers) -> Integers:
        code = column(self.history, field)[rows]
        if self.numbers is None:
            code -= self.low
        else:
            code = np.searchsorted(self.numbers, code)
        code += 1
        code[self.nothing(field, rows)] = 0
        if len(self.history.keys) > 1:
            code += self.history.key[rows] * np.int64(self.width)
        return code if self.pairs is None else np.searchsorted(self.pairs, code)

    def initially(self, codes: Integers) -> Mask:
        """Which codes stand for the initial value of their key."""
        pairs = codes if self.pairs is None else self.pairs[codes]
        initial: Mask = pairs % self.width == 0
        return initial


def _coding(history: History, initial: int | None, parts: list[tuple[Role, str, Integers]], miss: Integers) -> _Coding:
    fields = [field for field in ("value", "result", "expected", "seen") if there(history, field).any()]
    told = [(column(history, field), there(history, field)) for field in fields]
    known = [np.where(has, numbers, numbers[np.argmax(has)]) for numbers, has in told]  # `min(where=)` is much slower
    low = min((int(numbers.min()) for numbers in known), default=0)
    high = max((int(numbers.max()) for numbers in known), default=0)
    del known
    room = _LARGEST >> (len(history).bit_length() + _ROLE_BITS)
    if len(history.keys) * (high - low + 2) < room:
        return _Coding(history, initial, low, high - low + 2)
    numbers = np.unique(np.concatenate([numbers[has] for numbers, has in told]))
    dense = _Coding(history, initial, 0, len(numbers) + 1, numbers)
    asked = [*((field, rows) for _, field, rows in parts), ("expected", miss)]
    return replace(dense, pairs=np.unique(np.concatenate([dense.of(field, rows) for field, rows in asked])))


NEVER = -INF - 1
"""Stands for the start of what nobody asked for."""

_SEEN = np.uint8(1 << Role.SAW | 1 << Role.REPLACED)


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """One row per value, shape `(v,)`, sorted by key.

    `maker` is the row that made it, -1 where nobody did, and `made_start` when that started (NEVER where nobody did).
    `seen_start` is the latest start among the operations that saw it (NEVER: nobody did), `first_end` the earliest end
    among those that made or saw it (INF: none has).
    `before` is the value that its maker replaced, -1 where the maker is a `write`, and `forks` how many operations
    replaced it. `live` values were seen or surely made; `ambiguous` ones may have been made by several operations, or
    were there from the beginning and were made again.
    """

    key: Integers
    initial: Mask
    live: Mask
    ambiguous: Mask
    maker: Codes
    made_start: Integers
    seen_start: Integers
    first_end: Integers
    before: Codes
    forks: Codes

    @property
    def phantom(self) -> Mask:
        """Values that were seen although nobody can have made them."""
        return self.live & ~self.initial & (self.maker < 0)


def values(history: History, given: Sightings) -> Values:
    """Sums up sightings by value. O(n)."""
    row, role, first = given.row, given.role, given.first
    seen, swaps = _liveness(given)
    one_key = len(history.keys) == 1  # a broadcast array: n equal values, no copy
    key = np.broadcast_to(np.int64(0), len(first)) if one_key else history.key[row[first]].astype(np.int64)
    certain = role[first] <= Role.SWAPPED
    made = certain | ((role[first] <= Role.MAY_SWAP) & seen)
    maker = np.where(made, row[first], -1)
    before = np.full(len(first), -1, np.int32)
    before[swaps.new] = swaps.old
    seen_start, first_end = _sights(history, given, swaps.idle)
    np.minimum(first_end, history.end[maker], out=first_end, where=made)
    return Values(
        key=key,
        initial=given.initial,
        live=made | seen,
        ambiguous=(given.initial & made) | _made_twice(given, seen),
        maker=maker,
        made_start=np.where(made, history.start[maker], NEVER),
        seen_start=seen_start,
        first_end=first_end,
        before=before,
        forks=np.bincount(swaps.old, minlength=len(first)).astype(np.int32),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Swaps:
    """The `cas` operations that took effect: `old` and `new` are values; `idle` are positions of those that did not."""

    old: Integers
    new: Integers
    idle: Integers


def _liveness(given: Sightings) -> tuple[Mask, _Swaps]:
    """Which values were seen, by an answered operation or by one that must have taken effect."""
    if not len(given.first):
        nothing = np.zeros(0, np.int64)
        return np.zeros(0, np.bool_), _Swaps(nothing, nothing, nothing)
    met = np.bitwise_or.reduceat(np.left_shift(1, given.role, dtype=np.uint8, casting="unsafe"), given.first)
    seen: Mask = (met & _SEEN) != 0
    old, new, _ = _pairs(given, Role.REPLACED, Role.SWAPPED)
    may_old, may_new, at = _pairs(given, Role.MAY_REPLACE, Role.MAY_SWAP)
    while not seen[may_old[seen[may_new]]].all():
        seen[may_old[seen[may_new]]] = True
    took = seen[may_new]
    return seen, _Swaps(np.append(old, may_old[took]), np.append(new, may_new[took]), at[~took])


def _pairs(given: Sightings, replaced: Role, made: Role) -> tuple[Integers, Integers, Integers]:
    """For each `cas`: the value that it replaced, the one that it made, and the position of the former sighting."""
    old, new = np.flatnonzero(given.role == replaced), np.flatnonzero(given.role == made)
    if not len(old):
        return old, old, old
    made_by = np.empty(int(given.row[new].max()) + 1, np.int64)
    made_by[given.row[new]] = given.value_at(new)
    return given.value_at(old), made_by[given.row[old]], old


def _made_twice(given: Sightings, seen: Mask) -> Mask:
    """Values with two makers, both of which surely or possibly took effect."""
    second = given.first + 1
    inside = second < np.append(given.first[1:], len(given.row))
    role = np.where(inside, given.role[np.minimum(second, len(given.row) - 1)], Role.SAW) if len(second) else second
    return (role <= Role.SWAPPED) | ((role <= Role.MAY_SWAP) & seen)


def _sights(history: History, given: Sightings, idle: Integers) -> tuple[Integers, Integers]:
    """For each value, the latest start and the earliest end of those who saw it; NEVER and INF where nobody did."""
    making = given.role <= Role.MAY_SWAP
    time = history.start[given.row]
    time[making] = NEVER
    time[idle] = NEVER
    last = np.maximum.reduceat(time, given.first) if len(time) else time
    np.take(history.end, given.row, out=time)
    time[making] = INF
    return last, np.minimum.reduceat(time, given.first) if len(time) else time
