"""The verdict of a measured cell of the workload `counter`: coverage, then the checker, then anomalies and scope."""

from collections.abc import Callable

import msgspec

from statelab.checkers import MODELS
from statelab.checkers.prose import plural
from statelab.checkers.told import Answers
from statelab.checkers.told import answers
from statelab.core.results import ANOMALIES
from statelab.core.results import Cell
from statelab.core.results import CellKey
from statelab.core.results import Prediction
from statelab.core.results import VerdictName
from statelab.judging import effects
from statelab.judging import locks
from statelab.judging import promises
from statelab.judging.anomalies import Diagnosis
from statelab.judging.anomalies import diagnose
from statelab.judging.by_model import ByModel
from statelab.judging.caches import CacheJudge
from statelab.judging.connections import ConnectionJudge
from statelab.judging.copies import scope_in_words
from statelab.judging.coverage import Expectation
from statelab.judging.coverage import shortfall
from statelab.judging.judgement import Judgement
from statelab.judging.judgement import unjudged
from statelab.judging.leaks import LEAKS
from statelab.judging.sessions import judge_sessions
from statelab.judging.witnesses import witnesses
from statelab.record.columns import History

__all__ = ["JUDGES", "Expectation", "Judgement", "cell", "judge"]


def judge(history: History, expectation: Expectation) -> Judgement:
    """The verdict of one run of a cell. A violation is proof whatever the coverage; a checker's error is `unknown`."""
    measured = unjudged(history, expectation)
    try:
        given = answers(history, expectation.initial)
        diagnosis = diagnose(given)
        measured = _with_findings(measured, diagnosis)
    except Exception as error:
        return msgspec.structs.replace(measured, reason=f"the checker stopped: {type(error).__name__}: {error}")
    verdict, reason = _verdict(measured, given, expectation)
    reach = None if verdict == "not-exercised" else measured.scope  # what nothing tried says nothing about reach
    return msgspec.structs.replace(measured, verdict=verdict, reason=reason, scope=reach)


def _with_findings(measured: Judgement, diagnosis: Diagnosis) -> Judgement:
    whole, found = diagnosis.partings.at("whole"), witnesses(diagnosis)
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
    increments, pairs = plural(measured.operations.ok, "increment"), plural(measured.coverage.overlaps, "pair")
    return "held", (
        f"one counter explains all answers ({increments}, {plural(reads, 'read')}); {pairs} of operations overlapped"
    )


def cell(key: CellKey, prediction: Prediction, judgement: Judgement) -> Cell:
    """The row of the report: address, prediction and measurement together."""
    measured = {name: getattr(judgement, name) for name in Judgement.__struct_fields__ if name != "witnesses"}
    return Cell(
        **msgspec.structs.asdict(key),
        predicted=list(prediction.anomalies),
        guaranteed=prediction.guaranteed,
        prediction_reason=prediction.reason,
        **measured,
    )


JUDGES: dict[str, Callable[[History, Expectation], Judgement]] = {
    "counter": judge,
    "unique-id": ByModel(model=MODELS["unique-ids"], names={"duplicate": "duplicate-id"}),
    "request-scope": LEAKS,
    "lock": locks.judge,
    "inventory": promises.inventory_judge(stock=2),
    "rate-limit": promises.limit_judge(limit=2),
    "cache": CacheJudge(),
    "session": judge_sessions,
    "once": effects.judge,
    "connection": ConnectionJudge(),
}
"""Workload -> who judges its histories."""
