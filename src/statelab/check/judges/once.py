"""The judge of the workload `once`: the model at-most-once for requests, each sent several times, and the ledger.

The answer to a request `execute` names the work that is done, on which many requests may rely; without a name it is the
request's own op_id. All requests that name the same work are retries, and together one `execute` of the model. The last
`read` of the ledger lists every effect: its work, the process that did it, and when. Work that was answered before this
read began must be in the list; other work may be.
"""

import msgspec
import numpy as np

from statelab.check.judges.by_model import ByModel
from statelab.check.models import MODELS
from statelab.core.operation import Operation, Status
from statelab.record.columns import OK, History

EXECUTE, READ = "execute", "read"

RANK: tuple[Status, ...] = ("fail", "info", "ok")
"""From worst to best: of several attempts, the best one says whether the work must have been done."""


class NoLedger(Exception):
    """The ledger could not be read, so the effects are not known."""


def _named(request: Operation, read: Operation) -> Operation:
    """The request under the name of its work; of unknown outcome if it was answered after the read began."""
    if request.status != "ok":
        return request
    if request.result is not None:
        request = msgspec.structs.replace(request, op_id=str(request.result), result=None)
    assert request.end is not None
    if request.end < read.start:
        return request
    return msgspec.structs.replace(request, status="info", end=None)


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
    assert isinstance(read.result, list)
    effects = list[Operation]()
    for entry in read.result:
        work, *written = str(entry).split()
        effect = msgspec.structs.replace(read, op="effect", op_id=work, result=None)
        if written:  # another app's ledger has names only: each entry was there while it was read
            pid, stamp = written[0], int(written[1])
            effect = Operation(
                process=f"pid {pid}", op="effect", key=read.key, op_id=work, start=stamp, end=stamp, status="ok"
            )
        effects.append(effect)
    best = [max(tries, key=lambda one: (RANK.index(one.status), -one.start)) for tries in by_work.values()]
    return History.from_operations([*best, *effects])


judge = ByModel(
    model=MODELS["at-most-once"],
    names={"ran-n-times": "ran-n-times", "never-ran": "never-ran"},
    requests=frozenset({EXECUTE}),
    reads=frozenset({READ}),
    view=requests_and_effects,
)
