"""The workload `cache`: A missed, has read the older value and is held before it fills the cache.

Stale: meanwhile W writes the newer value and empties the cache; then A fills it with the older value. Stampede: B
misses as well and computes the same as A.
"""

from statelab.core.operation import Operation
from statelab.plan.catalogue import Claims
from statelab.repro.schedule import Burst, Hold, Meet, Release, Run, Schedule, Script

HELD_WHERE = "while it computes, before it fills the cache"

LATE_FILL = (
    Meet(("A", "W")),
    Run("P", "write", via="W", arguments={"value": 1}),
    Hold("A", "read"),
    Run("W", "write", arguments={"value": 2}),
    Release("A"),
    Run("R", "read", via="A"),
)

TOGETHER = (
    Run("P", "write", arguments={"value": 1}),
    Hold("A", "read"),
    Run("B", "read"),
    Release("A"),
)

SCHEDULES = {
    "lost-update": Schedule(steps=LATE_FILL, held_where=HELD_WHERE),
    "computed-at-once": Schedule(steps=TOGETHER, held_where=HELD_WHERE),
    "divergent": Schedule(
        steps=(
            Run("P", "write", arguments={"value": 1}),
            Burst("F", "read"),
            Run("W", "write", arguments={"value": 2}),
            Burst("R", "read"),
        )
    ),
}

ATTEMPT = Schedule(steps=LATE_FILL, held_where=HELD_WHERE, patience_s=0.5)


def in_words(operation: Operation, claims: Claims) -> str:
    """Where the value came from."""
    if operation.op == "write":
        return f"writes {operation.result}"
    if isinstance(operation.result, list):
        return f"misses, computes {operation.result[0]} and fills the cache with it"
    return f"finds {operation.result} in the cache"


SCRIPT = Script(schedules=SCHEDULES, attempt=ATTEMPT, in_words=in_words)
