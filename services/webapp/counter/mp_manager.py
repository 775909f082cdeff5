"""A `multiprocessing` manager's dict, in a process of its own: `values[key] += 1`.

People believe that sharing by a manager is safe; each call is atomic, but the update takes two calls.
"""

from webapp import stores
from webapp.claims import BLOCKING, HOST, NOTHING, Claims
from webapp.window import Window

CLAIMS = Claims(
    shared_across=HOST,
    atomic_across=NOTHING,
    switches_inside=BLOCKING,
    survives="worker",
    medium="manager",
)

unavailable = stores.without_manager_process


def increment(key: str, window: Window) -> int:
    values = stores.manager().values
    value = values.get(key, 0)
    window()
    values[key] = value + 1
    return value + 1


def read(key: str) -> int:
    return stores.manager().values.get(key, 0)
