"""A search for an order that explains a key's puts, appends and gets; what the gets showed keeps it narrow.

It sweeps over the history in time and keeps every configuration that the answers so far allow. Operations take effect
as late as they can: when one ends that has not taken effect yet (just-in-time linearization, Lowe 2017, "Testing for
Linearizability", section 6). A configuration is a state, the open operations that have taken effect, and the moment of
the last put. What narrows it, and why nothing is lost:
- A state is what matters of a text: which of the texts shown by gets that have not ended yet begin with it. A text that
  begins none of them is all the same as any other such text until the next put: the state `None`.
- A state is dead if some get cannot be reached from it: one that has not started, whose text the state does not begin,
  and every put whose value begins that text has ended.
- A get takes effect as soon as it is open in a state that is its text: it changes nothing.
- An operation that was open at the moment of some put may have taken effect right before that put: nobody sees it
  then, and all else stays as it is. So nothing has to be remembered of it; when it ends, a look at the moment of the
  last put is enough. An operation that was not open then is never placed so; if it ends unseen, it takes effect at its
  end. Operations of unknown outcome need not take effect at all.
- Of the open operations that write equal texts, the one that must end first is used first: whatever the other can do
  later, it can do in its place. Only where that one could also have hidden before the last put, both are tried.
- Of two configurations that differ in the moment of the last put only, the later one can do all the other can.
"""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop
from heapq import heappush

from statelab.check.kernels.model import Deadline
from statelab.check.kernels.model import VerdictName
from statelab.check.models.key_value.texts import APPEND
from statelab.check.models.key_value.texts import GET
from statelab.check.models.key_value.texts import PUT
from statelab.check.models.key_value.texts import Calls
from statelab.check.models.key_value.texts import Node
from statelab.check.models.key_value.texts import Shown
from statelab.record.columns import INF

MOST = 200_000
"""How many configurations are kept before the search gives up; each takes about 400 bytes."""

_NEVER = 1 << 60

State = Node | None
Configurations = dict[tuple[State, int], int]
"""(state, the open operations that have taken effect, as bits) -> the moment of the last put."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`why` says why it is unknown."""

    verdict: VerdictName
    why: str = ""


class TooMany(Exception):
    """The search would take more than it was given."""


def search(calls: Calls, initial: str, deadline: Deadline, most: int = MOST) -> Outcome:
    """Whether one text that starts as `initial` explains the calls. O(n) steps while few orders are possible."""
    sweep = _Sweep(calls, initial, deadline, most)
    for moment, event in enumerate(sweep.plan.events):
        if moment > sweep.plan.last_get:
            break
        if event < len(calls):
            sweep.begin(event)
            continue
        try:
            sweep.end(event - len(calls), moment)
        except TooMany as why:
            return Outcome("unknown", why=str(why))
        if not sweep.frontier:
            return Outcome("violated")
    return Outcome("held")


class _Plan:
    """What is known before the sweep: the order of events, and what is still to be shown after each.

    Event e < n is the start of call e, event n + c the end of call c; moments are places in `events`.
    """

    def __init__(self, calls: Calls, initial: str) -> None:
        n = len(calls)
        ends = [call for call in range(n) if calls.end[call] != INF]
        times = [*((time, 0, call) for call, time in enumerate(calls.start)), *((calls.end[c], 1, c) for c in ends)]
        self.events = [call + n * end for _, end, call in sorted(times)]
        self.begin, self.end = [0] * n, [_NEVER] * n
        for moment, event in enumerate(self.events):
            (self.begin if event < n else self.end)[event % n] = moment
        tokens = (text for text, kind in zip(calls.text, calls.kind, strict=True) if kind == APPEND)
        gets = [call for call in range(n) if calls.kind[call] == GET]
        self.shown = Shown((calls.text[call] for call in gets), tokens)
        self.text = {call: self.shown.place(calls.text[call]) for call in gets}
        self.initial = self.shown.extended(self.shown.root, initial)
        self.last_get = max((self.end[call] for call in gets), default=-1)
        self.base = {
            text: self.shown.extended(self.shown.root, text)
            for text, kind in zip(calls.text, calls.kind, strict=True)
            if kind == PUT
        }
        self._last = self._last_shown()
        self._until: dict[Node, int] = {}
        self.needed = self._needed(self._last_put(calls))

    def until(self, node: Node) -> int:
        """The moment at which the last get ends that shows a text that begins with the node's."""
        if node not in self._until:
            self._until[node] = max(self._last[node[0] : node[1]])
        return self._until[node]

    def alive(self, state: State, moment: int) -> bool:
        low, high = self.needed[moment]
        if state is None:
            return high < 0
        return state[0] <= low and high < state[1]

    def _last_shown(self) -> list[int]:
        last = [-1] * len(self.shown)
        for call, text in self.text.items():
            last[text] = max(last[text], self.end[call])
        return last

    def _last_put(self, calls: Calls) -> list[int]:
        """By text, when the last put ends whose value it begins with."""
        last = [-1] * len(self.shown)
        for call, kind in enumerate(calls.kind):
            node = self.base[calls.text[call]] if kind == PUT else None
            for text in range(node[0], node[1]) if node else ():
                last[text] = max(last[text], self.end[call])
        return last

    def _needed(self, last_put: list[int]) -> list[tuple[int, int]]:
        """By moment, the first and the last of the texts of gets that start later and that no put can lead to."""
        needed, least, most = [], list[tuple[int, int]](), list[tuple[int, int]]()
        n = len(self.begin)
        for moment in range(len(self.events) - 1, -1, -1):
            needed.append((_top(least, moment, len(self.shown)), -_top(most, moment, 1)))
            text = self.text.get(self.events[moment]) if self.events[moment] < n else None
            if text is not None:
                heappush(least, (text, last_put[text]))
                heappush(most, (-text, last_put[text]))
        return needed[::-1]


def _top(heap: list[tuple[int, int]], moment: int, default: int) -> int:
    while heap and heap[0][1] >= moment:
        heappop(heap)
    return heap[0][0] if heap else default


class _Sweep:
    """The configurations at one moment, and the operations open then."""

    def __init__(self, calls: Calls, initial: str, deadline: Deadline, most: int) -> None:
        self.plan = _Plan(calls, initial)
        self._calls, self._deadline, self._most = calls, deadline, most
        self._bit: dict[int, int] = {}
        self._free: list[int] = []
        self._open: tuple[dict[str, list[int]], dict[str, list[int]]] = ({}, {})
        self._reading: dict[int, int] = {}
        self._visited = 0
        self.frontier: Configurations = {(self.plan.initial, 0): -1}

    def begin(self, call: int) -> None:
        bit = self._bit[call] = self._free.pop() if self._free else 1 << len(self._bit)
        kind, text = self._calls.kind[call], self._calls.text[call]
        if kind != GET:
            insort(self._open[kind].setdefault(text, []), call, key=self.plan.end.__getitem__)
            return
        place = self.plan.text[call]
        self._reading[place] = self._reading.get(place, 0) | bit
        self.frontier = {(state, self._settled(state, taken)): put for (state, taken), put in self.frontier.items()}

    def end(self, call: int, moment: int) -> None:
        """Keeps the configurations in which `call` has taken effect, alone or after other open operations."""
        left, waiting = self._sorted_out(call, moment)
        if waiting:
            self._expand(waiting, left, call, moment)
        bit, kind, text = self._bit.pop(call), self._calls.kind[call], self._calls.text[call]
        self._free.append(bit)
        if kind == GET:
            self._reading[self.plan.text[call]] ^= bit
        else:
            self._open[kind][text].remove(call)
        self.frontier = left

    def _sorted_out(self, call: int, moment: int) -> tuple[Configurations, Configurations]:
        left: Configurations = {}
        waiting: Configurations = {}
        bit, hides = self._bit[call], self._calls.kind[call] != GET
        for (state, taken), put in self.frontier.items():
            if state is not None and self.plan.until(state) < moment:
                state = None
            if not self.plan.alive(state, moment):
                continue
            if taken & bit:
                _add(left, state, taken ^ bit, put)
                continue
            if hides and put > self.plan.begin[call]:
                _add(left, state, taken, put)
            _add(waiting, state, taken, put)
        return left, waiting

    def _expand(self, seen: Configurations, left: Configurations, call: int, moment: int) -> None:
        bit, hides = self._bit[call], self._calls.kind[call] != GET
        todo = list(seen)
        while todo:
            configuration = todo.pop()
            self._pause(len(seen) + len(left))
            for state, taken, put in self._next(*configuration, seen[configuration], call, moment):
                if taken & bit:
                    _add(left, state, taken ^ bit, put)
                    continue
                if hides and put == moment:
                    _add(left, state, taken, put)
                if _add(seen, state, taken, put):
                    todo.append((state, taken))

    def _next(self, state: State, taken: int, put: int, call: int, moment: int) -> Iterator[tuple[State, int, int]]:
        for text, node in self.plan.shown.next(state) if state is not None else ():
            if self._useful(node, moment):
                for other in self._first(APPEND, text, taken, put):
                    yield node, self._settled(node, taken | self._bit[other]), put
        for text in self._open[PUT]:
            base = self.plan.base[text]
            if base is not None and self._useful(base, moment):
                for other in self._first(PUT, text, taken, put):
                    yield base, self._settled(base, taken | self._bit[other]), moment
        if self._unseen(state, call, moment) and self.plan.alive(None, moment):
            yield None, taken | self._bit[call], moment if self._calls.kind[call] == PUT else put

    def _useful(self, node: Node, moment: int) -> bool:
        return self.plan.until(node) >= moment and self.plan.alive(node, moment)

    def _unseen(self, state: State, call: int, moment: int) -> bool:
        """Whether the call, which ends now, makes a text that nobody will be shown."""
        kind, text = self._calls.kind[call], self._calls.text[call]
        if kind == GET:
            return False
        if kind == APPEND and state is None:
            return True
        after = self.plan.base[text] if kind == PUT else self.plan.shown.extended(state or self.plan.shown.root, text)
        return after is None or self.plan.until(after) < moment

    def _first(self, kind: int, text: str, taken: int, put: int) -> Iterator[int]:
        """The open operation with that request to use next; two, where the one that ends first could hide instead."""
        hidden = False
        for call in self._open[kind].get(text, ()):
            if taken & self._bit[call]:
                continue
            if put <= self.plan.begin[call]:
                yield call
                return
            if not hidden:
                yield call
                hidden = True

    def _settled(self, state: State, taken: int) -> int:
        """With all open gets that show this state."""
        return taken if state is None else taken | self._reading.get(self.plan.shown.shows(state), 0)

    def _pause(self, size: int) -> None:
        self._visited += 1
        if size > self._most:
            raise TooMany(f"more than {self._most:,} configurations were possible at one moment")
        if self._visited % 256 == 0 and self._deadline.passed:
            raise TooMany("time ran out")


def _add(configurations: Configurations, state: State, taken: int, put: int) -> bool:
    """Whether it is new, or its last put later than that of the one known."""
    known = configurations.get((state, taken), -2)
    if put <= known:
        return False
    configurations[state, taken] = put
    return True
