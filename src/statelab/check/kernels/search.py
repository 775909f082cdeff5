"""The search: a bounded exhaustive one, for the objects and histories that no fast rule decides.

Claim: it says `held` or `violated` only if that is so, for any object given as a step function, and `unknown` where
time or memory end first. It sweeps over one key's history in time and keeps every configuration that the answers so
far allow: (state of the object, which open operations have taken effect, what that has cost). An operation takes effect
no earlier than it must, when some operation ends that has not taken effect yet: just-in-time linearization (Lowe 2017,
"Testing for Linearizability", section 6), which visits what Wing & Gong 1993 visit, each configuration once. No
configuration left: violated.

Reductions, each with the reason that it loses nothing:
- An operation that leaves state and cost as they are is taken as soon as its answer fits.
- Operations of unknown outcome stay open for ever and may be left out. Of two configurations with the same state and
  the same answered operations taken, the one that used a subset of the other's unknown ones, at no higher cost, can do
  all the other can: the other is dropped.
- Of open operations with equal requests, the one that must end first is used first, and unknown ones last, in the order
  of their starts: whatever the other can do later, it can do in its place.
- An object may say of an unknown operation that it is `endless`: so many of its kind have started by then that nobody
  can need more. It is not counted which of them were used.
- An object may say of an operation that it `hides`: it can have taken effect where nobody saw it. When it ends, the
  configurations in which it has not been seen stay as they are. (Of equal requests, one that cannot hide is then tried
  as well: it may be the one that has to be seen.)
- An object may name `widths`: then few configurations are kept at each moment, those that cost least. Where they reach
  the end, the history is linearizable. Where they do not, and some had been left aside, the sweep is run again and
  keeps more up to that moment, at last all of them. So `violated` is only said where none was left aside.

Cost: O(n) steps in the length for a bounded number of open operations, exponential in that number at worst.
"""

import operator
from bisect import insort
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from heapq import heapify
from heapq import heappop
from heapq import heappush
from typing import Any

import numpy as np

from statelab.check.kernels.forgetting import NO_DEADLINE
from statelab.check.kernels.forgetting import Refuted
from statelab.check.kernels.forgetting import Violated
from statelab.check.kernels.forgetting import forget
from statelab.check.kernels.forgetting import refutes
from statelab.check.kernels.forgetting import shrunk
from statelab.check.kernels.model import Deadline
from statelab.check.kernels.model import VerdictName
from statelab.check.kernels.packing import spans
from statelab.record.columns import INF
from statelab.record.columns import INFO
from statelab.record.columns import OK
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask

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
    aged      a state as it is at that moment, or REFUSED where it cannot lead to the end
    hides     (cost, row) -> whether the operation can have taken effect where nobody saw it
    last      (state, cost, row) -> a step that only the operation can take that ends at this moment, or REFUSED
    endless   row of unknown outcome -> whether it stands for as many of its kind as anybody can need
    possible  (state, requests) -> which of the open requests can be answered in that state; the others are refused
    """

    initial: Hashable
    step: Step
    reads: Sequence[bool] | Mask
    request: Callable[[int], Hashable]
    cost: Any = 0
    cheaper: Callable[[Any, Any], bool] = operator.eq
    price: Callable[[Any], int] | None = None
    widths: tuple[int, ...] = ()
    costly: bool = False
    at: Callable[[int], None] | None = None
    aged: Callable[[Any], Any] | None = None
    hides: Callable[[Any, int], bool] | None = None
    last: Step | None = None
    endless: Callable[[int], bool] | None = None
    possible: Callable[[Any, Collection[Any]], Iterable[Any]] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the search found: `placed` of the `of` answered operations have an order that explains them.

    `stuck` is the row of the operation that could not be placed as well (verdict `violated`): the answered operations
    that started no later than it ended are a violation. `why` says why the verdict is `unknown`.
    """

    verdict: VerdictName
    placed: int
    of: int
    stuck: int | None = None
    why: str = ""

    def at(self, rows: Integers) -> "Outcome":
        """The same of a larger history, in which row i is `rows[i]`."""
        return self if self.stuck is None else replace(self, stuck=int(rows[self.stuck]))


class _TooMany(Exception):
    pass


def search(
    history: History, rows: Integers, object_: Specification, *, deadline: Deadline, most: int = MOST
) -> Outcome:
    """Whether one object explains the rows (of one key) of a history."""
    status = history.status[rows]
    known = rows[(status == OK) | ((status == INFO) & ~np.asarray(object_.reads)[rows])]
    return sweep(known.tolist(), history.start[known], history.end[known], object_, deadline=deadline, most=most)


def sweep(
    rows: Sequence[int],
    start: Sequence[int] | Integers,
    end: Sequence[int] | Integers,
    object_: Specification,
    *,
    deadline: Deadline,
    most: int = MOST,
) -> Outcome:
    """Whether one object explains the operations side by side; the end of one of unknown outcome is INF."""
    in_time, widths = events(start, end), (*object_.widths, most)
    level, until = 0, 0
    while True:
        run = _Sweep(object_, deadline, most)
        outcome = run.over(rows, end, in_time, widths[level], until, widths[0])
        if outcome.verdict != "violated" or not run.dropped:
            return outcome
        level += outcome.placed < until or not until
        until = max(until, outcome.placed + BEYOND)


def events(start: Sequence[int] | Integers, end: Sequence[int] | Integers) -> list[int]:
    """The order of all starts and ends in time: of n operations i is the start of the i-th, n + i its end, if it has
    one. Starts stand first, so equal stamps are concurrent."""
    times = np.concatenate((start, end))
    in_time = np.argsort(times, kind="stable")
    found: list[int] = in_time[times[in_time] != INF].tolist()
    return found


class _Configurations:
    """(state, taken) -> the least of (cost, used): `taken` are the answered open operations that have taken effect and
    `used` the unknown ones, both as bits."""

    __slots__ = ("_cheaper", "_least", "size")

    def __init__(self, cheaper: Callable[[Any, Any], bool]) -> None:
        self._cheaper = cheaper
        self._least: dict[tuple[Any, int], list[tuple[Any, int]]] = {}
        self.size = 0

    def __iter__(self) -> Iterator[tuple[Any, int, Any, int]]:
        return ((state, taken, *one) for (state, taken), least in self._least.items() for one in least)

    def has(self, state: Any, taken: int, cost: Any, used: int) -> bool:
        return (cost, used) in self._least[state, taken]

    def take_in(self, some: list[tuple[Any, int, Any, int]], bit: int) -> None:
        """Some of them have taken one more operation, in which they are alone so far."""
        for state, taken, cost, used in some:
            least = self._least.pop((state, taken), [])
            least.remove((cost, used))
            if least:
                self._least[state, taken] = least
            self._least.setdefault((state, taken | bit), []).append((cost, used))

    def add(self, state: Any, taken: int, cost: Any, used: int) -> bool:
        """Whether it is new: none with the same state and taken costs no more and uses only a part of `used`."""
        least = self._least.get((state, taken))
        if least is None:
            self._least[state, taken] = [(cost, used)]
            self.size += 1
            return True
        cheaper = self._cheaper
        for other, part in least:
            if part & used == part and cheaper(other, cost):
                return False
        left = [one for one in least if one[1] & used != used or not cheaper(cost, one[0])]
        self.size += len(left) + 1 - len(least)
        left.append((cost, used))
        self._least[state, taken] = left
        return True


class _Sweep:
    """The configurations at one moment, and the operations open then."""

    def __init__(self, object_: Specification, deadline: Deadline, most: int) -> None:
        self._object, self._deadline, self._most = object_, deadline, most
        self._step, self._costly = object_.step, object_.costly
        self._bit: dict[int, tuple[int, Hashable]] = {}
        self._free: list[int] = []
        self._begun = 0
        self._unknowns = 0
        self._open: dict[Hashable, list[tuple[int, int, int, int, int]]] = {}  # end, place, row, bit in taken, in used
        self._reading: dict[Hashable, tuple[int, int]] = {}
        self._visited = 0
        self._width = most
        self._frontier = self._none()
        self._frontier.add(object_.initial, 0, object_.cost, 0)
        self.dropped = False

    def _none(self) -> _Configurations:
        return _Configurations(self._object.cheaper)

    def over(
        self, rows: Sequence[int], end: Sequence[int] | Integers, in_time: list[int], wide: int, until: int, narrow: int
    ) -> Outcome:
        """Sweeps; up to `until` answers `wide` configurations are kept, and then only as many as are `narrow`."""
        placed, of = 0, len(in_time) - len(rows)
        for moment, event in enumerate(in_time):
            if event < len(rows):
                self._begin(rows[event], int(end[event]))
                continue
            row, self._width = rows[event - len(rows)], wide if placed < until else narrow
            try:
                self._end(row, moment)
            except _TooMany as why:
                return Outcome("unknown", placed, of, why=str(why))
            if not self._frontier.size:
                return Outcome("violated", placed, of, stuck=row)
            placed += 1
        return Outcome("held", placed, of)

    def _begin(self, row: int, end: int) -> None:
        request, reads, bit, unknown = self._object.request(row), self._object.reads[row], 0, 0
        endless = self._object.endless is not None and self._object.endless(row)
        if end == INF and not endless:
            unknown = 1 << self._unknowns
            self._unknowns += 1
        elif end != INF:
            bit = self._free.pop() if self._free else 1 << len(self._bit)
            self._bit[row] = (bit, request)
        if not reads or self._object.costly:
            insort(self._open.setdefault(request, []), (end, -1 if endless else self._begun, row, bit, unknown))
            self._begun += 1
        if reads:
            self._reading[request] = (row, self._reading.get(request, (row, 0))[1] | bit)
            fits = [one for one in self._frontier if self._fits(one[0], one[2], row)]
            if fits:
                self._frontier.take_in(fits, bit)

    def _end(self, row: int, moment: int) -> None:
        """Keeps the configurations in which `row` has taken effect, alone or after other open operations."""
        object_, (bit, request) = self._object, self._bit[row]
        left, waiting = self._none(), self._none()
        self._pause(self._frontier.size)
        if object_.at:
            object_.at(moment)
        for state, taken, cost, used in self._frontier:
            if object_.aged and (state := object_.aged(state)) is REFUSED:
                continue
            if taken & bit:
                left.add(state, taken ^ bit, cost, used)
                continue
            if object_.hides and object_.hides(cost, row):
                left.add(state, taken, cost, used)
            waiting.add(state, taken, cost, used)
        if waiting.size:
            self._expand(waiting, row, bit, left)
        if left.size > self._width < self._most:
            self.dropped = True
            price, cheapest = self._price, self._none()
            for one in sorted(left, key=lambda one: (price(one[2], one[3]), -one[1].bit_count()))[: self._width]:
                cheapest.add(*one)
            left = cheapest
        self._frontier = left
        self._close(row, bit, request)

    def _price(self, cost: Any, used: int) -> int:
        return used.bit_count() if self._object.price is None else used.bit_count() + self._object.price(cost)

    def _close(self, row: int, bit: int, request: Hashable) -> None:
        alike = self._open.get(request, [])
        if len(alike) == 1 and alike[0][2] == row:
            del self._open[request]
        elif alike:
            alike[:] = [one for one in alike if one[2] != row]
        if self._object.reads[row]:
            some, bits = self._reading.pop(request)
            if bits != bit:
                self._reading[request] = (some, bits ^ bit)
        del self._bit[row]
        self._free.append(bit)

    def _expand(self, seen: _Configurations, ending: int, bit: int, left: _Configurations) -> None:
        """Goes on from what cost least, until nothing is new or enough have taken the operation that ends."""
        object_, step, price, settled = self._object, self._step, self._price, self._settled
        hides, last, possible, requests = object_.hides, object_.last, object_.possible, self._open
        todo = [(price(c[2], c[3]), -c[1].bit_count(), place, c) for place, c in enumerate(seen)]
        heapify(todo)
        count = len(todo)
        while todo:
            self._pause(seen.size + left.size)
            if left.size >= 2 * self._width:
                self.dropped = True
                return
            one = heappop(todo)[3]
            if not seen.has(*one):  # a cheaper one has come since
                continue
            state, taken, cost, used = one
            for request in requests if possible is None else possible(state, requests.keys()):
                hidden = False
                for _, _, row, own, unknown in requests[request]:
                    if taken & own or used & unknown:
                        continue
                    may_hide = hides is not None and hides(cost, row)
                    if may_hide and hidden:
                        continue
                    if (made := step(state, cost, row)) is REFUSED:
                        break
                    new, paid = made
                    after, spent = settled(new, taken | own, paid), used | unknown
                    if after & bit:
                        left.add(new, after ^ bit, paid, spent)
                    else:
                        if hides and paid is not cost and hides(paid, ending) and not hides(cost, ending):
                            left.add(new, after, paid, spent)
                        if seen.add(new, after, paid, spent):
                            count += 1
                            heappush(todo, (price(paid, spent), -after.bit_count(), count, (new, after, paid, spent)))
                    if not may_hide:
                        break
                    hidden = True
            if last and (made := last(state, cost, ending)) is not REFUSED:
                left.add(made[0], taken, made[1], used)

    def _settled(self, state: Any, taken: int, cost: Any) -> int:
        """With all open reads that fit and cost nothing."""
        for row, bits in self._reading.values():
            if bits & ~taken and self._fits(state, cost, row):
                taken |= bits
        return taken

    def _fits(self, state: Any, cost: Any, row: int) -> bool:
        new = self._step(state, cost, row)
        return new is not REFUSED and (not self._costly or new == (state, cost))

    def _pause(self, size: int) -> None:
        self._visited += 1
        if size > self._most:
            raise _TooMany(f"more than {self._most:,} configurations were possible at one moment")
        if self._visited % 256 == 0 and self._deadline.passed:
            raise _TooMany("time ran out")


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
