"""A flag in a module: the first request does what the app has to do at its start.

People believe that there is only one "first request"; each process has its own, and every thread that asks before the
flag is set does the work as well.
"""

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.once import ledger
from webapp.once.start_up import START_UP, prepare
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request", part="start")


started: set[str] = set()


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    if key not in started:
        prepare(window)
        ledger.note(key, START_UP)
        started.add(key)
    return START_UP


def read(key: str) -> list[str]:
    return ledger.entries(key)
