"""A scheduler in every process that takes orders, and a file lock: the one that gets the `flock` leads for one run.

People write the leader's process id into a file, which outlives the leader. The kernel releases this lock when its
holder dies; the file keeps the leader's position, so that the next one goes on from there.
"""

import fcntl
import uuid

from webapp.claims import HOST, Claims
from webapp.once import ledger
from webapp.once.orders import Orders, Recurring, settled
from webapp.settings import SETTINGS
from webapp.window import Window

# It never waits, which could stop a greenlet: a scheduler that does not get the lock does not lead.
CLAIMS = Claims(
    shared_across=HOST,
    atomic_across=HOST,
    survives="server",
    thread="first-use",
    resumed=True,
    medium="file",
    part="schedule",
)

orders = Orders("apscheduler-leader-file")
PLACE = SETTINGS.state_dir / "once.apscheduler-leader-file~place"


def do_what_is_due() -> None:
    with PLACE.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        file.seek(0)
        due, place = orders.since(int(file.read() or 0))
        for key, order in due:
            ledger.note(key, order)
        file.truncate(0)
        file.write(str(place))


job = Recurring(do_what_is_due)


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    job.start()
    window()
    order = uuid.uuid4().hex
    orders.place(key, order)
    return order


def read(key: str) -> list[str]:
    return settled(key, orders)
