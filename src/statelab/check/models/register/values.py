"""The values of a register's history, one row per (key, value): who made it, from which, and when it was seen.

LIVENESS. An operation of unknown outcome must have taken effect if the value it makes was seen by an answered operation
or replaced by another that must have taken effect; otherwise, leaving it out loses nothing: whatever an order with it
explains, the same order without it explains (nobody looks at its value, and without misses nobody cares that the value
before it was gone)."""

from dataclasses import dataclass

import numpy as np

from statelab.check.models.register.sightings import Role
from statelab.check.models.register.sightings import Sightings
from statelab.record.columns import INF
from statelab.record.columns import Codes
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask

NEVER = -INF - 1
"""The start of what was not asked for."""

_BITS = {role: np.uint8(1 << role) for role in Role}
_SEEN = sum(_BITS[role] for role in (Role.SAW, Role.REPLACED))


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
    certain = role[first] <= Role.SWAPPED
    made = certain | ((role[first] <= Role.MAY_SWAP) & seen)
    maker = np.where(made, row[first], -1)
    before, forks = _before(swaps, len(first))
    seen_start, first_end = _sights(history, given, swaps.idle)
    np.minimum(first_end, history.end[maker], out=first_end, where=made)
    return Values(
        key=_key(history, row[first]),
        initial=given.initial,
        live=made | seen,
        ambiguous=(given.initial & made) | _made_twice(given, seen),
        maker=maker,
        made_start=np.where(made, history.start[maker], NEVER),
        seen_start=seen_start,
        first_end=first_end,
        before=before,
        forks=forks,
    )


def _key(history: History, row: Codes) -> Integers:
    """The key of each row; where there is only one, without the memory."""
    if len(history.keys) == 1:
        return np.broadcast_to(np.int64(0), len(row))
    return history.key[row].astype(np.int64)


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
    seen: Mask = (met & np.uint8(_SEEN)) != 0
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


def _before(swaps: _Swaps, count: int) -> tuple[Codes, Codes]:
    before = np.full(count, -1, np.int32)
    before[swaps.new] = swaps.old
    return before, np.bincount(swaps.old, minlength=count).astype(np.int32)


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
