"""The end of a child that does not end when it is asked to."""

import signal
import sys
from pathlib import Path

import pytest

from statelab.deploy.processes import Processes

IGNORES = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


def test_who_ignores_the_signal_is_killed_and_its_log_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of one that does end says nothing."""
    monkeypatch.setattr("statelab.deploy.processes.GRACE_S", 0.5)
    with Processes() as processes:
        deaf = processes.start([sys.executable, "-c", IGNORES], log=tmp_path / "uwsgi-4.log")
        good = processes.start(["sleep", "60"], log=tmp_path / "good.log")
        while not deaf.log.read_text():
            pass
    assert (deaf.process.returncode, good.process.returncode) == (-signal.SIGKILL, -signal.SIGTERM)
    assert deaf.log.read_text() == "deaf\nuwsgi-4 did not end within 0.5 s of SIGTERM and is killed\n"
    assert good.log.read_text() == ""
