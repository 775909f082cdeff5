"""What the other threads of this process do, according to Linux's scheduler."""

from __future__ import annotations

import os
import threading
from typing import NamedTuple

LOCKS = ("futex", "locks_", "flock", "posix_lock", "fcntl")
"""Prefixes of the kernel functions in which a thread sleeps while it waits for a lock, in memory or on a file."""


class Task(NamedTuple):
    """`runs` changes whenever the thread gets a processor. The thread is `asleep` while it waits for anything, `locked`
    while it waits for a lock, `for_good` while it waits for a lock in memory without a time limit."""

    runs: str
    asleep: bool
    locked: bool
    for_good: bool


def others() -> dict[int, Task] | None:
    """The threads of this process except the calling one, by native id; None if the system does not say."""
    found: dict[int, Task] = {}
    try:
        ids = {int(name) for name in os.listdir("/proc/self/task")}
    except OSError:
        return None
    for task in ids - {threading.get_native_id()}:
        try:
            status, waits_in, call = (_read(task, name) for name in ("status", "wchan", "syscall"))
        except OSError:  # it has ended, or only root may look
            found[task] = Task("", asleep=False, locked=False, for_good=False)
            continue
        runs = "".join(line for line in status.splitlines() if "ctxt_switches" in line)
        locked = waits_in.startswith(LOCKS)
        no_limit = call.split()[4:5] == ["0x0"]  # the fourth argument of this system call
        for_good = "futex" in waits_in and no_limit
        found[task] = Task(runs, "\nState:\tS" in status, locked, for_good)
    return found


def _read(task: int, name: str) -> str:
    with open(f"/proc/self/task/{task}/{name}") as file:
        return file.read()


def for_good(before: dict[int, Task] | None, now: dict[int, Task] | None) -> bool:
    """Whether all threads wait for locks that no thread is left to release: in both looks each sleeps without a time
    limit, and none has run in between."""
    return now is not None and now == before and all(task.for_good for task in now.values())
