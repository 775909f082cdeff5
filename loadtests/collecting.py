"""In the master: which workers there are, what each has recorded, and which of them is gone.

Each worker's lines are kept in a file of the run's folder, `history-<worker>.jsonl`, by the worker's own clock; beside
them `clocks.json` has what was exchanged.
"""

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
import msgspec

from reporting import CLOCK, HELLO, RECORDED, REFUSED, SETTLE, TAKEN, WELCOME, refusal
from statelab.core.clocks import Exchange, machine
from statelab.core.live import Part
from statelab.core.version import version

MISSING = "missing"
"""The state of a worker of which Locust has heard nothing for long."""

WAIT_S = 10.0
"""A worker that has sent nothing for this long after the end of a run is gone."""

HELLO_S = 2.0
UNNAMED = "a version that it does not say"


@dataclass
class Worker:
    """What a worker has sent in the present run. `waiting` lines belong to a batch that is not whole yet; `now` is when
    the last whole one was made, by the worker's clock, and `unanswered` what was under way then."""

    joined: int
    own_clock: bool = True
    number: int = 0
    waiting: list[bytes] = field(default_factory=list)
    ready: list[tuple[Part, bytes]] = field(default_factory=list)
    now: int = 0
    unanswered: bytes = b""
    exchanges: list[Exchange] = field(default_factory=list)
    heard: float = 0.0
    last: bool = False


class Collection:
    def __init__(self, runner: Any, folder: Path) -> None:
        self._runner = runner
        self._base = folder
        self._machines: dict[str, str] = {}
        self._key = ""
        self.workers: dict[str, Worker] = {}
        for message, heard in ((HELLO, self._hello), (CLOCK, self._answer), (RECORDED, self._receive)):
            runner.register_message(message, heard)
        runner.environment.events.worker_connect.add_listener(self._connected)

    @property
    def folder(self) -> Path:
        """Of the present run."""
        return self._base / self._key

    def _connected(self, client_id: str, **_: Any) -> None:
        """A worker that connects has recorded nothing of the run so far. What it does from now on is unknown until it
        sends something."""
        self.workers.setdefault(client_id, Worker(joined=time.monotonic_ns()))

    def _hello(self, environment: Any, msg: Any, **_: Any) -> None:
        if msg.data["lab"] == version():
            self._machines[msg.node_id] = msg.data["machine"]
            self._runner.send_message(WELCOME, None, msg.node_id)
        else:
            self._refuse(msg.node_id, msg.data["lab"])

    def _refuse(self, worker: str, lab: str) -> None:
        print(refusal(f"the worker {worker}", lab, version()), file=sys.stderr, flush=True)
        self._runner.send_message(REFUSED, {"lab": version()}, worker)
        if lab == UNNAMED:
            self._runner.send_message("quit", None, worker)
        self.workers.pop(worker, None)
        if worker in self._runner.clients:
            del self._runner.clients[worker]

    def _answer(self, environment: Any, msg: Any, **_: Any) -> None:
        received = time.monotonic_ns()
        answer = {"sent": msg.data["sent"], "received": received, "answered": time.monotonic_ns()}
        self._runner.send_message(CLOCK, answer, msg.node_id)

    def begin(self, key: str) -> None:
        """A run begins. Workers that do not say which version they have are refused."""
        deadline = time.monotonic() + HELLO_S
        while self._silent() and time.monotonic() < deadline:
            gevent.sleep(0.05)
        for worker in self._silent():
            self._refuse(worker, UNNAMED)
        self._key = key
        self.workers = {client.id: Worker(joined=time.monotonic_ns()) for client in self._runner.clients.all}

    def _silent(self) -> list[str]:
        return [client.id for client in self._runner.clients.all if client.id not in self._machines]

    def _receive(self, environment: Any, msg: Any, **_: Any) -> None:
        """A piece of what a worker has recorded; one that comes again is only acknowledged."""
        said = msg.data
        self._runner.send_message(TAKEN, {"number": said["number"]}, msg.node_id)
        if said["key"] != self._key:
            return  # of a run before
        worker = self.workers.get(msg.node_id)
        if worker is None or said["number"] != worker.number + 1:
            return
        worker.number, worker.heard = said["number"], time.monotonic()
        worker.waiting.append(said["lines"])
        self._keep(msg.node_id, said["lines"])
        if "until" not in said:
            return
        worker.own_clock = machine() != self._machines.get(msg.node_id) or not machine()
        exchanges = [Exchange(*each) for each in said["exchanges"]]
        lines = b"".join(worker.waiting)
        part = Part(
            worker=msg.node_id,
            size=len(lines),
            until=said["until"],
            exchanges=exchanges if worker.own_clock else None,
        )
        worker.waiting.clear()
        worker.ready.append((part, lines))
        worker.exchanges += exchanges
        worker.now, worker.unanswered, worker.last = said["now"], said["unanswered"], said["last"]

    def _keep(self, name: str, lines: bytes) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / f"history-{name}.jsonl").open("ab") as file:
                file.write(lines)
        except OSError as error:  # Locust would only log it and go on, and the history would lack operations
            print(f"the history cannot be written to {self.folder}: {error}", file=sys.stderr, flush=True)
            os._exit(74)

    def taken(self) -> tuple[int | None, list[tuple[Part, bytes]]]:
        """What has come since the last call. Before it, among the workers of which nothing has come so far, when the
        first one joined (by this clock; None: there are no such workers)."""
        ready = [each for worker in self.workers.values() for each in worker.ready]
        for worker in self.workers.values():
            worker.ready = []
        return min((each.joined for each in self.workers.values() if not each.now), default=None), ready

    def settle(self) -> None:
        """Waits until the workers have sent all they had recorded; gives up a worker that sends nothing for WAIT_S."""
        began = time.monotonic()
        self._runner.send_message(SETTLE, {"key": self._key})
        while any(
            not each.last and time.monotonic() < max(began, each.heard) + WAIT_S and not self._missing(name)
            for name, each in self.workers.items()
        ):
            gevent.sleep(0.02)
        clocks = {name: each.exchanges for name, each in self.workers.items() if each.own_clock}
        if self.workers:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "clocks.json").write_bytes(msgspec.json.encode(clocks))

    def _missing(self, name: str) -> bool:
        return name in self._runner.clients and self._runner.clients[name].state == MISSING

    def gone(self) -> list[tuple[Part, bytes]]:
        """For each worker that ended without sending everything, the requests that had no answer yet."""
        return [
            (
                Part(
                    worker=name,
                    size=0,
                    until=worker.now or worker.joined,
                    exchanges=[] if worker.own_clock and worker.now else None,
                    gone=True,
                    unanswered=len(worker.unanswered),
                ),
                worker.unanswered,
            )
            for name, worker in self.workers.items()
            if not worker.last
        ]

    def bounds(self) -> list[str]:
        """For each worker how closely its clock is known."""
        found = []
        for name, worker in self.workers.items():
            if worker.exchanges:
                best = min(each.bound_ns for each in worker.exchanges) / 1000
                one = "" if worker.own_clock else "; it is the master's own, so nothing is widened"
                found.append(
                    f"the clock of {name} is known within {best:,.1f} us at best, by {len(worker.exchanges):,} "
                    f"exchanges{one}"
                )
        return found
