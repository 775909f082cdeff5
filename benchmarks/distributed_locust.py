"""Two workers and a master, as BENCH_MODE says: `http` asks a server, `canned` is answered at once by nobody, at a
pace, `backlog` has recorded half a million operations a worker before it may send the first."""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
from locust import FastHttpUser, events, task
from locust.runners import MasterRunner, WorkerRunner

import reporting
from collecting import Collection
from recording import Recorder, RecordingClient
from reporting import Outgoing, Reporter

MODE = os.environ["BENCH_MODE"]
URL = os.environ.get("BENCH_URL", "http://127.0.0.1")
FOLDER = Path(os.environ["BENCH_FOLDER"])
RECORDED = bool(os.environ.get("BENCH_RECORDED"))
PACE = float(os.environ.get("BENCH_PACE", "0"))
BACKLOG = int(os.environ.get("BENCH_BACKLOG", "0"))
KEY = "bench"
TICK_S = 0.02

if MODE == "backlog":
    reporting.TICKS = 1 << 60  # nothing is sent before the end


class Bench:
    """What this process has, and when its load began and ended."""

    recorder: Recorder
    reporter: Reporter | None = None
    collection: Collection | None = None
    answered = 0
    began = cpu = 0.0


SERVER = json.dumps({"host": "bench-host", "pid": 4711, "thread": 4712, "greenlet": 4713, "boot": "0123456789abcdef"})


class Canned:
    """A session that is answered at once."""

    cookiejar = SimpleNamespace(clear=lambda: None)
    answer = SimpleNamespace(status_code=200, content=b'{"result": 17}', headers={"X-Served-By": SERVER}, error=None)

    def request(self, *_: Any, **__: Any) -> Any:
        return self.answer


@events.init.add_listener
def prepare(environment: Any, **_: Any) -> None:
    runner = environment.runner
    if not RECORDED:
        return
    if isinstance(runner, WorkerRunner):
        outgoing: Outgoing
        Bench.recorder = Recorder(FOLDER / "own", lambda operation, line: outgoing.add(line))
        outgoing = Outgoing(Bench.recorder)
        Bench.reporter = Reporter(environment, outgoing)
    elif isinstance(runner, MasterRunner):
        Bench.collection = Collection(runner, FOLDER / "master")


@events.test_start.add_listener
def begin(environment: Any, **_: Any) -> None:
    if Bench.collection:
        Bench.collection.begin(KEY)
    if Bench.reporter:
        Bench.reporter.begin(KEY)


@events.spawning_complete.add_listener
def started(**_: Any) -> None:
    Bench.began, Bench.cpu = time.monotonic(), time.process_time()
    if MODE != "backlog":
        Bench.answered = 0


@events.test_stop.add_listener
def end(environment: Any, **_: Any) -> None:
    if isinstance(environment.runner, WorkerRunner):
        seconds = time.monotonic() - Bench.began
        done = {"answered": Bench.answered, "seconds": seconds, "cpu": time.process_time() - Bench.cpu}
        (FOLDER / f"worker-{os.getpid()}.json").write_text(json.dumps(done))
        if Bench.reporter:
            Bench.reporter.end()
        return
    environment.runner.send_message("stop")
    asked = time.monotonic()
    if not Bench.collection:
        gevent.sleep(2)  # the workers write what they have done
        return
    Bench.collection.settle()
    seconds = time.monotonic() - asked
    whole = all(worker.last for worker in Bench.collection.workers.values())
    bounds = [min(each.bound_ns for each in worker.exchanges) for worker in Bench.collection.workers.values()]
    (FOLDER / "master.json").write_text(json.dumps({"seconds": seconds, "whole": whole, "bounds": bounds}))


class BenchUser(FastHttpUser):
    host = URL

    def on_start(self) -> None:
        session: Any = self.client
        if MODE != "http":
            session = Canned()
        self.session = session
        if RECORDED:
            self.recording = RecordingClient(self.session, Bench.recorder, 0, reuse=True)

    def _ask(self) -> None:
        if RECORDED:
            self.recording.read(URL, key=KEY)
        else:
            self.session.request("GET", f"{URL}?key={KEY}", name=URL)
        Bench.answered += 1

    @task
    def work(self) -> None:
        if MODE == "http":
            self._ask()
        elif MODE == "canned":
            gevent.sleep(TICK_S)
            due = int((time.monotonic() - Bench.began) * PACE) - Bench.answered if Bench.began else 0
            for _ in range(min(due, int(PACE))):
                self._ask()
        else:
            for _ in range(min(1000, BACKLOG - Bench.answered)):
                self._ask()
            gevent.sleep(0.001)
