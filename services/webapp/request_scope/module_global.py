"""A module-level dictionary: one value for all requests of a process.

People believe that a request is over before the next one begins; all requests of a process read what was written last.
"""

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request")

owners: dict[str, str] = {}


def echo(key: str, window: Window, value: str) -> str:
    owners[key] = value
    window()
    return owners[key]


def find(key: str, value: str) -> str:
    return owners.get(key, value)
