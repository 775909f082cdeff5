"""The workload `connection`: A has sent its value and is held before it takes the reply, B sends and takes meanwhile.

The app works between sending and taking as the value tells it to: for A's value it does, so that A comes to its gate,
for B's it does not.
"""

from statelab.core.operation import Operation
from statelab.plan.catalogue import Claims
from statelab.repro.schedule import Burst
from statelab.repro.schedule import Hold
from statelab.repro.schedule import Meet
from statelab.repro.schedule import Release
from statelab.repro.schedule import Run
from statelab.repro.schedule import Schedule
from statelab.repro.schedule import Script

CROSSED = (
    Meet(("A", "B")),
    Hold("A", "echo", arguments={"value": 5}),
    Run("B", "echo", arguments={"value": 16}),
    Release("A"),
)

PROBE = {"value": 1}

BROKEN = (
    Run("P", "probe", arguments=PROBE),
    Burst("W", "echo", arguments={"value": "{n}"}, until="failure"),
    Run("P", "probe", arguments=PROBE),
)

SILENT = (
    Run("P", "probe", arguments=PROBE),
    Burst("W", "echo", arguments={"value": "{n}"}, until="silence"),
    Run("P", "probe", arguments=PROBE),
)

LEFT = (Run("C", "left"), Burst("W", "echo", arguments={"value": "{n}"}), Run("C", "left"))

SCHEDULES = {
    "seen-by-others": Schedule(steps=CROSSED, held_where="after it has sent and before it takes its reply"),
    "fails-when-shared": Schedule(
        steps=BROKEN,
        without_gate="They meet inside the client's library, where no gate stands: many are sent until one fails.",
    ),
    "stalled": Schedule(
        steps=SILENT,
        without_gate="One takes the reply that another waits for, inside the client's library, where no gate stands.",
        limit_s=3.0,
    ),
    "left-open": Schedule(steps=LEFT, without_gate="It needs no gate: who has ended left something behind."),
    "used-up": Schedule(steps=BROKEN, without_gate="It needs no gate: many are sent until there is nothing left."),
}

ATTEMPT = Schedule(steps=CROSSED, held_where="after it has sent", patience_s=0.5)


def in_words(operation: Operation, claims: Claims) -> str:
    """What went out and what came back."""
    if operation.op == "probe":
        return f"sent {operation.value} over a connection of its own, takes {operation.result}"
    if operation.op == "left":
        return f"counts at the server, and a process may keep: {operation.result}"
    return f"sent {operation.value}, takes {operation.result}"


SCRIPT = Script(schedules=SCHEDULES, attempt=ATTEMPT, in_words=in_words)
