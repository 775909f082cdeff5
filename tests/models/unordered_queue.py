"""The queue that gives its elements in any order: what the tests know of a queue, without an order."""

import random
from dataclasses import replace
from functools import partial

import msgspec

from models.known import Operations
from models.queue import (
    ACCEPTED,
    REJECTED,
    dequeued,
    duplicated,
    enqueued,
    large,
    never_enqueued,
    small,
    unordered_referee,
)
from models.queue import KNOWN as QUEUE
from statelab.check.models.unordered_queue import MODEL


def false_empty(operations: Operations, rng: random.Random) -> Operations:
    """A dequeue finds nothing while an element that is dequeued much later is there."""
    put = {o.value: o.end for o in operations if o.op == "enqueue" and o.status == "ok"}
    took = next(o for o in operations if o.result is not None and o.start > (put.get(o.result) or o.start) + 200)
    end = put[took.result]
    row = next(i for i, o in enumerate(operations) if o.op == "dequeue" and o.status == "ok" and o.start > (end or 0))
    return [*operations[:row], msgspec.structs.replace(operations[row], result=None), *operations[row + 1 :]]


KNOWN = replace(
    QUEUE,
    model=MODEL,
    clocks=("never-enqueued", "false-empty", "lost", "no-order"),
    referee=unordered_referee,
    small=partial(small, ordered=False),
    accepted=ACCEPTED
    | {
        "the later one first": [enqueued(0, 1, 1), enqueued(2, 3, 2), dequeued(4, 5, 2), dequeued(6, 7, 1)],
        "passed over": [enqueued(0, 1, 1), enqueued(2, 3, 2), dequeued(4, 5, 2)],
    },
    rejected=REJECTED,
    large=partial(large, ordered=False),
    defects={"duplicated": duplicated, "never enqueued": never_enqueued, "a false empty": false_empty},
)
