"""The workload `lock`: A has the lock and is held in its critical section; meanwhile B asks for the lock."""

from statelab.check.kernels.words import milliseconds
from statelab.core.operation import Operation
from statelab.plan.catalogue import Claims
from statelab.repro.schedule import Hold, Meet, Place, Release, Run, Schedule, Script, Step

HELD_WHERE = "in its critical section, with the lock"


def _both(place: Place) -> tuple[Step, ...]:
    return Meet(("A", "B"), place), Hold("A", "work"), Run("B", "work"), Release("A")


SCHEDULES = {
    "lost-update": Schedule(steps=_both("one-copy"), held_where=HELD_WHERE),
    "copies-at-once": Schedule(steps=_both("two-copies"), held_where=HELD_WHERE),
    "never-persists": Schedule(steps=_both("two-copies"), held_where=HELD_WHERE),
    # less than 2.5 s, after which the lock gives up and answers
    "stalled": Schedule(steps=_both("one-process"), held_where=HELD_WHERE, patience_s=0.5, limit_s=2.0),
}

ATTEMPT = Schedule(steps=_both("one-copy"), held_where=HELD_WHERE, patience_s=0.5)


def in_words(operation: Operation, claims: Claims) -> str:
    """How long the request had the lock."""
    if not isinstance(operation.result, list):
        return f"did no work, is told {operation.result}"
    enter, leave = map(int, operation.result)
    return f"had the lock for {milliseconds(leave - enter)}"


SCRIPT = Script(schedules=SCHEDULES, attempt=ATTEMPT, in_words=in_words)
