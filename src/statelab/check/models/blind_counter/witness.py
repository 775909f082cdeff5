"""The smallest piece of a blind counter's history that is itself a violation; what that means, kernels/forgetting.py
says.

Each piece is minimal by construction, given that the smaller kinds do not occur:
- too-low: one read of less than the initial value.
- too-high: one read of v, by whose end fewer than v increments had been asked for. (That needs no answer but its own.)
- inversion: two reads, the lower one started after the higher one had ended. Either alone is neither of the above.
- missing: a read of v, and v - u + 1 increments that had ended before it and had started after a read of u had ended
  (the beginning, u the initial value, needs no read). Without one increment u..v has room for the rest; without the
  later read nobody says that they are few; without the earlier one they may be any v - u + 1 <= v of all increments.

The second half puts it in words, for a reader who does not know the algorithm.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from statelab.check.kernels import order
from statelab.check.kernels.words import Cast, named
from statelab.check.models.blind_counter.limits import Limits, Places
from statelab.core.errors import counted
from statelab.record.columns import INF, History, Integers

Kind = Literal["too-low", "too-high", "inversion", "missing"]

_TRIED = 64
"""How many reads that lack increments are searched for the smallest witness."""


@dataclass(frozen=True, slots=True)
class Witness:
    """`read` contradicts the rest: `base` is an earlier read, `increments` are missing from `read`, by start.

    `asked` is how many increments had been asked for when `read` ended.
    """

    kind: Kind
    read: int
    base: int | None = None
    increments: tuple[int, ...] = ()
    slack_ns: int | None = None
    asked: int = 0

    @property
    def reads(self) -> tuple[int, ...]:
        return (self.read,) if self.base is None else (self.base, self.read)

    @property
    def rows(self) -> tuple[int, ...]:
        return (*self.reads[:-1], *self.increments, self.read)


def smallest(given: Limits, short: Integers) -> Witness:
    """The witness with the fewest operations; `short` are the values, at least one, that lack increments.

    Of equal ones the largest slack counts, then the shortest span. Exact up to three operations; above, the smallest
    that the first 64 values of `short` have, from a base as late as it can be.
    """
    value, reads = given.reads.value, given.reads
    base = given.counters.base[reads.key]
    too_low = np.flatnonzero(value < base)
    if len(too_low):
        return Witness("too-low", int(reads.row[_shortest(given, too_low)]))
    too_high = np.flatnonzero(value - base > given.asked)
    if len(too_high):
        return _too_high(given, too_high)
    found = []
    pair = order.check(reads.value, reads.start, reads.end)
    if pair:
        first, second = int(reads.row[pair.later]), int(reads.row[pair.earlier])
        found.append(Witness("inversion", second, first, slack_ns=_distance(given, first, second)))
    placed = _Placed(given.row, given.start[given.row], given.end[given.row])
    missing = (_missing(given, placed, number) for number in np.unique(short)[:_TRIED].tolist())
    found += [witness for witness in missing if witness]

    def size(witness: Witness) -> tuple[int, int, int]:
        rows = list(witness.rows)
        start, end = given.history.start[rows], given.history.end[rows]
        return len(rows), -(witness.slack_ns or 0), int(end.max()) - int(start.min())

    return min(found, key=size)


def _shortest(given: Limits, reads: Places) -> int:
    return int(reads[np.argmin((given.reads.end - given.reads.start)[reads])])


def _too_high(given: Limits, reads: Places) -> Witness:
    """Of the reads that show too much the one that had to wait longest until so many had been asked for."""
    counters, key = given.counters, given.reads.key[reads]
    needed = counters.asked[key] + given.reads.value[reads] - counters.base[key]
    some = needed <= np.append(counters.asked[1:], len(given.begun))[key]
    wait = np.full(len(reads), INF)
    wait[some] = given.start[given.begun[needed[some] - 1]] - given.reads.end[reads[some]]
    longest = wait == wait.max()
    read = _shortest(given, reads[longest])
    row = int(given.reads.row[read])
    slack = None
    if some[longest].all():
        slack = _distance(given, row, int(given.begun[needed[reads == read][0] - 1]))
    return Witness("too-high", row, slack_ns=slack, asked=int(given.asked[read]))


def _distance(given: Limits, earlier: int, later: int) -> int:
    """By how many ns one row had ended before another started."""
    return int(given.history.start[later]) - int(given.history.end[earlier])


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """The acknowledged increments by start: rows, and times on the common axis."""

    row: Places
    start: Integers
    end: Integers


def _missing(given: Limits, placed: _Placed, value: int) -> Witness | None:
    """The witness of the read of at most `value` that started last, from the highest base that lacks an increment.

    Looks back from the read to as few earlier reads as it can: the last 32 to end, or the last 128, 512, ...
    None: all bases that do are higher than the read (then the two reads are an inversion).
    """
    reads = given.reads
    read = int(reads.by_start[np.searchsorted(reads.lowest, value, "right") - 1])
    until = int(np.searchsorted(reads.ends, reads.start[read], "left"))
    beginning = int(np.searchsorted(reads.highest[1:], given.counters.base[reads.key[read]] - 1, "left"))
    back = 32
    while True:
        since = max(beginning, until - back)
        witness = _missing_since(given, placed, read, reads.by_end[since:until], whole=since == beginning)
        if witness or since == beginning:
            return witness
        back *= 4


def _missing_since(given: Limits, placed: _Placed, read: int, bases: Places, *, whole: bool) -> Witness | None:
    """The witness from the highest of these bases that lacks an increment or, if they are the `whole` past and none
    does, from the beginning; None if nothing is missing."""
    reads, base_value = given.reads, int(given.counters.base[given.reads.key[read]])
    first = np.searchsorted(given.low, base_value, "right")
    if not whole:
        first = np.searchsorted(placed.start, reads.end[bases[0]], "right")
    last = np.searchsorted(placed.start, reads.start[read], "left")
    inside = first + np.flatnonzero(placed.end[first:last] < reads.start[read])
    count = len(inside) - np.searchsorted(placed.start[inside], reads.end[bases], "right")
    rise = reads.value[read] - reads.value[bases]
    lacking = bases[(count > rise) & (rise >= 0) & (reads.value[bases] > base_value)]
    if len(lacking):
        highest = lacking[reads.value[lacking] == reads.value[lacking].max()]
        base = int(highest[np.argmin(reads.end[highest])])
        after = inside[placed.start[inside] > reads.end[base]]
        return _with_widest(given, placed, read, base, after)
    enough = whole and len(inside) > reads.value[read] - base_value
    return _with_widest(given, placed, read, None, inside) if enough else None


def _with_widest(given: Limits, placed: _Placed, read: int, base: int | None, inside: Places) -> Witness:
    """The witness with as few of the increments `inside` as it takes: those that lie furthest from the two reads."""
    reads = given.reads
    from_value = given.counters.base[reads.key[read]] if base is None else reads.value[base]
    room = reads.start[read] - placed.end[inside]
    if base is not None:
        room = np.minimum(room, placed.start[inside] - reads.end[base])
    chosen = np.sort(np.argsort(-room, kind="stable")[: int(reads.value[read] - from_value) + 1])
    rows = tuple(placed.row[inside[chosen]].tolist())
    last, first = int(reads.row[read]), None if base is None else int(reads.row[base])
    distances = [_distance(given, row, last) for row in rows]
    distances += [] if first is None else [_distance(given, first, row) for row in rows]
    return Witness("missing", last, first, rows, min(distances))


def words(history: History, witness: Witness, initial: int) -> str:
    """The proof of a witness; of more than six increments the first three and the last are named."""
    cast = Cast(history, witness.rows)
    shown = {row: int(history.result[row]) if history.has_result[row] else initial for row in witness.reads}
    if witness.kind == "missing":
        text = _why_missing(cast, witness, shown, initial)
    elif witness.kind == "inversion":
        first, second = cast.rows
        apart = f"{cast.name(first)} had ended {cast.span(witness.slack_ns or 0)} before {cast.name(second)} started"
        text = f"{cast.told(first)}. {apart}, yet {cast.told(second)}: a counter never goes down."
    elif witness.kind == "too-high":
        needed = counted(shown[witness.read] - initial, "increment")
        text = (
            f"{cast.told(witness.read)}, which takes {needed}; {witness.asked:,} had been asked for when "
            f"{cast.name(witness.read)} ended. Nobody can have added the rest."
        )
    else:
        text = f"{cast.told(witness.read)}. The counter starts at {initial:,} and never goes down."
    return f"{text} {cast.introductions((*witness.reads[:-1], *named(witness.increments), witness.read))}"


def _why_missing(cast: Cast, witness: Witness, shown: dict[int, int], initial: int) -> str:
    last, count = cast.name(witness.read), len(witness.increments)
    least = count + (initial if witness.base is None else shown[witness.base])
    added = f"{cast.together(witness.increments, 'increment')} added one{' each' if count > 1 else ''}"
    distance = cast.span(witness.slack_ns or 0)
    if witness.base is None:
        when = f"{added} and had ended at least {distance} before {last} started. The counter starts at {initial:,}"
    else:
        first = cast.name(witness.base)
        when = (
            f"{cast.told(witness.base)}. {added}, at least {distance} after {first} had ended and at least {distance} "
            f"before {last} started. What {first} saw is there, too"
        )
    return f"{when}, so {last} had to read {least:,} or more. But {cast.told(witness.read)}."
