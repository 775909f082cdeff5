"""A bounded exhaustive search: for the objects and histories that no fast rule decides.

Claim: it says `held` or `violated` only if that is so, for any object given as a step function, and `unknown` where
time or memory end first. It sweeps over one key's history in time and keeps every configuration that the answers so
far allow: (state of the object, which open operations have taken effect). An operation takes effect no earlier than it
must, when some operation ends that has not taken effect yet: just-in-time linearization (Lowe 2017, "Testing for
Linearizability", section 6), which visits what Wing & Gong 1993 visit, each configuration once. No configuration left:
violated.

Three reductions, each with the reason that it loses nothing:
- An operation that never changes the state is taken as soon as its answer fits. (It leaves all else as it is.)
- Operations of unknown outcome stay open for ever and may be left out. Of two configurations with the same state and
  the same answered operations taken, the one that used a subset of the other's unknown ones can do all the other can:
  the other is dropped.
- Unknown operations with equal requests are interchangeable: they are used in the order of their starts.

Cost: O(n) steps in the length for a bounded number of open operations, exponential in that number at worst.
"""

from collections import deque
from collections.abc import Callable
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

import numpy as np

from statelab.check.kernels.forgetting import Violated
from statelab.check.kernels.forgetting import forget
from statelab.check.kernels.forgetting import minimal
from statelab.check.kernels.forgetting import refutes
from statelab.check.kernels.model import Deadline
from statelab.check.kernels.model import VerdictName
from statelab.check.kernels.packing import spans
from statelab.record.columns import INF
from statelab.record.columns import INFO
from statelab.record.columns import OK
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask

Step = Callable[[Any, int], Any]
"""(state, row) -> the state after the operation of that row, or REFUSED where its answer is wrong in that state. Of an
operation of unknown outcome only the request is known."""

REFUSED = object()

MOST = 500_000
"""How many configurations are kept before the search gives up; each takes about 200 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Specification:
    """The object that a key stands for: its hashable first state, its step, and what is known of its operations.

    `reads` marks the rows (shape `(n,)`) that never change the state whatever it is. `request` gives, for a row of
    unknown outcome, something hashable that is equal for rows that do the same.
    """

    initial: Hashable
    step: Step
    reads: Mask
    request: Callable[[int], Hashable]


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
    known = rows[(status == OK) | ((status == INFO) & ~object_.reads[rows])]
    ends = known[history.end[known] != INF]
    times = np.concatenate((history.start[known], history.end[ends]))
    in_time = np.argsort(times, kind="stable")  # starts stand first, so equal stamps are concurrent
    sweep = _Sweep(history, object_, known, deadline, most)
    placed = 0
    for event in in_time.tolist():
        if event < len(known):
            sweep.begin(int(known[event]))
            continue
        row = int(ends[event - len(known)])
        try:
            sweep.end(row)
        except _TooMany as why:
            return Outcome("unknown", placed, len(ends), why=str(why))
        if not sweep.frontier:
            return Outcome("violated", placed, len(ends), stuck=row)
        placed += 1
    return Outcome("held", placed, len(ends))


class _Configurations:
    """(state, taken) -> the smallest sets of unknown operations that lead there; sets of operations are bits."""

    def __init__(self, configurations: Iterable[tuple[Any, int, int]] = ()) -> None:
        self._used: dict[tuple[Any, int], list[int]] = {}
        self.size = 0
        for state, taken, used in configurations:
            self.add(state, taken, used)

    def __bool__(self) -> bool:
        return bool(self._used)

    def __iter__(self) -> Iterator[tuple[Any, int, int]]:
        return ((state, taken, used) for (state, taken), sets in self._used.items() for used in sets)

    def add(self, state: Any, taken: int, used: int) -> bool:
        """Whether it is new: none with the same state and taken uses only a part of `used`."""
        sets = self._used.setdefault((state, taken), [])
        if any(other & used == other for other in sets):
            return False
        larger = [other for other in sets if other & used == used]
        for other in larger:
            sets.remove(other)
        sets.append(used)
        self.size += 1 - len(larger)
        return True


class _Sweep:
    """The configurations at one moment, and the operations open then."""

    def __init__(
        self, history: History, object_: Specification, known: Integers, deadline: Deadline, most: int
    ) -> None:
        self._step, self._request, self._reads = object_.step, object_.request, object_.reads
        self._deadline, self._most = deadline, most
        self._answered = set(known[history.end[known] != INF].tolist())
        self._bit: dict[int, int] = {}
        self._free: list[int] = []
        self._reading: dict[int, int] = {}
        self._changing: dict[int, int] = {}
        self._unknown: dict[Hashable, list[tuple[int, int]]] = {}
        self._unknowns = 0
        self._visited = 0
        self.frontier = _Configurations([(object_.initial, 0, 0)])

    def begin(self, row: int) -> None:
        if row not in self._answered:
            self._unknown.setdefault(self._request(row), []).append((row, 1 << self._unknowns))
            self._unknowns += 1
            return
        bit = self._free.pop() if self._free else 1 << len(self._bit)
        self._bit[row] = bit
        if not self._reads[row]:
            self._changing[row] = bit
            return
        self._reading[row] = bit
        taken_where_it_fits = ((s, taken | bit * self._fits(s, row), used) for s, taken, used in self.frontier)
        self.frontier = _Configurations(taken_where_it_fits)

    def end(self, row: int) -> None:
        """Keeps the configurations in which `row` has taken effect, alone or after other open operations."""
        bit, left, waiting = self._bit.pop(row), _Configurations(), _Configurations()
        self._pause(self.frontier.size)
        for state, taken, used in self.frontier:
            if taken & bit:
                left.add(state, taken ^ bit, used)
            else:
                waiting.add(state, taken, used)
        if waiting:
            self._expand(waiting, bit, left)
        self._reading.pop(row, None)
        self._changing.pop(row, None)
        self._free.append(bit)
        self.frontier = left

    def _expand(self, seen: _Configurations, bit: int, left: _Configurations) -> None:
        todo = deque(seen)
        while todo:
            self._pause(seen.size + left.size)
            for state, taken, used in self._next(*todo.popleft()):
                if taken & bit:
                    left.add(state, taken ^ bit, used)
                elif seen.add(state, taken, used):
                    todo.append((state, taken, used))

    def _next(self, state: Any, taken: int, used: int) -> Iterator[tuple[Any, int, int]]:
        for row, bit in self._changing.items():
            if not taken & bit and (new := self._step(state, row)) is not REFUSED:
                yield new, self._settled(new, taken | bit), used
        for alike in self._unknown.values():
            first = next(((row, bit) for row, bit in alike if not used & bit), None)
            if first and (new := self._step(state, first[0])) is not REFUSED:
                yield new, self._settled(new, taken), used | first[1]

    def _settled(self, state: Any, taken: int) -> int:
        for row, bit in self._reading.items():
            if not taken & bit and self._fits(state, row):
                taken |= bit
        return taken

    def _fits(self, state: Any, row: int) -> bool:
        return self._step(state, row) is not REFUSED

    def _pause(self, size: int) -> None:
        self._visited += 1
        if size > self._most:
            raise _TooMany(f"more than {self._most:,} configurations were possible at one moment")
        if self._visited % 256 == 0 and self._deadline.passed:
            raise _TooMany("time ran out")


def witness(history: History, stuck: int, changes: Iterable[str], violated: Violated) -> tuple[int, ...]:
    """A minimal witness for a history of one key in which the search was stuck at row `stuck`.

    Tries the last 2, 4, 8, ... answered operations that started no later than `stuck` ended, then takes away from them
    (see `forgetting.minimal`). Where `violated` gives up, by saying no, the witness is one still, but may not be
    minimal.
    """
    answered = np.flatnonzero((history.status == OK) & (history.start <= history.end[stuck]))
    part = np.flatnonzero(history.start <= history.end[answered].max())  # what started later has no say
    near, changing = history.take(part), tuple(changes)
    latest_first = np.searchsorted(part, answered[np.argsort(history.start[answered], kind="stable")[::-1]])
    rows = _growing(near, latest_first.tolist(), changing, violated)
    return tuple(part[list(minimal(near, rows, changing, violated))].tolist())


def _growing(near: History, rows: Sequence[int], changes: tuple[str, ...], violated: Violated) -> Sequence[int]:
    size = 2
    while size < len(rows) and not refutes(near, rows[:size], changes, violated):
        size *= 2
    return rows[:size]


def slack_of(history: History, rows: Iterable[int], changes: Iterable[str], violated: Violated) -> int | None:
    """By how many ns the clocks must be wrong for the witness `rows` to vanish; None if it needs no clock.

    It vanishes once enough operations count as concurrent that were not: those with gaps up to the slack.
    """
    asked, _ = forget(history, rows, changes)
    ends = asked.end[asked.end != INF]
    start, end = np.broadcast_arrays(asked.start[:, np.newaxis], ends)
    apart = start > end
    gaps = np.unique(spans(end[apart], start[apart]))
    low, high = 0, len(gaps)
    while low < high:
        middle = (low + high) // 2
        if violated(_later(asked, int(gaps[middle]))):
            low = middle + 1
        else:
            high = middle
    return int(gaps[low]) if low < len(gaps) else None


def _later(history: History, delay: int) -> History:
    ends = [end if end == INF else min(end + delay, INF - 1) for end in history.end.tolist()]
    return replace(history, end=np.array(ends, np.int64))
