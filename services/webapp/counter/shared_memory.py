"""A named segment of `multiprocessing.shared_memory`: eight bytes that every process of the host can open.

People believe that shared memory has a lock; it has none unless you add one.
"""

import contextlib
import time
from collections.abc import Iterator
from multiprocessing import shared_memory
from multiprocessing.shared_memory import SharedMemory

from manager_process import segment_prefix
from webapp import stores
from webapp.claims import HOST, NOTHING, Claims
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=NOTHING, survives="worker")

unavailable = stores.without_manager_process  # which clears the segments in the end


class _Untracked:
    """Replaces the resource tracker, which removes a segment when the first process that opened it ends.

    That is Python's default up to 3.12, and from 3.13 unless told `track=False`.
    """

    @staticmethod
    def register(name: str, kind: str) -> None: ...

    @staticmethod
    def unregister(name: str, kind: str) -> None: ...


shared_memory.resource_tracker = _Untracked  # type: ignore[attr-defined]


def _attach(name: str) -> SharedMemory:
    try:
        return SharedMemory(name, create=True, size=8)
    except FileExistsError:
        return SharedMemory(name)


@contextlib.contextmanager
def cell(key: str) -> Iterator[memoryview]:
    """The segment of a key, as one integer."""
    for _ in range(stores.TRIES):
        try:
            segment = _attach(segment_prefix(SETTINGS.manager_key) + key)
            break
        except ValueError:  # the process that made it has not set its size yet
            time.sleep(0.001)
    with contextlib.closing(segment):
        assert segment.buf
        with segment.buf.cast("q") as view:
            yield view


def increment(key: str, window: Window) -> int:
    with cell(key) as counter:
        if window.tight:
            counter[0] = value = counter[0] + 1  # not read again: another process may have written since
            return value
        value = counter[0]
        window()
        counter[0] = value + 1
        return value + 1


def read(key: str) -> int:
    with cell(key) as counter:
        return counter[0]
