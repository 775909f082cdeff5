"""The verdict of a measured cell of the workload `counter`: coverage, then the checker, then anomalies and scope."""

from dataclasses import replace

import msgspec
import numpy as np

from statelab.check.judges.by_model import ByModel
from statelab.check.judges.counter.anomalies import diagnose
from statelab.check.judges.counter.copies import scope_in_words
from statelab.check.judges.counter.many import met, one_by_one
from statelab.check.judges.counter.witnesses import witnesses
from statelab.check.judges.judgement import (
    NOT_SETTLED,
    Expectation,
    Judgement,
    coverage,
    shortfall,
    stalled,
    stopped,
    unjudged,
    violated,
)
from statelab.check.models import MODELS
from statelab.check.models.counter.ranked import answers
from statelab.core.errors import counted
from statelab.record.columns import INF, OK, History


def judge(history: History, expectation: Expectation) -> Judgement:
    """The verdict of one run of a cell. A violation is proof whatever the coverage; a checker's error is `unknown`."""
    requests, history = history, one_by_one(history)
    measured = unjudged(history, expectation)
    if history is not requests:
        covered = msgspec.structs.replace(coverage(requests, expectation), met=met(requests))
        measured = msgspec.structs.replace(measured, coverage=covered)
    try:
        initial = _first_read(history) if expectation.initial is None else expectation.initial
        if initial is None:
            unread = "no read was answered before the first increment, so the value at the start is not known"
            return msgspec.structs.replace(measured, verdict="not-exercised", reason=unread)
        acknowledged = history.is_op("increment") & (history.status == OK)
        if acknowledged.any() and not history.has_result[acknowledged].any():
            return _judged_blind(history, expectation, initial)
        given = answers(history, initial)
        diagnosis = diagnose(given, stalled=stalled(history, expectation))
        whole, found = diagnosis.levels.at("whole").found, witnesses(diagnosis)
        measured = msgspec.structs.replace(
            measured,
            lost=diagnosis.lost,
            duplicates=int(whole.duplicate.sum()),
            race_events=len(diagnosis.events),
            inversions=int((whole.slack > 0).sum()),
            scope=scope_in_words(diagnosis.reach),
        )
    except Exception as error:
        return stopped(measured, error)
    if found:
        return violated(measured, found)
    short = shortfall(given, expectation, measured.coverage)
    if short is None and measured.coverage.met == 0:
        short = "no two requests counted at the same time, so nothing could collide"
    if short:  # what nothing tried says nothing about reach
        return msgspec.structs.replace(measured, verdict="not-exercised", reason=short, scope=None)
    increments, pairs = counted(measured.operations.ok, "increment"), counted(measured.coverage.tries, "pair")
    reads = counted(int((given.answered & ~given.increment).sum()), "read")
    how = "operations overlapped" if measured.coverage.met is None else "requests counted at the same time"
    reason = f"one counter explains all answers ({increments}, {reads}); {pairs} of {how}"
    return msgspec.structs.replace(measured, verdict="held", reason=reason)


_BLIND = ByModel(
    model=MODELS["blind-counter"],
    names={
        "missing": "lost-update",
        "too-low": "lost-update",
        "inversion": "lost-update",
        "no-order": "lost-update",
        "too-high": "overcounted",
    },
)


def _judged_blind(history: History, expectation: Expectation, initial: int) -> Judgement:
    """The verdict where no increment was told its number, only reads were."""
    judged = replace(_BLIND, initial=initial)(history, expectation)
    ended = history.end[history.is_op("increment") & (history.status == OK)].max()
    settled = history.is_op("read") & (history.status == OK) & (history.start > ended)
    if judged.verdict == "held" and not settled.any():
        return msgspec.structs.replace(judged, verdict="not-exercised", reason=NOT_SETTLED)
    return judged


def _first_read(history: History) -> int | None:
    """What the first read was answered, if it had ended before anybody counted."""
    counted = history.start[history.is_op("increment")].min(initial=INF)
    reads = np.flatnonzero(
        history.is_op("read") & (history.status == OK) & history.has_result & (history.end < counted)
    )
    return int(history.result[reads[np.argmin(history.end[reads])]]) if len(reads) else None
