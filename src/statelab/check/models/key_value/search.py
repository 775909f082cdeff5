"""The search for an order that explains a key's puts, appends and gets; what the gets showed keeps it narrow.

It is the search of kernels/search.py. The cost of a configuration is the moment of its last put; of two that differ in
it only, the one with the later put can do all the other can. What narrows it, and why nothing is lost:
- A state is what matters of a text: which of the texts shown by gets that have not ended yet begin with it. A text that
  begins none of them is all the same as any other such text until the next put: the state `None`.
- A state is dead if some get cannot be reached from it: one that has not started, whose text the state does not begin,
  and every put whose value begins that text has ended.
- An operation that was open at the moment of some put may have taken effect right before that put: nobody sees it
  then, and all else stays as it is. So nothing has to be remembered of it; when it ends, a look at the moment of the
  last put is enough. An operation that was not open then is never placed so; if it ends unseen, it takes effect at its
  end.
- What ends after the last get has ended need not have taken effect: nobody saw it.
"""

import operator
from collections.abc import Collection
from heapq import heappop, heappush
from typing import Any

from statelab.check.kernels.model import Deadline
from statelab.check.kernels.search import REFUSED, Outcome, Specification, events, sweep
from statelab.check.models.key_value.texts import APPEND, GET, PUT, Calls, Node, Shown
from statelab.record.columns import INF

MOST = 200_000
"""How many configurations are kept before the search gives up; each takes about 400 bytes."""

_NEVER = 1 << 60

State = Node | None


def search(calls: Calls, initial: str, deadline: Deadline, most: int = MOST) -> Outcome:
    """Whether one text that starts as `initial` explains the calls. O(n) steps while few orders are possible."""
    text = _Text(calls, initial)
    end = [time if moment <= text.last_get else INF for time, moment in zip(calls.end, text.end, strict=True)]
    object_ = Specification(
        initial=text.initial,
        step=text.step,
        reads=[kind == GET for kind in calls.kind],
        request=text.request,
        cost=-1,
        cheaper=operator.ge,
        at=text.at,
        aged=text.aged,
        hides=text.hides,
        last=text.last,
        possible=text.possible,
    )
    return sweep(events(range(len(calls)), calls.start, end), object_, deadline=deadline, most=most)


class _Text:
    """The text of a key as an object of the search: its steps, and what is still to be shown after each moment."""

    def __init__(self, calls: Calls, initial: str) -> None:
        n = len(calls)
        self._calls, self._now, self._after = calls, -1, dict[tuple[Node, str], State]()
        in_time = events(range(n), calls.start, calls.end)
        self.begin, self.end = [0] * n, [_NEVER] * n
        for moment, event in enumerate(in_time):
            (self.begin if event >= 0 else self.end)[max(event, ~event)] = moment
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
        self._last = [-1] * len(self.shown)
        for call, shown in self.text.items():
            self._last[shown] = max(self._last[shown], self.end[call])
        self._until: dict[Node, int] = {}
        self.needed = self._needed(in_time)

    def until(self, node: Node) -> int:
        """The moment at which the last get ends that shows a text that begins with the node's."""
        if node not in self._until:
            self._until[node] = max(self._last[node[0] : node[1]])
        return self._until[node]

    def alive(self, state: State) -> bool:
        """Whether the state is not dead (see above)."""
        low, high = self.needed[self._now]
        if state is None:
            return high < 0
        return state[0] <= low and high < state[1]

    def request(self, call: int) -> tuple[int, str]:
        return self._calls.kind[call], self._calls.text[call]

    def at(self, moment: int) -> None:
        self._now = moment

    def aged(self, state: State, put: int) -> Any:
        state = state if state is None or self.until(state) >= self._now else None
        return (state, put) if self.alive(state) else REFUSED

    def after(self, state: Node, text: str) -> State:
        if (state, text) not in self._after:
            self._after[state, text] = self.shown.extended(state, text)
        return self._after[state, text]

    def step(self, state: State, put: int, call: int) -> Any:
        kind, text = self._calls.kind[call], self._calls.text[call]
        if kind == GET:
            return (state, put) if state is not None and self.shown.shows(state) == self.text[call] else REFUSED
        if kind == PUT:
            put, node = self._now, self.base[text]
        else:
            node = None if state is None else self.after(state, text)
        return REFUSED if node is None or self.until(node) < self._now or not self.alive(node) else (node, put)

    def last(self, state: State, put: int, call: int) -> Any:
        """The step of an operation after which no get shows the text, nor one that begins with it: the state `None`."""
        kind, text = self._calls.kind[call], self._calls.text[call]
        if kind == GET or not self.alive(None):
            return REFUSED
        if kind == PUT:
            put, node = self._now, self.base[text]
        else:
            node = None if state is None else self.after(state, text)
        return (None, put) if node is None or self.until(node) < self._now else REFUSED

    def hides(self, put: int, call: int) -> bool:
        return self._calls.kind[call] != GET and put > self.begin[call]

    def possible(self, state: State, requests: Collection[tuple[int, str]]) -> list[tuple[int, str]]:
        found = [request for request in requests if request[0] == PUT]
        if state is not None:
            found += [request for text, _ in self.shown.next(state) if (request := (APPEND, text)) in requests]
        return found

    def _needed(self, in_time: list[int]) -> list[tuple[int, int]]:
        """By moment, the first and the last of the texts of gets that start later and that no put can lead to."""
        last_put = [-1] * len(self.shown)  # by text, when the last put ends whose value it begins with
        for call, kind in enumerate(self._calls.kind):
            node = self.base[self._calls.text[call]] if kind == PUT else None
            for begun in range(node[0], node[1]) if node else ():
                last_put[begun] = max(last_put[begun], self.end[call])
        needed, least, most = [], list[tuple[int, int]](), list[tuple[int, int]]()
        for moment in range(len(in_time) - 1, -1, -1):
            needed.append((_top(least, moment, len(self.shown)), -_top(most, moment, 1)))
            text = self.text.get(in_time[moment])
            if text is not None:
                heappush(least, (text, last_put[text]))
                heappush(most, (-text, last_put[text]))
        return needed[::-1]


def _top(heap: list[tuple[int, int]], moment: int, default: int) -> int:
    while heap and heap[0][1] >= moment:
        heappop(heap)
    return heap[0][0] if heap else default
