"""The workload `counter`: for each anomaly, an order of two requests that shows it.

First P counts twice, so that the numbers can tell a lost update from a copy per thread or greenlet: A and B are both
told 3, although no thread or greenlet has served three requests.
"""

from statelab.core.operation import Operation
from statelab.plan.catalogue import Claims
from statelab.repro.schedule import Burst, Hold, Meet, Release, Run, Schedule, Script

PAIR = ("A", "B")

OVERLAP = (
    Run("P", "increment", via="A"),
    Run("P", "increment", via="A"),
    Hold("A", "increment"),
    Run("B", "increment"),
    Release("A"),
)

COLLISION = (Meet(PAIR), *OVERLAP, Run("R", "read", via="A"))

STALL = (Meet(PAIR, "one-process"), *OVERLAP)

SCHEDULES = {
    "lost-update": Schedule(steps=COLLISION, held_where="between its read and its write"),
    "misreported": Schedule(steps=COLLISION, held_where="between its update and the read of its answer"),
    "stalled": Schedule(steps=STALL, held_where="inside its lock", patience_s=1.0, limit_s=4.0),
    "divergent": Schedule(steps=(Burst("W", "increment"), Burst("R", "read"))),
    "never-persists": Schedule(steps=(Run("A", "increment"), Run("B", "increment"), Run("R", "read"))),
}

ATTEMPT = Schedule(steps=COLLISION, held_where="in its update", patience_s=0.5)


def in_words(operation: Operation, claims: Claims) -> str:
    """What the request found and what it wrote, as far as its answer says."""
    if operation.op == "read":
        return f"reads {operation.result}"
    assert isinstance(operation.result, int)
    if claims.answers_later:
        return f"adds one, then reads {operation.result} and is told {operation.result}"
    return f"found {operation.result - 1}, made it {operation.result}, is told {operation.result}"


SCRIPT = Script(schedules=SCHEDULES, attempt=ATTEMPT, in_words=in_words)
