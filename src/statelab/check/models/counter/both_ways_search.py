"""The search for counters that go both ways: orders of the answered operations that need few unknown ones.

The state after some answered operations is how many unknown increments and decrements they needed (`ups`, `downs`);
the value follows: the initial one, and what these and the answered ones did. Claim: of two configurations in which the
same answered operations have taken effect, the one that needed no more of either can do all that the other can, so the
other is dropped. (From its value it can first go where the other stands: that takes just as many as the other needed
more. And it may do so later, when more have started.)

The sweep in time is that of search.py, with open reads taken as soon as they fit. It goes on from the configurations
that needed least, and first keeps only a few at each moment: where these reach the end the history is linearizable.
Where they do not and some had been left aside, it is run again and keeps more up to there, at last all (`WIDTHS`). So
both answers are exact, and `unknown` is what is left: more than `MOST` configurations at one moment, or no time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from heapq import heapify
from heapq import heappop
from heapq import heappush

import numpy as np

from statelab.check.kernels.model import Deadline
from statelab.check.kernels.search import MOST
from statelab.check.kernels.search import Outcome
from statelab.record.columns import History
from statelab.record.columns import Integers

WIDTHS = (8, 64, 512, MOST)
BEYOND = 200
"""How many answers past the one at which a narrow sweep was stuck the next one stays wide."""

_Needed = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Lists by row: what an operation was told and by how much it moves the counter, and how many increments and
    decrements of unknown outcome had started when it ended."""

    initial: int
    told: list[int]
    delta: list[int]
    up: list[int]
    down: list[int]


@dataclass(slots=True)
class _Best:
    """Per set of open operations that have taken effect (as bits) what they needed, none more than another."""

    needed: dict[int, list[_Needed]] = field(default_factory=dict)
    size: int = 0

    def add(self, taken: int, ups: int, downs: int) -> bool:
        """Whether it is new and better than what was there."""
        known = self.needed.setdefault(taken, [])
        if any(u <= ups and d <= downs for u, d in known):
            return False
        left = [(u, d) for u, d in known if u < ups or d < downs]
        self.size += len(left) + 1 - len(known)
        self.needed[taken] = [*left, (ups, downs)]
        return True

    def has(self, taken: int, ups: int, downs: int) -> bool:
        return (ups, downs) in self.needed[taken]

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        return ((taken, ups, downs) for taken, known in self.needed.items() for ups, downs in known)


class _GivenUp(Exception):
    pass


def searched(history: History, rows: Integers, orders: Orders, deadline: Deadline) -> Outcome:
    """Whether the answered rows have an order that needs no more unknown operations than there are."""
    step, until = 0, 0
    while True:
        sweep = _Sweep(orders, deadline)
        outcome = _swept(history, rows, sweep, (WIDTHS[step], until))
        if outcome.verdict != "violated" or not sweep.dropped:
            return outcome
        step += outcome.placed < until or not until
        until = max(until, outcome.placed + BEYOND)


def _swept(history: History, rows: Integers, sweep: "_Sweep", wide: tuple[int, int]) -> Outcome:
    """`wide`: how many configurations to keep at a moment, and up to how many answers."""
    times = np.concatenate((history.start[rows], history.end[rows]))
    in_time = np.argsort(times, kind="stable")  # starts stand first, so equal stamps are concurrent
    placed = 0
    for event in in_time.tolist():
        if event < len(rows):
            sweep.begin(int(rows[event]))
            continue
        row = int(rows[event - len(rows)])
        try:
            possible = sweep.end(row, wide[0] if placed < wide[1] else WIDTHS[0])
        except _GivenUp as why:
            return Outcome("unknown", placed, len(rows), why=str(why))
        if not possible:
            return Outcome("violated", placed, len(rows), stuck=row)
        placed += 1
    return Outcome("held", placed, len(rows))


class _Sweep:
    """The configurations at one moment, and the operations open then."""

    def __init__(self, orders: Orders, deadline: Deadline) -> None:
        self._orders, self._width, self._deadline = orders, WIDTHS[0], deadline
        self._open: dict[int, int] = {}
        self._reads: dict[int, int] = {}
        self._free: list[int] = []
        self._value = orders.initial  # what the operations that have ended made it
        self._visited = 0
        self._best = _Best({0: [(0, 0)]}, 1)
        self.dropped = False

    def begin(self, row: int) -> None:
        bit = self._open[row] = self._free.pop() if self._free else 1 << len(self._open)
        if self._orders.delta[row]:
            return
        self._reads[row] = bit
        seen = _Best()
        for taken, ups, downs in self._best:
            seen.add(self._settled(taken, self._value_after(taken, ups, downs), ups, downs), ups, downs)
        self._best = seen

    def _value_after(self, taken: int, ups: int, downs: int) -> int:
        return self._value + ups - downs + sum(self._orders.delta[row] for row, b in self._open.items() if taken & b)

    def _settled(self, taken: int, value: int, ups: int, downs: int) -> int:
        """With all open reads of this value taken that needed no more than had started by then: they leave all else as
        it is."""
        for row, bit in self._reads.items():
            if self._orders.told[row] == value and ups <= self._orders.up[row] and downs <= self._orders.down[row]:
                taken |= bit
        return taken

    def end(self, row: int, width: int) -> bool:
        """Keeps configurations in which `row` has taken effect, alone or after other open operations."""
        self._width = width
        bit, left, waiting = self._open[row], _Best(), _Best()
        for taken, ups, downs in self._best:
            (left if taken & bit else waiting).add(taken & ~bit, ups, downs)
        if waiting.size:
            self._expand(waiting, bit, left)
        if left.size > self._width:
            self._narrow(left)
        del self._open[row]
        self._reads.pop(row, None)
        self._free.append(bit)
        self._value += self._orders.delta[row]
        self._best = left
        return left.size > 0

    def _narrow(self, best: _Best) -> None:
        self.dropped = True
        cheapest = sorted(best, key=lambda one: (one[1] + one[2], -one[0].bit_count()))[: self._width]
        best.needed, best.size = {}, 0
        for taken, ups, downs in cheapest:
            best.add(taken, ups, downs)

    def _expand(self, waiting: _Best, bit: int, left: _Best) -> None:
        """Goes on from what needed least until enough have taken the operation of `bit`."""
        orders = self._orders
        todo = [(ups + downs, -taken.bit_count(), taken, ups, downs) for taken, ups, downs in waiting]
        heapify(todo)
        moves = [(row, b, orders.told[row], orders.delta[row]) for row, b in self._open.items()]
        while todo:
            self._pause(waiting.size + left.size)
            if left.size >= 2 * self._width:
                self.dropped = True
                return
            _, _, taken, ups, downs = heappop(todo)
            if not waiting.has(taken, ups, downs):
                continue
            value = self._value_after(taken, ups, downs)
            for row, b, told, delta in moves:
                if taken & b:
                    continue
                moved = told - delta - value
                u, d = (ups + moved, downs) if moved > 0 else (ups, downs - moved)
                if u > orders.up[row] or d > orders.down[row]:
                    continue
                new = self._settled(taken | b, told, u, d)
                if new & bit:
                    left.add(new & ~bit, u, d)
                elif waiting.add(new, u, d):
                    heappush(todo, (u + d, -new.bit_count(), new, u, d))

    def _pause(self, size: int) -> None:
        self._visited += 1
        if size > MOST:
            raise _GivenUp(f"more than {MOST:,} configurations were possible at one moment")
        if self._visited % 256 == 0 and self._deadline.passed:
            raise _GivenUp("time ran out")
