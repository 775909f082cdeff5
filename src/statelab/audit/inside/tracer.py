"""Interrupts a request at one of its steps: before a line of the app's own code, or before it changes a file.

A step is a line event in a file of the app, or an event of the fence (open for writing, rename, remove ...) anywhere.
Steps are counted from 0 in the order in which the request takes them; the same request from the same memory takes the
same steps, so a number names the same moment in every world.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Container
from types import CodeType, FrameType
from typing import Any, ClassVar

from .private import Private


class Tracer:
    """Counts the steps of one thread. At each step whose number is in `holds` it calls `held(step)` in that thread;
    this call may block.

    With `marks`, each step has `as_before`: whether it follows a private line of the same function (see `private`). To
    all other code, a request held at such a step is in the same state as one held at the step before.
    """

    def __init__(
        self, roots: list[str], holds: Container[int], held: Callable[[dict[str, Any]], None], *, marks: bool = False
    ) -> None:
        self._roots = tuple(roots)
        self._own: dict[CodeType, bool] = {}
        self._holds = holds
        self._held = held
        self._thread = threading.get_ident()
        self._holding = False
        self._private = Private() if marks else None
        self._after_private: FrameType | None = None
        self.steps: list[dict[str, Any]] = []

    def __enter__(self) -> Tracer:
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        own = self._own.get(code)
        if own is None:
            own = self._own[code] = code.co_filename.startswith(self._roots) and code.co_name != "<module>"
        return self._line if own else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self._step(frame, "line")
        else:
            self._after_private = None  # code that runs because of a return or an exception belongs to no line
        return self._line

    def watch(self, event: str, path: str) -> None:
        """Called by the fence: some thread is about to change a file."""
        frame = self._own_frame()
        if frame is not None:
            self._step(frame, event)

    def _own_frame(self) -> FrameType | None:
        """The innermost frame of the app's own code; None in another thread."""
        frame: FrameType | None = sys._getframe(2) if threading.get_ident() == self._thread else None
        while frame is not None and not frame.f_code.co_filename.startswith(self._roots):
            frame = frame.f_back
        return frame

    def read(self, statement: str) -> None:
        """Called by the fence: some thread runs an SQL statement. It is stored with the last step of this thread and
        with the line that runs it, which is not the line of the step if that line has called a function of the app."""
        frame = self._own_frame()
        if frame is not None and self.steps:
            self.steps[-1].setdefault("statements", []).append([frame.f_lineno, statement])

    def _step(self, frame: FrameType, kind: str) -> None:
        step = {
            "file": frame.f_code.co_filename,
            "line": frame.f_lineno,
            "function": getattr(frame.f_code, "co_qualname", frame.f_code.co_name),
            "at": kind,
        }
        if self._private is not None:
            step["as_before"] = kind == "line" and self._after_private is frame
            self._after_private = frame if kind == "line" and self._private.line(frame) else None
        self.steps.append(step)
        if len(self.steps) - 1 in self._holds:
            self._held(step)


class Switches(Tracer):
    """The same for a greenlet, which others can interrupt only where it enters gevent's hub. A step is the first line
    of the app's own code after a switch back to the greenlet, as reported by `greenlet.settrace`."""

    by_greenlet: ClassVar[dict[Any, Switches]] = {}
    """The tracers in use, by greenlet: `greenlet.settrace` takes one function for all greenlets of a thread."""

    def __enter__(self) -> Switches:
        greenlet: Any = importlib.import_module("greenlet")  # installed wherever gevent is
        self._settrace, self._own_greenlet = greenlet.settrace, greenlet.getcurrent()
        self.by_greenlet[self._own_greenlet] = self
        self._settrace(switched)
        return self

    def __exit__(self, *_: object) -> None:
        del self.by_greenlet[self._own_greenlet]
        if not self.by_greenlet:
            self._settrace(None)
        sys.settrace(None)

    def back(self) -> None:
        """Called in the greenlet after a switch to it."""
        if self._holding:
            sys.settrace(None)
            return
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            if self._enter(frame, "call", None) is not None:
                frame.f_trace = self._line
            frame = frame.f_back
        sys.settrace(self._enter)

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event != "line":
            return self._line
        sys.settrace(None)
        self._holding = True
        self._step(frame, "switch")
        self._holding = False
        return None

    def watch(self, event: str, path: str) -> None:
        """Does nothing: a change of a file lets no other greenlet run."""


def switched(event: str, arguments: tuple[Any, Any]) -> None:
    """Tells the tracer of the greenlet that was switched to. It is called in that greenlet."""
    entered = Switches.by_greenlet.get(arguments[1])
    if entered is None:
        sys.settrace(None)
    else:
        entered.back()
