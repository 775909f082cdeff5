"""The referee of the checkers: exhaustive search, after Wing & Gong 1993, "Testing and Verifying Concurrent Objects".

Slow, and so plain that it can be believed: it tries every order that real time allows.
"""

from collections.abc import Callable, Collection, Hashable, Sequence
from functools import cache
from typing import Any

from statelab.core.operation import Operation

Step = Callable[[Any, Operation], Any]

REFUSED = object()
"""What a step returns where the operation's answer is wrong in that state."""

_NEVER = float("inf")


def _end(operation: Operation) -> float:
    return _NEVER if operation.status == "info" or operation.end is None else operation.end


def explained(operations: Sequence[Operation], initial: Hashable, step: Step, changes: Collection[str]) -> bool:
    """Whether one object that starts as `initial` can have given all these answers.

    `step(state, operation)` is the state after the operation, or REFUSED where its answer is wrong in that state; of an
    operation of unknown outcome it knows the request only. `changes` are the operations that change state.

    An `ok` operation takes effect between its start and its end; an `info` one at any time after its start, or never;
    a `fail` one never. One that changes nothing and is not `ok` says nothing.
    """
    ops = [o for o in operations if o.status == "ok" or (o.status == "info" and o.op in changes)]
    must = sum(1 << i for i, o in enumerate(ops) if o.status == "ok")
    ends = [_end(o) for o in ops]

    @cache
    def finish(done: int, state: Hashable) -> bool:
        """Whether the operations outside the set `done` can follow those inside, which led to `state`."""
        if done & must == must:
            return True
        left = [i for i in range(len(ops)) if not done >> i & 1]
        soonest = min(ends[i] for i in left)
        after = ((i, step(state, ops[i])) for i in left if ops[i].start <= soonest)
        return any(finish(done | 1 << i, new) for i, new in after if new is not REFUSED)

    assert len(ops) <= 16, "exhaustive search is for small histories"
    return finish(0, initial)


def linearizable(operations: Sequence[Operation], initial: int = 0) -> bool:
    """Whether one counter, starting at `initial`, can have given all these answers."""

    def step(value: int, operation: Operation) -> Any:
        new = value + (operation.op == "increment")
        told = initial if operation.result is None else operation.result
        return new if operation.status == "info" or told == new else REFUSED

    return explained(operations, initial, step, {"increment"})
