"""A discrete simulation of a deployment that counts: what a cell's history looks like when the truth is known."""

import random
from dataclasses import dataclass, replace

from counter_histories import MS, read, server
from statelab.core.operation import Operation, ServedBy
from statelab.record.columns import History


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """`copies`: who has a copy of his own (whole, process, thread or request). `atomic`: nobody comes in between an
    update's read and its write. `answers_later`: the number handed out is read after the update. `unanswered`: share
    of increments whose answer is lost; half of them take effect, some long after. `sets_apart`: one more increment is
    made between the final reads, so that copies that ended alike by chance differ at one of the two moments."""

    processes: int = 1
    threads: int = 1
    copies: str = "whole"
    atomic: bool = True
    answers_later: bool = False
    unanswered: float = 0.0
    sets_apart: bool = True
    clients: int = 8


def simulate(deployment: Deployment, rng: random.Random, increments: int = 120, reads: int = 24) -> History:
    """A closed loop of clients; then reads one after the other, in the middle of which one more increment is made."""
    plan = sorted(_requests(deployment, rng, increments), key=lambda request: request.read_at)
    quiet = max(max(request.end, request.write_at) for request in plan) + 10 * MS
    finals = [_Final(quiet + k * MS, _server(deployment, rng)) for k in range(reads)]
    if deployment.sets_apart:
        at = quiet + (reads // 2) * MS + MS // 3
        plan.append(
            _Request(client=0, by=_server(deployment, rng), start=at, read_at=at + 1, write_at=at + 2, end=at + 3)
        )
    told = _run(deployment, plan, finals)
    operations = [request.operation(told.get(index)) for index, request in enumerate(plan)]
    return History.from_operations(operations + [final.operation() for final in finals])


def _run(deployment: Deployment, plan: list["_Request"], finals: list["_Final"]) -> dict[int, int]:
    """Performs all steps in the order of time; the numbers told, by request."""
    steps = [(at, index, kind) for index, request in enumerate(plan) for at, kind in request.steps(deployment)]
    steps += [(final.at, len(plan) + k, "look") for k, final in enumerate(finals)]
    values, found, told = dict[object, int](), dict[int, int](), dict[int, int]()
    for _, index, kind in sorted(steps):
        by = plan[index].by if index < len(plan) else finals[index - len(plan)].by
        copy = _copy(deployment, by, index)
        value = values.get(copy, 0)
        if kind == "look":
            finals[index - len(plan)].value = value
        elif kind == "read":
            found[index] = value
        elif kind == "write":
            values[copy] = told[index] = found[index] + 1
        elif kind == "both":
            values[copy] = told[index] = value + 1
        else:
            told[index] = value
    return told


@dataclass
class _Final:
    at: int
    by: ServedBy
    value: int = 0

    def operation(self) -> Operation:
        return read(self.at - 1000, self.at + 1000, self.value, self.by)


@dataclass(frozen=True, kw_only=True)
class _Request:
    client: int
    by: ServedBy
    start: int
    read_at: int
    write_at: int
    end: int
    answered: bool = True
    effective: bool = True

    def steps(self, deployment: Deployment) -> list[tuple[int, str]]:
        if not self.effective:
            return []
        if not deployment.atomic:
            return [(self.read_at, "read"), (self.write_at, "write")]
        return [(self.read_at, "both")] + ([(self.write_at, "tell")] if deployment.answers_later else [])

    def operation(self, told: int | None) -> Operation:
        common = Operation(process=self.client, op="increment", start=self.start, end=None, status="info")
        if not self.answered or told is None:
            return common
        served = {"served_by": self.by, "op_id": f"{self.client}@{self.start}"}
        return Operation(
            process=self.client, op="increment", start=self.start, end=self.end, status="ok", result=told, **served
        )


def _requests(deployment: Deployment, rng: random.Random, increments: int) -> list[_Request]:
    busy: dict[ServedBy, int] = {}
    requests = []
    clocks = [rng.randrange(MS) for _ in range(deployment.clients)]
    for _ in range(increments):
        client = min(range(deployment.clients), key=clocks.__getitem__)
        start, by = clocks[client], _server(deployment, rng)
        begun = max(start, busy.get(by, 0)) + rng.randrange(MS // 10) + 1
        write = begun + rng.randrange(2 * MS) + 1
        busy[by] = write + 1
        end = write + rng.randrange(MS // 10) + 1
        request = _Request(client=client, by=by, start=start, read_at=begun, write_at=write, end=end)
        if rng.random() < deployment.unanswered:
            request = _lost(request, rng)
        requests.append(request)
        clocks[client] = end + rng.randrange(MS // 5) + 1
    return requests


def _lost(request: _Request, rng: random.Random) -> _Request:
    """The answer of this request gets lost; its write may come much later, or never."""
    if rng.random() < 0.5:
        return replace(request, answered=False, effective=False)
    return replace(request, answered=False, write_at=request.write_at + rng.choice((0, 5 * MS, 500 * MS)))


def _server(deployment: Deployment, rng: random.Random) -> ServedBy:
    pid = 100 + rng.randrange(deployment.processes)
    return server(pid=pid, thread=pid * 10 + rng.randrange(deployment.threads))


def _copy(deployment: Deployment, by: ServedBy, index: int) -> object:
    keys = {"whole": 0, "process": by.pid, "thread": (by.pid, by.thread), "request": ("request", index)}
    return keys[deployment.copies]
