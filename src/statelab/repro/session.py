"""The workload `session`: one browser, in which L has logged ann in; its other requests run at the same time.

Lost update: A and B both count, each with the session as it was before the other ended. Logout undone: A counts and is
held, meanwhile B logs out, then A writes back what it had read. Wrong user: A counts and is held after it has found the
row that it will write; B logs out and N, a new user, logs in and may get the same row number; R asks who is logged in.
"""

from statelab.core.operation import Operation, Value
from statelab.plan.catalogue import Claims
from statelab.repro.schedule import Burst, Hold, Meet, Release, Run, Schedule, Script

PAIR = ("A", "B")

ANN: dict[str, Value] = {"user": "ann"}
BOB: dict[str, Value] = {"user": "bob"}

BEGIN = (Meet(PAIR), Run("L", "login", via="A", key="ann", arguments=ANN))

COLLISION = (*BEGIN, Hold("A", "count", key="ann"), Run("B", "count", key="ann"), Release("A"))

AS_BOB = Schedule(
    steps=(Burst("L", "login", key="bob", arguments=BOB), Burst("W", "whoami", key="ann")),
)

FORGOTTEN = Schedule(
    steps=(
        Run("L", "login", key="{play}", arguments={"user": "{play}"}),  # a name that no other process knows
        Run("B", "logout", key="bob", as_of="L"),  # L had no cookies yet, so B is another browser
        Burst("W", "whoami", key="{play}"),
    ),
)

SCHEDULES = {
    "lost-update": Schedule(
        steps=(*COLLISION, Run("R", "read", via="A", key="ann")),
        held_where="between its read and its write",
        patience_s=1.0,
    ),
    "revived": Schedule(
        steps=(
            *BEGIN,
            Hold("A", "count", key="ann"),
            Run("B", "logout", key="ann"),
            Release("A"),
            Run("R", "whoami", via="A", key="ann"),
        ),
        held_where="between its read and its write",
    ),
    "name-reused": Schedule(
        steps=(
            *BEGIN,
            Hold("A", "count", key="ann", point=2),
            Run("B", "logout", key="ann"),
            Run("N", "login", via="B", key="bob", arguments=BOB),  # without a cookie: B's answer has deleted it
            Run("C", "whoami", via="B", key="bob"),
            Release("A"),
            Run("R", "whoami", via="B", key="bob", as_of="C"),  # with N's cookie, not the one in A's answer
        ),
        held_where="where it has found its row and is about to write it",
    ),
    "never-ends": Schedule(
        steps=(
            *BEGIN,
            Run("A", "logout", key="ann"),
            Run("R", "whoami", via="A", key="ann", as_of="A"),
        )
    ),
    "seen-by-others": AS_BOB,
    "left-behind": AS_BOB,
    "divergent": FORGOTTEN,
    "never-persists": FORGOTTEN,
    "ended-by-others": FORGOTTEN,
}

ATTEMPT = Schedule(
    steps=(*COLLISION, Run("C", "logout", via="A", key="ann"), Run("R", "whoami", via="A", key="ann", as_of="C")),
    held_where="in its count",
    patience_s=0.5,
)


def in_words(operation: Operation, claims: Claims) -> str:
    """For whom the app answered, and what."""
    user, _, value = str(operation.result or "nobody").partition(" ")
    match operation.op:
        case "login":
            return f"logs {user} in"
        case "logout":
            return f"logs {user} out"
        case "count":
            return f"counts for {user}, is told {value}"
        case "read":
            return f"reads {value} of {user}"
        case _:
            return f"asks who is logged in, is told {user}"


SCRIPT = Script(schedules=SCHEDULES, attempt=ATTEMPT, in_words=in_words)
