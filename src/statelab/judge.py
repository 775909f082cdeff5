"""The verdict of a measured cell of the workload `counter`: coverage, then the checker, then anomalies and scope."""

from collections.abc import Callable

import msgspec

from statelab.checkers.prose import plural
from statelab.checkers.told import Answers
from statelab.checkers.told import answers
from statelab.columns import History
from statelab.judging.anomalies import Diagnosis
from statelab.judging.anomalies import diagnose
from statelab.judging.copies import scope_in_words
from statelab.judging.coverage import Expectation
from statelab.judging.coverage import counts
from statelab.judging.coverage import coverage
from statelab.judging.coverage import latency
from statelab.judging.coverage import rate
from statelab.judging.coverage import shortfall
from statelab.judging.witnesses import witnesses
from statelab.results import ANOMALIES
from statelab.results import Bounds
from statelab.results import Cell
from statelab.results import CellKey
from statelab.results import Counts
from statelab.results import Coverage
from statelab.results import Latency
from statelab.results import Prediction
from statelab.results import Runs
from statelab.results import VerdictName
from statelab.results import Witness

__all__ = ["JUDGES", "Expectation", "Judgement", "cell", "judge"]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of a cell; every field but `witnesses` is that of `results.Cell`.

    `anomalies` are in the order of `results.ANOMALIES`, `witnesses` has one for each, and `witness` is that of the
    first. `duplicates` and `inversions` are those a client sees, over the whole history; `race_events` and `lost` are
    counted within the copies of the state, so that several copies alone make none of them.
    """

    verdict: VerdictName
    reason: str
    operations: Counts
    coverage: Coverage
    anomalies: list[str] = []
    lost: Bounds | None = None
    duplicates: int | None = None
    race_events: int | None = None
    inversions: int | None = None
    scope: str | None = None
    witness: Witness | None = None
    witnesses: dict[str, Witness] = {}
    rate_ops_s: float | None = None
    latency_ms: Latency | None = None
    runs: Runs | None = None


def judge(history: History, expectation: Expectation) -> Judgement:
    """The verdict of one run of a cell. A violation is proof whatever the coverage; a checker's error is `unknown`."""
    measured = Judgement(
        verdict="unknown",
        reason="",
        operations=counts(history),
        coverage=coverage(history, expectation),
        rate_ops_s=rate(history),
        latency_ms=latency(history),
    )
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
}
"""Workload -> who judges its histories."""
