"""The judge of the workload `connection`: whose reply came back, who failed while the store was up, what was left open.

A request that the app answers with an error of its connection is no violation by itself: the store may be down. It is
one where the store was reached before the request started and after it had ended, by a `probe`, which has a connection
of its own, or by a request that got its own reply, and where no probe failed: then the store was there, and what failed
was the connection.

`left` says how many connections the server counts, and how many of them a process means to keep at most. What there is
more at the end than before the load, and more than that, nobody uses any more.
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
"""How the app tells that its connection failed, as opposed to refusing a request or failing itself."""


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
    """Requests that the app itself answered with an error of its connection."""
    of_connection = [error is not None and DID_NOT_ANSWER in error for error in history.errors]
    found: Mask = history.is_op("echo") & (history.status != OK) & np.array(of_connection)[history.error]
    return found & ~history.timed_out


def _reached(history: History) -> Mask:
    """What certainly reached the store: probes, and requests that got back what they had sent."""
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
        f"{cast.name(row)} was answered with an error of its connection: {history.errors[history.error[row]]}. "
        f"The store was up: {cast.name(before)} and {cast.name(after)} reached it, before and after. "
        f"In all, {plural(len(failed), 'request')} failed in this way. {cast.introductions()}"
    )
    return witness(history, "broken-connection", [before, row, after], text)


def _uncounted(history: History) -> bool:
    """Whether somebody wanted to count and nobody could; where no server counts, the answer says so."""
    asked = history.is_op("left")
    return bool(asked.any()) and not (asked & (history.status == OK)).any()


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What one `left` was told."""

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
    """The most before the load, and the least after it, where that is more than all processes may keep. One of them
    cannot have needed more connections than there were requests under way at once."""
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
    kept = min(least.kept, _at_once(history, echoes))
    more = least.opened - most.opened
    if more <= kept * processes:
        return None
    cast = Cast(history, [most.row, least.row])
    text = (
        f"{cast.name(least.row)} counted {plural(least.opened, 'connection')} at the server when nobody asked for "
        f"anything any more, {cast.name(most.row)} {most.opened:,} before the load: {more:,} more. A process means to "
        f"keep {kept:,} at most between requests, and there were {processes:,} of them. {cast.introductions()}"
    )
    return witness(history, "connections-left", [most.row, least.row], text)


def _at_once(history: History, rows: Mask) -> int:
    """How many of them were under way at the same time at most."""
    start, end = np.sort(history.start[rows]), np.sort(history.end[rows])
    return int((np.arange(1, len(start) + 1) - np.searchsorted(end, start, "left")).max())
