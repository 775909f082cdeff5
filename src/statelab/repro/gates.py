"""The gates of an app started with GATES=1, used through a deployment that always has a free thread."""

import http.client
import urllib.error
import urllib.request

import msgspec

from statelab.core.errors import EngineFailed, Unavailable
from statelab.core.operation import ServedBy
from statelab.plan.deployments import Deployment

ENVIRONMENT = {"GATES": "1"}
STORE = "redis"
"""The store that the gates are in."""
ANSWER_S = 15.0
"""Longer than the app waits for an arrival."""


class Arrival(msgspec.Struct, frozen=True):
    """A request that is at its gate: at which point, and which server has it."""

    point: int
    served_by: ServedBy


def gates_host(deployments: dict[str, Deployment]) -> Deployment:
    """A deployment that still answers when many requests are held, because each request has its own thread."""
    for deployment in deployments.values():
        if "threads" in deployment.fresh:
            return deployment
    raise EngineFailed("gates need a deployment with a new thread for each request, such as dev-threaded.env")


class Gates:
    def __init__(self, url: str) -> None:
        self._url = url

    def _post(self, op_id: str, action: str) -> bytes | None:
        """The answer; None if the app gave up waiting. Raises Unavailable if the app does not answer."""
        request = urllib.request.Request(f"{self._url}/gates/{op_id}/{action}", method="POST")
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as response:
                body: bytes = response.read()
                return body
        except urllib.error.HTTPError as error:
            with error:
                if error.code == http.client.GATEWAY_TIMEOUT:
                    return None
                raise Unavailable(f"the gates do not work: HTTP {error.code}: {error.read(200)!r}") from None
        except OSError as error:
            raise Unavailable(f"the gates do not work: {self._url}: {error}") from None

    def arrival(self, op_id: str, within_s: int | None = None) -> Arrival | None:
        """Waits until the request is at its gate, at most so many seconds (None: as long as the app does); None if it
        does not come."""
        body = self._post(op_id, "arrival" if within_s is None else f"arrival?within={within_s}")
        return None if body is None else msgspec.json.decode(body, type=Arrival)

    def release(self, op_id: str) -> None:
        self._post(op_id, "release")
