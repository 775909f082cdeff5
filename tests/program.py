"""The program under test, and how to recognise what it starts."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

Statelab = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = [sys.executable, "-c", "from statelab.cli.main import main; main()"]
REPORTS = "STATELAB_REPORTS"
"""Names the folder of the reports; every process that the lab starts inherits it, which tells them from others."""


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
