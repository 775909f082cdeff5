"""uWSGI's spooler: a request leaves its order as a file, and a process of uWSGI's own does what the files say.

People expect the work to be done at once. An order that comes while another is being done does not wake the spooler: it
waits until the spooler looks again, after `spooler-frequency` (by default 30 s, here 1 s). A spooler that is killed at
work does the order again.
"""

import uuid

from webapp.claims import HOST, Claims
from webapp.once import ledger
from webapp.once.orders import Orders, settled
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(
    shared_across=HOST,
    atomic_across=HOST,
    survives="server",
    copies="apart",  # each host does what its own requests have ordered
    medium="file",
    server="uwsgi",
    part="schedule",
)

LOOKS_S = 2.0
"""Seconds by which the spooler has certainly looked again."""

spooled = Orders("uwsgi-spooler")
"""Recorded for `read` only, which waits until all accepted orders are done."""


def do(order: dict[bytes, bytes]) -> int:
    ledger.note(order[b"key"].decode(), order[b"order"].decode())
    done: int = uwsgi.SPOOL_OK
    return done


if SETTINGS.server == "uwsgi":  # for the spooler, which imports this module if the workers import the app
    import uwsgi

    uwsgi.spooler = do


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    window()
    order = uuid.uuid4().hex
    uwsgi.spool({b"key": key.encode(), b"order": order.encode()})
    spooled.place(key, order)
    return order


def read(key: str) -> list[str]:
    return settled(key, spooled, LOOKS_S)
