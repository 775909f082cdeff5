"""Engines start the stores and deployments and say where they listen. They know nothing about workloads."""

from pathlib import Path
from typing import Protocol

from statelab.core.access import Access
from statelab.plan.deployments import Deployment


class Engine(Protocol):
    """One way to start the lab. `down` stops whatever was started, even if `up` failed halfway."""

    name: str

    @property
    def access(self) -> Access:
        """How requests reach what it serves."""

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
