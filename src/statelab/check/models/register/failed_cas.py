"""A `cas` that answered false without saying what it saw: at some moment between its start and its end the value was
another than it expected.

Sure violations and sure fits are told apart in O(n log n); what is neither has to be searched.
- A miss contradicts the rest if it lies within the time in which its value was there in every order: after one
  operation that made or saw it had ended, and before another that saw it started.
- It fits, together with all others, if one order of all other operations, each at one moment of its interval, leaves
  every miss a moment with another value. The order tried first is that of the blocks (zones.laid_out), each operation
  as early as it can be. Where it leaves a miss no moment, a `write` of unknown outcome that no order needs may have
  come after the value. Or the value may be made after the miss started, or the chains around it may lie in another
  order: that is a history with a later start for some makers, whose orders are orders of the true one. It is judged in
  its turn, and a later start that contradicts the rest is taken back.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace

import numpy as np

from statelab.check.kernels import order
from statelab.check.kernels.zones import laid_out
from statelab.check.models.register.chains import Blocks, blocks, earlier, latest
from statelab.check.models.register.values import Role, Sightings, Values
from statelab.record.columns import INF, Codes, History, Integers, Mask

_ROUNDS = 10
"""How many orders are tried."""
_NEAR = 64
"""How many chains before and after a value are looked at for one that may stand right after it."""


@dataclass(frozen=True, slots=True, eq=False)
class FailedCas:
    """Rows that missed a value which was there at some time, and its place (see Chains; -1 for an initial value that
    nobody saw). `wrong` are sure violations, `open` may or may not fit."""

    row: Integers
    place: Integers
    wrong: Mask
    open: Mask

    def of(self, chosen: Mask) -> "FailedCas":
        """Those of some rows; `chosen` is a mask over the history."""
        kept = chosen[self.row]
        return FailedCas(self.row[kept], self.place[kept], self.wrong[kept], self.open[kept])


def judge_failed_cas(history: History, given: Sightings, values: Values, judged: Blocks) -> FailedCas:
    """Judges the misses in the keys of the blocks, if everything else in those keys fits."""
    place_of = np.full(len(values.key) + 1, -1, np.int32)  # the last one is for codes that no sighting has
    place_of[judged.value[judged.chains.value]] = np.arange(len(judged.chains.value))
    place = place_of[given.find(given.missed)].astype(np.int64)
    there = (place >= 0) | given.missed_initial
    row, place, initial = given.miss[there], place[there], given.missed_initial[there]
    if not len(row) or judged.in_ranks:
        return FailedCas(row, place, np.zeros(len(row), np.bool_), np.ones(len(row), np.bool_))
    asked = _Asked(history.key[row], history.start[row], history.end[row], place, initial)
    wrong = (initial | (_at(place, judged.first_end_at, INF) < asked.start)) & (
        asked.end < _at(place, judged.last_start_at, -INF)
    )
    fits = _fitting(asked, ~wrong, values, judged, _spare(history, given, values))
    return FailedCas(row, place, wrong, ~wrong & ~fits)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What the misses ask: a moment between start and end at which their key does not have the value of that place."""

    key: Codes
    start: Integers
    end: Integers
    place: Integers
    initial: Mask


def _at(place: Integers, numbers: Integers | Codes, otherwise: int) -> Integers:
    """The numbers at these places; `otherwise` for place -1."""
    found, inside = np.full(len(place), otherwise), place >= 0
    found[inside] = numbers[place[inside]]
    return found


def _spare(history: History, given: Sightings, values: Values) -> list[list[int]]:
    """By key, when the writes of unknown outcome started, ascending, whose values nobody saw and no miss expected."""
    spare: list[list[int]] = [[] for _ in history.keys]
    expected = np.zeros(len(values.key) + 1, np.bool_)
    expected[given.find(given.missed)] = True
    idle = np.flatnonzero(~(values.live | values.initial | expected[:-1]) & (given.role[given.first] == Role.MAY_WRITE))
    start = history.start[given.row[given.first[idle]]]
    for at in np.argsort(start, kind="stable").tolist():
        spare[int(values.key[idle[at]])].append(int(start[at]))
    return spare


def _fitting(asked: _Asked, chosen: Mask, values: Values, judged: Blocks, spare: list[list[int]]) -> Mask:
    """Which of the chosen misses fit; if all of a key do, they do so in one order."""
    start, fits = values.made_start, np.zeros(len(asked.key), np.bool_)
    now, settled = judged, values.initial.copy()
    for _ in range(_ROUNDS):
        if now.in_ranks:
            return np.zeros(len(fits), np.bool_)
        back = now.contradicting(start > values.made_start)
        if len(back):
            start = _changed(start, back, values.made_start[back])
            settled[back] = True
            now = blocks(replace(values, made_start=start), judged.value, judged.chains)
            continue
        possible = np.ones(len(spare), np.bool_)
        possible[now.violated(values.key)] = False
        laid = _lay(asked, values.key, now, len(spare))
        fits = (laid.goes <= asked.end) | ((laid.begins >= asked.start) & ~asked.initial)
        fits &= possible[asked.key]
        left = np.flatnonzero(chosen & ~fits & possible[asked.key])
        filled = _filled(asked, left, now, laid, spare)
        fits[left[filled]] = True
        left = left[~filled & (asked.place[left] >= 0)]
        later = _delays(asked, left, values.key, now, laid, settled) if len(left) else {}
        if not later:
            break
        start = _changed(start, np.array(list(later)), np.array(list(later.values())))
        settled[list(later)] = True
        now = blocks(replace(values, made_start=start), judged.value, judged.chains)
    return fits


def _changed(numbers: Integers, places: Integers | Codes, to: Integers) -> Integers:
    """The same numbers, except at some places."""
    changed = numbers.copy()
    changed[places] = to
    return changed


def _filled(asked: _Asked, left: Integers, now: Blocks, laid: "_Order", spare: list[list[int]]) -> Mask:
    """Which of the misses that are left find a spare write, after all who saw the value they expected and before any
    other value. Each write serves one value; the first to need one gets it."""
    place, end = asked.place[left], asked.end[left]
    last = np.zeros(len(now.chains.value) + 1, np.bool_)
    last[np.append(now.chains.first[1:], len(now.chains.value)) - 1] = True
    last[-1] = True
    gone = np.maximum(laid.begins[left], _at(place, now.last_start_at, -INF))
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


def _delays(asked: _Asked, left: Integers, key: Integers, now: Blocks, laid: "_Order", settled: Mask) -> dict[int, int]:
    """Values whose makers should start later so that more misses fit, and when."""
    later: dict[int, int] = {}
    value = now.value[now.chains.value]
    line = _Line(now, laid.line, value[now.chains.first], key)
    chain = np.searchsorted(now.chains.first, asked.place[left], "right") - 1
    for miss, own in zip(left.tolist(), chain.tolist(), strict=True):
        place, start = int(asked.place[miss]), int(asked.start[miss])
        if not asked.initial[miss] and now.first_end_at[place] >= start and not settled[value[place]]:
            later[int(value[place])] = max(start, later.get(int(value[place]), start))
            continue
        gone = max(int(laid.begins[miss]), int(now.last_start_at[place])) + 1
        if gone > asked.end[miss]:
            continue
        more = line.behind(own, gone) or line.ahead(own, int(asked.end[miss]))
        later |= {} if any(settled[root] or root in later for root in more) else more
    return later


class _Line:
    """The chains in the order in which they lie, and which of them could lie elsewhere."""

    def __init__(self, now: Blocks, line: Integers, root: Codes, key: Integers) -> None:
        self._line, self._root, self._key = line, root, key
        self._at = np.empty_like(line)
        self._at[line] = np.arange(len(line))
        self._made = now.made_start[now.chains.first]
        self._end = np.minimum.reduceat(now.first_end_at, now.chains.first)
        self._last = np.maximum.reduceat(now.last_start_at, now.chains.first)

    def behind(self, chain: int, gone: int) -> dict[int, int]:
        """The nearest chain before that one which can be made when its value has gone."""
        at = self._at[chain]
        before = self._line[max(0, at - _NEAR) : at][::-1]
        able = before[(self._end[before] >= gone) & (self._key[self._root[before]] == self._key[self._root[chain]])]
        return {int(self._root[other]): gone for other in able[:1].tolist()}

    def ahead(self, chain: int, end: int) -> dict[int, int]:
        """The next chains, all up to one that can be made by then, if they can wait for it."""
        waiting: dict[int, int] = {}
        at = int(self._at[chain]) + 1
        for other in self._line[at : at + _NEAR].tolist():
            if self._key[self._root[other]] != self._key[self._root[chain]]:
                break
            if self._made[other] <= end:
                until = int(self._last[other]) + 1
                able = all(self._end[first] >= until for first in self._line[at : self._at[other]].tolist())
                return dict.fromkeys(waiting, until) if able else {}
            waiting[int(self._root[other])] = 0
        return {}


@dataclass(frozen=True, slots=True, eq=False)
class _Order:
    """An order in which every operation takes effect as early as it can.

    For each miss, when the value that it expected `begins` and `goes`; and the chains one after the other (`line`).
    """

    begins: Integers
    goes: Integers
    line: Integers


def _lay(asked: _Asked, key_of: Integers, judged: Blocks, keys: int) -> _Order:
    """Lays the chains one after the other, as `laid_out` orders them; `key_of` is the key of each value."""
    line = laid_out(judged.first_end, judged.last_start)
    # The places of the chains in that order.
    places: Integers | Codes = judged.chains.first[line]
    if not judged.chains.single:
        size = np.diff(np.append(judged.chains.first, len(judged.chains.value)))[line]
        every = np.repeat((places - (np.cumsum(size) - size)).astype(np.int32), size)
        every += np.arange(len(every), dtype=np.int32)
        places = every
    first = np.zeros(min(1, len(places)), np.int64)
    if keys > 1:
        first = np.flatnonzero(order.begins(key_of[judged.value[judged.chains.value[places]]]))
    moment = earlier(first, latest(first, judged.last_start_at[places]))
    np.maximum(moment, judged.made_start[places], out=moment)
    appears = np.full(keys, INF)
    appears[key_of[judged.value[judged.chains.value[places[first]]]]] = moment[first]
    position = np.empty(len(places), np.int32)
    position[places] = np.arange(len(places))
    at = _at(asked.place, position, -1)
    following = np.where((at + 1 == len(places)) | np.isin(at + 1, first), -1, at + 1)
    return _Order(
        begins=_at(at, moment, -INF),
        goes=np.where(asked.place < 0, appears[asked.key], _at(following, moment, INF)),
        line=line,
    )
