"""An object from an `lru_cache`d function: every caller in the process gets the same one.

People take it for a clean singleton; it is a module global by another name, one for each process.
"""

from functools import lru_cache

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request")


class Count:
    n = 0


@lru_cache(maxsize=None)  # noqa: UP033 (the name is what people search for); without a bound none is dropped
def count(key: str) -> Count:
    return Count()


def increment(key: str, window: Window) -> int:
    counter = count(key)
    if window.tight:
        counter.n += 1
        return counter.n
    value = counter.n
    window()
    counter.n = value + 1
    return value + 1


def read(key: str) -> int:
    return count(key).n
