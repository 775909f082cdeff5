"""A dict in a module: look whether there is one, then take one.

People believe that a check just before the act is enough; between the two, other requests see the same last piece.
Besides, every process begins with all that was delivered.
"""

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.inventory import deliveries
from webapp.inventory.answers import Answer
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request")

shelf: dict[str, int] = {}


def stock(key: str, window: Window, value: int) -> int:
    window()
    deliveries.deliver(key, value)
    shelf[key] = value
    return value


def buy(key: str, window: Window) -> Answer:
    if read(key) < 1:
        return "sold-out"
    window()
    shelf[key] -= 1
    return "ok"


def read(key: str) -> int:
    if key not in shelf:
        shelf[key] = deliveries.delivered(key)
    return shelf[key]
