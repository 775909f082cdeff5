"""APScheduler's `BackgroundScheduler`, started by each process's first request; its job does what was ordered.

People start the scheduler with the app and forget that every process starts one: the job runs in each process. On the
development server that forks, the process ends before its job has run. If a single worker is replaced, the orders that
it has not done are lost, because its successor's job begins with later orders.
"""

import threading
import uuid

from webapp.claims import HOST, PROCESS, Claims
from webapp.once import ledger
from webapp.once.orders import Orders, Recurring, settled
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=PROCESS, survives="server", thread="first-use", part="schedule")

orders = Orders("apscheduler-every-worker")
last_run: int | None = None


def do_what_is_due() -> None:
    global last_run
    due, last_run = orders.since(last_run or 0)
    for key, order in due:
        ledger.note(key, order)


job = Recurring(do_what_is_due)
starting = threading.Lock()


def start() -> None:
    """Sets the position where the job begins, only once: a second call would skip the first order."""
    global last_run
    with starting:
        if last_run is None:
            last_run = orders.end
    job.start()


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    start()
    window()
    order = uuid.uuid4().hex
    orders.place(key, order)
    return order


def read(key: str) -> list[str]:
    start()
    return settled(key, orders)
