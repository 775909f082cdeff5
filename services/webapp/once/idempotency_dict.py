"""A dict in a module of the requests that were done: look, do the work, write it down.

People believe that the key of a retry is enough; a retry that comes before the work is written down does it again, and
so does one that another process serves.
"""

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.once import ledger
from webapp.once.bodies import require_same
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request", part="retry")

done: dict[tuple[str, str], str] = {}


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    known = done.get((key, op_id))
    if known is None:
        window()
        ledger.note(key, op_id)
        done[key, op_id] = body
    else:
        require_same(op_id, body, known)
    return op_id


def read(key: str) -> list[str]:
    return ledger.entries(key)
