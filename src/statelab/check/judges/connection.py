"""The judge of the workload `connection`: crossed replies, requests that failed while the store was up, open leftovers.

A request that the app answers with a connection error is not a violation by itself: the store may be down. It is a
violation if the store was up: something reached the store before the request started, something reached it after the
request had ended, and no probe failed. A `probe`, which opens a new connection, reaches the store, and so does a
request that gets its own reply.

`left` is answered with the number of connections that the server counts, and the number that one process may keep
between requests. Connections that the load added beyond what all processes may keep are left over: nobody uses them.
"""

from dataclasses import dataclass
from dataclasses import replace

import msgspec
import numpy as np

from statelab.check.judges.by_model import ByModel
from statelab.check.judges.judgement import Expectation
from statelab.check.judges.judgement import Judgement
from statelab.check.judges.judgement import violated
from statelab.check.judges.witness import witness
from statelab.check.kernels.words import Cast
from statelab.check.kernels.words import plural
from statelab.check.models import MODELS
from statelab.core.results import Witness
from statelab.record.columns import INF
from statelab.record.columns import OK
from statelab.record.columns import History
from statelab.record.columns import Mask

REPLIES = ByModel(
    model=MODELS["echo"],
    names=dict.fromkeys(("overlap", "residue", "unexpected", "missing"), "crossed-replies"),
)

DID_NOT_ANSWER = " did not answer: "
"""In the error text: the connection to the store failed, not the app itself, and the request was not refused."""


def judge(history: History, expectation: Expectation) -> Judgement:
    judged = REPLIES(history, replace(expectation, changes=frozenset({"echo"})))
    counts = _counts(history)
    found = {"broken-connection": _broken(history), "connections-left": _left(history, counts, expectation)}
    seen = judged.witnesses | {name: shown for name, shown in found.items() if shown}
    if seen:
        return violated(judged, seen)
    if judged.verdict == "held" and _uncounted(history):
        return msgspec.structs.replace(judged, verdict="unknown", reason="nobody could count the connections")
    return judged


def _failed(history: History) -> Mask:
    """Requests that the app answered with a connection error."""
    of_connection = [error is not None and DID_NOT_ANSWER in error for error in history.errors]
    found: Mask = history.is_op("echo") & (history.status != OK) & np.array(of_connection)[history.error]
    return found & ~history.timed_out


def _reached(history: History) -> Mask:
    """Operations that certainly reached the store: probes, and requests that got back what they had sent."""
    own = np.zeros(len(history), np.bool_)
    if history.value is not None and history.has_value is not None:
        own = history.has_result & history.has_value & (history.result == history.value)
    reached: Mask = (history.status == OK) & (history.is_op("probe") | (history.is_op("echo") & own))
    return reached


def _broken(history: History) -> Witness | None:
    """The first request that failed while the store was up, if no probe failed."""
    up = _reached(history)
    if not up.any() or (history.is_op("probe") & ~up).any():
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
        f"{cast.name(row)} was answered with a connection error: {history.errors[history.error[row]]}. "
        f"The store was up: {cast.name(before)} and {cast.name(after)} reached it, before and after. "
        f"In all, {plural(len(failed), 'request')} failed in this way. {cast.introductions()}"
    )
    return witness(history, "broken-connection", [before, row, after], text)


def _uncounted(history: History) -> bool:
    """Whether connections were to be counted and no count succeeded (a store without a server answers that it has no
    connections to count)."""
    asked = history.is_op("left")
    return bool(asked.any()) and not (asked & (history.status == OK)).any()


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The answer to one `left`."""

    row: int
    opened: int
    kept: int


def _counts(history: History) -> list[Count]:
    rows = np.flatnonzero(history.is_op("left") & (history.status == OK)).tolist()
    answers = [(row, history.operation(row).result) for row in rows]
    return [
        Count(row=row, opened=int(answer[0]), kept=int(answer[1]))
        for row, answer in answers
        if isinstance(answer, list)
    ]


def _left(history: History, counts: list[Count], expectation: Expectation) -> Witness | None:
    """The highest count before the load and the lowest after it, if more were added than all processes may keep.

    A process cannot have needed more connections than there were requests under way at once.
    """
    echoes = history.is_op("echo")
    if not echoes.any():
        return None
    start, end = int(history.start[echoes].min()), int(history.start[echoes].max())
    before = [count for count in counts if history.end[count.row] < start]
    after = [count for count in counts if history.start[count.row] > end]
    if not before or not after:
        return None
    most, least = max(before, key=lambda count: count.opened), min(after, key=lambda count: count.opened)
    processes = expectation.expected_processes or 1
    first, last = np.sort(history.start[echoes]), np.sort(history.end[echoes])
    at_once = (np.arange(1, len(first) + 1) - np.searchsorted(last, first, "left")).max()
    kept = min(least.kept, int(at_once))
    more = least.opened - most.opened
    if more <= kept * processes:
        return None
    cast = Cast(history, [most.row, least.row])
    text = (
        f"{cast.name(least.row)} counted {plural(least.opened, 'connection')} at the server after the load had ended; "
        f"{cast.name(most.row)} had counted {most.opened:,} before it began: {more:,} more. A process may keep "
        f"{kept:,} at most between requests, and there were {processes:,} processes. {cast.introductions()}"
    )
    return witness(history, "connections-left", [most.row, least.row], text)
