"""Where things are in a checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ROOT / "services"
DEPLOYMENTS = SERVICES / "deployments"
LOADTESTS = ROOT / "loadtests"
COMPOSE = ROOT / "compose" / "compose.yaml"
REPORTS = ROOT / "reports"
PACKAGES = ROOT / ".state" / "packages"
UP = ROOT / ".state" / "up.json"
