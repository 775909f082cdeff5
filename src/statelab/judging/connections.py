"""The judge of the workload `connection`: the model echo on what came back, and who failed while the store was up.

A request that the app answers with an error of its connection is no violation by itself: the store may be down. It is
one where a `probe`, which has a connection of its own, was answered before the request started and another one after it
had ended, and none failed: then the store was there, and what failed was the connection.
"""

from dataclasses import dataclass
from dataclasses import replace

import msgspec
import numpy as np

from statelab.checkers import MODELS
from statelab.checkers.prose import Cast
from statelab.checkers.prose import plural
from statelab.columns import INF
from statelab.columns import OK
from statelab.columns import History
from statelab.columns import Mask
from statelab.judging.by_model import ByModel
from statelab.judging.coverage import Expectation
from statelab.judging.judgement import Judgement
from statelab.judging.picture import witness
from statelab.results import ANOMALIES
from statelab.results import Witness

REPLIES = ByModel(
    model=MODELS["echo"],
    names=dict.fromkeys(("overlap", "residue", "unexpected", "missing"), "crossed-replies"),
)

DID_NOT_ANSWER = " did not answer: "
"""How the app tells that its connection failed, as opposed to refusing a request or failing itself."""


@dataclass(frozen=True, slots=True)
class ConnectionJudge:
    def __call__(self, history: History, expectation: Expectation) -> Judgement:
        judged = REPLIES(history, replace(expectation, changes=frozenset({"echo"})))
        broken = _broken(history)
        return _with(judged, broken) if broken else judged


def _failed(history: History) -> Mask:
    """Requests that the app itself answered with an error of its connection."""
    of_connection = [error is not None and DID_NOT_ANSWER in error for error in history.errors]
    found: Mask = history.is_op("echo") & (history.status != OK) & np.array(of_connection)[history.error]
    return found & ~history.timed_out


def _broken(history: History) -> Witness | None:
    """The first request that failed between two probes that were answered, if none of the probes failed."""
    probe = history.is_op("probe")
    up = probe & (history.status == OK)
    if not up.any() or (probe & ~up).any():
        return None
    first, last = int(history.end[up].min()), int(history.start[up].max())
    failed = np.flatnonzero(_failed(history) & (history.start > first) & (history.start < last))
    failed = failed[(history.end[failed] == INF) | (history.end[failed] < last)]
    if not len(failed):
        return None
    row = int(failed[np.argmin(history.start[failed])])
    before = int(np.flatnonzero(up)[np.argmin(history.end[up])])
    after = int(np.flatnonzero(up)[np.argmax(history.start[up])])
    cast = Cast(history, [before, row, after])
    text = (
        f"{cast.name(row)} was answered with an error of its connection: {history.errors[history.error[row]]}. "
        f"The store was up: {cast.name(before)} and {cast.name(after)} reached it over connections of their own, "
        f"before and after. In all, {plural(len(failed), 'request')} failed in this way. {cast.introductions()}"
    )
    return witness(history, "broken-connection", [before, row, after], text)


def _with(judged: Judgement, broken: Witness) -> Judgement:
    found = judged.witnesses | {"broken-connection": broken}
    witnesses = {name: found[name] for name in ANOMALIES if name in found}
    return msgspec.structs.replace(
        judged,
        verdict="violated",
        reason="; ".join(f"{name}: {ANOMALIES[name]}" for name in witnesses),
        anomalies=list(witnesses),
        witness=next(iter(witnesses.values())),
        witnesses=witnesses,
    )
