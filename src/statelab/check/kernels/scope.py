"""How far the state of a violated history reaches: checked again, part by part.

Promise: names the coarsest level at which every part of the history is valid by itself. The operations are split by the
host, process, thread or greenlet that served them, or else by session (the client's `process`). State that is kept once
per process gives a history that is valid per process, and not across processes.
Algorithm: a part is a group of operations with the same key, so that one call of the model's check decides all parts
of a level at once. It starts with the coarsest level; of levels that split the operations alike the coarser counts.
Exact: it is the model's check on each part. An ok operation that nobody is known to have served leaves the levels of
servers open. An operation of unknown outcome that nobody is known to have served may belong to any part of its key:
first it is left out, as if it had never taken effect; the parts that are violated then are asked again with it, each
with a copy of its own, and only those that are violated even so count. (That two parts cannot both have had it is not
held against them: it can hide a violation, never make one.)
Assumes: each copy of the state starts with the initial value. A level whose parts have one answer each says nothing:
then the scope is the single `request`.
Cost: that of the model's check, once for each level that is tried.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from statelab.check.kernels.levels import LEVELS, Level, grouped_by
from statelab.check.kernels.model import Deadline, Model, VerdictName
from statelab.check.kernels.packing import dense
from statelab.core.operation import Value
from statelab.record.columns import FAIL, INFO, OK, History, Integers

Split = Level | Literal["session"]

SERVERS = LEVELS[1:-1]


@dataclass(frozen=True, slots=True)
class Scope:
    """`level` is the coarsest one at which every part is valid (None: none is, or it is not known); `sentence` says so
    in words, or why there is none."""

    level: Split | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked at each level."""

    model: Model
    initial: Value | None
    deadline: Deadline

    def judge(self, parts: History) -> tuple[VerdictName, Integers]:
        """The verdict on parts that are keys, and which of them are violated."""
        if self.deadline.passed:
            return "unknown", np.zeros(0, np.int64)
        finding = self.model.check(parts, initial=self.initial, deadline=self.deadline)
        return finding.verdict, np.array(finding.violated_keys, np.int64)


def scope(model: Model, history: History, *, initial: Value | None, deadline: Deadline) -> Scope:
    """How far the state of a violated history of a `scoped` model reaches."""
    question = Question(model=model, initial=initial, deadline=replace(deadline, proof_s=0.0))  # only verdicts count
    tried: list[Split] = []
    for level, group in _splits(history):
        part = np.full(len(history), -1, np.int64)  # a group and a key; -1: the row may be in any group
        known = np.flatnonzero(group >= 0)
        part[known] = dense(group[known] * max(1, len(history.keys)) + history.key[known])
        verdict = _verdict(question, history, part)
        if verdict == "unknown":
            return Scope(None, f"not known: whether it is valid per {level} was not decided within the time limit")
        if verdict == "held" and np.bincount(part[history.status == OK]).max(initial=0) <= 1:
            return Scope("request", f"valid request by request only: no two answers come from one {level}")
        if verdict == "held":
            return Scope(level, f"valid per {level}, not across {_several(level)}")
        tried.append(level)
    return Scope(None, _nowhere(history, tried))


def _splits(history: History) -> Iterator[tuple[Split, Integers]]:
    """The levels that part the operations, from coarse to fine, each with the group of each row (-1: any)."""
    served = (history.served_by != 0) & (history.status != FAIL)
    last = grouped_by(history, "whole")[served]
    for level in SERVERS if _served(history) else ():
        group = grouped_by(history, level)
        if not np.array_equal(last, dense(group[served])):
            last = dense(group[served])
            yield level, group
    session = history.process.astype(np.int64)
    if len(session) and session.min() != session.max():
        yield "session", session


def _served(history: History) -> bool:
    """Whether it is known of all ok operations who served them."""
    return bool(history.served_by[history.status == OK].all())


def _as_keys(history: History, rows: Integers, part: Integers) -> History:
    """These rows, with their parts as keys; whose names do not matter, so they share one."""
    names = ("part",) * (int(part.max(initial=-1)) + 1)
    return replace(history.take(rows), key=part.astype(np.int32), keys=names)


def _verdict(question: Question, history: History, part: Integers) -> VerdictName:
    """Whether every part is valid; one is only violated if the operations that may be anybody's cannot explain it."""
    own = np.flatnonzero((part >= 0) & (history.status != FAIL))
    verdict, violated = question.judge(_as_keys(history, own, part[own]))
    if verdict != "violated":
        return verdict
    anybody = np.flatnonzero((part < 0) & (history.status == INFO))
    size, most = 1, max(1, len(history) // max(1, len(anybody)))
    while len(violated):
        some, violated = violated[:size], violated[size:]
        verdict, _ = question.judge(_with_anybody(history, part, some, anybody))
        if verdict != "held":
            return verdict
        size = min(2 * size, most)
    return "held"


def _with_anybody(history: History, part: Integers, some: Integers, anybody: Integers) -> History:
    """Some parts, each with a copy of all the operations of its key that may be anybody's."""
    own = np.flatnonzero(np.isin(part, some) & (history.status != FAIL))
    key = np.empty(int(some.max()) + 1, np.int32)
    key[part[own]] = history.key[own]
    copies = [anybody[history.key[anybody] == key[number]] for number in some]
    numbers = np.repeat(some, [len(rows) for rows in copies])
    return _as_keys(history, np.concatenate([own, *copies]), np.concatenate([part[own], numbers]))


def _nowhere(history: History, tried: list[Split]) -> str:
    finest = [level for level in tried if level != "session"][-1:] + [level for level in tried if level == "session"]
    text = "one session did everything" if _served(history) else "who served is not known of all operations"
    if finest:
        violated = f"violated also within single {' and '.join(map(_several, finest))}"
        return violated if _served(history) else f"{violated}; {text}"
    return f"nothing to tell it by: {'one server and ' * _served(history)}{text}"


def _several(level: Split) -> str:
    return "processes" if level == "process" else f"{level}s"
