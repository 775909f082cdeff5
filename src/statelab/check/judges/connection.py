"""The judge of the workload `connection`: replies of other requests, failures while the store was up, connections left
open.

A request that the app answers with a connection error is no violation by itself, because the store may be down. It is a
violation if the store was up: something reached it before the request started and after the request had ended, and no
probe failed. A `probe` (which opens its own connection) and a request that got its own reply both show that the store
was reached.

`left` says how many connections the server counts, and how many of them each process may keep at most. Connections
above that, which were not there before the load, were left behind: nobody uses them any more.
"""

from dataclasses import dataclass, replace

import msgspec
import numpy as np

from statelab.check.judges.by_model import ByModel
from statelab.check.judges.judgement import Expectation, Judgement, violated
from statelab.check.judges.witness import witness
from statelab.check.kernels.words import Cast
from statelab.check.models import MODELS
from statelab.core.errors import counted
from statelab.core.results import Witness
from statelab.record.columns import INF, OK, History, Mask

REPLIES = ByModel(
    model=MODELS["echo"],
    names=dict.fromkeys(("overlap", "residue", "unexpected", "missing"), "crossed-replies"),
)

DID_NOT_ANSWER = " did not answer: "
"""The words by which the app reports a failed connection, and not a refused request or an error of its own."""


def judge(history: History, expectation: Expectation) -> Judgement:
    judged = REPLIES(history, replace(expectation, changes=frozenset({"echo"})))
    found = {"broken-connection": _broken(history), "connections-left": _left(history, expectation)}
    seen = judged.witnesses | {name: shown for name, shown in found.items() if shown}
    if seen:
        return violated(judged, seen)
    asked = history.is_op("left")
    if judged.verdict == "held" and asked.any() and not (asked & (history.status == OK)).any():
        return msgspec.structs.replace(judged, verdict="unknown", reason="the connections could not be counted")
    return judged


def _failed(history: History) -> Mask:
    """Requests that the app answered with a connection error."""
    of_connection = [error is not None and DID_NOT_ANSWER in error for error in history.errors]
    found: Mask = history.is_op("echo") & (history.status != OK) & np.array(of_connection)[history.error]
    return found & ~history.timed_out


def _reached(history: History) -> Mask:
    """Operations that certainly reached the store: answered probes, and requests that got back what they had sent."""
    own = np.zeros(len(history), np.bool_)
    if history.value is not None and history.has_value is not None:
        own = history.has_result & history.has_value & (history.result == history.value)
    reached: Mask = (history.status == OK) & (history.is_op("probe") | (history.is_op("echo") & own))
    return reached


def _broken(history: History) -> Witness | None:
    """The first request that failed although the store was up, if no probe failed."""
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
        f"{cast.name(row)} was answered with an error of its connection: {history.errors[history.error[row]]}. "
        f"The store was up: {cast.name(before)} and {cast.name(after)} reached it, before and after. "
        f"In all, {counted(len(failed), 'request')} failed in this way. {cast.introductions()}"
    )
    return witness(history, "broken-connection", [before, row, after], text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The answer to one `left`."""

    row: int
    opened: int
    kept: int


def _left(history: History, expectation: Expectation) -> Witness | None:
    """The highest count before the load and the lowest after it, if their difference is more than the processes may
    keep. A process needs no more connections than there were requests at the same time."""
    echoes = history.is_op("echo")
    if not echoes.any():
        return None
    counts = list[Count]()
    for row in np.flatnonzero(history.is_op("left") & (history.status == OK)).tolist():
        answer = history.operation(row).result
        if isinstance(answer, list):
            counts.append(Count(row=row, opened=int(answer[0]), kept=int(answer[1])))
    start, end = int(history.start[echoes].min()), int(history.start[echoes].max())
    before = [count for count in counts if history.end[count.row] < start]
    after = [count for count in counts if history.start[count.row] > end]
    if not before or not after:
        return None
    most, least = max(before, key=lambda count: count.opened), min(after, key=lambda count: count.opened)
    processes = expectation.expected_processes or 1
    starts, ends = np.sort(history.start[echoes]), np.sort(history.end[echoes])
    at_once = np.arange(1, len(starts) + 1) - np.searchsorted(ends, starts, "left")  # requests, as each one starts
    kept = min(least.kept, int(at_once.max()))
    more = least.opened - most.opened
    if more <= kept * processes:
        return None
    cast = Cast(history, [most.row, least.row])
    text = (
        f"{cast.name(least.row)} counted {counted(least.opened, 'connection')} at the server after the last request "
        f"had ended, {cast.name(most.row)} {most.opened:,} before the load: {more:,} more. Between "
        f"requests a process may keep {kept:,} at most, and there were {processes:,} processes. {cast.introductions()}"
    )
    return witness(history, "connections-left", [most.row, least.row], text)
