"""The judge beside Locust: is given what is recorded while the load runs, and says what the tab State shows.

With workers, what they have sent to the master goes to the master's judge.
"""

import sys
from collections.abc import Callable
from typing import Any

import gevent
import msgspec
from gevent import subprocess
from gevent.event import Event

from collecting import Collection
from reporting import Outgoing
from statelab.core.live import Batch, Begin

EVERY_S = 1.0
VERDICT_S = 120.0
"""How long a run without a web UI waits at its end for the verdict."""


class Live:
    """Feeds the judge and keeps what it has seen, as JSON. It runs where the web UI is, or in a master without one. If
    the judge ends, for whatever reason, the load goes on."""

    def __init__(self, outgoing: Outgoing, collection: Collection | None, take: Callable[[bytes], None]) -> None:
        self._outgoing = outgoing
        self._collection = collection
        self._take = take
        self._feeding: Any = None
        self._over: Any = Event()
        self.seen = b"null"
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

    def begin(self, begin: Begin) -> None:
        self.start()
        self._outgoing.taken()
        self.seen = b"null"
        self._write(msgspec.json.encode(begin) + b"\n")
        self._over.clear()
        self._feeding = gevent.spawn(self._feed_all_the_time)

    def _feed_all_the_time(self) -> None:
        while not self._over.wait(EVERY_S):
            self._feed(ended=False)

    def _feed(self, ended: bool) -> None:
        joined, arrived = self._collection.taken() if self._collection else (None, [])
        until, lines = self._outgoing.taken()
        for _, content in arrived:
            self._take(content)
        if ended and self._collection:
            arrived += self._collection.gone()
        own = b"".join(lines)
        batch = Batch(
            until=None if ended else min(until, until if joined is None else joined),
            size=len(own),
            parts=[part for part, _ in arrived],
        )
        self._write(b"".join([msgspec.json.encode(batch), b"\n", own, *(content for _, content in arrived)]))

    def _write(self, message: bytes) -> None:
        try:
            self._judge.stdin.write(message)
            self._judge.stdin.flush()
        except OSError:
            self.seen = msgspec.json.encode(
                {"gone": f"the judge has ended with {self._judge.poll()}; the load goes on"}
            )

    def end(self) -> None:
        """After the last operation: the judge gets the rest, and its verdict is the report's."""
        if self._feeding:
            self._over.set()
            self._feeding.join()  # not killed: it may have written one half of a message
            self._feeding = None
            self._feed(ended=True)

    def verdict(self) -> dict[str, Any]:
        """What the judge says of the whole run, once it has said it; if it says nothing, `gone` has the reason."""
        with gevent.Timeout(VERDICT_S, False):
            while True:
                seen: dict[str, Any] = msgspec.json.decode(self.seen) or {}
                if seen.get("ended") or "gone" in seen:
                    return seen
                gevent.sleep(0.05)
        return {"gone": f"the judge said nothing for {VERDICT_S:g} s"}

    def close(self) -> None:
        """The judge ends when it can read nothing more."""
        if self._judge is None:
            return
        try:
            self._judge.stdin.close()
            self._judge.wait(timeout=5)
        except (OSError, subprocess.TimeoutExpired):
            self._judge.kill()
