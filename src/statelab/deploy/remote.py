"""The engine for an app that runs already: it starts and stops nothing, and knows the address."""

import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from statelab.core.access import Access
from statelab.core.errors import EngineFailed, Unavailable
from statelab.plan.deployments import Deployment
from statelab.plan.remote import Remote

AGAIN_S = 5.0
"""Seconds without an answer after which the app counts as gone."""


class RemoteEngine:
    """An engine with one deployment, that of the file."""

    name = "remote"

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._reason = ""

    @property
    def access(self) -> Access:
        return self._remote.access

    def up(self, deployments: list[Deployment]) -> None:
        """Waits until the app answers; raises EngineFailed if it does not."""
        try:
            self._remote.answers(self._remote.wait)
        except Unavailable as error:
            raise EngineFailed(str(error)) from None

    def url(self, deployment: str) -> str:
        if self._reason:
            raise Unavailable(self._reason)
        return self._remote.url

    def reasons(self) -> dict[str, str]:
        return {self._remote.deployment.name: self._reason} if self._reason else {}

    def store_reasons(self) -> dict[str, str]:
        """Empty, because the catalogue of the app says what it lacks."""
        return {}

    def restart(self, deployment: str) -> None:
        """Resets the app as the file says, and waits until it answers; raises Unavailable."""
        reset = self._remote.reset
        try:
            if reset and reset.command:
                self._command(reset.command, reset.seconds)
            elif reset:
                self._request(str(reset.request), reset.seconds)
            self._remote.answers(reset.seconds if reset else AGAIN_S)
        except Unavailable as error:
            self._reason = str(error)
            raise

    def _command(self, words: list[str], seconds: float) -> None:
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(self.access.hidden(f"remote.reset: {error}")) from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it printed nothing"]
            raise Unavailable(self.access.hidden(f"remote.reset: {words[0]} ended with {done.returncode}: {said[0]}"))

    def _request(self, request: str, seconds: float) -> None:
        method, _, path = request.partition(" ")
        try:
            asked = urllib.request.Request(f"{self._remote.url}{path}", method=method)
            self.access.open(asked, seconds).close()
        except urllib.error.HTTPError as error:
            error.close()
            raise Unavailable(f"remote.reset: {request} was answered with HTTP {error.code}") from None

    def addresses(self) -> dict[str, str]:
        return {self._remote.deployment.name: self._remote.url}

    def versions(self) -> dict[str, str]:
        return {}

    def save_logs(self, folder: Path) -> None:
        """Does nothing: the logs are where the app runs."""

    def down(self) -> None:
        """Does nothing: nothing was started."""
