"""The judge of the workload `once`: the model at-most-once on requests, each sent several times, and the ledger.

A request `execute` that was answered names the work it vouches for: its own op_id, or work that many requests rely on.
All requests that name the same work are one `execute` of the model: the first attempt that counts, and its retries. The
last `read` of the ledger lists every effect: its work, who had it, and when. What was answered before that read began
must be in it; what was not may be.
"""

import msgspec
import numpy as np

from statelab.check.judges.by_model import ByModel
from statelab.check.models import MODELS
from statelab.core.operation import Operation
from statelab.core.operation import Status
from statelab.record.columns import OK
from statelab.record.columns import History

EXECUTE, READ = "execute", "read"

RANK: tuple[Status, ...] = ("fail", "info", "ok")
"""Of several attempts the one that ended best says whether the work was asked for, and whether it must be there."""


class NoLedger(Exception):
    """Nobody could read the ledger, so nothing is known of effects."""


def _last_read(history: History) -> int:
    reads = np.flatnonzero(history.is_op(READ) & (history.status == OK))
    if not len(reads):
        raise NoLedger("no read of the ledger was answered")
    return int(reads[np.argmax(history.start[reads])])


def _named(request: Operation, read: Operation) -> Operation:
    """The request by the work that its answer vouches for; unknown where it was answered after the read began."""
    if request.status != "ok":
        return request
    request = msgspec.structs.replace(request, op_id=str(request.result), result=None)
    assert request.end is not None
    if request.end < read.start:
        return request
    return msgspec.structs.replace(request, status="info", end=None)


def _one(attempts: list[Operation]) -> Operation:
    best = max(attempts, key=lambda attempt: (RANK.index(attempt.status), -attempt.start))
    return msgspec.structs.replace(best, op=EXECUTE)


def _effect(entry: str, read: Operation) -> Operation:
    work, pid, at = str(entry).split()
    stamp = int(at)
    return Operation(process=f"pid {pid}", op="effect", key=read.key, op_id=work, start=stamp, end=stamp, status="ok")


def requests_and_effects(history: History) -> History:
    """One `execute` for each piece of work, and one `effect` for each entry of the ledger."""
    read = history.operation(_last_read(history))
    by_work: dict[str | None, list[Operation]] = {}
    for row in np.flatnonzero(history.is_op(EXECUTE)).tolist():
        request = _named(history.operation(row), read)
        by_work.setdefault(request.op_id, []).append(request)
    assert isinstance(read.result, list)
    effects = [_effect(str(entry), read) for entry in read.result]
    return History.from_operations([*map(_one, by_work.values()), *effects])


judge = ByModel(
    model=MODELS["at-most-once"],
    names={"ran-n-times": "ran-n-times", "never-ran": "never-ran"},
    requests=frozenset({EXECUTE}),
    reads=frozenset({READ}),
    view=requests_and_effects,
)
