"""The model `at-most-once`: what a client asked for once runs once.

Promise: each request `execute` (named by its `op_id`) that was answered ok has exactly one effect in the log, one of
unknown outcome at most one, a refused one none; and every effect is one of a request.
The log is part of the history: one record `effect` with the request's `op_id` per entry, written outside of what is
tested (a row or a line per effect). Its `process` is who wrote the entry, and its stamps say when, for the words of a
proof only: no verdict depends on a clock. An effect of status `info` is an entry that may or may not be there; a failed
one is not there.
Algorithm: count requests and effects per op_id and compare (at-most-once semantics of Birrell and Nelson 1984,
"Implementing Remote Procedure Calls").
Exact: the promise bounds these counts and nothing else, and no two op_ids have anything to do with each other.
Assumes: no two requests of one key share an op_id, and the log is complete. A client, a proxy or a server that
sends a request again keeps its op_id, so that it shows as a second effect. An op_id belongs to its key: an effect on
another key is not an effect of that request.
Witness: the request that never ran; the effect that nobody asked for, or whose request was refused (what was refused
is as if never asked, so the effect alone contradicts the promise); two effects of one request.
Cost: O(n), and O(k log k) for k operations whose op_id also occurs on another key.
"""

from dataclasses import dataclass

import numpy as np

from statelab.check.kernels.model import Deadline, Finding, Model, Proof
from statelab.check.kernels.packing import dense, paired, spans
from statelab.check.kernels.pairs import apart, closest
from statelab.check.kernels.words import Cast
from statelab.core.errors import counted
from statelab.core.operation import Value
from statelab.record.columns import FAIL, INFO, OK, STATUSES, Codes, History, Integers, Mask
from statelab.record.shapes import Shape

NEVER, TWICE, REFUSED, UNEXPECTED = "never-ran", "ran-n-times", "ran-though-refused", "unexpected"


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """What was asked for and what was done, request by request.

    `request` is the number of each row's request, shape `(rows,)`. The others have shape `(requests,)`: `certain`
    counts the effects that are in the log, `lacking` the acknowledged executions that have no effect there, `asked`
    the executions that may have run, and `refused` says which requests were refused at least once.
    """

    history: History
    request: Integers | Codes
    certain: Integers
    lacking: Integers
    asked: Integers
    refused: Mask

    @property
    def surplus(self) -> Integers:
        more: Integers = self.certain - self.asked
        return np.maximum(more, 0, out=more)

    @property
    def defects(self) -> dict[str, Mask]:
        """The violated requests by kind."""
        nobody, some = self.asked == 0, self.certain > self.asked
        return {
            NEVER: self.lacking > 0,
            REFUSED: some & nobody & self.refused,
            UNEXPECTED: some & nobody & ~self.refused,
            TWICE: some & ~nobody,
        }


def _log(history: History) -> Log:
    request, effect, status = _requests(history), history.is_op("effect"), history.status
    most = int(request.max(initial=0)) + 1
    kind = (effect * np.int64(len(STATUSES)) + status) * most
    asks, effects = np.bincount(kind + request, minlength=2 * len(STATUSES) * most).reshape(2, len(STATUSES), most)
    return Log(
        history=history,
        request=request,
        certain=effects[OK],
        lacking=asks[OK] - effects[OK] - effects[INFO],
        asked=asks[OK] + asks[INFO],
        refused=asks[FAIL] > 0,
    )


def _requests(history: History) -> Integers | Codes:
    """A number for each row that it shares with the rows of the same key and op_id."""
    if len(history.keys) <= 1:
        return history.op_id
    home = np.zeros(len(history.op_ids), np.int32)
    home[history.op_id] = history.key
    elsewhere = np.flatnonzero(home[history.op_id] != history.key)
    if not len(elsewhere):
        return history.op_id
    request = history.op_id.astype(np.int64)
    request[elsewhere] = len(home) + dense(paired(history.key[elsewhere], request[elsewhere]))
    return request


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether what was asked for and what was done agree, request by request."""
    log = _log(history)
    defects = log.defects
    wrong = np.logical_or.reduce(list(defects.values()))
    if not wrong.any():
        return Finding(verdict="held", reason="every request ran as often as its answer says")
    counts = {kind: int(np.count_nonzero(requests)) for kind, requests in defects.items()}
    counts["extra-effects"] = int(log.surplus[defects[TWICE]].sum())
    rows = np.flatnonzero(wrong[log.request])
    return Finding(
        verdict="violated",
        reason="some requests did not run as often as their answers say",
        proof=_alone(log, defects, rows) or _twice(log, rows[defects[TWICE][log.request[rows]]]),
        counts={word: count for word, count in counts.items() if count},
        violated_keys=tuple(np.unique(history.key[rows]).tolist()),
    )


def _alone(log: Log, defects: dict[str, Mask], rows: Integers) -> Proof | None:
    """The shortest operation that is a violation alone; None where there is none.

    That is an execution without an effect, or an effect that nobody asked for, or one of a refused request. `rows` are
    those of all violated requests.
    """
    history, request, effect = log.history, log.request[rows], log.history.is_op("effect")[rows]
    stray = (defects[REFUSED] | defects[UNEXPECTED])[request] & effect
    lone = stray | (defects[NEVER][request] & ~effect)
    rows = rows[lone & (history.status[rows] == OK)]
    if not len(rows):
        return None
    row = int(rows[np.argmin(spans(history.start[rows], history.end[rows]))])
    kind = next(kind for kind, requests in defects.items() if requests[log.request[row]])
    cast, name = Cast(history, [row]), history.op_ids[history.op_id[row]]
    key = " on its key" if len(history.keys) > 1 else ""
    if kind == NEVER:
        why = f"A, the request {name}, was answered ok: it ran. But the log has no effect of {name}{key}."
    elif kind == UNEXPECTED:
        why = f"A is an effect of a request {name}, and nobody asked for {name}{key}."
    else:
        why = f"A is an effect of the request {name}. But {name} ({_asked(log, cast)}) was refused: it must not run."
    return Proof(kind, (row,), f"{why} {cast.introductions()}")


def _asked(log: Log, cast: Cast) -> str:
    """Who served the request that the effects of the cast belong to, and when."""
    asks = (log.request == log.request[cast.rows[0]]) & log.history.is_op("execute")
    return cast.facts(int(np.flatnonzero(asks)[0]))


def _twice(log: Log, rows: Integers) -> Proof:
    """The closest two effects of one request; `rows` are all of those with more than one."""
    history = log.history
    rows = rows[history.is_op("effect")[rows] & (history.status[rows] == OK)]
    group = log.request[rows].astype(np.int64)
    pair = rows[list(closest(group, history.start[rows], history.end[rows]))].tolist()
    cast = Cast(history, pair)
    name, first, second = history.op_ids[history.op_id[pair[0]]], *(cast.name(row) for row in cast.rows)
    text = (
        f"{first} and {second} are both effects of the request {name}, which was asked for once "
        f"({_asked(log, cast)}). What is asked for once runs at most once; {name} ran "
        f"{counted(int(log.certain[log.request[pair[0]]]), 'time')}. "
        f"{apart(history, cast, *cast.rows)}. {cast.introductions()}"
    )
    return Proof(TWICE, tuple(pair), text)


MODEL = Model(
    name="at-most-once",
    promise="a request that was answered ok has one effect, one without an answer at most one, a refused one none",
    operations={"execute": Shape(op_id=True), "effect": Shape(op_id=True, repeats=True)},
    check=check,
    scoped=False,  # the log is one for all servers
)
