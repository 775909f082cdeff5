"""The rule for queues in which no value is enqueued twice: each element has one enqueue and one dequeue at most.

All keys are judged at once, on one axis of times on which each key lies after the one before. See queue/model.py.
"""

from dataclasses import dataclass

import numpy as np

from statelab.check.kernels.packing import dense, paired
from statelab.record.columns import FAIL, INF, INFO, OK, Codes, History, Integers, Mask

NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Elements:
    """The different values of each key, shape `(elements,)`, as long as an enqueue or a dequeue names them.

    `asked` counts the enqueues that were not refused, `taken` the dequeues that returned it; `put` and `took` are the
    row of one of them (NONE: there is none), and `begun` is when the first enqueue started. `there` is the time from
    which on it is certainly in the queue, until somebody dequeues it.
    """

    key: Integers
    asked: Integers
    taken: Integers
    put: Integers
    took: Integers
    begun: Integers
    there: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What contradicts what, as places of elements and rows of the history; masks `(keys,)` are the verdicts.

    `early` are rows that dequeued what nobody had asked to enqueue yet, `of` the element of each row. `overtaken` are
    elements, and `by` for each element the row that ended first among those that tell that it must be gone (NONE).
    `lost` are elements that had to be gone, each one more than there were unknown dequeues. `covered` are rows that
    found nothing while something was there all the time.
    """

    elements: Elements
    of: Integers
    early: Integers
    twice: Integers
    overtaken: Integers
    by: Integers
    lost: Integers
    covered: Integers
    wrong: Mask
    open: Mask


def judge(history: History, *, ordered: bool) -> Judgement:
    """Applies the rule to all keys at once; `ordered`: first in, first out. O(n log n)."""
    keys = len(history.keys)
    start, end, after = _one_axis(history)
    elements, of = _elements(history, start, end, after)
    dequeue = history.is_op("dequeue")
    answered = np.flatnonzero(dequeue & (history.status == OK) & history.has_result)
    early = answered[end[answered] < elements.begun[of[answered]]]
    twice = np.flatnonzero(elements.taken > np.maximum(elements.asked, 1))
    wrong, ambiguous = _marked(keys, history.key[early], elements.key[twice]), np.zeros(keys, np.bool_)
    ambiguous[elements.key[elements.asked > 1]] = True

    plain = ~(wrong | ambiguous)
    some = np.flatnonzero(plain[elements.key] & (elements.asked == 1))
    key, there, took = elements.key[some], elements.there[some], elements.took[some]
    empty = np.flatnonzero(dequeue & (history.status == OK) & ~history.has_result & plain[history.key])
    # What tells that an element must be gone: a later one was taken, or there was nothing.
    later = np.flatnonzero(took != NONE) if ordered else some[:0]
    rows = np.concatenate((took[later], empty))
    since = np.concatenate((elements.begun[some[later]], start[empty]))
    deadline, by = _deadlines(rows, since, end[rows], there, after[key])
    left_at = np.where(took == NONE, after[key], start[took])
    overtaken = (took != NONE) & (left_at > deadline)

    unknown = np.sort(start[dequeue & (history.status == INFO)])
    bounds = np.searchsorted(unknown, after)
    first = np.concatenate(([0], bounds[:-1]))
    left = np.flatnonzero((took == NONE) & (there < after[key]))
    left = left[np.lexsort((there[left], deadline[left]))]
    place = np.arange(len(left)) - np.searchsorted(key[left], key[left])
    ready = np.searchsorted(unknown, deadline[left], "right") - first[key[left]]
    lost = left[(place >= ready) & (deadline[left] < after[key[left]])]
    helped = place < (bounds - first)[key[left]]
    left_at[left[helped]] = unknown[(first[key[left]] + place)[helped]]

    sure = (took != NONE) | (bounds == first)[key]
    covered = empty[_covered(start[empty], end[empty], there[sure], left_at[sure])]
    perhaps = empty[_covered(start[empty], end[empty], there, left_at)]
    wrong |= _marked(keys, key[overtaken], key[lost])
    covered = covered[~wrong[history.key[covered]]]  # of the others one alone says it already
    wrong[history.key[covered]] = True
    by_element = np.full(len(elements.key), NONE)
    by_element[some] = by
    return Judgement(
        elements=elements,
        of=of,
        early=early,
        twice=twice,
        overtaken=some[overtaken],
        by=by_element,
        lost=some[lost],
        covered=covered,
        wrong=wrong,
        open=(ambiguous | _marked(keys, history.key[perhaps])) & ~wrong,
    )


def _marked(keys: int, *codes: Integers | Codes) -> Mask:
    marked = np.zeros(keys, np.bool_)
    for some in codes:
        marked[some] = True
    return marked


def _one_axis(history: History) -> tuple[Integers, Integers, Integers]:
    """Starts and ends as places in time, each key after the one before; and for each key a time after all of its own,
    which is also that of an open end."""
    key = history.key.astype(np.int64)
    times = np.concatenate((history.start, np.where(history.end == INF, history.start, history.end)))
    both = np.concatenate((key, key))
    place = dense(paired(both, times)) + both
    after = np.arange(len(history.keys)) - 1  # of a key without operations
    np.maximum.at(after, both, place)
    after = np.maximum.accumulate(after) + 1
    start, end = np.split(place, 2)
    return start, np.where(history.end == INF, after[key], end), after


def _elements(history: History, start: Integers, end: Integers, after: Integers) -> tuple[Elements, Integers]:
    asking = np.flatnonzero(history.is_op("enqueue") & (history.status != FAIL))
    taking = np.flatnonzero(history.is_op("dequeue") & (history.status == OK) & history.has_result)
    put = np.zeros(0, np.int64) if history.value is None else history.value[asking]
    rows = np.concatenate((asking, taking))
    number = dense(np.concatenate((put, history.result[taking])))
    _, some, element = np.unique(
        paired(history.key[rows].astype(np.int64), number), return_index=True, return_inverse=True
    )
    n, (own, theirs) = len(some), np.split(element, [len(asking)])
    of = np.full(len(history), NONE)
    of[rows] = element
    begun, there = np.full(n, INF), np.full(n, INF)
    np.minimum.at(begun, own, start[asking])
    np.minimum.at(there, own, end[asking])
    one, took = np.full(n, NONE), np.full(n, NONE)
    one[own], took[theirs] = asking, taking
    elements = Elements(
        key=history.key[rows[some]].astype(np.int64),
        asked=np.bincount(own, minlength=n),
        taken=np.bincount(theirs, minlength=n),
        put=one,
        took=took,
        begun=begun,
        there=there,
    )
    return elements, of


def _deadlines(
    rows: Integers, since: Integers, end: Integers, there: Integers, after: Integers
) -> tuple[Integers, Integers]:
    """By when each element must be gone, and the row that says so; `after` and NONE where no row does.

    `rows` tell that what was there before `since` must be gone when they end. Of those whose `since` is later than the
    time from which on an element is there, the first to end counts.
    """
    if not len(rows):
        return after, np.full(len(there), NONE)
    order = np.argsort(since, kind="stable")
    rows, end = rows[order], end[order]
    # For each place the smallest end from it on, and the place of that.
    soonest = np.minimum.accumulate(end[::-1])[::-1]
    own = np.where(end == soonest, np.arange(len(end)), len(end))
    first = np.minimum.accumulate(own[::-1])[::-1]
    place = np.searchsorted(since[order], there, "right")
    found = np.append(soonest, INF)[place]
    valid = found < after
    at = np.full(len(there), NONE)
    at[valid] = rows[first[place[valid]]]
    return np.where(valid, found, after), at


def _covered(start: Integers, end: Integers, there: Integers, gone: Integers) -> Mask:
    """Which of these times lie within what the spans from `there` to `gone` (without their ends) cover together."""
    lasting = there < gone
    there, gone = there[lasting], gone[lasting]
    order = np.argsort(there, kind="stable")
    there, gone = there[order], np.maximum.accumulate(gone[order])
    begins = np.ones(len(there), np.bool_)
    begins[1:] = there[1:] >= gone[:-1]
    first = np.flatnonzero(begins)
    until = gone[np.append(first[1:], len(gone)) - 1] if len(first) else gone
    place = np.searchsorted(there[first], start, "left") - 1
    inside = place >= 0
    covered = np.zeros(len(start), np.bool_)
    covered[inside] = end[inside] < until[place[inside]]
    return covered
