"""The search for one register whose values repeat: whether any order explains a key's history, or a piece of it.

Claim: `held` and `violated` are so, `unknown` says which limit ended the search. A *piece* keeps some of the answers
and forgets all others (kernels/forgetting.py). A forgotten write or cas is one of unknown outcome, so a small piece of
a long history has many of those, and which of them took effect is what makes a search long. Two things make it short:

1. The unknown are not counted at first: whoever has started may take effect as often as it is needed. That allows more
   orders than there are, so where it allows none, the piece is violated. Where the order that it finds uses nobody
   more often than there are alike, that is an order of the piece: held. Else those that it used too often are counted
   from then on, and the search begins again, with fewer orders to choose from; once all are counted it is exact.
   (Abstraction refinement by counterexamples: Clarke, Grumberg, Jha, Lu and Veith 2003, "Counterexample-Guided
   Abstraction Refinement for Symbolic Model Checking", section 4.) Pieces of one history are alike, so what one had to
   count is counted in the next ones too.
2. Those that are counted count only as long as somebody can need them. An unknown operation helps if an answered one
   sees its value, or the value that further unknown cas make of it, before another change; if nobody does, the order
   without it is as good, and so is one in which they lead back to a value that was there on the way. So of those alike
   no more are needed than answered operations are still to come that can see what they lead to, and configurations that
   have so many left are the same.

The sweep itself is just-in-time linearization, as in kernels/search.py.
"""

from collections import Counter
from collections.abc import Collection
from collections.abc import Hashable
from enum import IntEnum
from heapq import heappop
from heapq import heappush

import numpy as np

from statelab.check.kernels.model import Deadline
from statelab.check.kernels.search import MOST
from statelab.check.kernels.search import Outcome
from statelab.check.kernels.search import events
from statelab.check.models.register.values import cas_answer
from statelab.check.models.register.values import misses
from statelab.record.columns import FAIL
from statelab.record.columns import OK
from statelab.record.columns import History
from statelab.record.columns import Integers

_Value = Hashable
_Found = tuple[int, int, int]
"""What a configuration has used: (cost, how many of each request, which requests more often than there are)."""

_ANY, _OTHER = "any value", "a value that nobody asks for"
_TOO_OFTEN = 1 << 32
"""What it costs to use a request once more than there are: more than all others together."""


class _Kind(IntEnum):
    WRITE, READ, SWAP, MISS = range(4)


class Requests:
    """What each row of a history of registers does; `initial` is the number of the initial value.

    An answered row `needs` a value to be there, or not to be there if it is a miss; it `gives` another one if it is a
    write or a swap. `when` is the value that a cas expects, which is all that is known of it if its outcome is not.
    """

    def __init__(self, history: History, initial: int | None) -> None:
        self.history = history
        refused, miss = cas_answer(history, False), misses(history)
        swaps = history.is_op("cas")
        self.kind: list[int] = np.select(
            [miss, history.is_op("read") | refused, swaps], [_Kind.MISS, _Kind.READ, _Kind.SWAP], _Kind.WRITE
        ).tolist()
        self.sure: list[bool] = (history.status == OK).tolist()
        self.changes: list[bool] = (~history.is_op("read") & (history.status != FAIL)).tolist()
        expected, seen = _values(history, "expected", initial), _values(history, "seen", initial)
        found: list[bool] = (refused & ~miss).tolist()
        told = zip(found, self.kind, expected, seen, _values(history, "result", initial), strict=True)
        self.needs = [s if f else r if kind == _Kind.READ else e for f, kind, e, s, r in told]
        self.when = [e if swap else _ANY for e, swap in zip(expected, swaps.tolist(), strict=True)]
        self.gives: list[_Value] = list(_values(history, "value", initial))
        self.impossible = {row for row, f in enumerate(found) if f and seen[row] == expected[row]}


def _values(history: History, field: str, initial: int | None) -> list[int | None]:
    """The numbers of a field; None for nothing and for the initial value."""
    numbers, there = getattr(history, field), getattr(history, f"has_{field}")
    if numbers is None:
        return [None] * len(history)
    told = zip(numbers.tolist(), there.tolist(), strict=True)
    return [number if has and number != initial else None for number, has in told]


class KeySearch:
    """Searches the rows of one key, and pieces of them."""

    def __init__(self, requests: Requests, rows: Integers) -> None:
        self._requests = requests
        names = rows.tolist()
        in_time = events(requests.history.start[rows], requests.history.end[rows])
        self._in_time = [names[at] if at < len(names) else ~names[at - len(names)] for at in in_time]
        self._counted: set[tuple[_Value, _Value]] = set()

    def search(self, deadline: Deadline, kept: Collection[int] | None = None) -> Outcome:
        """Whether one register explains the answers of the rows, or of those that are kept while all others are
        forgotten."""
        sure = self._requests.sure
        answered = {row for row in self._in_time if row >= 0 and sure[row]}
        if kept is not None:
            answered &= set(kept)
        while True:
            outcome, used_too_often = self._sweep(answered, deadline)
            if not used_too_often:
                return outcome
            self._counted |= used_too_often

    def _sweep(self, answered: set[int], deadline: Deadline) -> tuple[Outcome, set[tuple[_Value, _Value]]]:
        """What the search says, and the requests that have to be counted before it can say so."""
        of = self._requests
        kind, needs, gives, when = of.kind, of.needs, of.gives, of.when

        # The values that somebody asks for. What gives another one helps nobody, except if somebody missed a value: to
        # those all other values are alike, and any of them may make way for the value that an unknown cas expects.
        to_see = Counter[_Value](needs[row] for row in answered if kind[row] in (_Kind.READ, _Kind.SWAP))
        to_miss = Counter[_Value](needs[row] for row in answered if kind[row] == _Kind.MISS)
        asked: set[_Value] = set(to_see)
        unknown = [row for row in self._in_time if row >= 0 and of.changes[row] and row not in answered]
        steps = {(when[row], gives[row]) for row in unknown}
        while more := {old for old, new in steps if old is not _ANY and (new in asked or to_miss)} - asked:
            asked |= more
        asked.update(to_miss)

        # Unknown operations with equal requests are alike: how many have begun, and how many a configuration has used,
        # in a field of `wide` bits each. The highest bit of a field is free, so that one subtraction compares all.
        alike: dict[tuple[_Value, _Value], int] = {}
        wide = len(unknown).bit_length() + 1
        for row in unknown:
            given = gives[row] if gives[row] in asked else _OTHER
            if given != when[row] and (given is not _OTHER or to_miss) and (when[row] is _ANY or when[row] in asked):
                alike.setdefault((when[row], given), len(alike))
        begun = [0] * len(alike)
        counting = {request: number for request, number in alike.items() if request in self._counted}
        counted = sum(((1 << (wide - 1)) - 1) << number * wide for number in counting.values())
        guard = sum(1 << number * wide + wide - 1 for number in counting.values())
        leads = {new: {new} for _, new in counting}
        for reached in leads.values():
            while further := {new for old, new in alike if old in reached} - reached:
                reached |= further

        def add(where: dict[tuple[int, _Value], list[_Found]], at: tuple[int, _Value], one: _Found) -> bool:
            """Whether it is new: with that state and those taken nobody has used as little or less."""
            others = where.get(at)
            if others is None:
                where[at] = [one]
                return True
            mine = one[1] & counted
            for other in others:
                its = other[1] & counted
                if ((mine | guard) - its) & guard == guard and (its != mine or other[0] <= one[0]):
                    return False
            others[:] = [other for other in others if (((other[1] & counted) | guard) - mine) & guard != guard]
            others.append(one)
            return True

        # The sweep. A configuration is (which open answered operations have taken effect, the state) and what it used.
        frontier: dict[tuple[int, _Value], list[_Found]] = {(0, None): [(0, 0, 0)]}
        bits, free = dict[int, int](), list[int]()
        reading, missing, all_missing = Counter[_Value](), Counter[_Value](), 0
        writes, swaps = dict[_Value, int](), dict[_Value, list[tuple[int, _Value]]]()
        swaps_to = dict[_Value, list[tuple[int, _Value]]]()
        placed, ordered, visited, misses_left = 0, 0, 0, sum(to_miss.values())
        for event in self._in_time:
            row = event if event >= 0 else ~event
            if row not in answered:
                if event >= 0 and of.changes[row]:
                    given = gives[row] if gives[row] in asked else _OTHER
                    number = alike.get((when[row], given), -1)
                    if number >= 0:
                        begun[number] += 1
                        if begun[number] == 1 and when[row] is _ANY:
                            writes[given] = number
                        elif begun[number] == 1:
                            swaps.setdefault(when[row], []).append((number, given))
                            swaps_to.setdefault(given, []).append((number, when[row]))
                continue
            if event >= 0:
                bit = bits[row] = free.pop() if free else 1 << len(bits)
                if row in of.impossible:
                    continue
                if kind[row] == _Kind.READ:
                    reading[needs[row]] |= bit
                elif kind[row] == _Kind.MISS:
                    missing[needs[row]] |= bit
                    all_missing |= bit
                continue

            # An operation ends: in each configuration it has taken effect, alone or after other open ones. Reads and
            # misses that fit are taken at once, since they change nothing.
            bit = bits[row]
            left: dict[tuple[int, _Value], list[_Found]] = {}
            seen: dict[tuple[int, _Value], list[_Found]] = {}
            todo = list[tuple[int, int, int, _Value, _Found]]()
            size = 0
            for (taken, state), found in frontier.items():
                taken |= reading[state] | (all_missing & ~missing[state])
                for one in found:
                    if taken & bit:
                        size += add(left, (taken ^ bit, state), one)
                    elif add(seen, (taken, state), one):
                        size += 1
                        heappush(todo, (one[0], size, taken, state, one))

            # Unknown operations may wait until just before an open one that sees what they lead to. So they are to give
            # a value that one of those needs; or that a cas replaces by it, where no write gives it as often as needed.
            changing, wanted = list[tuple[int, int]](), list[_Value]()
            useful_writes, useful_swaps = list[tuple[int, _Value]](), dict[_Value, list[tuple[int, _Value]]]()
            if todo:
                changing = [(own, other) for other, own in bits.items() if kind[other] in (_Kind.WRITE, _Kind.SWAP)]
                needed = (needs[other] for other in bits if kind[other] in (_Kind.READ, _Kind.SWAP))
                wanted = list(dict.fromkeys(needed))
            for given in wanted:  # grows
                if (number := writes.get(given, -1)) >= 0:
                    useful_writes.append((number, given))
                for swap, old in swaps_to.get(given, ()):
                    useful_swaps.setdefault(old, []).append((swap, given))
                    if old not in wanted and (number < 0 or counted >> number * wide & 1):
                        wanted.append(old)
            while todo:
                _, _, taken, state, one = heappop(todo)
                visited += 1
                if size > MOST or (visited % 256 == 0 and deadline.passed):
                    many = f"more than {MOST:,} configurations were possible at one moment"
                    why = many if size > MOST else "time ran out"
                    return Outcome("unknown", ordered, len(answered), why=why), set()
                if one not in seen[taken, state]:  # a better one has come since
                    continue
                cost, used, too_often = one
                made = list[tuple[int, _Value, _Found]]()
                for own, other in changing:
                    if not taken & own and (kind[other] == _Kind.WRITE or needs[other] == state):
                        made.append((taken | own, gives[other] if gives[other] in asked else _OTHER, one))
                ways = (*useful_writes, *useful_swaps.get(state, ()))
                if missing[state] & ~taken:  # to a miss any other value will do
                    ways = (*((number, given) for given, number in writes.items()), *swaps.get(state, ()))
                for number, given in ways:
                    if given == state:
                        continue
                    if (used >> number * wide) & ((1 << (wide - 1)) - 1) < begun[number]:
                        made.append((taken, given, (cost + 1, used + (1 << number * wide), too_often)))
                    elif not counted >> number * wide & 1:
                        made.append((taken, given, (cost + _TOO_OFTEN, used, too_often | 1 << number)))
                for after, new, found_so in made:
                    after |= reading[new] | (all_missing & ~missing[new])
                    if after & bit:
                        size += add(left, (after ^ bit, new), found_so)
                    elif add(seen, (after, new), found_so):
                        size += 1
                        heappush(todo, (found_so[0], size, after, new, found_so))
            if not left:
                return Outcome("violated", placed, len(answered), stuck=row), set()

            # It is closed. Of what is counted, each configuration has used at least what nobody can need any more.
            placed += 1
            free.append(bits.pop(row))
            if kind[row] in (_Kind.READ, _Kind.SWAP):
                to_see[needs[row]] -= 1
            if kind[row] == _Kind.READ:
                reading[needs[row]] &= ~bit
            elif kind[row] == _Kind.MISS:
                missing[needs[row]] &= ~bit
                all_missing &= ~bit
                misses_left -= 1
            frontier, floor = left, 0
            for (_, given), number in counting.items():
                needed_yet = misses_left + sum(to_see[value] for value in leads[given])
                floor += max(0, begun[number] - needed_yet) << number * wide
            if floor:
                frontier = {}
                for at, found in left.items():
                    for cost, used, too_often in found:
                        enough = ((used | guard) - floor) & guard
                        fields = enough - (enough >> (wide - 1))
                        raised = (used & ~counted) | (used & fields) | (floor & ~fields)
                        add(frontier, at, (cost, raised, too_often))
            if any(not one[2] for found in frontier.values() for one in found):
                ordered = placed
        best = min(one for found in frontier.values() for one in found)
        held = Outcome("held", placed, len(answered))
        return held, {request for request, number in alike.items() if best[2] >> number & 1}
