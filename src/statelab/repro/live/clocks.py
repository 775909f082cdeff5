"""Stamps of another machine as intervals of the master's clock: bounds that hold, whatever the network did.

Of an exchange it is certain that the question was received after it was sent, and the answer got after it was
answered. With `m(t)` for the master's clock when the recorder's shows t:  m(sent) <= received,  m(got) >= answered
(Cristian 1989, "Probabilistic Clock Synchronization"; half of the round trip is what lies between the two). Between
exchanges the clocks drift apart by at most MOST_DRIFT_PPM. So each exchange bounds the offset `m(t) - t` at every
moment, the less closely the further away it is, and what holds is the intersection of all of them (Marzullo 1984,
"Maintaining the Time in a Distributed System"). It is a pair of envelopes: the least of the upper bounds, and the
greatest of the lower ones. Exchanges that contradict each other (an empty intersection) show that a clock stepped.
What came after the last one that must have begun before the step has no bounds any more. A step that is smaller than
the bounds at its moment is not noticed; CLOCK_MONOTONIC steps only where a machine is stopped, restored or moved.

The interval of an operation becomes [lower bound of its start, upper bound of its end]: it contains the true one. A
wider interval allows every order that the true one allows, so it can hide a violation and never makes one
(docs/checking.md).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from statelab.core.clocks import MOST_DRIFT_PPM, Exchange
from statelab.core.operation import Operation, Status
from statelab.record.columns import Integers

_MILLION = 1_000_000
_NEVER = int(np.iinfo(np.int64).min)
_FAR = int(np.iinfo(np.int64).max) // 4
"""Beyond all bounds, in millionths of ns. A run may last 20 days."""

RESOLUTION_NS = 1
"""A clock shows whole nanoseconds: what it shows is up to one behind."""

STEPPED = "the clock of its recorder stepped"


class Clock:
    """A recorder's clock, seen from the master. `exchanges` are in the order in which they were made."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        wrong = _contradiction(exchanges)
        before = len(exchanges) if wrong is None else _last_before(exchanges, wrong)
        fitting = exchanges[:before]
        self.stepped = wrong is not None
        self.bound_ns = min((each.bound_ns for each in fitting), default=None)
        """The closest bound of the offset, ns; None where nothing is known of the clock."""
        self.until: int | None = None if fitting and wrong is None else _NEVER
        """The last moment of which something is known, by the recorder's clock; None: the clock never stepped."""
        if not fitting:
            return
        first = fitting[0]
        self._zero, self._offset = first.sent, first.received - first.sent
        self._upper = _Envelope([each.sent - self._zero for each in fitting],
                                [each.received - each.sent - self._offset for each in fitting])  # fmt: skip
        self._lower = _Envelope([each.got - self._zero for each in fitting],
                                [self._offset - each.answered + each.got for each in fitting])  # fmt: skip
        if wrong is not None:
            self.until = self._not_stamped_again(exchanges[before].sent, exchanges[wrong:])
            self.bound_ns = None if self.until == _NEVER else self.bound_ns

    def _not_stamped_again(self, until: int, after: Sequence[Exchange]) -> int:
        """Up to which stamp none was made after the step. If it went back, by at most as much as the exchanges since
        then leave open, stamps came again; the first of them alone, in the middle of which it may have stepped, does
        not say how far."""
        sent = np.array([each.sent for each in after], np.int64)
        back = np.array([each.received for each in after], np.int64) - self.earliest(sent)
        forward = after[0].received < self.earliest(sent[:1])[0]
        return until - max(0, int(back.max())) if forward or len(after) > 1 else _NEVER

    def earliest(self, stamps: Integers) -> Integers:
        """For stamps of the recorder, the earliest that the master's clock may have shown."""
        return stamps + self._offset - self._lower.least(stamps - self._zero) - RESOLUTION_NS

    def latest(self, stamps: Integers) -> Integers:
        """And the latest."""
        return stamps + self._offset + self._upper.least(stamps - self._zero) + RESOLUTION_NS


class _Envelope:
    """The least of many bounds: `bound[i]` at time `at[i]`, which grow, and the looser by the drift the further away
    from it."""

    def __init__(self, at: list[int], bound: list[int]) -> None:
        scaled = [(_MILLION * each, MOST_DRIFT_PPM * time) for each, time in zip(bound, at, strict=True)]
        after = np.minimum.accumulate(np.array([each - drift for each, drift in scaled], np.int64))
        before = np.minimum.accumulate(np.array([each + drift for each, drift in reversed(scaled)], np.int64))
        self._at = np.array(at, np.int64)
        self._after, self._before = np.append(_FAR, after), np.append(before[::-1], _FAR)

    def least(self, times: Integers) -> Integers:
        place, drift = np.searchsorted(self._at, times, "right"), MOST_DRIFT_PPM * times
        scaled = np.minimum(self._after[place] + drift, self._before[place] - drift)
        return -(-scaled // _MILLION)  # rounded up


def _contradiction(exchanges: Sequence[Exchange]) -> int | None:
    """The place of the first exchange that contradicts what those before it say, or itself."""
    above: int | None = None  # the least of the upper bounds, and the greatest of the lower ones, in millionths of ns
    below: int | None = None
    got = None
    for place, each in enumerate(exchanges):
        upper, lower = _MILLION * (each.received - each.sent), _MILLION * (each.answered - each.got)
        sent, back = MOST_DRIFT_PPM * each.sent, MOST_DRIFT_PPM * each.got
        above = upper - sent if above is None else min(above, upper - sent)
        wrong = each.got < each.sent or (got is not None and each.sent < got) or lower > above + back
        if wrong or (below is not None and upper < below - sent):
            return place
        below, got = lower + back if below is None else max(below, lower + back), each.got
    return None


def _last_before(exchanges: Sequence[Exchange], wrong: int) -> int:
    """The place of the last exchange that began before the step: it contradicts one of those after it."""
    for place in range(wrong - 1, -1, -1):
        if any(_contradiction([exchanges[place], later]) is not None for later in exchanges[place + 1 : wrong + 1]):
            return place
    return 0


@dataclass(frozen=True, slots=True)
class Placed:
    """Operations on the master's clock. `widened` have intervals that contain the true ones; `likely` have the middle
    of the bounds, for figures such as a latency. `unplaced` counts those of whose time nothing is known."""

    widened: list[Operation]
    likely: list[Operation]
    unplaced: int
    most_ns: int
    """By how much an interval was widened at most, on both sides together."""


def place(operations: Sequence[Operation], clock: Clock, changes: Collection[str], since: int) -> Placed:
    """The operations of a recorder on the master's clock, on which they all started after `since`.

    Where nothing is known of an operation's time, a change has an unknown outcome, from the last moment on that is
    known, and anything else is no evidence: what it was answered is left out.
    """
    start = np.array([one.start for one in operations], np.int64)
    end = np.array([one.start if one.end is None else one.end for one in operations], np.int64)
    known = np.ones(len(start), np.bool_) if clock.until is None else end <= clock.until
    if clock.bound_ns is None:
        low = high = end_low = end_high = np.full(len(start), since)
        known[:] = False
    else:
        begun = start if clock.until is None else np.minimum(start, clock.until)
        low, high = clock.earliest(begun), clock.latest(begun)
        end_low, end_high = clock.earliest(end), clock.latest(end)
    widened, likely = list[Operation](), list[Operation]()
    middle, end_middle = (low + high) // 2, (end_low + end_high) // 2
    columns = (each.tolist() for each in (known, low, end_high, middle, end_middle))
    for one, is_known, *stamps in zip(operations, *columns, strict=True):
        if is_known:
            for into, begins, ends in ((widened, *stamps[:2]), (likely, *stamps[2:])):
                into.append(replace(one, start=begins, end=None if one.end is None else ends))
        else:
            status: Status = "info" if one.op in changes and one.status != "fail" else "fail"
            lost = replace(one, start=stamps[0], end=None, status=status, result=None, seen=None, error=STEPPED)
            widened.append(lost)
            likely.append(lost)
    return Placed(
        widened,
        likely,
        unplaced=int((~known).sum()),
        most_ns=int(((high - low) + (end_high - end_low))[known].max(initial=0)),
    )
