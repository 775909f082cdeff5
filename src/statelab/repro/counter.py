"""The workload `counter`: the one order of two requests that breaks its promise, for each anomaly.

P counts once before, so that the numbers tell a copy for every thread or request from an update that is lost: then no
thread was asked often enough to have made by itself what A and B are told.
"""

from statelab.catalogue import Claims
from statelab.history import Operation
from statelab.repro.schedule import Crowd
from statelab.repro.schedule import Everywhere
from statelab.repro.schedule import Hold
from statelab.repro.schedule import Release
from statelab.repro.schedule import Run
from statelab.repro.schedule import Schedule
from statelab.repro.schedule import Script

BEFORE = (Everywhere("P", "increment"), Hold("A", "increment"))

COLLISION = (
    *BEFORE,
    Run("B", "increment", meets="A"),
    Release("A"),
    Run("R", "read", meets="A"),
)

SCHEDULES = {
    "lost-update": Schedule(steps=COLLISION, held_where="between its read and its write"),
    "misreported": Schedule(steps=COLLISION, held_where="between its update and the read of its answer"),
    "stalled": Schedule(
        steps=(*BEFORE, Crowd("B", "increment"), Release("A")),
        held_where="inside its lock",
        patience_s=1.0,
        limit_s=4.0,
    ),
    "divergent": Schedule(
        steps=(
            Run("A", "increment"),
            Run("B", "increment", avoids="A"),
            Run("R", "read", meets="A"),
        )
    ),
    "divergent between threads": Schedule(  # a thread that is idle takes the next request, one that is held does not
        steps=(
            Hold("A", "increment"),
            Run("B", "increment", avoids="A"),
            Release("A"),
            Run("R", "read"),
        ),
        held_where="so that another thread must serve B",
    ),
    "never-persists": Schedule(
        steps=(
            Run("A", "increment"),
            Run("B", "increment"),
            Run("R", "read"),
        )
    ),
}

ATTEMPT = Schedule(steps=COLLISION, held_where="in its update", patience_s=0.5)


def in_words(operation: Operation, claims: Claims) -> str:
    """What the answer says about what the request found and left."""
    if operation.op == "read":
        return f"reads {operation.result}"
    assert isinstance(operation.result, int)
    if claims.answers_later:
        return f"adds one, then reads {operation.result} and is told {operation.result}"
    return f"found {operation.result - 1}, made it {operation.result}, is told {operation.result}"


SCRIPT = Script(schedules=SCHEDULES, attempt=ATTEMPT, in_words=in_words)
