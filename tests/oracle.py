"""The referee of the checkers: exhaustive search, after Wing & Gong 1993, "Testing and Verifying Concurrent Objects".

Slow, and so plain that it can be believed: it tries every order that real time allows.
"""

from collections.abc import Sequence
from functools import cache

from statelab.history import Operation

_NEVER = float("inf")


def _end(operation: Operation) -> float:
    return _NEVER if operation.status == "info" or operation.end is None else operation.end


def linearizable(operations: Sequence[Operation], initial: int = 0) -> bool:
    """Whether one counter, starting at `initial`, can have given all these answers.

    An `ok` operation takes effect between its start and its end; an `info` increment at any time after its start, or
    never; a `fail` increment never. A read that is not `ok` says nothing.
    """
    ops = [o for o in operations if o.status == "ok" or (o.status == "info" and o.op == "increment")]
    everything = (1 << len(ops)) - 1
    must = sum(1 << i for i, o in enumerate(ops) if o.status == "ok")
    increments = sum(1 << i for i, o in enumerate(ops) if o.op == "increment")
    ends = [_end(o) for o in ops]

    def answer_fits(operation: Operation, value: int) -> bool:
        """Whether the answer is right if the operation comes next, the counter being at `value`."""
        if operation.status == "info":
            return True
        told = initial if operation.result is None else operation.result
        return told == (value + 1 if operation.op == "increment" else value)

    @cache
    def finish(done: int) -> bool:
        """Whether the operations outside the set `done` can follow those inside."""
        if done & must == must:
            return True
        value = initial + (done & increments).bit_count()
        left = [i for i in range(len(ops)) if not done >> i & 1]
        soonest = min(ends[i] for i in left)
        return any(finish(done | 1 << i) for i in left if ops[i].start <= soonest and answer_fits(ops[i], value))

    assert everything.bit_length() <= 16, "exhaustive search is for small histories"
    return finish(0)
