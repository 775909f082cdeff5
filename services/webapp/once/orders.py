"""Orders of requests for a job that runs at intervals, which every process of the deployment can read."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from webapp import stores
from webapp.once import ledger
from webapp.world import Lines

INTERVAL_S = 0.05
"""How often the jobs run; a real app would use minutes."""

QUIET_S = 3 * INTERVAL_S
"""If nothing has happened for this long, each job has run again."""

PATIENCE_S = 0.5
"""How long after the last order a read still waits for its effect: many intervals."""

KEPT_S = 8.0
"""How long a job goes on after the last request that needs it. Later it stops, because it would slow down other
cells."""


def _lock() -> threading.Lock:
    """A lock, made at the first use, because gevent may patch the class before that."""
    return threading.Lock()


class Recurring:
    """A scheduler of this process, started at its first request, and its one job."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._run = run
        self._lock = stores.per_process(_lock)
        self._scheduler: Any = None
        self._until = datetime.now(UTC)

    def start(self) -> None:
        """Starts the scheduler, or lets it go on."""
        with self._lock():
            if self._scheduler is None:
                from apscheduler.schedulers.background import BackgroundScheduler

                self._scheduler = BackgroundScheduler(timezone=UTC, daemon=True)
                self._scheduler.start()
            now = datetime.now(UTC)
            if self._until < now + timedelta(seconds=KEPT_S / 2):
                self._until = now + timedelta(seconds=KEPT_S)
                self._scheduler.add_job(
                    self._run,
                    "interval",
                    seconds=INTERVAL_S,
                    end_date=self._until,
                    id="job",
                    replace_existing=True,
                    misfire_grace_time=None,
                )


class Orders:
    """A mechanism's orders: lines `<key> <work>`."""

    def __init__(self, mechanism: str) -> None:
        self._lines = Lines(f"once.{mechanism}~orders")

    def place(self, key: str, work: str) -> None:
        self._lines.append(f"{key} {work}")

    def of(self, key: str) -> set[str]:
        """The works of one key."""
        return {work for place, work in self.since(0)[0] if place == key}

    @property
    def age_s(self) -> float:
        """Seconds since the last order of any key."""
        return self._lines.age_s

    @property
    def end(self) -> int:
        """The position after the last order."""
        return self._lines.end

    def since(self, place: int) -> tuple[list[tuple[str, str]], int]:
        """The orders after the position `place`, each a key and a work, and the position after the last one."""
        lines, end = self._lines.since(place)
        found = [line.partition(" ") for line in lines]
        return [(key, work) for key, _, work in found], end


def settled(key: str, orders: Orders, patience_s: float = PATIENCE_S) -> list[str]:
    """The ledger, once all orders are in it or `patience_s` after the last order, and when nothing is happening."""
    expected = orders.of(key)
    while orders.age_s < patience_s and expected - {entry.partition(" ")[0] for entry in ledger.entries(key)}:
        time.sleep(INTERVAL_S / 5)
    while min(orders.age_s, ledger.of(key).age_s) < QUIET_S:
        time.sleep(INTERVAL_S / 5)
    return ledger.entries(key)
