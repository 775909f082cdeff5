"""APScheduler's `BackgroundScheduler` started with the app; a request adds a job that runs once, a little later.

People see the job accepted; the scheduler is a thread, and a thread does not survive a fork. Where the workers are
forked after the import, as with --preload, the job stays in the process where it was added, and no thread runs it.
"""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask

from webapp.claims import PROCESS, Claims
from webapp.once import ledger
from webapp.once.orders import INTERVAL_S, Orders, settled
from webapp.window import Window

# Each process has jobs of its own, added by its own requests: such copies do not meet.
CLAIMS = Claims(
    shared_across=PROCESS,
    atomic_across=PROCESS,
    survives="request",
    copies="apart",
    thread="import",
    part="schedule",
)

scheduler: Any = None
added = Orders("apscheduler-add-job")
"""Recorded for `read` only, which waits until all accepted jobs are done."""


def init_app(app: Flask) -> None:
    global scheduler
    if scheduler is None:
        from apscheduler.schedulers.background import BackgroundScheduler

        scheduler = BackgroundScheduler(timezone=UTC, daemon=True)
        scheduler.start()


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    window()
    job = uuid.uuid4().hex
    run_date = datetime.now(UTC) + timedelta(seconds=INTERVAL_S)
    scheduler.add_job(ledger.note, "date", run_date=run_date, args=[key, job], id=job, misfire_grace_time=None)
    added.place(key, job)
    return job


def read(key: str) -> list[str]:
    return settled(key, added)
