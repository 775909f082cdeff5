"""The load: one Locust process that runs one cell after the other."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from statelab.core.access import DIRECT, Access
from statelab.core.calls import require_locust
from statelab.core.errors import BadInput, EngineFailed
from statelab.core.load import Cell, Done
from statelab.core.paths import LOADTESTS
from statelab.plan.profiles import Profile

ANSWER_S = 60.0
"""If Locust has not finished a cell within this time, Locust itself hangs."""
READS = 60
"""How many reads a cell may need for each process; if the rate is limited, they take time."""


def require_load(workload: str) -> None:
    """Raises BadInput if the load has no file for a workload, or if Locust is not installed."""
    require_locust()
    file = LOADTESTS / f"{workload.replace('-', '_')}.py"
    if not file.exists():
        raise BadInput(
            f"the workload {workload} is not complete: loadtests/{file.name} with `act` and `meaning` is missing"
        )


class Load:
    """A running Locust process. Recordings go to `folder`, its log beside them."""

    def __init__(self, folder: Path, profile: Profile, access: Access = DIRECT) -> None:
        self._rate = profile.rate
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        # only the summary, because the table that Locust prints every 2 s grows with each cell
        options = ["--headless", "--only-summary", "--loglevel", "WARNING"]
        options += ["--cells", "--users", str(profile.users), "--spawn-rate", str(profile.users)]
        options += ["--record", str(folder), "--request-timeout", str(profile.timeout_s)]
        options += [*(["--reuse"] if profile.reuse else []), "--rate", str(profile.rate or 0)]
        options += ["--token-header", access.header, "--token-variable", access.variable, "--ca", access.ca]
        with (folder / "locust.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "locust", "-f", str(LOADTESTS / "locustfile.py"), *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "LAB_TARGETS": '{"cells": "http://127.0.0.1"}'},
                start_new_session=True,
            )

    def __enter__(self) -> "Load":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, cell: Cell) -> Done:
        """Runs one cell to its end; raises EngineFailed if Locust has ended or hangs."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(msgspec.json.encode(cell) + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed("ended") from None
        reads_s = READS * (cell.processes or 1) / self._rate if self._rate else 0
        patience_s = ANSWER_S + cell.max_seconds + reads_s
        while True:
            ready, _, _ = select.select([self._process.stdout], [], [], patience_s)
            line = self._process.stdout.readline() if ready else b""
            if not line:
                raise self._failed("ended" if ready else f"did not answer within {patience_s:.0f} s")
            if line.startswith(b"{"):
                return msgspec.json.decode(line, type=Done)

    def _failed(self, what: str) -> EngineFailed:
        words = (self._folder / "locust.log").read_text(errors="replace").strip().splitlines()[-5:]
        return EngineFailed("\n".join([f"Locust {what}; its log ends with:", *words]))

    def close(self) -> None:
        """Ends Locust. Nothing is lost, because it records each operation as soon as the operation ends."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process.stdout.close()
