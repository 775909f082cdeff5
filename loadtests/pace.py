"""Holds the requests of all clients together to a rate."""

import time

import gevent


class Pace:
    """At most `rate` requests in any second (0: as many as there are). As many clients as the rate allows go at once,
    so that their requests meet; the next ones wait for a while after the last of these."""

    def __init__(self, rate: int, clients: int) -> None:
        self._together = max(1, min(rate, clients))
        self._apart_s = 1 / (rate // self._together) if rate else 0.0
        self._gone = self._together
        self._last = float("-inf")

    def wait(self) -> None:
        """Returns when the caller may send its request."""
        if not self._apart_s:
            return
        now = time.monotonic()
        at = max(now, self._last)
        if self._gone == self._together or now > self._last + self._apart_s:
            at, self._gone = max(now, self._last + self._apart_s), 0
        self._gone += 1
        self._last = at
        if at > now:
            gevent.sleep(at - now)
