"""Plays a schedule and lets the workload's own judge decide what it showed."""

from dataclasses import dataclass
from typing import Literal

from statelab.check.judges import judge_of
from statelab.check.judges.judgement import Expectation, Judgement
from statelab.core.operation import Operation
from statelab.core.results import Witness
from statelab.deploy.engine import Engine
from statelab.record.columns import History
from statelab.repro.gates import Gates
from statelab.repro.stage import Play, Stage
from statelab.repro.targets import Target

Kind = Literal["reproduced", "not reproduced", "cannot happen here", "violated although held is predicted", "undecided"]
AS_PREDICTED: tuple[Kind, ...] = ("reproduced", "cannot happen here")

ANYONE = Expectation(expected_processes=1)
"""A schedule of a few requests cannot reach every process, and need not."""


TRIES_TO_MEET = 300
"""Where requests cannot be led (`Stage._led`), the five of a collision go to one of two processes once in 32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    target: Target
    play: Play
    judged: list[Operation]
    judgement: Judgement

    @property
    def kind(self) -> Kind:
        if self.target.anomaly:
            return "reproduced" if self.target.anomaly in self.judgement.anomalies else "not reproduced"
        if self.judgement.anomalies:
            return "violated although held is predicted"
        tried = any(event.what == "held" for event in self.play.events)
        return "cannot happen here" if tried and self.judgement.verdict == "held" else "undecided"

    @property
    def as_predicted(self) -> bool:
        return self.kind in AS_PREDICTED

    @property
    def witness(self) -> Witness | None:
        """The proof of the predicted anomaly, or else of the one that was found."""
        return self.judgement.witnesses.get(self.target.anomaly or "", self.judgement.witness)


def _inside_one_copy(target: Target, play: Play) -> list[Operation]:
    """If requests are to collide in one copy, the operations of that copy only: between copies it is another
    anomaly."""
    held = next((event for event in play.events if event.what == "held"), None)
    if target.anomaly is None or not target.schedule.in_one_copy or held is None or held.server is None:
        return play.operations
    copy = target.copy_of(held.server)
    return [o for o in play.operations if o.served_by is None or target.copy_of(o.served_by) == copy]


def reproduce(target: Target, engine: Engine, gates: Gates) -> Outcome:
    """Plays the target's schedule and judges it.

    If the anomaly does not show and a fork hands the state down, plays it once more on a fresh server: a shared
    connection that broke earlier has been replaced by one that is not shared. Raises Unavailable if the deployment or
    the gates do not work.
    """
    outcome = _played(target, engine, gates)
    if outcome.kind == "not reproduced" and target.handed_down:
        engine.restart(target.deployment.name)
        outcome = _played(target, engine, gates)
    return outcome


def _played(target: Target, engine: Engine, gates: Gates) -> Outcome:
    """Plays it until its requests met where they were to meet; restarts a deployment that no longer answers."""
    for number in range(TRIES_TO_MEET):  # leading everywhere takes time, and is not possible everywhere: in turn
        play = Stage(target, engine.url(target.deployment.name), gates, astray=number % 2 == 1).play()
        timed_out = any(operation.timed_out for operation in play.operations)
        if timed_out:
            engine.restart(target.deployment.name)
        if play.as_met or timed_out:
            break
    judged = _inside_one_copy(target, play)
    judgement = judge_of(target.workload)(History.from_operations(judged), ANYONE)
    return Outcome(target=target, play=play, judged=judged, judgement=judgement)
