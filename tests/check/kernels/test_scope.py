"""How far the state reaches: against checking each part alone, and in words."""

import random
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest

from agreement import HISTORIES, check, columns
from counter_histories import inc, read, refused, server, unknown
from models import counter, mutex, session, unique_ids
from models.known import Known, Operations
from models.unique_ids import new
from statelab.check.kernels.model import Deadline
from statelab.check.kernels.scope import SERVERS, Scope, scope
from statelab.core.operation import Operation, ServedBy

KNOWN = [counter.KNOWN, unique_ids.KNOWN, session.KNOWN, mutex.KNOWN]
LABELS: dict[str, Callable[[ServedBy], object]] = {
    "host": lambda by: by.host,
    "process": lambda by: by.boot,
    "thread": lambda by: (by.boot, by.thread),
    "greenlet": lambda by: (by.boot, by.thread, by.greenlet),
}


def found(known: Known, operations: Operations, deadline: Deadline | None = None) -> Scope:
    history = columns(known.model, operations)
    return scope(known.model, history, initial=known.initial, deadline=deadline or Deadline())


def by_definition(known: Known, operations: Operations) -> str | None:
    """The same by checking every part alone, with all operations that may belong to it."""
    answers = [o for o in operations if o.status == "ok"]
    levels = [*SERVERS, "session"] if all(o.served_by for o in answers) else ["session"]
    for level in levels:
        parts = {_label(level, o) for o in operations} - {None}
        if all(_valid(known, [o for o in operations if _label(level, o) in (part, None)]) for part in parts):
            most = max(Counter((_label(level, o), o.key) for o in answers).values())
            return level if most > 1 else "request"
    return None


def _label(level: str, operation: Operation) -> object:
    if level == "session":
        return operation.process
    return LABELS[level](operation.served_by) if operation.served_by else None


def _valid(known: Known, operations: Operations) -> bool:
    return check(known, [o for o in operations if o.status != "fail"]).verdict == "held"


def several_copies(known: Known, rng: random.Random) -> Operations:
    """The histories of a few objects as if they were copies of one, each on a server of its own; some were served by
    nobody known, and a few by another one than they should."""
    servers = [
        server(pid=p, thread=t, greenlet=g, host=h) for h in "ab" for p in (1, 2) for t in (1, 2) for g in (0, 1)
    ]
    field = rng.choice(("host", "pid", "thread", "greenlet", "process"))
    operations = []
    for copy in range(rng.choice((2, 2, 3))):
        home = rng.choice(servers)
        own = [by for by in servers if getattr(by, field, 0) == getattr(home, field, 0)]
        for o in _mostly_valid(known, rng):
            by = rng.choice(own if rng.random() < 0.98 else servers)
            lost = (o.status != "ok" and rng.random() < 0.5) or rng.random() < 0.005
            client = copy if field == "process" else f"{copy}/{o.process}"
            operations.append(msgspec.structs.replace(o, served_by=None if lost else by, process=client))
    return operations


def _mostly_valid(known: Known, rng: random.Random) -> Operations:
    tries = [known.small(rng) for _ in range(4)]
    return next((operations for operations in tries[:-1] if _valid(known, operations)), tries[-1])


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.model.name)
def test_agrees_with_checking_each_part_alone(known: Known) -> None:
    """On many violated histories, and on until each level was met, the level is the one that the definition gives."""
    rng, levels = random.Random(7), Counter[str | None]()
    every = ("host", "process", "thread", "request", None)
    while levels.total() < HISTORIES // 50 or min(levels[level] for level in every) < 2 + HISTORIES // 10_000:
        assert levels.total() < 2_000, levels
        operations = several_copies(known, rng)
        if check(known, operations).verdict == "held":
            continue
        level = by_definition(known, operations)
        assert found(known, operations).level == level, operations
        levels[level] += 1


def test_keys_are_apart() -> None:
    """With several keys, each part has one of them: a copy per process of each of two counters."""
    one, two = server(1), server(2)
    operations = [inc(10 * i, 10 * i + 1, i + 1, by, key) for i in range(5) for by in (one, two) for key in ("a", "b")]
    assert found(counter.KNOWN, operations).level == "process"
    operations.append(inc(90, 91, 7, two, "b"))
    assert found(counter.KNOWN, operations).level is None
    assert found(counter.KNOWN, [*operations, unknown(0, "a")]).level is None
    assert found(counter.KNOWN, [*operations, unknown(0, "b")]).level == "process"


def test_an_operation_that_may_be_anybodys_explains_any_part() -> None:
    """A number that only the lost increment can have made does not contradict the copy that shows it, on any server;
    two such numbers in one part do."""
    operations = [inc(0, 1, 1, server(1)), inc(0, 1, 2, server(2)), inc(4, 5, 3, server(2)), inc(4, 5, 3, server(1))]
    assert found(counter.KNOWN, operations).level is None
    assert found(counter.KNOWN, [*operations, unknown(0)]).level == "process"
    assert found(counter.KNOWN, [*operations, unknown(2)]).level is None
    assert found(counter.KNOWN, [*operations, unknown(0), inc(6, 7, 5, server(1))]).level is None


def test_many_parts_that_need_what_may_be_anybodys() -> None:
    """A hundred copies, each of which lacks one increment; each part may have had the one that was lost."""
    operations = [
        inc(100 * i + 10 * pid, 100 * i + 10 * pid + 1, i + 2, server(pid)) for pid in range(100) for i in range(5)
    ]
    lost = [unknown(-5)]
    assert found(counter.KNOWN, operations + lost).level == "process"
    operations[250] = msgspec.structs.replace(operations[250], result=9)
    assert found(counter.KNOWN, operations + lost).level is None


ONE, TWO = server(1, thread=1), server(1, thread=2)
OTHER, FAR = server(2), server(1, host="b")

SENTENCES: dict[str, tuple[Known, Operations, Scope]] = {
    "per host": (
        counter.KNOWN,
        [inc(0, 1, 1, ONE), inc(2, 3, 2, OTHER), inc(0, 1, 1, FAR), inc(2, 3, 2, FAR)],
        Scope("host", "valid per host, not across hosts"),
    ),
    "per process": (
        counter.KNOWN,
        [inc(0, 1, 1, ONE), inc(2, 3, 2, TWO), inc(0, 1, 1, OTHER), read(2, 3, 1, OTHER)],
        Scope("process", "valid per process, not across processes"),
    ),
    "per thread": (
        counter.KNOWN,
        [inc(0, 1, 1, ONE), inc(2, 3, 2, ONE), inc(0, 1, 1, TWO)],
        Scope("thread", "valid per thread, not across threads"),
    ),
    "ids per process": (
        unique_ids.KNOWN,
        [new(0, 1, 1, by=ONE), new(0, 1, 2, by=TWO), new(0, 1, 1, by=OTHER)],
        Scope("process", "valid per process, not across processes"),
    ),
    "a lock per process": (
        mutex.KNOWN,
        [
            msgspec.structs.replace(o, served_by=by)
            for o, by in zip(
                [mutex.acquired(1, 0, 1), mutex.acquired(2, 2, 3), mutex.released(1, 4, 5), mutex.released(2, 6, 7)],
                [ONE, OTHER, TWO, OTHER],
                strict=True,
            )
        ],
        Scope("process", "valid per process, not across processes"),
    ),
    "per session": (
        session.KNOWN,
        [session.write(0, 1, 5, by=ONE), session.read(2, 3, 4, by=OTHER)],
        Scope("request", "valid request by request only: no two answers come from one process"),
    ),
    "in the client": (
        counter.KNOWN,
        [msgspec.structs.replace(inc(4 * i + p, 4 * i + p, i + 1, ONE), process=p) for i in range(2) for p in range(2)],
        Scope("session", "valid per session, not across sessions"),
    ),
    "request by request": (
        counter.KNOWN,
        [inc(0, 1, 1, ONE), inc(2, 3, 1, TWO), inc(4, 5, 1, OTHER)],
        Scope("request", "valid request by request only: no two answers come from one thread"),
    ),
    "nowhere": (
        counter.KNOWN,
        [inc(0, 1, 1, ONE), inc(2, 3, 1, ONE), msgspec.structs.replace(inc(4, 5, 0, OTHER), process=1)],
        Scope(None, "violated also within single processes and sessions"),
    ),
    "one server": (
        counter.KNOWN,
        [inc(0, 1, 1, ONE), inc(2, 3, 1, ONE), refused(0, 1)],
        Scope(None, "nothing to tell it by: one server and one session did everything"),
    ),
    "servers unknown": (
        counter.KNOWN,
        [inc(0, 1, 1, ONE), inc(2, 3, 1)],
        Scope(None, "nothing to tell it by: who served is not known of all operations"),
    ),
    "servers unknown, and no session is valid": (
        counter.KNOWN,
        [inc(0, 1, 0, ONE), msgspec.structs.replace(inc(2, 3, 1), process=1)],
        Scope(None, "violated also within single sessions; who served is not known of all operations"),
    ),
}


@pytest.mark.parametrize(("known", "operations", "expected"), SENTENCES.values(), ids=SENTENCES.keys())
def test_in_words(known: Known, operations: Operations, expected: Scope) -> None:
    """What is said of each level, and of why there is none."""
    assert check(known, operations).verdict == "violated"
    assert found(known, operations) == expected


def test_time_is_up() -> None:
    """After its deadline it does not guess."""
    given = [inc(0, 1, 1, ONE), inc(2, 3, 1, OTHER)]
    late = found(counter.KNOWN, given, Deadline.after(-1))
    assert late == Scope(None, "not known: whether it is valid per process was not decided within the time limit")
