"""The model `unique-ids`: no two `new-id` requests are ever given the same id.

Promise: all ids that ok requests of one key were given are different. An id is a whole number or a text.
Algorithm: sort the ids; equal ones stand side by side (`unique-ids` of Jepsen, `jepsen.checker`, counts the same).
Exact: two equal ids contradict the promise by themselves, and different ones contradict nothing. No clock is needed.
Assumes: ids of different keys have nothing to do with each other. A request of unknown outcome may have taken an id,
but nobody knows which, so it says nothing; neither does a refused one.
Witness: two requests that were given one id, of all such pairs the one in the shortest time.
Cost: O(n log n), one sort of the ids.
"""

import numpy as np

from statelab.check.kernels.model import Deadline, Finding, Model, Proof
from statelab.check.kernels.packing import fits, paired
from statelab.check.kernels.pairs import apart, closest
from statelab.check.kernels.words import Cast
from statelab.core.operation import Value
from statelab.record.columns import OK, History, Integers, Mask
from statelab.record.shapes import Shape


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether all ids are different, key by key."""
    rows = np.flatnonzero((history.status == OK) & history.has_result)
    if not fits(history.key, history.result):
        rows = rows[_among(_repeated(history.result[rows])[0], history.result[rows])[1]]  # alone they sort faster
    code = paired(history.key[rows], history.result[rows])
    repeated, duplicates = _repeated(code)
    if not duplicates:
        return Finding(verdict="held", reason="all ids are different")
    place, given = _among(repeated, code)
    rows, group = rows[given], place[given]
    one, other = closest(group, history.start[rows], history.end[rows])
    pair = (int(rows[one]), int(rows[other]))
    times = int(np.count_nonzero(group == group[one]))
    cast = Cast(history, pair)
    names = " and ".join(cast.name(row) for row in cast.rows)
    new = history.shown(int(history.result[pair[0]]))
    text = f"{names} were both given the id {new}. An id may be given to one request only. "
    if times > 2:
        text += f"In all, {times:,} requests were given {new}. "
    text += f"{apart(history, cast, *cast.rows)}. {cast.introductions()}"
    return Finding(
        verdict="violated",
        reason="the same id was given to more than one request",
        proof=Proof("duplicate", pair, text),
        counts={"duplicates": duplicates},
        violated_keys=tuple(np.unique(history.key[rows]).tolist()),
    )


def _repeated(code: Integers) -> tuple[Integers, int]:
    """The codes that occur more than once, ascending, and how many occurrences are one too many."""
    ordered = np.sort(code)
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.unique(again), len(again)


def _among(wanted: Integers, code: Integers) -> tuple[Integers, Mask]:
    """Where each code stands among the `wanted` ones, ascending, and whether it is one of them."""
    if not len(wanted):
        return np.zeros(len(code), np.int64), np.zeros(len(code), np.bool_)
    place = np.minimum(np.searchsorted(wanted, code), len(wanted) - 1)
    return place, np.equal(wanted[place], code)


MODEL = Model(
    name="unique-ids",
    promise="no id is given to two requests",
    operations={"new-id": Shape(result="value")},
    check=check,
)
