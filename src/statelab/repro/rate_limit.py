"""The workload `rate-limit`: the limit is two requests.

Over the limit: C has asked once; A has looked and is held before it writes its count; meanwhile B asks. Refused too
early: A is counted and held before it looks whether there is room; meanwhile B and C are counted, so A is refused
because of requests that came after it.
"""

from statelab.core.load import LIMIT
from statelab.core.operation import Operation
from statelab.plan.catalogue import Claims
from statelab.repro.schedule import Burst, Hold, Meet, Release, Run, Schedule, Script

ASKED = {"limit": LIMIT}

OVER = (
    Meet(("A", "B")),
    Run("C", "hit", via="A", arguments=ASKED),
    Hold("A", "hit", arguments=ASKED),
    Run("B", "hit", arguments=ASKED),
    Release("A"),
)

UNDER = (
    Meet(("A", "B")),
    Hold("A", "hit", arguments=ASKED, point=2),
    Run("B", "hit", arguments=ASKED),
    Run("C", "hit", via="B", arguments=ASKED),
    Release("A"),
)

COPIES = (Burst("W", "hit", arguments=ASKED),)

SCHEDULES = {
    "lost-update": Schedule(steps=OVER, held_where="after it has looked and before it is counted"),
    "misreported": Schedule(steps=UNDER, held_where="after it was counted and before it looks"),
    "divergent": Schedule(steps=COPIES),
    "never-persists": Schedule(steps=COPIES),
}

ATTEMPT = Schedule(steps=OVER, held_where="in its count", patience_s=0.5)


def in_words(operation: Operation, claims: Claims) -> str:
    """Whether the request was let through."""
    return "is let through" if operation.result == "ok" else "is refused"


SCRIPT = Script(schedules=SCHEDULES, attempt=ATTEMPT, in_words=in_words)
