"""The judge of the workload `lock`: the model mutex for the holders' stamps, and requests that wait for a dead holder.

A request `work` is answered with two stamps, enter and exit, taken inside its critical section on the clock of the
load. It counts as an acquire, from the start of the request to enter, and a release, from exit to the end of the
request: between the stamps the lock was certainly held. A request that did no work (`busy`, `refused`) is an acquire
that failed, one without an answer is an acquire of unknown outcome.
"""

from collections.abc import Iterator

import msgspec
import numpy as np

from statelab.check.judges.by_model import ByModel
from statelab.check.judges.judgement import Expectation, Judgement, require_within, violated
from statelab.check.judges.witness import witness
from statelab.check.kernels.words import Cast, milliseconds
from statelab.check.models import MODELS
from statelab.core.ask import BUSY
from statelab.core.operation import Operation
from statelab.core.results import Witness
from statelab.record.columns import INFO, OK, History, Mask

WORK = "work"

STUCK_S = 5.0
"""A lock that nobody holds and nobody gets for this long is stuck; every sensible lease is shorter."""


def holds(work: Operation) -> Iterator[Operation]:
    """A request as an acquire and a release; raises `judgement.WrongClock`."""
    if work.status != "ok":
        yield msgspec.structs.replace(work, op="acquire")
    elif not isinstance(work.result, list):
        yield msgspec.structs.replace(work, op="acquire", status="fail", result=None, error=str(work.result))
    else:
        enter, leave = map(int, work.result)
        require_within(work, "held", enter, leave)
        yield msgspec.structs.replace(work, op="acquire", end=enter, result=None)
        yield msgspec.structs.replace(work, op="release", start=leave, result=None)


def _held(history: History) -> History:
    return History.from_operations([part for work in history.operations() for part in holds(work)])


_MUTEX = ByModel(
    model=MODELS["mutex"],
    names=dict.fromkeys(("two-holders", "not-the-holder", "no-order"), "two-holders"),
    requests=frozenset({WORK}),
    view=_held,
)


def _granted(history: History) -> History:
    """For the mutex, an acquire that was refused has failed."""
    return History.from_operations(
        [
            msgspec.structs.replace(operation, status="fail", result=None) if operation.result == BUSY else operation
            for operation in history.operations()
        ]
    )


_PLAIN = ByModel(
    model=MODELS["mutex"], names=_MUTEX.names, requests=frozenset(MODELS["mutex"].operations), view=_granted
)
"""For an app that has two requests, one that takes the lock and one that releases it."""


def judge(history: History, expectation: Expectation) -> Judgement:
    """The verdict of the mutex on the requests that did work, and `stuck` if somebody waited for a dead holder."""
    if history.is_op("acquire").any():
        return _PLAIN(history, expectation)
    history = history.take(history.is_op(WORK))
    stuck, refused = _stuck(history), np.flatnonzero(_refused(history)).tolist()
    if refused:  # for the mutex, a request that did no work has failed
        operations = history.operations()
        for row in refused:
            operations[row] = msgspec.structs.replace(operations[row], status="fail", result=None)
        history = History.from_operations(operations)
    judged = _MUTEX(history, expectation)
    return violated(judged, judged.witnesses | {"stuck": stuck}) if stuck else judged


def _refused(history: History) -> Mask:
    """Requests that were answered and did no work."""
    held = np.zeros(len(history), np.bool_) if history.elements is None else history.elements.known
    refused: Mask = (history.status == OK) & ~held
    return refused


def _stuck(history: History) -> Witness | None:
    """A request answered `busy` after STUCK_S in which nobody held the lock, except perhaps a request that is gone.

    A request is gone if its connection broke. One that timed out may still be working, so waiting for it is right.
    """
    gone = (history.status == INFO) & ~history.timed_out
    without_work = _refused(history)
    refused = np.flatnonzero(without_work)
    if not gone.any() or not len(refused):
        return None
    last = int(refused[np.argmax(history.end[refused])])
    since = int(history.end[last]) - int(STUCK_S * 1e9)
    lost = np.flatnonzero(gone & (history.start <= since))
    alive = ((history.status == OK) & ~without_work & (history.end >= since)) | history.timed_out
    if not len(lost) or (alive & (history.start <= history.end[last])).any():
        return None
    holder = int(lost[np.argmax(history.start[lost])])
    cast = Cast(history, [holder, last])
    waited = milliseconds(int(history.end[last] - history.start[holder]))
    text = (
        f"The connection of A broke before it was answered. B was told that the lock is busy, {waited} after A had "
        f"asked for it. In the last {STUCK_S:g} s nobody else had it. {cast.introductions()}"
    )
    return witness(history, "stuck", [holder, last], text)
