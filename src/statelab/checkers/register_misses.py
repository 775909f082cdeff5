"""A `cas` that answered false without saying what it saw: at some moment between its start and its end the value was
another than it expected.

Sure violations and sure fits are told apart in O(n log n); what is neither has to be searched.
- A miss contradicts the rest if it lies within the time in which its value was there in every order: after one
  operation that made or saw it had ended, and before another that saw it started.
- It fits, together with all others, if one order of all other operations, each at one moment of its interval, leaves
  every miss a moment with another value. The order tried first is that of the blocks (zones.laid_out), each operation
  as early as it can be. Where it leaves a miss no moment, a `write` of unknown outcome that no order needs may have
  come after the value. Or the value may be made after the miss started, or another that stood before it after it: that
  is a history with a later start for one maker, whose orders are orders of the true one. It is judged in its turn.
"""

from bisect import bisect_right
from dataclasses import dataclass
from dataclasses import replace

import numpy as np

from statelab.checkers import order
from statelab.checkers.register_blocks import Blocks
from statelab.checkers.register_blocks import blocks
from statelab.checkers.register_chains import earlier
from statelab.checkers.register_chains import latest
from statelab.checkers.register_sightings import Role
from statelab.checkers.register_sightings import Sightings
from statelab.checkers.register_values import Values
from statelab.checkers.zones import laid_out
from statelab.columns import INF
from statelab.columns import Codes
from statelab.columns import History
from statelab.columns import Integers
from statelab.columns import Mask

_ROUNDS = 10
"""How many orders are tried."""
_NEAR = 64
"""How many chains before a value are looked at for one that may stand after it."""


@dataclass(frozen=True, slots=True, eq=False)
class Misses:
    """Rows that missed a value which was there at some time, and its place (see Chains; -1 for an initial value that
    nobody saw). `wrong` are sure violations, `open` may or may not fit."""

    row: Integers
    place: Integers
    wrong: Mask
    open: Mask

    def of(self, chosen: Mask) -> "Misses":
        """Those of some rows; `chosen` is a mask over the history."""
        kept = chosen[self.row]
        return Misses(self.row[kept], self.place[kept], self.wrong[kept], self.open[kept])


def misses_of(history: History, given: Sightings, values: Values, judged: Blocks) -> Misses:
    """Judges the misses of the blocks' keys, given that all else in those keys fits."""
    place_of = np.full(len(values.key) + 1, -1, np.int64)
    place_of[judged.value[judged.chains.value]] = np.arange(len(judged.chains.value))
    place = place_of[given.find(given.missed)]
    there = (place >= 0) | given.missed_initial
    row, place, initial = given.miss[there], place[there], given.missed_initial[there]
    if not len(row) or judged.in_ranks:
        return Misses(row, place, np.zeros(len(row), np.bool_), np.ones(len(row), np.bool_))
    asked = _Asked(history.key[row], history.start[row], history.end[row], place, initial)
    wrong = (initial | (_padded(judged.first_end_at, INF)[place] < asked.start)) & (
        asked.end < _padded(judged.last_start_at, -INF)[place]
    )
    fits = _fitting(asked, ~wrong, values, judged, _spare(history, given, values))
    return Misses(row, place, wrong, ~wrong & ~fits)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What the misses ask: a moment between start and end at which their key does not have the value of that place."""

    key: Codes
    start: Integers
    end: Integers
    place: Integers
    initial: Mask


def _padded(numbers: Integers, last: int) -> Integers:
    """With another number at place -1."""
    return np.append(numbers, last)


def _spare(history: History, given: Sightings, values: Values) -> list[list[int]]:
    """By key, when the writes of unknown outcome started, ascending, whose values nobody saw and no miss expected."""
    spare: list[list[int]] = [[] for _ in history.keys]
    idle = np.flatnonzero(~values.live & ~values.initial & (given.role[given.first] == Role.MAY_WRITE))
    idle = idle[~np.isin(idle, given.find(given.missed))]
    start = history.start[given.row[given.first[idle]]]
    for at in np.argsort(start, kind="stable").tolist():
        spare[int(values.key[idle[at]])].append(int(start[at]))
    return spare


def _fitting(asked: _Asked, chosen: Mask, values: Values, judged: Blocks, spare: list[list[int]]) -> Mask:
    """Which of the chosen misses fit; if all of a key do, they do so in one order."""
    delayed, now, fits = values, judged, np.zeros(len(asked.key), np.bool_)
    for _ in range(_ROUNDS):
        possible = np.ones(len(spare), np.bool_)
        possible[now.violated(values.key)] = False
        laid = _lay(asked, values.key, now, len(spare))
        fits = (laid.goes <= asked.end) | ((laid.begins >= asked.start) & ~asked.initial)
        fits &= possible[asked.key]
        left = np.flatnonzero(chosen & ~fits & possible[asked.key])
        filled = _filled(asked, left, now, laid, spare)
        fits[left[filled]] = True
        left = left[~filled & (asked.place[left] >= 0)]
        moved = values.initial | (delayed.made_start > values.made_start)
        later = _delays(asked, left, values.key, now, laid, moved) if len(left) else {}
        if not later:
            break
        start = delayed.made_start.copy()
        start[list(later)] = list(later.values())
        delayed = replace(delayed, made_start=start)
        now = blocks(delayed, judged.value, judged.chains)
        if now.in_ranks:
            return np.zeros(len(fits), np.bool_)
    return fits


def _filled(asked: _Asked, left: Integers, now: Blocks, laid: "_Order", spare: list[list[int]]) -> Mask:
    """Which of the misses that are left find a spare write, after all who saw the value they expected and before any
    other value. Each write serves one value; the first to need one gets it."""
    place, end = asked.place[left], asked.end[left]
    last = np.zeros(len(now.chains.value) + 1, np.bool_)
    last[np.append(now.chains.first[1:], len(now.chains.value)) - 1] = True
    last[-1] = True
    gone = np.maximum(laid.begins[left], _padded(now.last_start_at, -INF)[place])
    value, served = np.where(place < 0, -1 - asked.key[left], place).tolist(), dict[int, bool]()
    used, found = [0] * len(spare), np.zeros(len(left), np.bool_)
    for at in np.argsort(end, kind="stable").tolist():
        if not last[place[at]] or gone[at] > end[at]:
            continue
        if value[at] not in served:
            key = int(asked.key[left[at]])
            served[value[at]] = used[key] < bisect_right(spare[key], int(end[at]))
            used[key] += served[value[at]]
        found[at] = served[value[at]]
    return found


def _delays(asked: _Asked, left: Integers, key: Integers, now: Blocks, laid: "_Order", moved: Mask) -> dict[int, int]:
    """Values whose makers should start later so that more misses fit, and when."""
    later: dict[int, int] = {}
    value, ends = now.value[now.chains.value], now.first_end_at
    block_end = np.minimum.reduceat(ends, now.chains.first)
    chain = np.searchsorted(now.chains.first, asked.place[left], "right") - 1
    at = np.empty_like(laid.line)
    at[laid.line] = np.arange(len(at))
    for miss, own in zip(left.tolist(), chain.tolist(), strict=True):
        place, start = int(asked.place[miss]), int(asked.start[miss])
        if not asked.initial[miss] and ends[place] >= start:
            later[int(value[place])] = max(start, later.get(int(value[place]), start))
            continue
        before = laid.line[max(0, at[own] - _NEAR) : at[own]][::-1]
        gone = max(int(laid.begins[miss]), int(now.last_start_at[place])) + 1
        roots = value[now.chains.first[before]]
        able = (block_end[before] >= gone) & ~moved[roots] & (key[roots] == asked.key[miss])
        free = [root for root in roots[able].tolist() if root not in later]
        if free and gone <= asked.end[miss]:
            later[free[0]] = gone
    return later


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """An order in which every operation takes effect as early as it can.

    For each miss, when the value that it expected `begins` and `goes`; and the chains one after the other (`line`).
    """

    begins: Integers
    goes: Integers
    line: Integers


def _lay(asked: _Asked, key_of: Integers, judged: Blocks, keys: int) -> _Order:
    line = laid_out(judged.first_end, judged.last_start)
    places = _places(judged, line)
    first = np.zeros(min(1, len(places)), np.int64)
    if keys > 1:
        first = np.flatnonzero(order.begins(key_of[judged.value[judged.chains.value[places]]]))
    moment = earlier(first, latest(first, judged.last_start_at[places]))
    np.maximum(moment, judged.made_start[places], out=moment)
    appears = np.full(keys, INF)
    appears[key_of[judged.value[judged.chains.value[places[first]]]]] = moment[first]
    position = np.empty(len(places) + 1, np.int64)
    position[places], position[-1] = np.arange(len(places)), len(places)
    at = position[asked.place]
    following = np.append(moment, (INF, INF))
    following[first] = INF
    return _Order(
        begins=_padded(moment, -INF)[at],
        goes=np.where(asked.place < 0, appears[asked.key], following[at + 1]),
        line=line,
    )


def _places(judged: Blocks, line: Integers) -> Integers:
    """The places of the chains in that order."""
    first = judged.chains.first[line]
    if judged.chains.single:
        return first
    size = np.diff(np.append(judged.chains.first, len(judged.chains.value)))[line]
    places: Integers = np.repeat(first - (np.cumsum(size) - size), size)
    places += np.arange(len(places))
    return places
