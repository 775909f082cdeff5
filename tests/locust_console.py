"""Locust with its web UI, as `statelab load` starts it."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from program import free_port
from statelab.core.paths import LOADTESTS

MASTER = {"alone": [], "processes": ["--processes", "2"], "workers": ["--master", "--master-bind-host", "127.0.0.1"]}
"""How Locust is started: by itself, with workers that it forks, and with workers that are started apart."""


@contextmanager
def _locust(options: list[str], targets: dict[str, str], folder: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "locust", "-f", str(LOADTESTS / "locustfile.py"), "--record", str(folder)]
    locust = subprocess.Popen(
        [*command, "--request-timeout", "10", *options],
        env={**os.environ, "LAB_TARGETS": json.dumps(targets)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        locust.terminate()
        locust.wait(timeout=20)


@contextmanager
def console(how: str, targets: dict[str, str], folder: Path) -> Iterator[str]:
    """The address of Locust's web UI. `targets` has the addresses of deployments by name."""
    port, bound = free_port(), str(free_port())
    with ExitStack() as started:
        options = ["--web-host", "127.0.0.1", "--web-port", str(port), *MASTER[how]]
        if how == "workers":
            options += ["--master-bind-port", bound]
        started.enter_context(_locust(options, targets, folder))
        for _ in range(2 if how == "workers" else 0):
            started.enter_context(_locust(["--worker", "--master-port", bound], targets, folder))
        yield _answering(f"http://127.0.0.1:{port}/")


def _answering(url: str) -> str:
    end = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert time.monotonic() < end, "Locust did not start"
            time.sleep(0.1)
        else:
            return url
