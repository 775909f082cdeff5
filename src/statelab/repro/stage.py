"""Plays a schedule against a running deployment and records what happened."""

import itertools
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from statelab.core.cookies import Jar
from statelab.core.operation import Operation, ServedBy, Value
from statelab.drive.request import Call, Line, Request, path_of
from statelab.repro.gates import Gates
from statelab.repro.schedule import Act, Burst, Hold, Meet, Release, Run
from statelab.repro.targets import Target

TOGETHER = 8
TRIES = {"copies": 50, "failure": 500, "silence": 500}
"""A burst is TOGETHER requests at once; it is repeated at most TRIES times until it has shown what it is for."""

What = Literal["held", "passed", "waits", "released", "answered", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`who` is held at its gate (or never came to it: `passed`), has no answer yet (`waits`), is let go, has its
    answer, or ended without one (`failed`). `at` is in ns of CLOCK_MONOTONIC, measured by the client."""

    at: int
    who: str
    what: What
    server: ServedBy | None = None
    operation: Operation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What happened: the operations in the order in which they were sent, and the events. `as_met`: each connection
    that was chosen for its process led to it; after an answer a server may close one, and the next leads elsewhere."""

    operations: list[Operation]
    events: list[Event]
    as_met: bool = True


class Stage:
    """One schedule on one deployment, with a new key: from one browser where the state is that of one client, else each
    connection is a client of its own, which a balancer may keep elsewhere."""

    def __init__(self, target: Target, url: str, gates: Gates, *, astray: bool = False) -> None:
        """`astray`: not even a connection that stays open is trusted to lead to its process."""
        self._astray = astray
        self._target = target
        self._url = url
        self._gates = gates
        self._key = f"repro-{secrets.token_hex(6)}"
        self._jar = Jar()
        self._jars: dict[Line, Jar] = {}
        self._calls: list[Call] = []
        self._lines: list[Line] = []
        self._kept: dict[str, Line] = {}
        self._chosen_for: dict[Line, str] = {}
        self._as_met = True
        self._held: dict[str, Call] = {}
        self._ended: set[Call] = set()
        self._events: list[Event] = []

    def play(self) -> Play:
        """Plays all steps. Raises Unavailable if the gates do not work."""
        for step in self._target.schedule.steps:
            match step:
                case Meet():
                    self._meet(step)
                case Hold():
                    line = self._kept.get(step.who) or self._open()
                    with self._led(line):
                        call = self._held[step.who] = self._send(line, step, step.who, window="gate", point=step.point)
                        arrival = self._gates.arrival(call.request.op_id)
                    server = arrival.served_by if arrival else None
                    self._served(line, server)
                    self._note(step.who, "held" if arrival else "passed", server)
                case Run():
                    line = self._kept.get(step.via or step.who) or self._open()
                    with self._led(line):
                        ended = self._finish(self._send(line, step, step.who), self._target.schedule.patience_s)
                    if ended is None:
                        self._note(step.who, "waits")
                case Burst():
                    self._burst(step)
                case Release():
                    self._note(step.who, "released")
                    self._gates.release(self._held[step.who].request.op_id)
                    self._finish_all()
        operations = self._finish_all()
        for line in self._lines:
            line.close()
        return Play(operations=operations, events=self._events, as_met=self._as_met)

    def _open(self) -> Line:
        line = Line(self._url, self._target.schedule.limit_s)
        self._lines.append(line)
        self._jars[line] = self._jar if self._target.claims.keyed else Jar()
        return line

    def _send(self, line: Line, act: Act, who: str, **more: Value) -> Call:
        number = len(self._calls) + 1
        key = f"{self._key}.{act.key.format(play=self._key)}" if act.key else self._key
        texts = {name: str(value).format(n=number, play=self._key) for name, value in act.arguments.items()}
        given: dict[str, Value] = {name: int(text) if text.isdecimal() else text for name, text in texts.items()}
        cookies: Mapping[str, str] = self._jars[line].headers()
        if isinstance(act, Run) and act.as_of:
            cookies = next(call.request.cookies for call in self._calls if call.request.who == act.as_of)
        request = Request(
            who=who,
            op=act.operation,
            op_id=f"{self._key}-{number}",
            method=self._target.methods[act.operation],
            path=path_of(self._target.workload, self._target.mechanism, act.operation),
            parameters={"key": key, **given, **more},
            cookies=cookies,
        )
        self._calls.append(Call(request, line, self._jars[line]))
        return self._calls[-1]

    def _note(self, who: str, what: What, server: ServedBy | None = None, operation: Operation | None = None) -> None:
        at = operation.end if operation and operation.end is not None else time.monotonic_ns()
        self._events.append(Event(at=at, who=who, what=what, server=server, operation=operation))

    def _finish(self, call: Call, within_s: float | None = None) -> Operation | None:
        """Waits for the end of a request and records it once; None if it has not ended within the time."""
        operation = call.answer(within_s)
        if operation and call not in self._ended:
            self._ended.add(call)
            self._served(call.line, operation.served_by)
            if call.line in self._chosen_for and operation.served_by is None:
                self._as_met = False  # the server closed the connection just then
            what: What = "answered" if operation.status == "ok" else "failed"
            self._note(call.request.who, what, operation.served_by, operation)
        return operation

    def _finish_all(self) -> list[Operation]:
        return [operation for operation in map(self._finish, self._calls) if operation]

    def _meet(self, step: Meet) -> None:
        """Opens several connections at once, so that more than one process accepts them, until two of them fit."""
        if not self._target.leads_apart(step.place):
            return
        opened: list[tuple[Line, ServedBy]] = []
        asked = Request(who="", op="", op_id=self._key, method="GET", path="/healthz", parameters={"key": ""})
        if self._target.deployment.between_clients:  # first its cookie, which all connections of one client send
            first = self._open()
            Call(asked, first, self._jars[first]).answer()
            asked = replace(asked, cookies=self._jar.headers())
        for _ in range(TRIES["copies"]):
            calls = [(line, Call(asked, line, self._jars[line])) for line in (self._open() for _ in range(TOGETHER))]
            answers = [(line, call.answer()) for line, call in calls]
            opened += [(line, found.served_by) for line, found in answers if found and found.served_by]
            for (line, one), (other_line, other) in itertools.combinations(opened, 2):
                if self._target.fits(one, other, step.place):
                    self._kept = dict(zip(step.pair, (line, other_line), strict=True))
                    self._chosen_for = {line: one.boot, other_line: other.boot}
                    return

    @contextmanager
    def _led(self, line: Line) -> Iterator[None]:
        """Within this context, the next request on this line goes to the process that was chosen for it.

        If the server closed the connection, the line's next one leads to whoever is free, and one that httpd keeps open
        does too, since it passes each request on to one of mod_wsgi's processes. So requests are held in every
        thread of every process that is free, and then one of those in the chosen process is let go. That is not
        possible where each request has a thread or greenlet of its own, on several hosts, or where processes are
        replaced after some requests. Where a process takes more requests than it has threads (httpd's own), some are
        not held in time, and the next request goes where it may."""
        about = self._target.deployment
        chosen = self._chosen_for.get(line)
        if chosen is None or not (line.ended or self._astray) or about.fresh or about.recycled or about.hosts > 1:
            yield
            return
        busy = sum(call.answer(0) is None for call in self._calls)
        holding: list[Call] = []
        for _ in range(about.workers * about.threads - busy):
            op_id = f"{self._key}-busy-{secrets.token_hex(4)}"
            path, parameters = f"/gates/{op_id}/hold", {"key": self._key}
            asked = Request(who="", op="", op_id=op_id, method="POST", path=path, parameters=parameters)
            holding.append(Call(asked, self._open()))
        try:
            arrivals = (self._gates.arrival(call.request.op_id, within_s=1) for call in holding)
            held = itertools.takewhile(bool, arrivals)  # one that does not come in time is enough to give up
            free = [call for call, at in zip(holding, held, strict=False) if at and at.served_by.boot == chosen]
            for call in free[:1]:
                self._let_go(call)
            yield
        finally:
            for call in holding:
                if call.answer(0) is None:
                    self._let_go(call)

    def _let_go(self, call: Call) -> None:
        self._gates.release(call.request.op_id)
        call.answer()

    def _served(self, line: Line, server: ServedBy | None) -> None:
        if server and line in self._chosen_for:
            self._as_met &= server.boot == self._chosen_for[line]

    def _burst(self, step: Burst) -> None:
        met: set[object] = set()
        for _ in range(TRIES[step.until]):
            calls = [
                self._send(self._open(), step, f"{step.who}{number + 1}", window="io") for number in range(TOGETHER)
            ]
            ended = [operation for operation in map(self._finish, calls) if operation]
            met |= {self._target.copy_of(operation.served_by) for operation in ended if operation.served_by}
            match step.until:
                case "copies":
                    shown = len(met) > 1 or not self._target.apart
                case "failure":
                    shown = any(operation.status != "ok" for operation in ended)
                case "silence":
                    shown = any(operation.timed_out for operation in ended)
            if shown:
                return
