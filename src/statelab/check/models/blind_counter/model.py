"""Linearizability of a counter whose increments are told nothing (`blind-counter`), decided exactly.

Promise: every increment adds one, and every read shows how many had taken effect at one moment between its start and
its end. A read of null is one of the initial value.

A history is linearizable iff on each key
1. no read shows less than the initial value, or more above it than increments had been asked for when it ended;
2. no read shows less than a read that had ended before it started;
3. the acknowledged increments find places. A place is "the k-th value"; an increment that starts after a read of u had
   ended has a place above u, one that ended before a read of v started has a place up to v, and each place takes one.

Why this is exact. Say the k-th value appears at time t_k. It must lie in the window from R_k, the latest start of a
read of less than k, to D_k, the earliest end of a read of k or more (2: R_k <= D_k), and inside the increment's own
interval. Both ends of the windows only grow with k, so times chosen anywhere in them can be sorted and still lie in
them, and a read of v then fits between t_v and t_(v+1). An interval meets the windows of consecutive k only: from 1 +
(highest value that had been read before its start) to (lowest value read after its end). So the question is whether a
matching of increments and places covers all acknowledged increments (those of unknown outcome may stay away) and all
places up to the highest value read. By Mendelsohn & Dulmage 1958 ("Some generalizations of the problem of distinct
representatives") there is one iff there is one for either side. For increments alone that is 3. For places alone,
Hall's condition: a set of places has too few increments iff too many lie within the gaps between its places; by 3 no
gap between two places is overfull, so only the prefixes 1..k count, and an increment reaches one iff it started before
D_k: that is 1. (Bounds for each read alone, which Jepsen's counter checker tests, are necessary, not sufficient.)

In plain words 3 says: between the end of a read of u (or the beginning) and the start of a read of v, at most v - u
increments can have both started and ended.

Cost: O(n log n), all in NumPy but one push and pop of a heap for each increment that some later read confines; without
the heap where first come, first served gives everyone a place. Assumes one clock (equal stamps are concurrent) and
unit steps: keys with another amount are searched (kernels/amounts.py).
"""

from functools import partial
from typing import cast

import numpy as np

from statelab.check.kernels import amounts
from statelab.check.kernels.apart import Part, judged_apart
from statelab.check.kernels.matching import left_over
from statelab.check.kernels.model import Deadline, Finding, Model, Proof
from statelab.check.models.blind_counter.limits import Limits, limits, of_key
from statelab.check.models.blind_counter.witness import smallest, words
from statelab.core.operation import Value
from statelab.record.columns import History, Integers, Mask
from statelab.record.shapes import Shape


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether one counter per key, starting at `initial`, explains all reads and loses no acknowledged increment."""
    start = cast(int, initial)
    keys = amounts.keys_with(history)
    if not keys.any():
        return _by_rule(history, start)
    rows = np.flatnonzero(~keys[history.key])
    ruled: list[Part] = [(rows, partial(_by_rule, initial=start))] if len(rows) else []
    return judged_apart(history, [*ruled, *amounts.parts(history, keys, start, deadline)])


def _by_rule(history: History, initial: int) -> Finding:
    """The verdict by the three conditions, for keys whose increments all add one."""
    given = limits(history, initial)
    short = lacking_increments(given)
    wrong = contradicted(given)
    if not wrong.any() and not len(short):
        return Finding(verdict="held", reason="one counter explains all that was read, with every increment in it")
    witness = smallest(given, short)
    return Finding(
        verdict="violated",
        reason="no counter that adds one for each increment can have been read like this",
        proof=Proof(witness.kind, witness.rows, words(history, witness, given.initial), witness.slack_ns),
        counts=_counts(given, short),
        violated_keys=tuple(np.union1d(given.reads.key[wrong], given.counters.number_of(short)).tolist()),
    )


def lacking_increments(given: Limits) -> Integers:
    """For each acknowledged increment that finds no place, the value by which it should have been counted."""
    confined = given.high < of_key(given.counters.top, given.history.key[given.row])
    last = int(np.argmax(confined[::-1])) if confined.any() else len(confined)
    upto = len(confined) - last
    return left_over(given.low[:upto], given.high[:upto])


def contradicted(given: Limits) -> Mask:
    """Which reads show too little, too much, or less than an earlier one."""
    reads = given.reads
    value, base = reads.value, given.counters.base[reads.key]
    return (value < given.shown) | (value - base > given.asked)


def _counts(given: Limits, short: Integers) -> dict[str, int]:
    reads = given.reads
    rise = reads.value - given.counters.base[reads.key]
    # Lost are the acknowledged increments that the reads lack which started after all of these had ended.
    key, int64 = given.history.key[given.row], np.iinfo(np.int64)
    quiet = np.full(len(given.counters.base), int64.min)
    np.maximum.at(quiet, key, given.end[given.row])
    settled = reads.start > quiet[reads.key]
    final = np.full(len(quiet), int64.max)
    np.minimum.at(final, reads.key[settled], np.maximum(rise[settled], 0))
    lost = np.maximum(np.bincount(key, minlength=len(quiet)) - final, 0)
    counts = {
        "too-low": int(np.count_nonzero(rise < 0)),
        "too-high": int(np.count_nonzero(rise > given.asked)),
        "inversions": int(np.count_nonzero((reads.value < given.shown) & (rise >= 0))),
        "missing": len(short),
        "lost": int(lost.sum()),
    }
    return {word: count for word, count in counts.items() if count}


MODEL = Model(
    name="blind-counter",
    promise="each increment adds one, or its value, and each read returns what had been added at its moment",
    operations={
        "increment": Shape(value="integer", optional=frozenset({"value"})),
        "read": Shape(result="integer", nothing=frozenset({"result"}), changes=False),
    },
    check=check,
    initial=0,
    initial_kind="integer",
)
