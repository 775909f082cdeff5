"""The judge of a workload whose promise is a checker's model: coverage, then the checker, then anomalies and scope."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import msgspec

from statelab.check.judges.judgement import (
    Expectation,
    Judgement,
    changing,
    not_reached,
    stalled,
    stopped,
    tried,
    unjudged,
    violated,
)
from statelab.check.judges.witness import stall, witness
from statelab.check.kernels.levels import by_thread
from statelab.check.kernels.model import Deadline, Model
from statelab.check.kernels.scope import scope
from statelab.core.operation import Value
from statelab.core.results import Witness
from statelab.record.columns import OK, History

LIMIT_S = 10.0
"""How long a checker may search for the verdict of one cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByModel:
    """`names` maps the model's word for a contradiction (`Proof.kind`) to the workload's anomaly; `initial` is the
    initial value (None: the model's own). Operations that the model does not know are left out.

    If clients ask for other operations than the model has, `requests` are their operations that change state, `reads`
    those that read the outcome back, and `view` turns their history into one of the model. Counts and coverage are
    about the clients' operations, the proof is about the view."""

    model: Model
    names: Mapping[str, str]
    initial: Value | None = None
    requests: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    view: Callable[[History], History] | None = None

    def __call__(self, history: History, expectation: Expectation) -> Judgement:
        """A violation is proof whatever the coverage; a checker's error is `unknown`."""
        if self.view:
            history = history.take(changing(history, self.requests | self.reads))
        else:
            history = history.take(changing(history, frozenset(self.model.operations)))
            if history.answers != self.model.answers:  # yes-or-no answers, in the model's words
                history = History.from_operations(history.operations(), answers=self.model.answers)
        expectation = replace(expectation, changes=self.requests or self.model.changes)
        measured = unjudged(history, expectation)
        try:
            return self._judged(measured, history, expectation)
        except Exception as error:
            return stopped(measured, error)

    def _judged(self, measured: Judgement, history: History, expectation: Expectation) -> Judgement:
        initial = self.model.initial if self.initial is None else self.initial
        deadline = Deadline.after(LIMIT_S)
        viewed = self.view(history) if self.view else history
        if "greenlets" in expectation.in_turn and not self.model.scoped:
            viewed = by_thread(viewed)  # one thread serves one request after the other, each in a greenlet of its own
        finding = self.model.check(viewed, initial=initial, deadline=deadline)
        found: dict[str, Witness] = {}
        for part in finding.parts.values() or (finding,):
            if (proof := part.proof) and (name := self.names[proof.kind]) not in found:
                found[name] = witness(viewed, name, proof.rows, proof.text, slack_ns=proof.slack_ns)
        if stalled(history, expectation):
            found["stalled"] = stall(history)
        if found:
            reach = None
            if finding.verdict == "violated" and self.model.scoped:
                reach = scope(self.model, viewed, initial=initial, deadline=deadline).sentence
            return violated(measured, found, scope=reach)
        if finding.verdict == "unknown":
            return msgspec.structs.replace(measured, verdict="unknown", reason=finding.reason)
        short: str | None = "no operation was acknowledged"
        if (history.status == OK).any():
            short = not_reached(history, expectation, measured.coverage)
        if short:
            return msgspec.structs.replace(measured, verdict="not-exercised", reason=short)
        return msgspec.structs.replace(measured, verdict="held", reason=f"{finding.reason} ({tried(measured)})")
