"""In a worker: says which lab it is, exchanges stamps with the master, and sends it what is recorded.

All of it goes over Locust's own messages. While a load runs, a worker sends once a second what it has recorded since,
in pieces of at most PIECE bytes, each after the one before has arrived. So a worker that vanishes takes at most about a
second with it.
"""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
from gevent.event import AsyncResult, Event

from recording import Recorder
from statelab.core.clocks import Exchange, machine
from statelab.core.operation import encode_line
from statelab.core.version import version

HELLO, WELCOME, REFUSED = "statelab-hello", "statelab-welcome", "statelab-refused"
CLOCK = "statelab-clock"
RECORDED, TAKEN, SETTLE = "statelab-recorded", "statelab-taken", "statelab-settle"

PIECE = 1 << 20
"""The most bytes of lines in one message, unless a single line is longer."""

TICK_S = 0.1
"""The clocks are compared this often: meanwhile they drift apart by 0.1 ms at most."""
TICKS = 10
"""The number of ticks between two batches."""

AT_FIRST = 100
"""Exchanges before a run; the one with the tightest bound counts."""

ANSWER_S = 5.0
"""How long an answer of the master is waited for."""


class Outgoing:
    """What this process has recorded and not yet handed on."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._lines: list[bytes] = []

    def add(self, line: bytes) -> None:
        self._lines.append(line)

    def taken(self) -> tuple[int, list[bytes]]:
        """The moment (ns) before which no operation is missing, and the lines recorded since the last call. Other
        greenlets cannot interrupt it."""
        until, lines = self._recorder.known_until(), self._lines
        self._lines = []
        return until, lines

    def unanswered(self) -> bytes:
        """The lines of the operations that are under way."""
        return b"".join(map(encode_line, self._recorder.unanswered()))


def pieces(lines: list[bytes]) -> Iterator[bytes]:
    """The lines in pieces that a message may carry; at least one, perhaps empty."""
    first = size = 0
    for place, line in enumerate(lines):
        if size and size + len(line) > PIECE:
            yield b"".join(lines[first:place])
            first, size = place, 0
        size += len(line)
    yield b"".join(lines[first:])


class Reporter:
    """Sends all that a worker has to say, in a greenlet of its own. Locust's greenlet, which receives the answers,
    never waits for it."""

    def __init__(self, environment: Any, outgoing: Outgoing) -> None:
        self._environment = environment
        self._runner = environment.runner
        self._outgoing = outgoing
        self._exchanges: list[Exchange] = []
        self._asked = 0
        self._clock: Any = AsyncResult()
        self._number = 0
        self._taken: Any = AsyncResult()
        self._ended = True
        self._key = ""
        self._speaking: Any = None
        self.welcome: Any = Event()
        """Set when the master has accepted this worker; no user sends a request before that."""
        for message, heard in (
            (WELCOME, lambda **_: self.welcome.set()),
            (CLOCK, self._answered),
            (TAKEN, self._arrived),
            (REFUSED, self._refused),
            (SETTLE, self._settle),
        ):
            self._runner.register_message(message, heard)
        self._runner.send_message(HELLO, {"lab": version(), "machine": machine()})

    def begin(self, key: str) -> None:
        """A run begins."""
        self._outgoing.taken()
        self._ended = False
        self._say(key, self._speak)

    def _say(self, key: str, what: Callable[[], None]) -> None:
        """Stops what is sent of the run before, and starts sending of the run `key`."""
        if self._speaking:
            self._speaking.kill(block=False)
        self._key, self._number, self._exchanges = key, 0, []
        self._speaking = gevent.spawn(what)

    def end(self) -> None:
        """The last operation has ended; what is left is sent now."""
        self._ended = True
        self._environment.stop_timeout = 0  # for this long Locust would hear nothing after its users have ended

    def _speak(self) -> None:
        self._exchange(AT_FIRST)
        while not self._ended:
            for _ in range(TICKS):
                gevent.sleep(TICK_S)
                self._exchange(1)
                if self._ended:
                    break
            else:
                self._send(last=False)
        self._send(last=True)

    def _exchange(self, times: int) -> None:
        for _ in range(times):
            self._clock, self._asked = AsyncResult(), time.monotonic_ns()
            self._runner.send_message(CLOCK, {"sent": self._asked})
            try:
                self._exchanges.append(self._clock.get(timeout=ANSWER_S))
            except gevent.Timeout:
                return

    def _answered(self, environment: Any, msg: Any, **_: Any) -> None:
        got = time.monotonic_ns()
        if msg.data["sent"] == self._asked:  # not one that was given up
            self._clock.set(Exchange(self._asked, msg.data["received"], msg.data["answered"], got))

    def _send(self, last: bool) -> None:
        """Sends what was recorded until now, and one more exchange after it, so that its stamps lie between two
        exchanges."""
        now = time.monotonic_ns()
        unanswered = self._outgoing.unanswered()
        until, lines = self._outgoing.taken()
        self._exchange(1)
        *before, final = pieces(lines)
        for piece in before:
            self._send_piece({"lines": piece})
        exchanges = [[each.sent, each.received, each.answered, each.got] for each in self._exchanges]
        self._exchanges = []
        said = {"until": until, "now": now, "unanswered": unanswered, "exchanges": exchanges, "last": last}
        self._send_piece({"lines": final, **said})

    def _send_piece(self, piece: dict[str, Any]) -> None:
        """Sends it again and again until the master says that it has arrived: later pieces are useless without it."""
        self._number += 1
        while True:
            self._taken = AsyncResult()
            self._runner.send_message(RECORDED, {"key": self._key, "number": self._number, **piece})
            try:
                while self._taken.get(timeout=ANSWER_S) != self._number:
                    self._taken = AsyncResult()
            except gevent.Timeout:
                continue
            return

    def _arrived(self, environment: Any, msg: Any, **_: Any) -> None:
        self._taken.set(msg.data["number"])

    def _settle(self, environment: Any, msg: Any, **_: Any) -> None:
        """A run has ended. A worker that took no part in it says so; any other has been told to stop."""
        if msg.data["key"] != self._key:
            self._say(msg.data["key"], lambda: self._send(last=True))

    def _refused(self, environment: Any, msg: Any, **_: Any) -> None:
        print(refusal("this worker", version(), msg.data["lab"]), file=sys.stderr, flush=True)
        self._environment.process_exit_code = 2
        gevent.spawn(self._runner.quit)


def refusal(worker: str, lab: str, masters: str) -> str:
    """What is said of a worker of another version."""
    return (
        f"{worker} has State Lab {lab}, the master has {masters}: what it records may mean something else, so it is "
        "refused. Use the same checkout or image for both"
    )
