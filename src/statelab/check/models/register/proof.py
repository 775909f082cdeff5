"""The proof of a violated register: the smallest witness that the rule or the search found, in words."""

from dataclasses import replace

import numpy as np

from statelab.check.kernels.forgetting import Violated
from statelab.check.kernels.forgetting import minimal
from statelab.check.kernels.model import Proof
from statelab.check.kernels.search import slack_of
from statelab.check.kernels.search import witness
from statelab.check.models.register.missed import missed
from statelab.check.models.register.rule import Judgement
from statelab.check.models.register.scene import Scene
from statelab.check.models.register.sightings import cas_answer
from statelab.check.models.register.sightings import column
from statelab.check.models.register.sightings import there
from statelab.check.models.register.witness import Witness
from statelab.check.models.register.witness import smallest
from statelab.check.models.register.words import no_order
from statelab.check.models.register.words import words
from statelab.record.columns import History
from statelab.record.columns import Integers

CHANGES = ("write", "cas")


def by_rule(judgement: Judgement, violated: Violated) -> Proof:
    """The proof of a key that the rule found wrong.

    A `cas` that answered false may have taken effect once its answer is forgotten. If one was to make a value that the
    witness rests on, its answer may be needed too, and the slack may be another; else the witness is as it should be.
    """
    scene, history = judgement.scene, judgement.scene.history
    found = _denied(judgement) or smallest(scene, np.flatnonzero(judgement.forked)) or missed(scene, judgement.misses)
    assert found is not None, "a key that the rule found wrong has a witness"
    numbers = scene.numbers(found.values)
    same_key = history.key == history.key[found.rows[0]]
    asked = np.flatnonzero(same_key & np.isin(column(history, "value"), numbers) & there(history, "value"))
    refused = asked[cas_answer(history, False)[asked]]
    if found.kind == "phantom" and (column(history, "value")[asked] == numbers[-1]).any():
        found = replace(found, kind="aborted-read")
    rows = _smaller(history, {*found.rows, *refused.tolist()}, violated) if len(refused) else found.rows
    if not set(found.rows) <= set(rows):
        return _unordered(history, rows, "no-order", violated)
    if set(rows) != set(found.rows) and found.kind != "aborted-read":
        return _unordered(history, rows, found.kind, violated)
    slack = _slack(history, rows, violated) if len(refused) else found.slack_ns
    found = replace(found, rows=_in_time(history, rows), slack_ns=slack)
    return Proof(found.kind, found.rows, words(history, found, _value(scene, found, numbers)), found.slack_ns)


def by_search(history: History, key: int, stuck: int, violated: Violated) -> Proof:
    """The proof of a key in which the search was stuck at a row."""
    own = np.flatnonzero(history.key == key)
    at = int(np.searchsorted(own, stuck))
    rows = own[list(witness(history.take(own), at, CHANGES, violated))]
    return _unordered(history, tuple(rows.tolist()), "no-order", violated)


def _denied(judgement: Judgement) -> Witness | None:
    if not len(judgement.denied):
        return None
    return Witness("false-failure", (int(judgement.denied[0]),), np.zeros(0, np.int64))


def _in_time(history: History, rows: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(rows, key=lambda row: (int(history.start[row]), row)))


def _smaller(history: History, rows: set[int], violated: Violated) -> tuple[int, ...]:
    own = np.flatnonzero(history.key == history.key[min(rows)])
    inside = np.searchsorted(own, sorted(rows)).tolist()
    return tuple(own[list(minimal(history.take(own), inside, CHANGES, violated))].tolist())


def _unordered(history: History, rows: tuple[int, ...], kind: str, violated: Violated) -> Proof:
    rows = _in_time(history, rows)
    return Proof(kind, rows, no_order(history, rows), _slack(history, rows, violated))


def _slack(history: History, rows: tuple[int, ...], violated: Violated) -> int | None:
    own = np.flatnonzero(history.key == history.key[rows[0]])
    return slack_of(history.take(own), np.searchsorted(own, rows).tolist(), CHANGES, violated)


def _value(scene: Scene, found: Witness, numbers: Integers) -> str:
    """The value that a proof in words turns on: the last of those that concern the witness."""
    history = scene.history
    if not len(numbers):
        expected = history.operation(found.rows[0]).expected
        return "nothing" if expected is None else str(expected)
    at = 0 if found.kind == "lost-update" else -1
    return "nothing" if scene.values.initial[found.values[at]] else str(history.shown(int(numbers[at])))
