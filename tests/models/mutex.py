"""A lock of which each client is the holder by its name."""

import random
from itertools import pairwise
from typing import Any

import msgspec

from models.known import Known, Operations
from oracle import REFUSED, explained
from statelab.check.models.mutex.model import MODEL
from statelab.core.operation import Operation, Value


def acquired(client: int, start: int, end: int) -> Operation:
    return Operation(process=client, op="acquire", start=start, end=end, status="ok")


def released(client: int, start: int, end: int) -> Operation:
    return Operation(process=client, op="release", start=start, end=end, status="ok")


def asked(client: int, start: int) -> Operation:
    """An acquire without an answer: the client may have got the lock, or may get it later, or never."""
    return Operation(process=client, op="acquire", start=start, end=None, status="info")


def let_go(client: int, start: int) -> Operation:
    """A release without an answer: it may end a hold that its client had asked for before it, at any time, or never."""
    return Operation(process=client, op="release", start=start, end=None, status="info")


def refused(client: int, start: int, end: int) -> Operation:
    """An acquire that did not get the lock."""
    return Operation(process=client, op="acquire", start=start, end=end, status="fail")


def referee(operations: Operations, initial: Value | None) -> bool:
    """The lock is free (None) or held: by which client, and since which request of it."""

    def step(hold: tuple[int | str, int] | None, operation: Operation) -> Any:
        if operation.op == "acquire":
            return (operation.process, operation.start) if hold is None else REFUSED
        mine = hold is not None and hold[0] == operation.process and hold[1] <= operation.start
        return None if mine else REFUSED

    return explained(operations, None, step, {"acquire", "release"})


def small(rng: random.Random) -> Operations:
    """A real lock's history, often with operations given to another client, moved in time or left out."""
    operations: Operations = []
    free = {client: rng.randint(0, 2) for client in range(rng.choice((1, 2, 2, 3)))}
    holder, time = None, 0
    while len(operations) < 7 and (len(operations) < 2 or rng.random() < 0.92):
        time += rng.choice((0, 1, 2, 3))
        client = rng.choice(list(free)) if holder is None or rng.random() < 0.2 else holder
        start = max(free[client], time - rng.choice((0, 0, 1, 2)))
        time = max(time, start)
        end = time + rng.choice((0, 0, 1, 2, 3))
        op = "release" if client == holder else "acquire"
        kind = rng.random()
        works = kind < 0.7 and (client == holder or holder is None)
        if works:
            operations.append(Operation(process=client, op=op, start=start, end=end, status="ok"))
        elif kind < 0.93:
            works = rng.random() < 0.6 and (client == holder or holder is None)
            operations.append(asked(client, start) if op == "acquire" else let_go(client, start))
            end = start + rng.choice((0, 1, 1, 2))
        else:
            operations.append(Operation(process=client, op=op, start=start, end=end, status="fail"))
        holder = (None if op == "release" else client) if works else holder
        free[client] = end
    for _ in range(rng.choice((0, 1, 2, 3))):
        _spoil(rng, operations)
    rng.shuffle(operations)
    return operations


def _spoil(rng: random.Random, operations: Operations) -> None:
    """Changes one operation; where its client would then do two things at once, nothing is changed."""
    row = rng.randrange(len(operations))
    old = operations[row]
    other = "release" if old.op == "acquire" else "acquire"
    later = old.start + rng.choice((-3, -1, 1, 3))
    changes: dict[str, Any] = rng.choice(
        (
            {"op": other},
            {"process": rng.randrange(3)},
            {"process": rng.randrange(3)},
            {"start": later, "end": None if old.end is None else later + (old.end - old.start)},
            {"status": "fail", "end": old.start if old.end is None else old.end},
        )
    )
    changed = [*operations[:row], msgspec.structs.replace(old, **changes), *operations[row + 1 :]]
    if one_at_a_time(changed):
        operations[:] = changed


def one_at_a_time(operations: Operations) -> bool:
    """Whether the operations that ended do not overlap within one client, as the format demands."""
    ended = sorted((str(o.process), o.start, o.end) for o in operations if o.end is not None)
    return all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(ended))


def large(n: int, rng: random.Random) -> Operations:
    """Ten clients that wait for the lock, hold it and go away; who gets no answer asks once more."""
    operations: Operations = []
    waiting = {client: 0 for client in range(10)}
    time = 0
    while len(operations) < n:
        client = rng.choice(list(waiting))
        asks = waiting[client]
        if rng.random() < 0.02:
            operations.append(asked(client, asks))
            asks += rng.randint(1, 500)
        time = max(time, asks) + rng.randint(1, 500)
        got = time + rng.randint(0, 300)
        operations.append(acquired(client, asks, got))
        gives = got + rng.randint(1, 2_000)
        if rng.random() < 0.02:
            operations.append(let_go(client, gives))
            gives += rng.randint(1, 500)
            time = gives
            if rng.random() < 0.5:
                waiting[client] = gives
                continue
        time = gives + rng.randint(0, 500)
        done = time + rng.randint(0, 300)
        operations.append(released(client, gives, done))
        waiting[client] = done + rng.randint(0, 3_000)
    return operations[:n]


def _pairs(operations: Operations) -> list[tuple[int, int]]:
    """Acquires in the second half, each with the release that follows it at once."""
    return [
        (i, j)
        for i, j in pairwise(range(len(operations)))
        if i > len(operations) // 2
        and (operations[i].op, operations[j].op) == ("acquire", "release")
        and operations[i].process == operations[j].process
        and operations[i].status == operations[j].status == "ok"
        and operations[j].start - operations[i].end > 100  # type: ignore[operator]
    ]


def stolen(operations: Operations, rng: random.Random) -> Operations:
    """A client that was not there before gets the lock while another one has it."""
    i, _ = rng.choice(_pairs(operations))
    end = operations[i].end
    assert end is not None
    return [*operations[1:], acquired(77, end + 40, end + 60)]


def by_another(operations: Operations, rng: random.Random) -> Operations:
    """A client that asked for the lock and got no answer releases it while another one has it."""
    i, _ = rng.choice(_pairs(operations))
    end = operations[i].end
    assert end is not None
    return [*operations[2:], asked(77, end + 30), released(77, end + 40, end + 60)]


def never_asked(operations: Operations, rng: random.Random) -> Operations:
    """A client that never asked for the lock releases it."""
    return [*operations[1:], released(77, 5, 10**9)]


def twice(operations: Operations, rng: random.Random) -> Operations:
    """The holder gets the lock once more before it has released it."""
    i, _ = rng.choice(_pairs(operations))
    end = operations[i].end
    assert end is not None
    return [*operations[1:i], operations[i], acquired(operations[i].process, end + 40, end + 60), *operations[i + 1 :]]


def released_twice(operations: Operations, rng: random.Random) -> Operations:
    """A client releases as often as it ever asked, and then once more."""
    clients = [o.process for o in operations]
    client = min(set(clients), key=clients.count)
    mine = [o for o in operations if o.process == client]
    extra = sum(o.op == "acquire" for o in mine) - sum(o.op == "release" and o.status == "ok" for o in mine) + 1
    after = max(o.end or o.start for o in operations) + 1
    return [*operations, *(released(client, after + 2 * i, after + 2 * i + 1) for i in range(extra))]


KNOWN = Known(
    model=MODEL,
    clocks=("two-holders", "acquired-twice", "not-the-holder", "no-order"),
    referee=referee,
    small=small,
    accepted={
        "one after the other": [acquired(1, 0, 1), released(1, 2, 3), acquired(2, 4, 5), released(2, 6, 7)],
        "waiting while another has it": [acquired(1, 0, 1), acquired(2, 0, 9), released(1, 5, 6)],
        "got before the release was answered": [acquired(1, 0, 1), released(1, 2, 9), acquired(2, 3, 4)],
        "refused while another has it": [acquired(1, 0, 1), refused(2, 2, 3), released(1, 4, 5)],
        "an unknown acquire that got it": [asked(1, 0), released(1, 5, 6)],
        "an unknown acquire that did not": [asked(1, 0), acquired(2, 5, 6)],
        "an unknown release that took effect": [acquired(1, 0, 1), let_go(1, 2), acquired(2, 3, 4)],
        "an unknown release between two acquires of one client": [acquired(1, 0, 1), let_go(1, 2), acquired(1, 3, 4)],
        "released once more, and the first time had no effect": [acquired(1, 0, 1), let_go(1, 2), released(1, 3, 4)],
        "released, and had it again by an old request": [
            asked(1, 0),
            acquired(1, 1, 2),
            let_go(1, 3),
            acquired(2, 4, 5),
            released(2, 6, 7),
            released(1, 8, 9),
        ],
    },
    rejected={
        "two have it": ([acquired(1, 0, 1), acquired(2, 2, 3), released(1, 4, 5)], "two-holders", [0, 1]),
        "two have it, whenever they got it": ([acquired(1, 0, 9), acquired(2, 0, 9)], "two-holders", [0, 1]),
        "not re-entrant": ([acquired(1, 0, 1), acquired(1, 2, 3), released(1, 4, 5)], "acquired-twice", [0, 1]),
        "nobody had it": ([released(1, 0, 1)], "no-hold", [0]),
        "released twice": ([acquired(1, 0, 1), released(1, 2, 3), released(1, 4, 5)], "no-hold", [1, 2]),
        "asked for too late": ([released(1, 0, 1), asked(1, 2)], "no-hold", [0]),
        "another had it": (
            [asked(2, 0), acquired(1, 0, 1), released(2, 2, 3), released(1, 4, 5)],
            "not-the-holder",
            [1, 2],
        ),
        "a late release frees no later hold": (
            [acquired(1, 0, 1), let_go(1, 2), released(1, 3, 4), acquired(1, 5, 6), acquired(2, 7, 8)],
            "two-holders",
            [3, 4],
        ),
        "the next one to hold it shows that it was free": (
            [acquired(1, 0, 1), let_go(1, 2), acquired(2, 3, 4), released(2, 5, 6), released(1, 7, 8)],
            "no-order",
            [0, 2, 4],
        ),
    },
    large=large,
    defects={
        "stolen": stolen,
        "released by another": by_another,
        "released by one who never asked": never_asked,
        "acquired twice": twice,
        "released twice": released_twice,
    },
)
