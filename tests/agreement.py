"""Checkers against referees on random histories, many at once; and the smallest history on which they differ."""

import os
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import msgspec

from models.known import Known, Operations
from statelab.check.kernels.model import Deadline, Finding, Model
from statelab.core.operation import Operation
from statelab.record.columns import History

HISTORIES = int(os.environ.get("HISTORIES", "2000"))
"""How many random histories of each model a test draws. `make fuzz` runs the same tests with ten times as many."""


def columns(model: Model, operations: Operations) -> History:
    return History.from_operations(operations, answers=model.answers)


def judged(known: Known, history: History) -> Finding:
    return known.model.check(history, initial=known.initial, deadline=Deadline())


def check(known: Known, operations: Operations) -> Finding:
    return judged(known, columns(known.model, operations))


def violated(known: Known, history: History) -> bool:
    return judged(known, history).verdict == "violated"


def side_by_side(histories: Iterable[Operations]) -> Operations:
    """All histories in one, each with its own key, clients and operation ids."""
    return [
        msgspec.structs.replace(
            o, key=str(i), process=f"{i}/{o.process}", op_id=None if o.op_id is None else f"{i}/{o.op_id}"
        )
        for i, operations in enumerate(histories)
        for o in operations
    ]


def violated_together(known: Known, histories: Sequence[Operations]) -> set[int]:
    """Which of the histories are violated, decided in one call, each as a key of its own."""
    together = columns(known.model, side_by_side(histories))
    return {int(together.keys[code]) for code in judged(known, together).violated_keys}


def differs(known: Known, operations: Operations) -> bool:
    """Whether the checker says of the history alone what the referee does not."""
    return (check(known, operations).verdict == "held") != known.referee(operations, known.initial)


def smallest_difference(operations: Operations, different: Callable[[Operations], bool]) -> Operations:
    """The history with every operation left out that is not needed for the difference."""
    place = 0
    while place < len(operations):
        without = operations[:place] + operations[place + 1 :]
        if different(without):
            operations, place = without, 0
        else:
            place += 1
    return operations


def lines(operations: Operations) -> str:
    return "".join(msgspec.json.encode(operation).decode() + "\n" for operation in operations)


def loosened(known: Known) -> Known:
    """The same model with random histories in which more overlaps and more got no answer; most of them are valid."""

    def small(rng: random.Random) -> Operations:
        wider, unanswered = rng.choice((0, 0.3, 0.7)), rng.choice((0, 0.15, 0.35))
        operations = [_wider(o, rng) if rng.random() < wider else o for o in known.small(rng)]
        return [forgotten(o) if rng.random() < unanswered else o for o in operations]

    return replace(known, small=small)


def _wider(operation: Operation, rng: random.Random) -> Operation:
    end = None if operation.end is None else operation.end + rng.randint(0, 5)
    return msgspec.structs.replace(operation, start=operation.start - rng.randint(0, 5), end=end)


def forgotten(operation: Operation) -> Operation:
    """The operation as if its answer had been lost; one that failed stays."""
    if operation.status == "fail":
        return operation
    return msgspec.structs.replace(operation, status="info", end=None, result=None, seen=None)


def batch(known: Known, rng: random.Random, count: int) -> tuple[list[Operations], list[bool], list[int]]:
    """Random histories, which of them the referee calls valid, and the numbers of those that the checker judges
    otherwise."""
    histories = [known.small(rng) for _ in range(count)]
    valid = [known.referee(operations, known.initial) for operations in histories]
    wrong = violated_together(known, histories)
    return histories, valid, [i for i, is_valid in enumerate(valid) if is_valid == (i in wrong)]
