"""A bounded exhaustive search, for the objects and histories that no fast rule decides.

Claim: the verdicts `held` and `violated` are exact for any object given as a step function; the verdict is `unknown` if
time or memory runs out first. The search goes through one key's history in the order of time (a *sweep*) and keeps
every configuration that the answers so far allow: the state of the object, which open operations have taken effect, and
what that has cost. An operation takes effect no earlier than it must: only when an operation ends that has not taken
effect yet. This is just-in-time linearization (Lowe 2017, "Testing for Linearizability", section 6). It visits what
Wing & Gong 1993 visit, each configuration once. If no configuration is left, the history is violated.

Reductions, each with the reason that it loses nothing:
- An operation that leaves state and cost as they are is taken as soon as its answer fits.
- Operations of unknown outcome stay open for ever and may be left out. Take two configurations with the same state and
  the same answered operations taken: if one used a subset of the other's unknown operations, at no higher cost, it can
  do all that the other can, and the other is dropped.
- Of open operations with equal requests, the one that must end first is used first, and unknown ones last, in the order
  of their starts: whatever the other can do later, it can do in its place.
- An object may count its unknown operations itself, in the cost, instead of listing them as rows. It then says what
  `others` may make of a state at a moment, and leaves out what nobody can need.
- An object may say of an operation that it `hides`: it can have taken effect where nobody saw it. When it ends, the
  configurations in which it has not been seen stay as they are. (Of equal requests, one that cannot hide is then tried
  as well: it may be the one that has to be seen.)
- An object may name `widths`: then only few configurations are kept at each moment, those that cost least. If they
  reach the end, the history is linearizable. If they do not, and some had been left aside, a new sweep keeps more up to
  that moment, and in the end all of them. So a history is only called `violated` if none was left aside.

Cost: O(n) steps in the length for a bounded number of open operations, exponential in that number at worst.
"""

import operator
from bisect import insort
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Any

import numpy as np

from statelab.check.kernels.forgetting import (
    NO_DEADLINE,
    Refuted,
    Violated,
    Witness,
    by_start,
    forget,
    minimal,
    refutes,
    shrunk,
)
from statelab.check.kernels.model import Deadline, VerdictName
from statelab.check.kernels.packing import spans
from statelab.record.columns import INF, INFO, OK, History, Integers, Mask

Step = Callable[[Any, Any, int], Any]
"""(state, cost, row) -> (state, cost) after the operation of that row, or REFUSED where its answer is wrong in that
state. Of an operation of unknown outcome only the request is known."""

REFUSED = object()

MOST = 500_000
"""How many configurations are kept before the search gives up; each takes about 200 bytes."""

BEYOND = 200
"""How many answers past the one at which a narrow sweep was stuck the next one stays wide."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Specification:
    """The object that a key stands for: its hashable first state, its step, and what is known of its operations.

    `reads` says of a row that it never changes the state. `request` gives something hashable that is equal for rows
    that do the same in every state. The rest is for objects that need it:

    cost      what the first configuration has cost; a step may raise it
    cheaper   whether all that can be done at the second cost can be done at the first
    price     a cost as a number: what costs least is tried first
    widths    how many configurations are kept at a moment, at first and then
    costly    reads may cost something; then only those that do not are taken at once
    at        told the moment (its place among all starts and ends) at which an operation ends, before it is looked at
    aged      (state, cost) as they are at that moment, or REFUSED where they cannot lead to the end
    hides     (cost, row) -> whether the operation can have taken effect where nobody saw it
    last      (state, cost, row) -> a step that only the operation can take that ends at this moment, or REFUSED
    others    (state, cost) -> each (state, cost) that one operation of unknown outcome makes of them which is no row:
              the object counts in the cost how often it is used
    possible  (state, requests) -> which of the open requests can be answered in that state; the others are refused
    """

    initial: Hashable
    step: Step
    reads: Sequence[bool] | Mask
    request: Callable[[int], Hashable]
    cost: Any = 0
    cheaper: Callable[[Any, Any], bool] = operator.eq
    price: Callable[[Any], int] = lambda _: 0
    widths: tuple[int, ...] = ()
    costly: bool = False
    at: Callable[[int], None] | None = None
    aged: Callable[[Any, Any], Any] | None = None
    hides: Callable[[Any, int], bool] | None = None
    last: Step | None = None
    others: Callable[[Any, Any], Iterable[tuple[Any, Any]]] | None = None
    possible: Callable[[Any, Collection[Any]], Iterable[Any]] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the search found: `placed` of the `of` answered operations have an order that explains them.

    `stuck` is the row of the operation that could not be placed as well (verdict `violated`): the answered operations
    that started no later than it ended are a violation. `why` says why the verdict is `unknown`. `cost` is the least
    of an order of all (verdict `held`).
    """

    verdict: VerdictName
    placed: int
    of: int
    stuck: int | None = None
    why: str = ""
    cost: Any = None

    def at(self, rows: Integers) -> "Outcome":
        """The same of a larger history, in which row i is `rows[i]`."""
        return self if self.stuck is None else replace(self, stuck=int(rows[self.stuck]))


def search(
    history: History, rows: Integers, object_: Specification, *, deadline: Deadline, most: int = MOST
) -> Outcome:
    """Whether one object explains the rows (of one key) of a history."""
    status = history.status[rows]
    known = rows[(status == OK) | ((status == INFO) & ~np.asarray(object_.reads)[rows])]
    return sweep(events(known, history.start[known], history.end[known]), object_, deadline=deadline, most=most)


def events(rows: Sequence[int] | Integers, start: Sequence[int] | Integers, end: Sequence[int] | Integers) -> list[int]:
    """All starts and ends in the order of time: `row` is its start and `~row` its end, which it has not if that is INF.
    Starts stand first, so equal stamps are concurrent."""
    times, names = np.concatenate((start, end)), np.concatenate((rows, np.invert(rows)))
    in_time = np.argsort(times, kind="stable")
    found: list[int] = names[in_time[times[in_time] != INF]].tolist()
    return found


def sweep(in_time: list[int], object_: Specification, *, deadline: Deadline, most: int = MOST) -> Outcome:
    """Whether one object explains the operations whose starts and ends these are (see `events`)."""
    widths, level, until = (*object_.widths, most), 0, 0
    while True:
        run = _Sweep(in_time, object_, deadline, most)
        outcome = run.outcome(widths[level], until, widths[0])
        if outcome.verdict != "violated" or not run.dropped:
            return outcome
        level += outcome.placed < until or not until
        until = max(until, outcome.placed + BEYOND)


class _TooMany(Exception):
    pass


_Configurations = dict[tuple[Any, int], list[tuple[Any, int]]]
"""(state, taken) -> the least of (cost, used): `taken` are the answered open operations that have taken effect and
`used` the unknown ones, both as bits."""


class _Sweep:
    """One sweep: the configurations at one moment, and the operations that are open then."""

    def __init__(self, in_time: list[int], object_: Specification, deadline: Deadline, most: int) -> None:
        self._in_time, self._object, self._deadline, self._most = in_time, object_, deadline, most
        self._ends = {~event: moment for moment, event in enumerate(in_time) if event < 0}
        self._bits, self._free, self._unknown = dict[int, int](), list[int](), 1
        self._open = dict[
            Hashable, list[tuple[int, int, int, int]]
        ]()  # by request: end, bit in used, row, bit in taken
        self._reading = dict[int, int]()  # the open reads and their bits
        self._fitting = dict[Any, int]()  # by state: the bits of the open reads that fit
        self._frontier: _Configurations = {(object_.initial, 0): [(object_.cost, 0)]}
        self._visited = 0
        self.dropped = False

    def outcome(self, wide: int, until: int, narrow: int) -> Outcome:
        """Sweeps; up to `until` answers `wide` configurations are kept, and then only as many as are `narrow`."""
        placed, of = 0, len(self._ends)
        for moment, event in enumerate(self._in_time):
            if event >= 0:
                self._begin(event)
                continue
            try:
                self._frontier = self._including(~event, moment, wide if placed < until else narrow)
            except _TooMany as why:
                return Outcome("unknown", placed, of, why=str(why))
            if not self._frontier:
                return Outcome("violated", placed, of, stuck=~event)
            self._close(~event)
            placed += 1
        costs = (cost for found in self._frontier.values() for cost, _ in found)
        return Outcome("held", placed, of, cost=min(costs, key=self._object.price))

    def _begin(self, row: int) -> None:
        request, end, bit, unknown = self._object.request(row), self._ends.get(row), 0, 0
        if end is None:
            end, unknown = len(self._in_time), self._unknown
            self._unknown <<= 1
        else:
            bit = self._bits[row] = self._free.pop() if self._free else 1 << len(self._bits)
        if self._object.reads[row]:
            self._reading[row] = bit
            self._fitting.clear()
        if not self._object.reads[row] or self._object.costly:
            insort(self._open.setdefault(request, []), (end, unknown, row, bit))

    def _close(self, row: int) -> None:
        request, bit = self._object.request(row), self._bits.pop(row)
        self._free.append(bit)
        if self._object.reads[row]:
            del self._reading[row]
            self._fitting.clear()
        if alike := [one for one in self._open.pop(request, ()) if one[2] != row]:
            self._open[request] = alike

    def _including(self, ending: int, moment: int, width: int) -> _Configurations:
        """The configurations in which the operation that ends has taken effect, alone or after other open ones."""
        object_, requests, fitting, bit = self._object, self._open, self._fitting, self._bits[ending]
        step, price, cheaper, hides, last = object_.step, object_.price, object_.cheaper, object_.hides, object_.last
        aged, others, possible, most = object_.aged, object_.others, object_.possible, self._most
        left: _Configurations = {}
        seen: _Configurations = {}
        todo = list[tuple[int, int, int, tuple[Any, int], tuple[Any, int]]]()
        kept = new = 0

        def reach(state: Any, taken: int, cost: Any, used: int, hidden: bool | None) -> None:
            nonlocal kept, new
            # An open read that fits is taken at once: it leaves state and cost as they are.
            fits = fitting.get(state)
            taken |= self._fits(state, cost) if fits is None else fits
            # Where the operation that ends has taken effect, or may have where nobody saw it, all others can wait.
            one = cost, used
            if taken & bit:
                kept += _add(left, (state, taken ^ bit), one, cheaper)
                return
            at = state, taken
            if hidden:
                kept += _add(left, at, one, cheaper)
            # Else others go first. What cost least goes on first, then what has taken most: it is nearest to the end.
            if _add(seen, at, one, cheaper):
                new += 1
                heappush(todo, (price(cost) + used.bit_count(), -taken.bit_count(), new, at, one))

        if object_.at:
            object_.at(moment)
        for (state, taken), found in self._frontier.items():
            for cost, used in found:
                older = aged(state, cost) if aged else (state, cost)
                if older is not REFUSED:
                    reach(older[0], taken, older[1], used, hides and hides(older[1], ending))

        while todo and kept < 2 * width:
            self._visited += 1
            if kept + new > most:
                raise _TooMany(f"more than {most:,} configurations were possible at one moment")
            if self._visited % 256 == 0 and self._deadline.passed:
                raise _TooMany("time ran out")
            _, _, _, at, one = heappop(todo)
            if one not in seen[at]:  # a cheaper one has come since
                continue
            (state, taken), (cost, used) = at, one
            for request in requests if possible is None else possible(state, requests.keys()):
                hidden = False
                for _, unknown, row, own in requests[request]:
                    if taken & own or used & unknown:
                        continue
                    # Of equal requests the first is enough; if it can hide, the first that cannot is tried as well.
                    may_hide = hides and hides(cost, row)
                    if may_hide and hidden:
                        continue
                    if (made := step(state, cost, row)) is REFUSED:
                        break
                    after, paid = made
                    hides_now = hides and paid is not cost and hides(paid, ending) and not hides(cost, ending)
                    reach(after, taken | own, paid, used | unknown, hides_now)
                    if not may_hide:
                        break
                    hidden = True
            if others:
                for after, paid in others(state, cost):
                    reach(after, taken, paid, used, None)
            if last and (made := last(state, cost, ending)) is not REFUSED:
                kept += _add(left, (made[0], taken), (made[1], used), cheaper)
        self.dropped |= bool(todo)
        if width < most:
            left = self._cheapest(left, width)
        return left

    def _cheapest(self, some: _Configurations, width: int) -> _Configurations:
        """As many as `width` of them, those that cost least."""
        price, found = self._object.price, [(at, one) for at, least in some.items() for one in least]
        if len(found) <= width:
            return some
        self.dropped = True
        found.sort(key=lambda entry: (price(entry[1][0]) + entry[1][1].bit_count(), -entry[0][1].bit_count()))
        left: _Configurations = {}
        for at, one in found[:width]:
            left.setdefault(at, []).append(one)
        return left

    def _fits(self, state: Any, cost: Any) -> int:
        """The bits of all open reads that fit and cost nothing."""
        bits, costly = 0, self._object.costly
        for row, bit in self._reading.items():
            made = self._object.step(state, cost, row)
            if made is not REFUSED and (not costly or made == (state, cost)):
                bits |= bit
        if not costly:
            self._fitting[state] = bits
        return bits


def _add(
    where: _Configurations, at: tuple[Any, int], one: tuple[Any, int], cheaper: Callable[[Any, Any], bool]
) -> bool:
    """Whether it is new: none with the same state and taken costs no more and uses only a part of `used`."""
    least = where.get(at)
    if least is None:
        where[at] = [one]
        return True
    cost, used = one
    for other, part in least:
        if part & used == part and cheaper(other, cost):
            return False
    least[:] = [other for other in least if other[1] & used != used or not cheaper(cost, other[0])]
    least.append(one)
    return True


def witness(
    history: History, stuck: int, changes: Iterable[str], violated: Violated, deadline: Deadline = NO_DEADLINE
) -> tuple[int, ...]:
    """A minimal witness for a history of one key in which the search was stuck at row `stuck`.

    Where `violated` gives up, by saying no, the witness is one still, but may not be minimal.
    """
    answered = (history.status == OK) & (history.start <= history.end[stuck])
    part = np.flatnonzero(history.start <= history.end[answered].max())  # what started later has no say
    near, changing, at = history.take(part), tuple(changes), int(np.searchsorted(part, stuck))
    return tuple(part[list(nearest(near, at, lambda rows: refutes(near, rows, changing, violated), deadline))].tolist())


def nearest(history: History, stuck: int, refuted: Refuted, deadline: Deadline = NO_DEADLINE) -> tuple[int, ...]:
    """A minimal witness near `stuck`: tries the last 2, 4, 8, ... answered operations that started no later than it
    ended, then takes away from them (see `forgetting.shrunk`)."""
    answered = np.flatnonzero((history.status == OK) & (history.start <= history.end[stuck]))
    rows, size = answered[np.argsort(history.start[answered], kind="stable")[::-1]].tolist(), 2
    while size < len(rows) and not refuted(rows[:size]):
        size = len(rows) if deadline.passed else 2 * size
    return shrunk(rows[:size], refuted, deadline)


def slack_of(
    history: History, rows: Iterable[int], changes: Iterable[str], violated: Violated, deadline: Deadline = NO_DEADLINE
) -> int | None:
    """By how many ns the clocks must be wrong for the witness `rows` to vanish; None if it needs no clock.

    None, too, if the deadline passes before it is known. The witness vanishes once enough operations count as
    concurrent that were not: those with gaps up to the slack.
    """
    asked, _ = forget(history, rows, changes)
    ends = asked.end[asked.end != INF]
    start, end = np.broadcast_arrays(asked.start[:, np.newaxis], ends)
    apart = start > end
    gaps = np.unique(spans(end[apart], start[apart]))
    low, high = 0, len(gaps)
    while low < high:
        middle = (low + high) // 2
        by = min(int(gaps[middle]), INF)
        later = np.where(asked.end == INF, INF, np.minimum(asked.end, INF - 1 - by) + by)
        if violated(replace(asked, end=later)):
            low = middle + 1
        else:
            high = middle
    return int(gaps[low]) if low < len(gaps) and not deadline.passed else None


def smallest(
    history: History,
    given: Sequence[int] | int,
    changes: Iterable[str],
    violated: Violated,
    proving: Deadline,
    *,
    kind: str = "no-order",
    counted: bool = False,
) -> Witness:
    """A minimal witness of one key, with its slack: within some rows that are one, or from the row at which its search
    was stuck. `counted` rows are left as they are."""
    own = np.flatnonzero(history.key == history.key[given if isinstance(given, int) else given[0]])
    alone, changing = history.take(own), tuple(changes)
    if isinstance(given, int):
        rows = witness(alone, int(np.searchsorted(own, given)), changing, violated, proving)
    else:
        rows = tuple(np.searchsorted(own, np.array(given)).tolist())
        rows = rows if counted else minimal(alone, rows, changing, violated, proving)
    slack = slack_of(alone, rows, changing, violated, proving)
    return Witness(kind, by_start(history, own[list(rows)].tolist()), slack, proving.passed)
