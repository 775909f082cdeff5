"""Whatever way the lab ends, nothing it started is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

LAB = """
import sys, time
from pathlib import Path
from statelab.deploy.processes import Processes

processes = Processes()
shell = "trap '' TERM INT; sleep 300 & sleep 300"
child = processes.start(["sh", "-c", shell], log=processes.folder / "log")
time.sleep(0.2)
print(child.process.pid, processes.folder, flush=True)
{ending}
"""
ENDINGS = {
    "killed": "time.sleep(300)",
    "crashed": "raise SystemExit('a bug')",
    "closed": "processes.close()",
}


def _group(leader: int) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _in_group(process, leader)]


def _in_group(process: psutil.Process, leader: int) -> bool:
    try:
        return os.getpgid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False


@pytest.mark.process
@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_is_left(ending: str) -> None:
    """Stubborn children and grandchildren end, and the folder goes, though the lab was killed, crashed or closed."""
    script = LAB.format(ending=ENDINGS[ending])
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as lab:
        assert lab.stdout
        pid, folder = lab.stdout.readline().decode().split()
        assert len(_group(int(pid))) >= 2 or ending != "killed"
        if ending == "killed":
            lab.send_signal(signal.SIGKILL)
        lab.wait()
    deadline = time.monotonic() + 60
    while (_group(int(pid)) or Path(folder).exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _group(int(pid)) == []
    assert not Path(folder).exists()
