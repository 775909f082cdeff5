"""The program under test, and how to recognise what it starts."""

import json
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil

Statelab = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = [sys.executable, "-c", "from statelab.cli.main import main; main()"]
REPORTS = "STATELAB_REPORTS"
"""Names the folder of the reports; every process that the lab starts inherits it, which tells them from others."""


def free_port() -> int:
    """A port that nobody listens on, below those that the system gives to connections: it stays free for a while."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def staying(command: list[str], environment: Mapping[str, str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until it is told to stop, which it is where the test fails; its output is a pipe."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        except BaseException:
            process.terminate()
            raise


def started_for(reports: Path) -> list[psutil.Process]:
    """The processes of a lab whose reports go to that folder."""
    return [process for process in psutil.process_iter() if _inherits(process, str(reports))]


def _inherits(process: psutil.Process, reports: str) -> bool:
    try:
        return process.environ().get(REPORTS) == reports
    except psutil.Error:
        return False


def results(reports: Path) -> dict[str, Any]:
    """What the latest run whose reports went to that folder has found."""
    found: dict[str, Any] = json.loads((reports / "latest" / "results.json").read_text())
    return found


Place = tuple[str, str]
"""A mechanism and a deployment."""

UNJUDGED = ("not-exercised", "unknown")


def measured(
    statelab: Statelab,
    reports: Path,
    *options: str,
    shows: Mapping[Place, Collection[str]],
    files: Mapping[str, str] = MappingProxyType({}),
) -> dict[Place, dict[str, Any]]:
    """The cells of a run. Those that do not show all that they should, or of which nothing is known, are measured
    again, twice at most and for longer: a busy machine can hide a race, or stop a worker for longer than a request
    waits. Whatever was seen in any of the runs is in `anomalies`, so nothing unexpected is lost. `files` are those of
    mechanisms from outside."""
    cells: dict[Place, dict[str, Any]] = {}
    missed: list[Place] = []
    for n in range(3):
        if n:  # of an option that is given twice the last counts
            mechanisms, deployments = (",".join(dict.fromkeys(names)) for names in zip(*missed, strict=True))
            mechanisms = ",".join(files.get(name, name) for name in mechanisms.split(","))
            options = (*options, "--mechanism", mechanisms, "--deployment", deployments, "--runs", f"{2 * n + 1}")
        done = statelab("run", "--engine", "local", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        for cell in results(reports)["cells"]:
            place = (cell["mechanism"], cell["deployment"])
            before = cells[place]["anomalies"] if n else []
            only_before = [name for name in before if name not in cell["anomalies"]]
            if n == 0 or cell["anomalies"] or cells[place]["verdict"] in UNJUDGED:
                cells[place] = {**cell, "anomalies": [*only_before, *cell["anomalies"]]}
        missed = [place for place in shows if set(shows[place]) - set(cells[place]["anomalies"])]
        missed += [place for place, cell in cells.items() if cell["verdict"] in UNJUDGED]
        if not missed:
            break
    return cells
