"""Requests that run once, and the log of what ran."""

import random

import msgspec

from models.known import Known, Operations
from statelab.check.models.at_most_once import MODEL
from statelab.core.operation import Operation, ServedBy, Status, Value


def execute(
    start: int,
    end: int | None,
    op_id: str,
    status: Status = "ok",
    key: str = "",
    by: ServedBy | None = None,
    process: int = 0,
) -> Operation:
    return Operation(
        process=process, op="execute", start=start, end=end, status=status, op_id=op_id, key=key, served_by=by
    )


def unknown(start: int, op_id: str, key: str = "") -> Operation:
    return execute(start, None, op_id, "info", key)


def refused(start: int, end: int, op_id: str) -> Operation:
    return execute(start, end, op_id, "fail")


def effect(at: int, op_id: str, key: str = "", status: Status = "ok") -> Operation:
    end = None if status == "info" else at
    return Operation(process="log", op="effect", start=at, end=end, status=status, op_id=op_id, key=key)


ALLOWED: dict[Status, tuple[int, int]] = {"ok": (1, 1), "info": (0, 1), "fail": (0, 0)}


def once(operations: Operations, initial: Value | None) -> bool:
    """The promise, request by request: some number of effects that the log allows is one that the answer allows."""
    return all(_fits(operations, op_id) for op_id in {o.op_id for o in operations})


def _fits(operations: Operations, op_id: str | None) -> bool:
    about = [o for o in operations if o.op_id == op_id]
    certain = sum(o.op == "effect" and o.status == "ok" for o in about)
    possible = sum(o.op == "effect" and o.status == "info" for o in about)
    least, most = next((ALLOWED[o.status] for o in about if o.op == "execute"), (0, 0))
    return any(least <= certain + more <= most for more in range(possible + 1))


def small(rng: random.Random) -> Operations:
    """Up to four requests with the effects that they must have, at times one more or one less."""
    operations: Operations = []
    for i in range(rng.randint(1, 4)):
        status: Status = rng.choice(("ok", "ok", "ok", "info", "fail"))
        start = rng.randrange(20)
        if rng.random() < 0.95:
            operations.append(execute(start, None if status == "info" else start + 3, f"r{i}", status))
        times = rng.randint(*ALLOWED[status]) + (rng.choice((-1, 1)) if rng.random() < 0.15 else 0)
        entries: list[Status] = ["info"] * (rng.random() < 0.1) + ["fail"] * (rng.random() < 0.05)
        entries += ["ok"] * times
        operations += [effect(start + rng.randrange(9), f"r{i}", status=entry) for entry in entries]
    rng.shuffle(operations)
    return operations[:7] or [refused(0, 1, "r")]


def large(n: int, rng: random.Random) -> Operations:
    """Pairs of a request and its effect; one in fifty got no answer or was refused."""
    operations: Operations = []
    while len(operations) < n:
        i = len(operations)
        status: Status = rng.choices(("ok", "info", "fail"), (49, 1, 1))[0]
        start, process = i // 20 * 1000 + rng.randrange(400), i // 2 % 10
        end = None if status == "info" else start + 500
        operations.append(execute(start, end, f"r{i}", status, process=process))
        ran = status == "ok" or (status == "info" and rng.random() < 0.5)
        if len(operations) == n:
            operations[-1] = refused(start, start + 500, f"r{i}")
        elif ran:
            operations.append(effect(start + rng.randrange(500), f"r{i}"))
    return operations


def _some(operations: Operations, rng: random.Random, op: str, *statuses: Status) -> int:
    return rng.choice([i for i, o in enumerate(operations) if o.op == op and o.status in statuses])


def sent_again(operations: Operations, rng: random.Random) -> Operations:
    """A request runs a second time."""
    entry = operations[_some(operations, rng, "effect", "ok")]
    return [*operations, msgspec.structs.replace(entry, start=entry.start + 9_000, end=entry.start + 9_000)]


def swallowed(operations: Operations, rng: random.Random) -> Operations:
    """A request that was answered ok leaves no effect."""
    answered = {o.op_id for o in operations if o.op == "execute" and o.status == "ok"}
    row = rng.choice([i for i, o in enumerate(operations) if o.op == "effect" and o.op_id in answered])
    return operations[:row] + operations[row + 1 :]


def ran_though_refused(operations: Operations, rng: random.Random) -> Operations:
    """A request that was refused runs."""
    asked = operations[_some(operations, rng, "execute", "fail")]
    return [*operations, effect(asked.start + 1, asked.op_id or "")]


def out_of_the_blue(operations: Operations, rng: random.Random) -> Operations:
    """Something runs that nobody asked for."""
    operations.insert(rng.randrange(len(operations)), effect(77, "nobody's"))
    return operations


KNOWN = Known(
    model=MODEL,
    referee=once,
    small=small,
    accepted={
        "asked, answered and done": [execute(0, 9, "r"), effect(5, "r")],
        "no answer, and not done": [unknown(0, "r")],
        "no answer, and done": [unknown(0, "r"), effect(5, "r")],
        "refused, and not done": [refused(0, 9, "r")],
        "stamps of the log do not matter": [execute(0, 9, "r"), effect(-70, "r")],
        "an entry that may be there": [execute(0, 9, "r"), effect(5, "r", status="info")],
        "keys have requests of their own": [
            execute(0, 9, "r", key="k"),
            effect(5, "r", "k"),
            execute(0, 9, "r", key="l"),
            effect(5, "r", "l"),
        ],
    },
    rejected={
        "ran twice": ([execute(0, 9, "r"), effect(1, "r"), effect(5, "r")], "ran-n-times", [1, 2]),
        "no answer, and ran twice": ([unknown(0, "r"), effect(5, "r"), effect(1, "r")], "ran-n-times", [2, 1]),
        "answered, and never ran": ([execute(0, 9, "r"), execute(0, 9, "s"), effect(5, "s")], "never-ran", [0]),
        "refused, and ran": ([refused(0, 9, "r"), effect(5, "r")], "ran-though-refused", [1]),
        "ran unasked": ([effect(5, "r")], "unexpected", [0]),
        "ran on another key": (
            [unknown(0, "r", "k"), unknown(0, "s", "l"), effect(5, "r", "l")],
            "unexpected",
            [2],
        ),
    },
    large=large,
    defects={
        "a request sent again": sent_again,
        "an effect swallowed": swallowed,
        "a refused request that ran": ran_though_refused,
        "an effect out of the blue": out_of_the_blue,
    },
)
