"""The workload `request-scope`: A has stored its value and is held, B stores its own, then A reads."""

from statelab.core.operation import Operation
from statelab.plan.catalogue import Claims
from statelab.repro.schedule import Burst, Hold, Meet, Release, Run, Schedule, Script

OVERLAP = (
    Meet(("A", "B")),
    Hold("A", "echo", arguments={"value": "a"}),
    Run("B", "echo", arguments={"value": "b"}),
    Release("A"),
)

RESIDUE = (
    Burst("W", "echo", arguments={"value": "w{n}"}),
    Burst("R", "find", arguments={"value": "r{n}"}),
)

SCHEDULES = {
    "seen-by-others": Schedule(steps=OVERLAP, held_where="after it has stored its value and before it reads it"),
    "left-behind": Schedule(steps=RESIDUE),
}

ATTEMPT = Schedule(steps=OVERLAP, held_where="after it has stored its value", patience_s=0.5)


def in_words(operation: Operation, claims: Claims) -> str:
    """What the request found, as far as its answer says."""
    if operation.op == "echo":
        return f"stored {operation.value}, reads {operation.result}"
    found = "nothing" if operation.result == operation.value else operation.result
    return f"has stored nothing, and finds {found}"


SCRIPT = Script(schedules=SCHEDULES, attempt=ATTEMPT, in_words=in_words)
