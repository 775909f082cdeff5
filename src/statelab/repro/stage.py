"""Plays a schedule against a running deployment and writes down what happened."""

import secrets
import time
from dataclasses import dataclass
from typing import Literal

from statelab.history import Operation
from statelab.history import ServedBy
from statelab.repro.actors import Call
from statelab.repro.actors import Request
from statelab.repro.gates import Gates
from statelab.repro.schedule import Crowd
from statelab.repro.schedule import Everywhere
from statelab.repro.schedule import Hold
from statelab.repro.schedule import Release
from statelab.repro.schedule import Run
from statelab.repro.schedule import Step
from statelab.repro.targets import Target

TRIES = 200
"""How often a request is sent again for another process to take it."""

What = Literal["held", "passed", "waits", "released", "answered", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`who` is held at its gate (or never came to it: `passed`), has no answer yet (`waits`), is let go, has its
    answer, or ended without one (`failed`). `at` in ns of CLOCK_MONOTONIC, as seen from here."""

    at: int
    who: str
    what: What
    server: ServedBy | None = None
    operation: Operation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What a schedule led to: its operations in the order in which they were sent, and the events beside them."""

    operations: list[Operation]
    events: list[Event]


class Stage:
    """One schedule on one deployment, with a key that nobody ever used before."""

    def __init__(self, target: Target, url: str, gates: Gates) -> None:
        self._target = target
        self._url = url
        self._gates = gates
        self._key = f"repro-{secrets.token_hex(6)}"
        self._calls: list[Call] = []
        self._held: dict[str, Call] = {}
        self._ended: set[Call] = set()
        self._servers: dict[str, ServedBy] = {}
        self._events: list[Event] = []

    def play(self) -> Play:
        for step in self._target.schedule.steps:
            self._perform(step)
        operations = self._finish_all()
        return Play(operations=operations, events=self._events)

    def _perform(self, step: Step) -> None:
        match step:
            case Everywhere():
                self._everywhere(step)
            case Hold():
                self._hold(step)
            case Run():
                self._run(step)
            case Crowd():
                for number in range(self._target.deployment.expected_processes or 1):
                    self._run(Run(f"{step.who}{number + 1}", step.operation))
            case Release():
                self._release(step)

    def _send(self, who: str, operation: str, **parameters: str) -> Call:
        path = f"{self._target.workload}/{self._target.mechanism}"
        method = self._target.methods[operation]
        request = Request(
            who=who,
            op=operation,
            op_id=f"{self._key}-{len(self._calls) + 1}",
            method=method,
            url=f"{self._url}/{path}" if operation == "read" else f"{self._url}/{path}/{operation}",
            parameters={"key": self._key, **parameters},
            limit_s=self._target.schedule.limit_s,
        )
        self._calls.append(Call(request))
        return self._calls[-1]

    def _note(self, who: str, what: What, server: ServedBy | None = None, operation: Operation | None = None) -> None:
        if operation:
            server = operation.served_by
        if server:
            self._servers[who] = server
        at = operation.end if operation and operation.end is not None else time.monotonic_ns()
        self._events.append(Event(at=at, who=who, what=what, server=server, operation=operation))

    def _finish(self, call: Call, within_s: float | None = None) -> Operation | None:
        """Waits for the end of a request and notes it, once; None where it has not ended by then."""
        operation = call.answer(within_s)
        if operation and call not in self._ended:
            self._ended.add(call)
            self._note(call.request.who, "answered" if operation.status == "ok" else "failed", operation=operation)
        return operation

    def _finish_all(self) -> list[Operation]:
        return [operation for operation in map(self._finish, self._calls) if operation]

    def _everywhere(self, step: Everywhere) -> None:
        met: set[tuple[object, ...]] = set()
        for _ in range(TRIES):
            operation = self._finish(self._send(step.who, step.operation, window="call"))
            if operation and operation.served_by:
                met.add(self._target.copy_of(operation.served_by))
            if len(met) >= self._target.copies:
                return

    def _hold(self, step: Hold) -> None:
        call = self._send(step.who, step.operation, window="gate", point=str(step.point))
        arrival = self._gates.arrival(call.request.op_id)
        self._held[step.who] = call
        self._note(step.who, "held" if arrival else "passed", arrival.served_by if arrival else None)

    def _run(self, step: Run) -> None:
        deadline = time.monotonic() + self._target.schedule.patience_s
        for _ in range(TRIES):
            operation = self._finish(self._send(step.who, step.operation), max(0.0, deadline - time.monotonic()))
            if operation is None:
                self._note(step.who, "waits")
                return
            if operation.status != "ok" or self._is_where_it_should(step, operation):
                return

    def _is_where_it_should(self, step: Run, operation: Operation) -> bool:
        other = self._servers.get(step.meets or step.avoids or "")
        if other is None or operation.served_by is None:
            return True
        same = self._target.copy_of(other) == self._target.copy_of(operation.served_by)
        return same if step.meets else not same

    def _release(self, step: Release) -> None:
        self._note(step.who, "released")
        self._gates.release(self._held[step.who].request.op_id)
        self._finish_all()
