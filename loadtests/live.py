"""The judge beside Locust: is given what is recorded while the load runs, and says what the tab State shows.

With workers, each sends once a second what it has recorded to the master, whose judge gets everything.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import msgspec
from gevent import subprocess

from recording import Recorder
from statelab.core.live import Batch
from statelab.core.live import Begin

EVERY_S = 1.0
MESSAGE = "statelab-recorded"
WAIT_FOR_WORKERS_S = 10.0
ME = "this process"

MACHINE = Path("/proc/sys/kernel/random/boot_id")
SEVERAL_CLOCKS = "the workers are on several machines, whose clocks cannot be compared"
WORKER_GONE = "a worker ended without sending all it had recorded"


def machine() -> str:
    return MACHINE.read_text().strip() if MACHINE.exists() else ""


class Outgoing:
    """What this process has recorded and not yet handed on."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._lines: list[bytes] = []

    def add(self, line: bytes) -> None:
        self._lines.append(line)

    def taken(self) -> tuple[int, bytes]:
        """Before when nothing is missing (ns), and the lines. Not interrupted by other greenlets."""
        until, lines = self._recorder.known_until(), b"".join(self._lines)
        self._lines.clear()
        return until, lines


class Reporter:
    """In a worker: sends to the master what is recorded, once a second while a load is running."""

    def __init__(self, runner: Any, outgoing: Outgoing) -> None:
        self._runner = runner
        self._outgoing = outgoing
        self._greenlet: Any = None

    def begin(self) -> None:
        self._outgoing.taken()
        self._greenlet = gevent.spawn(self._send_all_the_time)

    def _send_all_the_time(self) -> None:
        while True:
            gevent.sleep(EVERY_S)
            self._send(last=False)

    def _send(self, last: bool) -> None:
        until, lines = self._outgoing.taken()
        message = {"until": until, "lines": lines, "last": last, "machine": machine()}
        self._runner.send_message(MESSAGE, message)

    def end(self) -> None:
        if self._greenlet:
            self._greenlet.kill()
            self._greenlet = None
            self._send(last=True)


class Live:
    """Where the web UI is: feeds the judge and keeps what it has seen, as JSON. Without the judge (it ended, for
    whatever reason) the load goes on."""

    def __init__(self, runner: Any, outgoing: Outgoing, take: Callable[[bytes], None]) -> None:
        self._runner = runner
        self._outgoing = outgoing
        self._take = take
        self._until: dict[str, int] = {}
        self._last: set[str] = set()
        self._arrived: list[bytes] = []
        self._trouble = ""
        self._greenlet: Any = None
        self._key = ""
        self.seen = b"null"
        if hasattr(runner, "clients"):
            runner.register_message(MESSAGE, self._receive)
        self._judge: Any = None

    def start(self) -> None:
        """Starts the judge, which takes a second and 100 MB: as soon as somebody looks at the page, not before."""
        if self._judge is None:
            self._judge = subprocess.Popen(
                [sys.executable, "-m", "statelab.repro.live.judge"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            gevent.spawn(self._listen)

    def _listen(self) -> None:
        for line in self._judge.stdout:
            self.seen = line

    def _workers(self) -> list[str]:
        return [client.id for client in self._runner.clients.all] if hasattr(self._runner, "clients") else []

    def _receive(self, environment: Any, msg: Any, **_: Any) -> None:
        """What a worker has recorded."""
        if msg.node_id not in self._until:
            return  # of a run before
        self._until[msg.node_id] = msg.data["until"]
        self._arrived.append(msg.data["lines"])
        self._take(msg.data["lines"])
        if msg.data["last"]:
            self._last.add(msg.node_id)
        if msg.data["machine"] != machine():
            self._trouble = SEVERAL_CLOCKS

    def begin(self, begin: Begin) -> None:
        self.start()
        self._outgoing.taken()
        self._arrived, self._last, self._trouble, self._key = [], set(), "", begin.key
        self._until = dict.fromkeys(self._workers(), time.monotonic_ns())
        self._write(msgspec.json.encode(begin) + b"\n")
        self._greenlet = gevent.spawn(self._feed_all_the_time)

    def _feed_all_the_time(self) -> None:
        while True:
            gevent.sleep(EVERY_S)
            self._feed(ended=False)

    def _feed(self, ended: bool) -> None:
        for worker in self._workers():
            self._until.setdefault(worker, time.monotonic_ns())  # it came later, and has recorded nothing so far
        until, lines = self._outgoing.taken()
        content = b"".join([*self._arrived, lines])
        self._arrived.clear()
        until = min([until, *self._until.values()])
        batch = Batch(until=None if ended else until, size=len(content), trouble=self._trouble)
        self._write(msgspec.json.encode(batch) + b"\n" + content)

    def _write(self, message: bytes) -> None:
        try:
            self._judge.stdin.write(message)
            self._judge.stdin.flush()
        except OSError:
            self.seen = msgspec.json.encode(
                {"gone": f"the judge has ended with {self._judge.poll()}; the load goes on"}
            )

    def settle(self) -> None:
        """Waits until the workers have sent all they had recorded."""
        deadline = time.monotonic() + WAIT_FOR_WORKERS_S
        while not self._last >= self._until.keys() and time.monotonic() < deadline:
            gevent.sleep(0.05)
        if not self._last >= self._until.keys():
            self._trouble = self._trouble or WORKER_GONE

    def end(self) -> None:
        """After the last operation: the judge gets the rest, and its verdict is the report's."""
        if self._greenlet:
            self._greenlet.kill()
            self._greenlet = None
            self._feed(ended=True)

    def close(self) -> None:
        """The judge ends when it can read nothing more."""
        if self._judge is None:
            return
        try:
            self._judge.stdin.close()
            self._judge.wait(timeout=5)
        except (OSError, subprocess.TimeoutExpired):
            self._judge.kill()
