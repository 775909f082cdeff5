"""Where the deployments answer, and what the app can do, for the form of the web UI."""

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

DEPLOYMENTS = Path(__file__).parent.parent / "services" / "deployments"


def targets() -> dict[str, str]:
    """Each deployment's address: LAB_TARGETS (a JSON object), else by its name, as Compose's network resolves it."""
    given = os.environ.get("LAB_TARGETS")
    if given:
        found: dict[str, str] = json.loads(given)
        return found
    return {path.stem: f"http://{path.stem}:8000" for path in sorted(DEPLOYMENTS.glob("*.env"))}


def catalogue(addresses: dict[str, str]) -> dict[str, Any]:
    """The app's catalogue from the first deployment that answers; empty where none does."""
    for address in addresses.values():
        try:
            with urllib.request.urlopen(f"{address}/catalogue", timeout=2) as response:
                found: dict[str, Any] = json.load(response)
                return found
        except OSError:
            continue
    return {}
