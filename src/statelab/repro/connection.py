"""The workload `connection`: A has sent its value and is held before it takes the reply, B sends and takes meanwhile.

The app works between sending and taking as the value tells it to: for A's value it does, so that A comes to its gate,
for B's it does not.
"""

from statelab.catalogue import Claims
from statelab.history import Operation
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

SCHEDULES = {
    "seen-by-others": Schedule(steps=CROSSED, held_where="after it has sent and before it takes its reply"),
    "fails-when-shared": Schedule(
        steps=BROKEN,
        without_gate="They meet inside the client's library, where no gate stands: many are sent until one fails.",
    ),
}

ATTEMPT = Schedule(steps=CROSSED, held_where="after it has sent", patience_s=0.5)


def in_words(operation: Operation, claims: Claims) -> str:
    """What went out and what came back."""
    if operation.op == "probe":
        return f"sent {operation.value} over a connection of its own, takes {operation.result}"
    return f"sent {operation.value}, takes {operation.result}"


SCRIPT = Script(schedules=SCHEDULES, attempt=ATTEMPT, in_words=in_words)
