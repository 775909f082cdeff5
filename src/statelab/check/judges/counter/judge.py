"""The verdict of a measured cell of the workload `counter`: coverage, then the checker, then anomalies and scope."""

from dataclasses import replace

import msgspec
import numpy as np

from statelab.check.judges.by_model import ByModel
from statelab.check.judges.counter.anomalies import Diagnosis
from statelab.check.judges.counter.anomalies import diagnose
from statelab.check.judges.counter.copies import scope_in_words
from statelab.check.judges.counter.many import met
from statelab.check.judges.counter.many import one_by_one
from statelab.check.judges.counter.witnesses import witnesses
from statelab.check.judges.judgement import NOT_SETTLED
from statelab.check.judges.judgement import Expectation
from statelab.check.judges.judgement import Judgement
from statelab.check.judges.judgement import coverage
from statelab.check.judges.judgement import shortfall
from statelab.check.judges.judgement import stalled
from statelab.check.judges.judgement import unjudged
from statelab.check.kernels.words import plural
from statelab.check.models import MODELS
from statelab.check.models.counter.ranked import Answers
from statelab.check.models.counter.ranked import answers
from statelab.core.results import ANOMALIES
from statelab.core.results import VerdictName
from statelab.record.columns import INF
from statelab.record.columns import OK
from statelab.record.columns import History


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
        if _is_blind(history):
            return _judged_blind(history, expectation, initial)
        given = answers(history, initial)
        diagnosis = diagnose(given, stalled=stalled(history, expectation))
        measured = _with_findings(measured, diagnosis)
    except Exception as error:
        return msgspec.structs.replace(measured, reason=f"the checker stopped: {type(error).__name__}: {error}")
    verdict, reason = _verdict(measured, given, expectation)
    reach = None if verdict == "not-exercised" else measured.scope  # what nothing tried says nothing about reach
    return msgspec.structs.replace(measured, verdict=verdict, reason=reason, scope=reach)


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


def _is_blind(history: History) -> bool:
    """Whether increments were acknowledged, and none was told its number."""
    acknowledged = history.is_op("increment") & (history.status == OK)
    return bool(acknowledged.any() and not history.has_result[acknowledged].any())


def _judged_blind(history: History, expectation: Expectation, initial: int) -> Judgement:
    """The verdict where only reads tell the number."""
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


def _with_findings(measured: Judgement, diagnosis: Diagnosis) -> Judgement:
    whole, found = diagnosis.levels.at("whole"), witnesses(diagnosis)
    return msgspec.structs.replace(
        measured,
        anomalies=list(diagnosis.anomalies),
        lost=diagnosis.lost,
        duplicates=int(whole.found.duplicate.sum()),
        race_events=len(diagnosis.events),
        inversions=int((whole.found.slack > 0).sum()),
        scope=scope_in_words(diagnosis.reach),
        witness=next(iter(found.values()), None),
        witnesses=found,
    )


def _verdict(measured: Judgement, given: Answers, expectation: Expectation) -> tuple[VerdictName, str]:
    if measured.anomalies:
        return "violated", "; ".join(f"{name}: {ANOMALIES[name]}" for name in measured.anomalies)
    if short := shortfall(given, expectation, measured.coverage):
        return "not-exercised", short
    reads = int((given.answered & ~given.increment).sum())
    if measured.coverage.met == 0:
        return "not-exercised", "no two requests counted at the same time, so nothing could collide"
    increments, pairs = plural(measured.operations.ok, "increment"), plural(measured.coverage.tries, "pair")
    how = "operations overlapped" if measured.coverage.met is None else "requests counted at the same time"
    return "held", f"one counter explains all answers ({increments}, {plural(reads, 'read')}); {pairs} of {how}"
