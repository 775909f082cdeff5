"""The addresses of the deployments and the app's catalogue, for the form of the web UI."""

import json
import os
from functools import cache
from pathlib import Path

from statelab.core.errors import Unavailable
from statelab.plan.catalogue import Catalogue, fetch

DEPLOYMENTS = Path(__file__).parent.parent / "services" / "deployments"


def targets() -> dict[str, str]:
    """Each deployment's address: from LAB_TARGETS (a JSON object) or, without it, its name, which Compose's network
    resolves. LAB_HOSTS is a pattern for hosts that are called otherwise, as in `app-{}`."""
    given = os.environ.get("LAB_TARGETS")
    if given:
        found: dict[str, str] = json.loads(given)
        return found
    host = os.environ.get("LAB_HOSTS", "{}")
    return {path.stem: f"http://{host.format(path.stem)}:8000" for path in sorted(DEPLOYMENTS.glob("*.env"))}


@cache
def _asked(address: str) -> Catalogue:
    return fetch(address, timeout_s=2)


def catalogue(addresses: dict[str, str]) -> Catalogue | None:
    """The app's catalogue from the first deployment that answers; None if none does. Each is asked for it once."""
    for address in addresses.values():
        try:
            return _asked(address)
        except Unavailable:
            continue
    return None
