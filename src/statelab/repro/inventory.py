"""The workload `inventory`: an order of requests in which two buyers both get the last article.

There are two articles, and C buys one of them. A is held after it has looked and before it takes one; meanwhile B buys.
"""

from statelab.core.load import STOCK
from statelab.core.operation import Operation
from statelab.plan.catalogue import Claims
from statelab.repro.schedule import Burst, Hold, Meet, Release, Run, Schedule, Script

DELIVERY = Run("S", "stock", arguments={"value": STOCK})

COLLISION = (
    DELIVERY,
    Meet(("A", "B")),
    Run("C", "buy", via="A"),
    Hold("A", "buy"),
    Run("B", "buy"),
    Release("A"),
    Run("R", "read", via="A"),
)

SCHEDULES = {
    "lost-update": Schedule(steps=COLLISION, held_where="after it has looked and before it takes one"),
    "divergent": Schedule(steps=(DELIVERY, Burst("W", "buy"), Burst("R", "read"))),
    "never-persists": Schedule(
        steps=(DELIVERY, Run("A", "buy"), Run("B", "buy"), Run("C", "buy"), Run("R", "read")),
    ),
}

ATTEMPT = Schedule(steps=COLLISION, held_where="in its purchase", patience_s=0.5)


def in_words(operation: Operation, claims: Claims) -> str:
    """What the request found and what it did, as far as its answer says."""
    match operation.op, operation.result:
        case "stock", amount:
            return f"puts {amount} in stock"
        case "read", left:
            return f"reads that {left} are left"
        case _, "ok":
            return "found one and took it, is told ok"
        case _, answer:
            return f"found none, is told {answer}"


SCRIPT = Script(schedules=SCHEDULES, attempt=ATTEMPT, in_words=in_words)
