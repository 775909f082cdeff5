"""A `multiprocessing` manager's dict, and a lock of the manager's around read and write.

People believe that the manager's lock adds what its dict lacks. It excludes threads and processes; under gevent,
waiting for it stops the whole process, including the holder.
"""

from webapp import stores
from webapp.claims import HOST, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=HOST, blocks_hub=True, survives="worker", medium="manager")

unavailable = stores.without_manager_process


def increment(key: str, window: Window) -> int:
    values = stores.manager().values
    with stores.manager().lock(key):
        value = values.get(key, 0)
        window()
        values[key] = value + 1
        return value + 1


def read(key: str) -> int:
    return stores.manager().values.get(key, 0)
