"""The model `counter`: increments that return the new value, and reads."""

from typing import cast

import numpy as np

from statelab.checkers.counter import conclude
from statelab.checkers.examination import Examination
from statelab.checkers.examination import examine
from statelab.checkers.model import Deadline
from statelab.checkers.model import Finding
from statelab.checkers.model import Model
from statelab.checkers.model import Proof
from statelab.checkers.model import Shape
from statelab.checkers.prose import proof
from statelab.checkers.told import answers
from statelab.columns import History
from statelab.history import Value


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether one counter per key explains all answers; see `statelab.checkers.counter`."""
    start = cast(int, initial)
    found = examine(answers(history, start), history.grouped_by("whole"))
    verdict = conclude(found)
    if verdict.witness is None:
        return Finding(verdict="held", reason="one counter explains all answers")
    words = proof(history, verdict, initial=start)
    return Finding(
        verdict="violated",
        reason="no counter that adds one for each increment can have given these answers",
        proof=Proof(verdict.witness.kind, verdict.witness.rows, words, verdict.witness.slack_ns),
        counts=_counts(found),
        violated_keys=tuple(np.unique(history.key[found.told.row[found.defect]]).tolist()),
    )


def _counts(found: Examination) -> dict[str, int]:
    counts = {
        "duplicates": int(found.duplicate.sum()),
        "inversions": int(np.count_nonzero(found.slack)),
        "gaps": int(found.nobody.sum()),
    }
    return {word: count for word, count in counts.items() if count}


MODEL = Model(
    name="counter",
    promise="each increment adds one and returns the new value, and each read returns the value of its moment",
    operations={
        "increment": Shape(result="integer"),
        "read": Shape(result="integer", nothing=frozenset({"result"}), changes=False),
    },
    check=check,
    initial=0,
    initial_kind="integer",
)
