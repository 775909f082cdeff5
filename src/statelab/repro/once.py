"""The workload `once`: A is held before its work is noted as done; meanwhile B asks for the same work."""

from statelab.core.operation import Operation, Value
from statelab.plan.catalogue import Claims
from statelab.repro.schedule import Burst, Hold, Meet, Release, Run, Schedule, Script

PAIR = ("A", "B")

REQUEST: dict[str, Value] = {"op_id": "request-1", "body": "pay-1"}

RETRY = (
    Hold("A", "execute", arguments=REQUEST),
    Run("B", "execute", arguments=REQUEST),
    Release("A"),
)

COLLISION = (Meet(PAIR), *RETRY, Run("R", "read", via="A"))

COPIES = (Burst("W", "execute", arguments=REQUEST), Run("R", "read"))

SCHEDULES = {
    "lost-update": Schedule(steps=COLLISION, held_where="before its work is done"),
    "stalled": Schedule(
        # the ledger is read first, because afterwards it cannot be read
        steps=(Meet(PAIR, "one-process"), Run("P", "read", via="A"), *RETRY),
        held_where="inside its lock",
        patience_s=1.0,
        limit_s=4.0,
    ),
    "divergent": Schedule(steps=COPIES),
    "never-persists": Schedule(steps=COPIES),
    "never-done": Schedule(steps=(Run("A", "execute", arguments=REQUEST), Run("R", "read"))),
}

ATTEMPT = Schedule(steps=COLLISION, held_where="before its work is done", patience_s=0.5)


def in_words(operation: Operation, claims: Claims) -> str:
    """Which work the answer promises, or what the ledger lists."""
    if not isinstance(operation.result, list):
        return f"is told that {operation.result} is done or will be"
    works = [str(entry).split()[0] for entry in operation.result]
    return f"reads the ledger: {', '.join(works) or 'nothing was done'}"


SCRIPT = Script(schedules=SCHEDULES, attempt=ATTEMPT, in_words=in_words)
