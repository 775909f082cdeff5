"""Engines start the stores and deployments and say where they listen. They know nothing about workloads."""

import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from statelab.core.access import Access
from statelab.core.endings import server_in
from statelab.plan.deployments import Deployment

ALL_S = 10.0
"""Seconds that a deployment has, after its first answer, until each of its workers must have answered."""
AT_ONCE = 8


class Engine(Protocol):
    """One way to start the lab. `down` stops whatever was started, even if `up` failed halfway."""

    name: str

    @property
    def access(self) -> Access:
        """How requests reach the served app."""

    def up(self, deployments: list[Deployment]) -> None:
        """Starts the stores and the deployments and waits until they answer.

        A store or deployment that does not start is remembered as unavailable, with the reason; the others go on.
        Raises EngineFailed if nothing can be started at all.
        """

    def url(self, deployment: str) -> str:
        """The address of a deployment, `http://127.0.0.1:<port>`; raises Unavailable with the reason."""

    def store_reasons(self) -> dict[str, str]:
        """The stores that are missing, each with the reason and how to get it."""

    def reasons(self) -> dict[str, str]:
        """The stores and deployments that did not start, each with the reason."""

    def restart(self, deployment: str) -> None:
        """Kills a deployment and starts it again, perhaps at another address; raises Unavailable."""

    def addresses(self) -> dict[str, str]:
        """The address of everything that listens, by name."""

    def versions(self) -> dict[str, str]:
        """Versions of what the engine runs, for the manifest."""

    def save_logs(self, folder: Path) -> None:
        """Writes the logs to a folder, one file for each server."""

    def down(self) -> None:
        """Stops everything that `up` and `restart` started."""


def wait_for_all_workers(deployment: Deployment, url: str) -> None:
    """Waits until each worker of the lab's own app has answered, at most ALL_S seconds. A worker that is still
    importing the app opens connections, which the cell of another deployment would count as its own. AT_ONCE requests
    are sent together, because one free worker might take all requests that come one by one."""

    def boot(_: int) -> str:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=ALL_S) as answer:
                server = server_in(answer.headers["X-Served-By"])
        except OSError:
            server = None
        return server.boot if server else ""

    boots: set[str] = set()
    deadline = time.monotonic() + ALL_S
    with ThreadPoolExecutor(AT_ONCE) as clients:
        while len(boots) < deployment.workers * deployment.hosts and time.monotonic() < deadline:
            boots |= {*clients.map(boot, range(AT_ONCE))} - {""}
