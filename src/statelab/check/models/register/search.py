"""The search for one register whose values repeat: whether any order explains a key's history, or a piece of it.

Claim: the verdicts `held` and `violated` are exact; `unknown` says which limit ended the search. A *piece* keeps some
of the answers and forgets all others (kernels/forgetting.py). A forgotten write or cas is one of unknown outcome, so a
small piece of a long history has many of those, and which of them took effect is what makes a search long. The search
is that of kernels/search.py: the answered operations are its rows, the unknown ones are counted in the cost, by what
they were to do (their *request*). Two things make it short:

1. The unknown are not counted at first: once one has started, its request may take effect as often as it is needed.
   That allows more orders than there are, so if it allows none, the piece is violated. If the order that it finds uses
   no request more often than it was made, that is an order of the piece: held. Else the requests that it used too often
   are counted from then on, and the search begins again with fewer orders to choose from; once all are counted it is
   exact.
   (Abstraction refinement by counterexamples: Clarke, Grumberg, Jha, Lu and Veith 2003, "Counterexample-Guided
   Abstraction Refinement for Symbolic Model Checking", section 4.) Pieces of one history are alike, so what one had to
   count is counted in the next ones too.
2. Those that are counted count only as long as somebody can need them. An unknown operation helps if an answered one
   sees its value, or the value that further unknown cas make of it, before another change; if nobody does, the order
   without it is as good, and so is one in which they lead back to a value that was there on the way. So no more of a
   request are needed than there are answered operations still to come that can see what it leads to. All
   configurations that have as many left as that are alike.
"""

from collections import Counter
from collections.abc import Collection, Hashable
from dataclasses import replace
from operator import itemgetter
from typing import Any

import numpy as np

from statelab.check.kernels.model import Deadline
from statelab.check.kernels.search import REFUSED, Outcome, Specification, events, sweep
from statelab.check.models.register.values import cas_answer, misses
from statelab.record.columns import FAIL, OK, History, Integers

_Value = Hashable
_Request = tuple[_Value, _Value]
"""What an unknown operation does: the value that a cas expects (of a write: any), and the one that it gives."""
_Found = tuple[int, int, int]
"""What a configuration has used: (cost, how many of each request, which requests more often than they were made)."""

_ANY, _OTHER, _NONE = "any value", "a value that nobody asks for", "no value"
_TOO_OFTEN = 1 << 32
"""What it costs to use a request once more than there are: more than all others together."""

_WRITE, _READ, _SWAP, _MISS = range(4)
"""A cas that replaced its value is a swap; one that did not is a read if it says what it saw, else a miss."""


class Requests:
    """What each row of a history of registers does; `initial` is the number of the initial value.

    An answered row `needs` a value to be there, or not to be there if it is a miss; it `gives` another one if it is a
    write or a swap. `when` is the value that a cas expects, which is all that is known of it if its outcome is not.
    """

    def __init__(self, history: History, initial: int | None) -> None:
        self.history = history
        read, swap, refused, miss = (
            history.is_op("read"),
            history.is_op("cas"),
            cas_answer(history, False),
            misses(history),
        )
        self.kind: list[int] = np.select([miss, read | refused, swap], [_MISS, _READ, _SWAP], _WRITE).tolist()
        self.reads: list[bool] = (read | refused).tolist()
        self.sure: list[bool] = (history.status == OK).tolist()
        self.changes: list[bool] = (~read & (history.status != FAIL)).tolist()
        expected, seen = _values(history, "expected", initial), _values(history, "seen", initial)
        self.when = [e if swaps else _ANY for e, swaps in zip(expected, swap.tolist(), strict=True)]
        self.gives: list[_Value] = list(_values(history, "value", initial))
        self.needs: list[_Value] = list(self.when)
        for row, value in enumerate(_values(history, "result", initial)):
            if read[row]:
                self.needs[row] = value
        for row in np.flatnonzero(refused & ~miss).tolist():  # it cannot have seen the value that it was to replace
            self.needs[row] = _NONE if seen[row] == expected[row] else seen[row]
        self.request = list(zip(self.kind, self.needs, self.gives, strict=True))


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
        self._in_time = events(rows, requests.history.start[rows], requests.history.end[rows])
        self._counted: set[_Request] = set()  # pieces of one history are alike: counted in one, counted in the next

    def search(self, deadline: Deadline, kept: Collection[int] | None = None) -> Outcome:
        """Whether one register explains the answers of the rows, or of those that are kept while all others are
        forgotten."""
        sure, changes = self._requests.sure, self._requests.changes
        answered = {row for row in self._in_time if row >= 0 and sure[row]}
        if kept is not None:
            answered &= set(kept)
        in_time = [e for e in self._in_time if (~e in answered if e < 0 else e in answered or changes[e])]
        of_answered = [event for event in in_time if event < 0 or event in answered]
        while True:
            piece = _Piece(self._requests, in_time, answered, self._counted)
            outcome = sweep(of_answered, piece.specification(), deadline=deadline)
            if outcome.verdict == "unknown":
                return replace(outcome, placed=piece.ordered)
            if outcome.verdict == "violated" or not (used_too_often := outcome.cost[2]):
                return outcome
            self._counted |= piece.counts.named(used_too_often)


class _Counts:
    """How many unknown operations of each request have begun, and how many of them a configuration has used.

    The numbers used stand in one integer, in a field of `wide` bits for each request. The highest bit of a field is
    free, so that one subtraction compares all fields.
    """

    def __init__(self, requests: list[_Request], counted: set[_Request], wide: int) -> None:
        self.number = {request: number for number, request in enumerate(dict.fromkeys(requests))}
        self._begun = [0] * len(self.number)
        self._wide, self._most = wide, (1 << (wide - 1)) - 1
        self._counting = {request: number for request, number in self.number.items() if request in counted}
        self._counted = sum(self._most << number * wide for number in self._counting.values())
        self._guard = sum(1 << number * wide + wide - 1 for number in self._counting.values())
        self._leads = {new: {new} for _, new in self._counting}
        for reached in self._leads.values():
            while further := {new for old, new in self.number if old in reached} - reached:
                reached |= further

    def begin(self, number: int) -> bool:
        """Notes that one more has begun; whether it is the first."""
        self._begun[number] += 1
        return self._begun[number] == 1

    def counts(self, number: int) -> bool:
        """Whether no more of a request may be used than have begun."""
        return bool(self._counted >> number * self._wide & 1)

    def named(self, numbers: int) -> set[_Request]:
        """The requests whose numbers are the bits that are set."""
        return {request for request, number in self.number.items() if numbers >> number & 1}

    def after(self, found: _Found, number: int) -> _Found | None:
        """What is used with one more of a request; None where it is counted and all that have begun are used."""
        cost, used, too_often = found
        if (used >> number * self._wide) & self._most < self._begun[number]:
            return cost + 1, used + (1 << number * self._wide), too_often
        return None if self.counts(number) else (cost + _TOO_OFTEN, used, too_often | 1 << number)

    def cheaper(self, one: _Found, other: _Found) -> bool:
        """Whether the first has used no more of any request that is counted; of equals, the one that cost less."""
        its, mine = one[1] & self._counted, other[1] & self._counted
        if its == mine:
            return one[0] <= other[0]
        return ((mine | self._guard) - its) & self._guard == self._guard

    def spare(self, to_see: Counter[_Value], misses: int) -> int:
        """How many of each request nobody can need any more, in the fields of one integer. `to_see` says how many
        answered operations are still to see a value, `misses` how many are still to miss one."""
        spare = 0
        for (_, given), number in self._counting.items():
            needed_yet = misses + sum(to_see[value] for value in self._leads[given])
            spare += max(0, self._begun[number] - needed_yet) << number * self._wide
        return spare

    def with_used(self, found: _Found, spare: int) -> _Found:
        """What is used if, of each request, at least as many count as used as are `spare`."""
        cost, used, too_often = found
        enough = ((used | self._guard) - spare) & self._guard
        fields = enough - (enough >> (self._wide - 1))
        return cost, (used & ~self._counted) | (used & fields) | (spare & ~fields), too_often


class _Piece:
    """The register that the search asks, with the unknown operations of a piece of a history.

    Of the piece these operations were answered, and these requests are counted. `in_time` has the starts of all
    operations and the ends of the answered ones.
    """

    def __init__(self, of: Requests, in_time: list[int], answered: set[int], counted: set[_Request]) -> None:
        self._of, self._events, self._answered, self._kind, self._needs = of, iter(in_time), answered, of.kind, of.needs

        # The values that somebody asks for. What gives another one helps nobody, except if somebody missed a value: to
        # those all other values are alike, and any of them may make way for the value that an unknown cas expects.
        self._to_see = Counter[_Value](of.needs[row] for row in answered if of.kind[row] in (_READ, _SWAP))
        to_miss = [of.needs[row] for row in answered if of.kind[row] == _MISS]
        self._to_miss = len(to_miss)
        self._asked: set[_Value] = set(self._to_see)
        unknown = [row for row in in_time if row >= 0 and row not in answered]
        steps = {(of.when[row], of.gives[row]) for row in unknown}
        while more := {old for old, new in steps if old is not _ANY and (new in self._asked or to_miss)} - self._asked:
            self._asked |= more
        self._asked.update(to_miss)
        helping: list[_Request] = [
            (old, given)
            for old, given in ((of.when[row], self._given(row)) for row in unknown)
            if given != old and (given is not _OTHER or to_miss) and (old is _ANY or old in self._asked)
        ]
        self.counts = _Counts(helping, counted, wide=len(unknown).bit_length() + 1)

        # What is open: how many answered operations see or miss a value, and which unknown ones have started.
        self._seeing, self._missing = Counter[_Value](), Counter[_Value]()
        self._writes = dict[_Value, int]()
        self._swaps, self._swaps_to = dict[_Value, list[tuple[int, _Value]]](), dict[_Value, list[tuple[int, _Value]]]()
        self._useful: tuple[list[tuple[int, _Value]], dict[_Value, list[tuple[int, _Value]]]] | None = None
        self._ending: int | None = None
        self._spare = self._ended = self.ordered = 0

    def specification(self) -> Specification:
        return Specification(
            initial=None,
            step=self._step,
            reads=self._of.reads,
            request=self._of.request.__getitem__,
            cost=(0, 0, 0),
            cheaper=self.counts.cheaper,
            price=itemgetter(0),
            at=self._go_on,
            aged=self._aged,
            others=self._others,
        )

    def _given(self, row: int) -> _Value:
        value = self._of.gives[row]
        return value if value in self._asked else _OTHER

    def _step(self, state: _Value, cost: _Found, row: int) -> Any:
        kind, needs = self._kind[row], self._needs[row]
        if kind == _MISS:
            return REFUSED if state == needs else (state, cost)
        if kind == _READ:
            return (state, cost) if state == needs else REFUSED
        return (self._given(row), cost) if kind == _WRITE or state == needs else REFUSED

    def _go_on(self, _: int) -> None:
        """Goes on to the next end: notes that the operation that ended last is over, and what has started since."""
        if self._ending is not None:
            self._ended += 1
            self._note(self._ending, -1)
        for event in self._events:
            if event < 0:
                self._ending = ~event
                break
            if event in self._answered:
                self._note(event, 1)
            else:
                self._may_begin(event)
        self._spare, self._useful = self.counts.spare(self._to_see, self._to_miss), None

    def _note(self, row: int, by: int) -> None:
        """An answered operation starts (1) or is over (-1)."""
        kind, needs = self._kind[row], self._needs[row]
        if kind == _MISS:
            self._missing[needs] += by
            self._to_miss += min(by, 0)
        elif kind != _WRITE:
            self._seeing[needs] += by
            self._to_see[needs] += min(by, 0)

    def _may_begin(self, row: int) -> None:
        """An unknown operation may take effect from now on."""
        old, given = self._of.when[row], self._given(row)
        number = self.counts.number.get((old, given))
        if number is None or not self.counts.begin(number):
            return
        if old is _ANY:
            self._writes[given] = number
        else:
            self._swaps.setdefault(old, []).append((number, given))
            self._swaps_to.setdefault(given, []).append((number, old))

    def _aged(self, state: _Value, cost: _Found) -> tuple[_Value, _Found]:
        """The unknown operations that nobody can need any more count as used (2 above)."""
        if not cost[2]:
            self.ordered = self._ended  # so many answers have an order that uses no request too often
        return state, self.counts.with_used(cost, self._spare) if self._spare else cost

    def _others(self, state: _Value, cost: _Found) -> list[tuple[_Value, _Found]]:
        """What unknown operations can make of a state, if that is of use to an operation that is open.

        They may wait until just before an open operation that sees what they lead to. So they are to give a value that
        one of those needs; or that a cas replaces by it, where no write gives it as often as needed. To a miss any
        other value will do.
        """
        if self._useful is None:
            writes, swaps = self._useful = [], {}
            wanted = [value for value, count in self._seeing.items() if count]
            for given in wanted:  # grows
                number = self._writes.get(given)
                if number is not None:
                    writes.append((number, given))
                for swap, old in self._swaps_to.get(given, ()):
                    swaps.setdefault(old, []).append((swap, given))
                    if old not in wanted and (number is None or self.counts.counts(number)):
                        wanted.append(old)
        writes, swaps = self._useful
        ways = (*writes, *swaps.get(state, ()))
        if self._missing[state]:
            ways = (*((number, given) for given, number in self._writes.items()), *self._swaps.get(state, ()))
        after = self.counts.after
        return [(given, used) for number, given in ways if given != state and (used := after(cost, number))]
