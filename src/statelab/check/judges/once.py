"""The judge of the workload `once`: the model at-most-once on the requests, which are retried, and the ledger.

The answer to a request `execute` names the work that it promises: its own op_id, or work that many requests share. All
requests that name the same work are one `execute` of the model: the first successful attempt and its retries. The last
`read` of the ledger lists every effect: which work, by which process, and when. Work whose answer came before that read
began must be in it; work answered later may be.
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
"""How attempts at the same work ended, worst first: the best one says whether the work must have been done."""


class NoLedger(Exception):
    """No read of the ledger was answered, so nothing is known about effects."""


def _named(request: Operation, read: Operation) -> Operation:
    """The request with the work that its answer names as op_id; its outcome is unknown if the read began before."""
    if request.status != "ok":
        return request
    request = msgspec.structs.replace(request, op_id=str(request.result), result=None)
    assert request.end is not None
    if request.end < read.start:
        return request
    return msgspec.structs.replace(request, status="info", end=None)


def _effect(entry: str, read: Operation) -> Operation:
    work, pid, at = str(entry).split()
    stamp = int(at)
    return Operation(process=f"pid {pid}", op="effect", key=read.key, op_id=work, start=stamp, end=stamp, status="ok")


def requests_and_effects(history: History) -> History:
    """One `execute` for each piece of work, and one `effect` for each entry of the ledger."""
    reads = np.flatnonzero(history.is_op(READ) & (history.status == OK))
    if not len(reads):
        raise NoLedger("no read of the ledger was answered")
    read = history.operation(int(reads[np.argmax(history.start[reads])]))
    by_work: dict[str | None, list[Operation]] = {}
    for row in np.flatnonzero(history.is_op(EXECUTE)).tolist():
        request = _named(history.operation(row), read)
        by_work.setdefault(request.op_id, []).append(request)
    best = [
        max(attempts, key=lambda attempt: (RANK.index(attempt.status), -attempt.start)) for attempts in by_work.values()
    ]
    assert isinstance(read.result, list)
    return History.from_operations([*best, *(_effect(str(entry), read) for entry in read.result)])


judge = ByModel(
    model=MODELS["at-most-once"],
    names={"ran-n-times": "ran-n-times", "never-ran": "never-ran"},
    requests=frozenset({EXECUTE}),
    reads=frozenset({READ}),
    view=requests_and_effects,
)
