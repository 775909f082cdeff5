"""The workload `connection`: A has sent its value and is held before it reads the reply; meanwhile B sends and reads.

The value says whether the app does some work between sending and reading: for A's value it does, so that A comes to its
gate; for B's it does not.
"""

from statelab.core.operation import Operation
from statelab.plan.catalogue import Claims
from statelab.repro.schedule import Burst, Hold, Meet, Release, Run, Schedule, Script

CROSSED = (
    Meet(("A", "B")),
    Hold("A", "echo", arguments={"value": 5}),
    Run("B", "echo", arguments={"value": 16}),
    Release("A"),
)

PROBE = Run("P", "probe", arguments={"value": 1})

BROKEN = (PROBE, Burst("W", "echo", arguments={"value": "{n}"}, until="failure"), PROBE)

SILENT = (PROBE, Burst("W", "echo", arguments={"value": "{n}"}, until="silence"), PROBE)

LEFT = (Run("C", "left"), Burst("W", "echo", arguments={"value": "{n}"}), Run("C", "left"))

SCHEDULES = {
    "seen-by-others": Schedule(steps=CROSSED, held_where="after it has sent and before it reads its reply"),
    "fails-when-shared": Schedule(
        steps=BROKEN,
        without_gate="It needs no gate: requests meet inside the client library, so many are sent until one fails.",
    ),
    "stalled": Schedule(
        steps=SILENT,
        without_gate="It needs no gate: inside the client library, one request takes the reply that another waits for.",
        limit_s=3.0,
    ),
    "left-open": Schedule(steps=LEFT, without_gate="It needs no gate: requests that have ended left connections open."),
    "used-up": Schedule(
        steps=BROKEN,
        without_gate="It needs no gate: many requests are sent until the store can open no more connections.",
    ),
}

ATTEMPT = Schedule(steps=CROSSED, held_where="after it has sent", patience_s=0.5)


def in_words(operation: Operation, claims: Claims) -> str:
    """The value that was sent and the reply."""
    if operation.op == "probe":
        return f"sent {operation.value} over a connection of its own, gets {operation.result}"
    if operation.op == "left":
        return f"connections at the server, and how many a process may keep: {operation.result}"
    return f"sent {operation.value}, gets {operation.result}"


LATE = "memcached would have to be late with the commands of one connection, and a gate holds only requests"

SCRIPT = Script(
    schedules=SCHEDULES,
    attempt=ATTEMPT,
    in_words=in_words,
    unheld=dict.fromkeys(("memcached-global", "memcached-before-fork", "memcached-pool-before-fork"), LATE),
)
