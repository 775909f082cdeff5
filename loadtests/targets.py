"""The addresses of the deployments and the app's catalogue, for the form of the web UI."""

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

DEPLOYMENTS = Path(__file__).parent.parent / "services" / "deployments"


def targets() -> dict[str, str]:
    """Each deployment's address: LAB_TARGETS (a JSON object), or its name, which Compose's network resolves."""
    given = os.environ.get("LAB_TARGETS")
    if given:
        found: dict[str, str] = json.loads(given)
        return found
    return {path.stem: f"http://{path.stem}:8000" for path in sorted(DEPLOYMENTS.glob("*.env"))}


def catalogue(addresses: dict[str, str]) -> dict[str, Any]:
    """The app's catalogue from the first deployment that answers; empty if none does."""
    for address in addresses.values():
        try:
            with urllib.request.urlopen(f"{address}/catalogue", timeout=2) as response:
                found: dict[str, Any] = json.load(response)
                return found
        except OSError:
            continue
    return {}
