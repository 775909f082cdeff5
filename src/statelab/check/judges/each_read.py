"""The model `register` for each read by itself: what one read saw says nothing about another read.

Promise: each read returns the value of a write that started before the read ended, and no other write lies entirely
between the two (a regular register: Lamport 1986, "On interprocess communication"; with several writers, Shao, Pierce
and Welch 2003). While an update is running, one read may see it and a later one not yet; after it, every read must see
it. Algorithm: two writes decide about a read: the one whose value it returned, and, of those that had ended before the
read started, the one that started last. The model checks the read with these two. Exact: if any write lies between the
read's own write and the read, then so does the one that started last. Assumes: no value is written twice, and one
clock. Cost: O(n log n).
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from statelab.check.kernels.model import Deadline, Finding
from statelab.check.models import MODELS
from statelab.core.operation import Value
from statelab.record.columns import FAIL, OK, History, Integers

REGISTER = MODELS["register"]


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether each read fits the writes of its key."""
    reads = np.flatnonzero(history.is_op("read") & (history.status == OK))
    parts = [
        part for key in np.unique(history.key[reads]) for part in _parts(history, reads[history.key[reads] == key])
    ]
    if not parts:
        return Finding(verdict="held", reason="nothing was read")
    rows = np.concatenate(parts)
    number = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])
    apart = replace(history.take(rows), key=number, keys=tuple(f"read {n}" for n in range(len(parts))))
    found = REGISTER.check(apart, initial=initial, deadline=deadline)
    if found.verdict == "held":
        return Finding(verdict="held", reason="no read missed an update that had been acknowledged before it")
    violated = np.unique([history.key[parts[code][-1]] for code in found.violated_keys])
    return replace(found.at(rows), violated_keys=tuple(violated.tolist()))


def _parts(history: History, reads: Integers) -> Iterator[Integers]:
    """For each read of one key: the rows that decide about it, and the read itself last."""
    writes = np.flatnonzero(history.is_op("write") & (history.key == history.key[reads[0]]))
    assert history.value is not None or not len(writes)
    own = {} if history.value is None else dict(zip(history.value[writes].tolist(), writes.tolist(), strict=True))
    # The writes in the order of their ends, and for each the one that started last among it and those before it.
    by_end = writes[history.status[writes] != FAIL]
    by_end = by_end[np.argsort(history.end[by_end], kind="stable")]
    by_start = np.argsort(history.start[by_end], kind="stable")
    place = np.empty(len(by_end), np.int64)
    place[by_start] = np.arange(len(by_end))
    latest = by_end[by_start[np.maximum.accumulate(place)]]
    ended = np.searchsorted(history.end[by_end], history.start[reads], "left")
    for read, before in zip(reads.tolist(), ended.tolist(), strict=True):
        deciding = {own.get(int(history.result[read])), int(latest[before - 1]) if before else None} - {None}
        yield np.array([*sorted(row for row in deciding if row is not None), read])


EACH_READ = replace(
    REGISTER,
    promise="no read returns a value older than an update that had been acknowledged before it",
    operations={name: REGISTER.operations[name] for name in ("write", "read")},
    check=check,
)
