"""`python services/line_by_line.py WORKLOAD MECHANISM`: runs requests in one process, line by line.

Reads commands as lines of JSON on standard input and answers each with one. The mechanism's own code runs, unchanged:
`sys.settrace` stops the thread of a request before every line of the mechanism's file, until it is told to run it.
"""

import json
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

sys.path[0] = str(Path(__file__).parent)

from webapp.catalogue import WORKLOADS  # noqa: E402
from webapp.window import WINDOWS, Window  # noqa: E402

PATIENCE_S, LOOKS = 0.05, 5
"""A request that is asleep in a line of the mechanism at LOOKS looks in turn, PATIENCE_S apart, waits for another."""

MODULE = WORKLOADS[sys.argv[1]].mechanisms[sys.argv[2]].module


class Request(threading.Thread):
    """One operation in a thread of its own. `line` is the one that it runs next (None: it has ended); `windows` counts
    how often it has called its window."""

    def __init__(self, operation: str, key: str) -> None:
        super().__init__(daemon=True)
        self._function, self._key = getattr(MODULE, operation), key
        self._go, self._arrived = threading.Semaphore(0), threading.Semaphore(0)
        self.line: int | None = None
        self.variables: dict[str, str] = {}
        self.result: int | None = None
        self.error = ""
        self.windows = 0
        self.waits = False

    def run(self) -> None:
        sys.settrace(self._trace)
        try:
            self.result = self._function(self._key, Window("line by line", self._pass_window))
        except Exception as error:
            self.error = repr(error)
        finally:
            sys.settrace(None)
        self.line = None
        self._arrived.release()

    def _pass_window(self) -> None:
        self.windows += 1

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if frame.f_code.co_filename != MODULE.__file__:
            return None
        if event == "line":
            self.line, self.variables, up = frame.f_lineno, {}, frame
            while up.f_code.co_filename == MODULE.__file__ and up.f_back:
                code = up.f_code
                given = code.co_varnames[: code.co_argcount]
                self.variables |= {name: repr(value) for name, value in up.f_locals.items() if name not in given}
                up = up.f_back
            self._arrived.release()
            self._go.acquire()
        return self._trace

    def begin(self) -> None:
        self.start()
        self.settle()

    def step(self) -> None:
        self._go.release()
        self.settle()

    def settle(self) -> None:
        """Waits until the request is before its next line or has ended; sets `waits` if it waits for another request
        instead."""
        asleep = 0
        while asleep < LOOKS and not self._arrived.acquire(timeout=PATIENCE_S):
            asleep = asleep + 1 if self._sleeps() else 0
        self.waits = asleep == LOOKS

    def _sleeps(self) -> bool:
        """Whether its thread is asleep in a line of the mechanism; in a library it may be waiting for a store, which
        does not count. A thread that only waits for a free processor is not asleep."""
        frame = sys._current_frames().get(self.ident or 0)
        try:
            state = Path(f"/proc/self/task/{self.native_id}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False  # it has just ended
        return frame is not None and frame.f_code.co_filename == MODULE.__file__ and state == "S"

    def told(self) -> dict[str, Any]:
        names = ("line", "variables", "result", "error", "windows", "waits")
        return {name: getattr(self, name) for name in names}


requests: dict[str, Request] = {}
for command in map(json.loads, sys.stdin):
    if "anew" in command:
        requests = {}
    elif "run" in command:
        result = getattr(MODULE, command["run"])(command["key"], *[WINDOWS["call"]] * (command["run"] != "read"))
    elif "begin" in command:
        requests[command["who"]] = Request(command["begin"], command["key"])
        requests[command["who"]].begin()
    elif "step" in command:
        requests[command["step"]].step()
    for request in requests.values():
        if request.waits:
            request.settle()
    answer = {"requests": {who: request.told() for who, request in requests.items()}}
    answer["value"] = MODULE.read(command["key"])
    if "run" in command:
        answer["result"] = result
    print(json.dumps(answer), flush=True)
