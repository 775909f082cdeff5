"""A worker is killed while it holds the lock: which locks are free again, and which stay stuck for ever."""

import itertools
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from statelab.check.judges.judgement import Expectation
from statelab.check.judges.lock import STUCK_S, judge
from statelab.core.operation import Operation
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine
from statelab.drive.request import Call, Line, Request
from statelab.plan.app import App
from statelab.plan.deployments import load_all
from statelab.record.columns import History
from statelab.repro.gates import ENVIRONMENT, Gates, gates_host

pytestmark = pytest.mark.process

DEPLOYMENT, UWSGI = "sync-4-preload", "uwsgi-4"
"""Under the first even `multiprocessing.Lock` is one lock for all workers; the second has a lock of its own."""

RECOVERS = ("file-flock", "redis-lock", "postgres-advisory-lock", "uwsgi-lock")
STUCK = ("multiprocessing-lock", "memcached-add")


class Lab:
    """Deployments with gates, and their clients."""

    def __init__(self, engine: LocalEngine, gates: Gates) -> None:
        self._engine, self._gates = engine, gates
        self.lines: list[Line] = []
        self._numbers = itertools.count()

    def ask(self, mechanism: str, window: str) -> Call:
        name = f"dead-{next(self._numbers)}-{mechanism}"
        parameters = {"key": "dead-holder", "window": window}
        path = f"/lock/{mechanism}/work"
        request = Request(who=name, op="work", op_id=name, method="POST", path=path, parameters=parameters)
        self.lines.append(Line(self._engine.url(UWSGI if mechanism == "uwsgi-lock" else DEPLOYMENT), 20.0))
        return Call(request, self.lines[-1])

    def kill_holder(self, mechanism: str) -> Operation:
        """Kills the worker that holds the lock, by the pid that its request names."""
        holder = self.ask(mechanism, "gate")
        arrival = self._gates.arrival(holder.request.op_id)
        assert arrival, "the request never got the lock"
        os.kill(arrival.served_by.pid, signal.SIGKILL)
        ended = holder.answer(20)
        assert ended
        assert ended.status == "info", ended
        return ended

    def after_the_death(self, mechanism: str) -> list[Operation]:
        """The holder, and those who ask after it until one gets the lock or it is clear that nobody will."""
        operations = [self.kill_holder(mechanism)]
        give_up = time.monotonic() + STUCK_S
        while True:
            last = time.monotonic() > give_up
            asked = self.ask(mechanism, "io").answer(20)
            assert asked
            operations.append(asked)
            if last or isinstance(asked.result, list):
                return operations


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    deployments = load_all(DEPLOYMENTS, [UWSGI])
    holder = gates_host(deployments)
    engine = LocalEngine(App(workloads=("lock",)), ENVIRONMENT)
    try:
        engine.up([deployments[DEPLOYMENT], deployments[UWSGI], holder])
        lab = Lab(engine, Gates(engine.url(holder.name)))
        yield lab
        for line in lab.lines:
            line.close()
    finally:
        engine.down()


def anomalies(operations: list[Operation]) -> list[str]:
    expectation = Expectation(expected_processes=4, spread=frozenset({"processes"}))
    return judge(History.from_operations(operations), expectation).anomalies


@pytest.mark.parametrize("mechanism", RECOVERS)
def test_a_dead_holder_frees_it(lab: Lab, mechanism: str) -> None:
    """The kernel, the end of the lease, or the end of the connection: somebody else gets the lock."""
    operations = lab.after_the_death(mechanism)
    assert isinstance(operations[-1].result, list), operations
    assert anomalies(operations) == []


def test_a_dead_holder_keeps_it(lab: Lab) -> None:
    """Nobody tells memcached or a semaphore that its holder is gone: whoever asks is told `busy`, for ever."""
    with ThreadPoolExecutor(len(STUCK)) as threads:
        found = dict(zip(STUCK, threads.map(lab.after_the_death, STUCK), strict=True))
    for operations in found.values():
        assert {operation.result for operation in operations[1:]} == {"busy"}
    assert {name: anomalies(operations) for name, operations in found.items()} == {name: ["stuck"] for name in STUCK}
