"""Short histories of one register whose values repeat, in the shape of those that Jepsen took of etcd: five clients
read, write and replace five values, some requests get no answer, and one read shows what was gone long before.
"""

import random
from dataclasses import dataclass
from typing import cast

import msgspec

from statelab.check.kernels.model import Deadline
from statelab.check.models.register.model import MODEL
from statelab.core.operation import Operation, Value
from statelab.record.columns import History

CLIENTS = 5
VALUES = range(5)
LEAST, MOST = 80, 170
"""How many operations a history has."""
UNANSWERED = 0.2
"""How many writes and cas get no answer. Half of them take effect, most of them much later."""


@dataclass(frozen=True, slots=True)
class Request:
    """`moment` is that of its effect, infinite where it has none."""

    op: str
    process: int
    start: int
    end: int | None
    moment: float


def history(rng: random.Random, size: int | None = None) -> History:
    """A violated history of `size` operations. If the wrong read happens to leave it valid, another one is drawn."""
    while True:
        spoiled = History.from_operations(
            _spoiled(_answered(_requests(rng, size or rng.randint(LEAST, MOST)), rng)), answers=MODEL.answers
        )
        if MODEL.check(spoiled, initial=None, deadline=Deadline(proof_s=0)).verdict == "violated":
            return spoiled


def _requests(rng: random.Random, size: int) -> list[Request]:
    """The requests, sorted by the moments of their effects. A client whose request gets no answer goes on as another
    process."""
    made, free = list[Request](), [(0, client) for client in range(CLIENTS)]
    for _ in range(size):
        at, process = free.pop(free.index(min(free)))
        op = rng.choice(("read", "write", "cas"))
        start = at + rng.randint(1, 60)
        end = start + rng.randint(1, 60)
        if op != "read" and rng.random() < UNANSWERED:
            moment = start + rng.expovariate(1 / 400) if rng.random() < 0.5 else float("inf")
            made.append(Request(op, process, start, None, moment))
            free.append((start + 200, process + CLIENTS))
        else:
            made.append(Request(op, process, start, end, rng.uniform(start, end)))
            free.append((end, process))
    return sorted(made, key=lambda request: request.moment)


def _answered(requests: list[Request], rng: random.Random) -> list[Operation]:
    """What one register answers, in the order of the effects."""
    state: int | None = None
    operations = []
    for request in requests:
        old, new = rng.choice(VALUES), rng.choice(VALUES)
        known = request.end is not None
        done = Operation(
            process=request.process,
            op=request.op,
            start=request.start,
            end=request.end,
            status="ok" if known else "info",
            value=None if request.op == "read" else new,
            expected=old if request.op == "cas" else None,
        )
        if request.op == "read":
            done = msgspec.structs.replace(done, result=state)
        elif request.op == "cas" and known:
            done = msgspec.structs.replace(done, result=state == old)
        if request.moment < float("inf") and (request.op == "write" or (request.op == "cas" and state == old)):
            state = new
        operations.append(done)
    return operations


def _spoiled(operations: list[Operation]) -> list[Operation]:
    """The same, sorted by their starts; but one read of the second half shows the value that had been overwritten for
    the longest time."""
    last, gone = dict[Value | None, int](), list[tuple[int, int, Value]]()
    for at, done in enumerate(operations):
        if done.op == "read":
            gone += [(at - last[value], at, value) for value in VALUES if value in last and 2 * at > len(operations)]
            last[cast("Value | None", done.result)] = at
        elif done.op == "write" or done.result:
            last[done.value] = at
    spoiled = list(operations)
    if gone:
        _, at, value = max(gone)
        spoiled[at] = msgspec.structs.replace(spoiled[at], result=value)
    return sorted(spoiled, key=lambda operation: operation.start)
