"""One manager process for all workers of a deployment, for state that no single worker may own.

It lives as long as the server that started it and listens on a Unix socket with a random key. `multiprocessing`
managers speak pickle over that socket; whoever holds the key can run code here, which is why it never leaves the host.
"""

import contextlib
import hashlib
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from multiprocessing.managers import AcquirerProxy, BaseManager, DictProxy  # type: ignore[attr-defined]
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")


class Manager(BaseManager):
    """Serves one dict, and a lock for each name, to every process that has the key."""


def segment_prefix(key: bytes) -> str:
    """Prefix of the names of this deployment's shared memory; the names are public, so the key is hashed."""
    return f"statelab-{hashlib.sha256(key).hexdigest()[:12]}-"


@contextlib.contextmanager
def cleared_segments(prefix: str) -> Iterator[None]:
    """Removes this deployment's shared memory at its end, because it outlives the processes."""
    try:
        yield
    finally:
        for segment in SHARED_MEMORY.glob(f"{prefix}*"):
            segment.unlink(missing_ok=True)


def wait_for_end_of(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)


def main() -> None:
    key = bytes.fromhex(os.environ["MANAGER_KEY"])
    values: dict[str, int] = {}
    locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)  # safe: the server makes one object at a time
    Manager.register("values", callable=lambda: values, proxytype=DictProxy)
    Manager.register("lock", callable=lambda name: locks[name], proxytype=AcquirerProxy)
    server = Manager(address=os.environ["MANAGER_ADDRESS"], authkey=key).get_server()
    with cleared_segments(segment_prefix(key)):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        wait_for_end_of(int(sys.argv[1]))


if __name__ == "__main__":
    main()
