"""The threads that serve in a process of a world, and how to detect that a thread waits for a lock or for work."""

from __future__ import annotations

import importlib
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Container
from types import FrameType
from typing import Any

from . import tasks

LOOK_S = 0.005
"""Seconds between two looks at a thread that may wait for another one."""
BLOCKED_LOOKS = 24
"""If this many looks in a row find a thread waiting for a lock, with no thread of its process running, it counts as
excluded."""
ASLEEP_LOOKS = 400
"""If this many looks find the whole process of a thread asleep, the thread counts as excluded, whatever it waits for: a
file lock, or a database."""
BURNT_S = 5.0
"""If the process of a thread has used this many seconds of processor time, the thread counts as excluded: it spins
until another one lets it go on."""
IDLE_S = 0.05
"""Threads count as done when they have all waited for new work for this many seconds."""
OURS = "statelab-"

Answer = Callable[[dict[str, Any], "Thread"], dict[str, Any]]
"""Runs a command in a thread, and returns the thread's message."""


class Thread:
    """One thread that serves the commands it is given; a greenlet if gevent has patched the threads."""

    def __init__(self, name: str, answer: Answer, roots: list[str], *, patched: bool) -> None:
        self._given: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._go_on = threading.Event()
        self._answer = answer
        self._roots = tuple(roots)
        self._patched = patched
        self.steps: list[dict[str, Any]] = []
        self._greenlet: Any = None
        self._thread = threading.Thread(target=self._run, name=OURS + name, daemon=True)
        self._thread.start()

    def give(self, command: dict[str, Any]) -> None:
        self.steps = []
        self._given.put(command)

    def release(self) -> None:
        self._go_on.set()

    def _run(self) -> None:
        if self._patched:
            self._greenlet = importlib.import_module("greenlet").getcurrent()
        while True:
            command = self._given.get()
            self._said.put(self._answer(command, self))
            if command.get("once"):
                return

    def hold(self, step: dict[str, Any]) -> None:
        """Waits at a step, in this thread, until it is released."""
        self._go_on.clear()
        self._said.put({"held": step, "steps_before": len(self.steps) - 1})
        self._go_on.wait()

    def wait(self, *, patient: bool) -> dict[str, Any]:
        """Waits for the thread's next message. If not `patient`, returns `blocked` once the thread waits for another
        thread or process. Elapsed time alone never counts as that: a request may be slow, and a process may be stopped
        or get no processor."""
        if patient:
            return self._said.get()
        burnt_before = time.process_time()
        before: dict[int, tasks.Task] | None = None  # most threads answer before the first look, which is expensive
        blocked = asleep = 0
        while True:
            try:
                return self._said.get(timeout=LOOK_S)
            except queue.Empty:
                now = tasks.others()
            if self._patched:  # all greenlets are this one thread: while it looks, none runs
                locked, sleeps, never = self._greenlet_waits_for_lock(), True, False
            else:
                own = (now or {}).get(self._thread.native_id or 0)
                locked = own is not None and own.locked and now == before
                sleeps = now is None or all(task.asleep for task in now.values())
                never = tasks.for_good(before, now)
            blocked, asleep, before = blocked + 1 if locked and sleeps else 0, asleep + sleeps, now
            burnt = time.process_time() - burnt_before
            if never or blocked >= BLOCKED_LOOKS or asleep >= ASLEEP_LOOKS or burnt > BURNT_S:
                return {"blocked": self._where(), "steps_before": len(self.steps)}

    def _greenlet_waits_for_lock(self) -> bool:
        frame = self._greenlet and self._greenlet.gr_frame
        return frame is not None and frame.f_code.co_filename.endswith(os.path.join("gevent", "thread.py"))

    def _where(self) -> dict[str, Any]:
        frame = sys._current_frames().get(self._thread.ident or 0)
        if self._greenlet is not None:
            frame = self._greenlet.gr_frame
        while frame is not None and not frame.f_code.co_filename.startswith(self._roots):
            frame = frame.f_back
        if frame is None:
            return {"file": "", "line": 0, "function": ""}
        return {"file": frame.f_code.co_filename, "line": frame.f_lineno, "function": frame.f_code.co_name}


def settled(known: Container[int | None], limit_s: float) -> list[str]:
    """Waits until the threads that are neither known nor ours have ended, or only wait for work. Returns the names of
    those that have not after `limit_s` seconds; empty if all have."""
    deadline = time.monotonic() + limit_s
    idle_since = before = None
    while True:
        others = [
            thread for thread in threading.enumerate() if thread.ident not in known and not thread.name.startswith(OURS)
        ]
        if not others or time.monotonic() > deadline:
            return [thread.name for thread in others]
        frames = sys._current_frames()
        if not all(_is_idle(frames.get(thread.ident or 0)) for thread in others):
            idle_since = None
        elif idle_since is None:
            idle_since, before = time.monotonic(), tasks.others()
        elif time.monotonic() - idle_since > IDLE_S or tasks.for_good(before, tasks.others()):
            return []
        time.sleep(0.002)


def _is_idle(frame: FrameType | None) -> bool:
    """Whether a thread waits for work, as a thread of a pool does. A timer that waits for its time counts as busy."""
    if frame is None:
        return True
    waits = frame.f_code.co_filename.endswith(
        (os.path.join("concurrent", "futures", "thread.py"), os.sep + "queue.py", os.sep + "threading.py")
    )
    above: FrameType | None = frame
    if frame.f_code.co_name == "run":  # of a thread whose work is in C
        return False
    while waits and above is not None:
        if above.f_code.co_name in ("join", "result") or type(above.f_locals.get("self")) is threading.Timer:
            return False
        above = above.f_back
    return waits
