"""Linearizability of registers: `write`, `read` and `cas` (compare and set), decided exactly.

TODO
"""

import numpy as np

from statelab.checkers.model import Deadline
from statelab.checkers.model import Finding
from statelab.checkers.model import Model
from statelab.checkers.model import Shape
from statelab.checkers.prose import plural
from statelab.checkers.register_counts import counts
from statelab.checkers.register_proof import by_rule
from statelab.checkers.register_proof import by_search
from statelab.checkers.register_rule import Judgement
from statelab.checkers.register_rule import judge
from statelab.checkers.register_search import KeySearch
from statelab.checkers.search import Outcome
from statelab.columns import History
from statelab.columns import Mask
from statelab.history import Value


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether one register per key, which holds `initial` first, explains all answers."""
    judgement, outcomes = _decided(history, initial, deadline)
    if judgement.wrong.any() or _stuck(outcomes):
        return _violated(history, initial, judgement, _stuck(outcomes), deadline)
    unknown = {key: outcome for key, outcome in outcomes.items() if outcome.verdict == "unknown"}
    if unknown:
        return Finding(verdict="unknown", reason=_undecided(history, unknown))
    return Finding(verdict="held", reason="one register explains all answers")


def _decided(history: History, initial: Value | None, deadline: Deadline) -> tuple[Judgement, dict[int, Outcome]]:
    """What the rule says of all keys, and the search of those that it leaves open."""
    start = None if initial is None else history.number(initial)
    judgement = judge(history, start)
    return judgement, _searched(history, start, judgement.open, deadline)


def _stuck(outcomes: dict[int, Outcome]) -> dict[int, int]:
    return {key: outcome.stuck for key, outcome in outcomes.items() if outcome.stuck is not None}


def _searched(history: History, start: int | None, keys: Mask, deadline: Deadline) -> dict[int, Outcome]:
    """What the search says of each key; `stuck` is a row of the history."""
    if not keys.any():
        return {}
    rows = np.flatnonzero(keys[history.key])
    rows = rows[np.argsort(history.key[rows], kind="stable")]
    near = history.take(rows)
    search = KeySearch(near, start)
    codes, first = np.unique(near.key, return_index=True)
    parts = np.split(np.arange(len(rows)), first[1:])
    found = {key: search.search(own, deadline) for key, own in zip(codes.tolist(), parts, strict=True)}
    return {key: outcome.at(rows) for key, outcome in found.items()}


def _violated(
    history: History,
    initial: Value | None,
    judgement: Judgement,
    stuck: dict[int, int],
    deadline: Deadline,
) -> Finding:
    def violated(part: History) -> bool:
        judgement, outcomes = _decided(part, initial, deadline)
        return bool(judgement.wrong.any() or _stuck(outcomes))

    by_hand = judgement.wrong.any()
    proof = by_rule(judgement, violated) if by_hand else by_search(history, *next(iter(stuck.items())), violated)
    return Finding(
        verdict="violated",
        reason="no register can have given these answers",
        proof=proof,
        counts=counts(judgement),
        violated_keys=tuple(sorted({*np.flatnonzero(judgement.wrong).tolist(), *stuck})),
    )


def _undecided(history: History, unknown: dict[int, Outcome]) -> str:
    key, outcome = next(iter(unknown.items()))
    others = f" (and of {plural(len(unknown) - 1, 'other key')})" if len(unknown) > 1 else ""
    return (
        f"the values written to key {history.keys[key]!r}{others} do not tell the writes apart, and of "
        f"{plural(outcome.of, 'answered operation')} the search could order {outcome.placed:,}: {outcome.why}"
    )


MODEL = Model(
    name="register",
    promise="each read returns the value that was written last, and a cas replaces the value if it is the expected one",
    operations={
        "write": Shape(value="value"),
        "read": Shape(result="value", nothing=frozenset({"result"}), changes=False),
        "cas": Shape(
            result="answer",
            value="value",
            expected="value",
            seen="value",
            nothing=frozenset({"expected", "seen"}),
            optional=frozenset({"seen"}),
        ),
    },
    check=check,
    initial_kind="value",
)
