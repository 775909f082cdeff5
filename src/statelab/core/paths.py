"""Where things are in a checkout."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SERVICES = ROOT / "services"
DEPLOYMENTS = SERVICES / "deployments"
SERVERS = SERVICES / "servers"
LOADTESTS = ROOT / "loadtests"
COMPOSE = ROOT / "compose" / "compose.yaml"
REPORTS = Path(os.environ.get("STATELAB_REPORTS") or ROOT / "reports")
PACKAGES = ROOT / ".state" / "packages"
UP = ROOT / ".state" / "up.json"
