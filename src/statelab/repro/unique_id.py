"""The workload `unique-id`: A has read the last number and is held before it writes the next; meanwhile B asks."""

from statelab.core.operation import Operation
from statelab.plan.catalogue import Claims
from statelab.repro.schedule import Burst, Hold, Meet, Release, Run, Schedule, Script

COLLISION = (Meet(("A", "B")), Hold("A", "new-id"), Run("B", "new-id"), Release("A"))

COPIES = (Burst("W", "new-id"),)

SCHEDULES = {
    "lost-update": Schedule(steps=COLLISION, held_where="between its read and its write"),
    "divergent": Schedule(steps=COPIES),
    "never-persists": Schedule(steps=COPIES),
}

ATTEMPT = Schedule(steps=COLLISION, held_where="before it takes its id", patience_s=0.5)


def in_words(operation: Operation, claims: Claims) -> str:
    return f"is given {operation.result}"


SCRIPT = Script(
    schedules=SCHEDULES,
    attempt=ATTEMPT,
    in_words=in_words,
    unheld={
        "milliseconds": "it reads the clock, which goes on while a request is held; two requests have to come within "
        "one millisecond, as they do under load"
    },
)
